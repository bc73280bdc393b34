use axum::{extract::State, response::Response};
use echorift_web::{ClientAddress, LimitKind};
use http::HeaderMap;
use serde_json::json;

use super::{
    posted::{Posted, unkept},
    token::check_client,
};
use crate::{
    Accounts,
    oauth::{
        devices::{DEVICE_CODE_LIFETIME, POLL_INTERVAL},
        error::OAuthError,
    },
};

/// `POST /oauth2/device` (CS API § Device authorisation flow, RFC 8628 § 3.1).
pub(super) async fn begin(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    headers: HeaderMap,
    Posted(fields): Posted,
) -> Result<Response, OAuthError> {
    accounts
        .0
        .limits
        .check(LimitKind::Oauth, &address.key())
        .map_err(OAuthError::Limited)?;
    let client = check_client(&accounts, &headers, &fields).await?;
    let begun = accounts.begin_device_login(&client, fields.text("scope")).await?;
    let page = accounts.page_url("/oauth2/link");
    Ok(unkept(json!({
        "device_code": begun.device_code,
        "user_code": begun.user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={}", begun.user_code),
        "expires_in": DEVICE_CODE_LIFETIME.as_secs(),
        "interval": POLL_INTERVAL.as_secs(),
    })))
}
