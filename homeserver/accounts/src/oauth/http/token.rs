use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

use super::posted::{Posted, unkept};
use crate::{
    Accounts,
    oauth::{
        client::{AUTHORIZATION_CODE, DEVICE_CODE, REFRESH_TOKEN},
        clients::Credentials,
        error::OAuthError,
        form::Fields,
        store::clients::Client,
    },
};

/// `POST /oauth2/token` (CS API § Grant types, RFC 6749 § 3.2).
pub(super) async fn exchange(
    State(accounts): State<Accounts>,
    headers: HeaderMap,
    Posted(fields): Posted,
) -> Result<Response, OAuthError> {
    let client = check_client(&accounts, &headers, &fields).await?;
    let required = |name, missing| fields.get(name).ok_or(OAuthError::InvalidRequest(missing));
    let answer = match fields.get("grant_type") {
        Some(AUTHORIZATION_CODE) => {
            let code = required("code", "code is missing")?;
            let redirect_uri = required("redirect_uri", "redirect_uri is missing")?;
            let verifier = required("code_verifier", "code_verifier is missing")?;
            accounts
                .redeem_code(&client, code, redirect_uri, verifier)
                .await?
        }
        Some(REFRESH_TOKEN) => {
            let token = required("refresh_token", "refresh_token is missing")?;
            accounts.refresh_for_client(&client, token).await?
        }
        Some(DEVICE_CODE) => {
            let code = required("device_code", "device_code is missing")?;
            accounts.poll_device(&client, code).await?
        }
        Some(_) => return Err(OAuthError::UnsupportedGrantType),
        None => return Err(OAuthError::InvalidRequest("grant_type is missing")),
    };
    Ok(unkept(json!({
        "access_token": answer.tokens.access_token,
        "token_type": "Bearer",
        "expires_in": answer.tokens.expires_in.as_secs(),
        "refresh_token": answer.tokens.refresh_token,
        "scope": answer.scope,
    })))
}

/// `POST /oauth2/revoke` (CS API § Token revocation, RFC 7009).
///
/// A token is revoked whoever presents it: who finds a leaked one does good. Only a client that claims to be one with
/// a secret has to prove it.
pub(super) async fn revoke(
    State(accounts): State<Accounts>,
    headers: HeaderMap,
    Posted(fields): Posted,
) -> Result<Response, OAuthError> {
    let token = fields
        .get("token")
        .ok_or(OAuthError::InvalidRequest("token is missing"))?;
    if headers.contains_key(header::AUTHORIZATION) || fields.get("client_secret").is_some() {
        check_client(&accounts, &headers, &fields).await?;
    }
    accounts.revoke_token(token).await?;
    Ok(StatusCode::OK.into_response())
}

/// The client that sends a form, by the credentials in its header or in the form (RFC 6749 § 2.3.1).
pub(super) async fn check_client(
    accounts: &Accounts,
    headers: &HeaderMap,
    fields: &Fields,
) -> Result<Client, OAuthError> {
    let Some(header) = headers.get(header::AUTHORIZATION) else {
        let id = fields
            .get("client_id")
            .ok_or(OAuthError::InvalidRequest("client_id is missing"))?;
        let credentials = fields
            .get("client_secret")
            .map_or(Credentials::None, Credentials::Post);
        return accounts.check_client(id, credentials).await;
    };
    let basic = header.to_str().ok().and_then(read_basic);
    let (id, secret) = basic.ok_or(OAuthError::InvalidClient)?;
    let says_otherwise = fields.get("client_id").is_some_and(|named| named != id);
    if says_otherwise || fields.get("client_secret").is_some() {
        return Err(OAuthError::InvalidRequest("the client presents itself twice"));
    }
    accounts.check_client(&id, Credentials::Basic(&secret)).await
}

/// Both halves are encoded as in a form before they are joined.
fn read_basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let joined = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = joined.split_once(':')?;
    Some((decode(id)?, decode(secret)?))
}

fn decode(text: &str) -> Option<String> {
    let whole = format!("x={text}");
    url::form_urlencoded::parse(whole.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_read_as_they_are_written() {
        let header = format!("Basic {}", STANDARD.encode("my%3Aclient:a%2Bb+c"));
        assert_eq!(
            read_basic(&header),
            Some(("my:client".to_owned(), "a+b c".to_owned()))
        );
        assert_eq!(read_basic("Bearer x"), None);
        assert_eq!(read_basic("Basic %%%"), None);
    }
}
