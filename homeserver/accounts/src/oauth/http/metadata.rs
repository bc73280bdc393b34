use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use echorift_web::MatrixError;
use http::{HeaderValue, header};
use serde_json::{Value, json};

use super::account::ACTIONS;
use crate::{
    Accounts,
    oauth::client::{AUTH_METHODS, GRANT_TYPES},
};

/// Clients ask at each start; what stands here changes with the configuration only.
const CACHE_CONTROL: &str = "public, max-age=600";

/// `GET /_matrix/client/v1/auth_metadata` (CS API § Server metadata discovery), also where RFC 8414 looks for it.
pub(super) async fn get(State(accounts): State<Accounts>) -> Result<Response, MatrixError> {
    let offers_registration = accounts.offers_registration().await?;
    let mut response = Json(metadata(&accounts, offers_registration)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_CONTROL));
    Ok(response)
}

fn metadata(accounts: &Accounts, offers_registration: bool) -> Value {
    let prompts: &[&str] = if offers_registration { &["create"] } else { &[] };
    let account = accounts.page_url("/account");
    json!({
        "issuer": accounts.page_url("/"),
        "authorization_endpoint": accounts.page_url("/oauth2/auth"),
        "token_endpoint": accounts.page_url("/oauth2/token"),
        "registration_endpoint": accounts.page_url("/oauth2/clients"),
        "revocation_endpoint": accounts.page_url("/oauth2/revoke"),
        "device_authorization_endpoint": accounts.page_url("/oauth2/device"),
        "scopes_supported": ["urn:matrix:client:api:*", "urn:matrix:client:device:*"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment"],
        "grant_types_supported": GRANT_TYPES,
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": prompts,
        "account_management_uri": account,
        "account_management_actions_supported": ACTIONS,
        // As they were called before they became part of the specification (MSC4191).
        "org.matrix.msc4191.account_management_uri": account,
        "org.matrix.msc4191.account_management_actions_supported": ACTIONS,
    })
}
