use axum::{
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use echorift_web::{ClientAddress, LimitKind};
use http::StatusCode;

use super::posted::unkept;
use crate::{
    Accounts,
    oauth::{client::Registration, error::OAuthError},
};

/// `POST /oauth2/clients` (CS API § Dynamic client registration flow, RFC 7591).
pub(super) async fn register(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    body: Bytes,
) -> Result<Response, OAuthError> {
    accounts
        .0
        .limits
        .check(LimitKind::Oauth, &address.key())
        .map_err(OAuthError::Limited)?;
    let registration: Registration = serde_json::from_slice(&body)
        .map_err(|error| OAuthError::InvalidClientMetadata(format!("the body does not fit: {error}")))?;
    let registered = accounts.register_client(registration).await?;
    let mut answer = registered.client.metadata.as_answer(&registered.client.id);
    if let (Some(secret), Some(fields)) = (registered.secret, answer.as_object_mut()) {
        fields.insert("client_secret".to_owned(), secret.into());
        // RFC 7591 § 3.2.1: 0 for never.
        fields.insert("client_secret_expires_at".to_owned(), 0.into());
    }
    Ok((StatusCode::CREATED, unkept(answer)).into_response())
}
