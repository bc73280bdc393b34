use axum::extract::{FromRequest, Request};
use echorift_web::{MatrixError, parse_request, read_body};
use ruma::api::client::push::set_pushrule::v3;
use serde_json::{Value, json};

/// A rule that somebody makes or changes, in ruma's type. One that always holds may leave its conditions out (CS API
/// § Push rules API).
pub(super) struct NewRule(pub(super) v3::Request);

impl<S: Send + Sync> FromRequest<S> for NewRule {
    type Rejection = MatrixError;

    async fn from_request(request: Request, state: &S) -> Result<Self, MatrixError> {
        let (mut parts, body) = read_body(request, state).await?;
        let completed = with_conditions(&body);
        let body = completed.as_deref().unwrap_or(&body);
        parse_request(&mut parts, body, state).await.map(Self)
    }
}

/// The body with conditions; `None` if it has some, or is no rule. Kinds without conditions pass over them.
fn with_conditions(body: &[u8]) -> Option<Vec<u8>> {
    let mut rule: Value = serde_json::from_slice(body).ok()?;
    let fields = rule.as_object_mut()?;
    if fields
        .get("conditions")
        .is_some_and(|conditions| !conditions.is_null())
    {
        return None;
    }
    fields.insert("conditions".to_owned(), json!([]));
    serde_json::to_vec(&rule).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_without_conditions_gets_none() {
        for body in [r#"{"actions":[]}"#, r#"{"actions":[],"conditions":null}"#] {
            let completed = with_conditions(body.as_bytes()).unwrap_or_default();
            let completed = serde_json::from_slice::<Value>(&completed).unwrap_or_default();
            assert_eq!(completed, json!({ "actions": [], "conditions": [] }));
        }
        for body in [
            r#"{"actions":[],"conditions":[{}]}"#,
            r#"{"conditions":1}"#,
            "[]",
            "no JSON",
        ] {
            assert_eq!(with_conditions(body.as_bytes()), None, "{body}");
        }
    }
}
