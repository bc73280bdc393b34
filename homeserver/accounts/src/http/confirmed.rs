use axum::extract::{FromRequest, Request};
use echorift_web::{MatrixError, parse_request, read_body};
use ruma::api::IncomingRequest;
use serde_json::{Value, json};

/// A request that its sender may have to confirm (CS API § User-Interactive Authentication API), in ruma's type.
///
/// `m.login.password` may name its user by `user`, as it did before there was `identifier` and as `/login` lets it: many
/// clients still do.
#[derive(Debug)]
pub struct Confirmed<T>(pub T);

impl<T, S> FromRequest<S> for Confirmed<T>
where
    T: IncomingRequest,
    S: Send + Sync,
{
    type Rejection = MatrixError;

    async fn from_request(request: Request, state: &S) -> Result<Self, MatrixError> {
        let (mut parts, body) = read_body(request, state).await?;
        let identified = with_identifier(&body);
        let body = identified.as_deref().unwrap_or(&body);
        parse_request(&mut parts, body, state).await.map(Self)
    }
}

/// The body with an identifier in its `auth`; `None` if it needs none.
fn with_identifier(body: &[u8]) -> Option<Vec<u8>> {
    let mut json: Value = serde_json::from_slice(body).ok()?;
    let auth = json.get_mut("auth")?.as_object_mut()?;
    if auth.get("type")? != "m.login.password" || auth.contains_key("identifier") {
        return None;
    }
    let user = auth.remove("user")?;
    auth.insert(
        "identifier".to_owned(),
        json!({ "type": "m.id.user", "user": user }),
    );
    serde_json::to_vec(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_becomes_an_identifier() {
        let identified = |auth: Value| {
            let body = json!({ "auth": auth, "devices": [] }).to_string();
            with_identifier(body.as_bytes()).and_then(|body| serde_json::from_slice::<Value>(&body).ok())
        };
        let identifier = json!({ "type": "m.id.user", "user": "anna" });
        let asked = json!({ "type": "m.login.password", "user": "anna", "password": "x" });
        let found = identified(asked).unwrap_or_default();
        assert_eq!(found["auth"]["identifier"], identifier);
        assert_eq!(found["devices"], json!([]));
        for auth in [
            json!({ "type": "m.login.password", "identifier": identifier, "user": "ben" }),
            json!({ "type": "m.login.dummy", "user": "anna" }),
            json!({ "session": "s" }),
            json!("m.login.password"),
        ] {
            assert_eq!(identified(auth.clone()), None, "{auth}");
        }
        assert_eq!(with_identifier(b"{}"), None);
        assert_eq!(with_identifier(b"no JSON"), None);
    }
}
