use axum::{Json, extract::State};
use echorift_web::{Body, ClientAddress, LimitKind, MatrixError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::login::session_body;
use crate::{Accounts, sessions::SessionRequest, shared_secret::SignedRegistration};

/// `GET /_synapse/admin/v1/register`: a nonce to sign. Operators' scripts know the path from another server.
pub(crate) async fn make_nonce(State(accounts): State<Accounts>) -> Result<Json<Value>, MatrixError> {
    secret(&accounts)?;
    Ok(Json(
        json!({ "nonce": accounts.0.nonces.make(accounts.0.clock.now()) }),
    ))
}

#[derive(Debug, Deserialize)]
pub(crate) struct RegistrationBody {
    nonce: String,
    username: String,
    password: String,
    #[serde(default)]
    admin: bool,
    user_type: Option<String>,
    displayname: Option<String>,
    mac: String,
}

/// `POST /_synapse/admin/v1/register`: registers whom the holder of the shared secret names, administrators included.
pub(crate) async fn register(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    Body(body): Body<RegistrationBody>,
) -> Result<Json<Value>, MatrixError> {
    let secret = secret(&accounts)?;
    let signed = SignedRegistration {
        nonce: &body.nonce,
        username: &body.username,
        password: &body.password,
        is_admin: body.admin,
        user_type: body.user_type.as_deref(),
    };
    if !accounts.0.nonces.take(&body.nonce, accounts.0.clock.now()) {
        return Err(MatrixError::unknown(
            "The nonce is unknown, used or over: ask for a new one.",
        ));
    }
    if !signed.is_signed(secret, &body.mac) {
        // Only those who do not know the secret are slowed down.
        accounts.0.limits.check(LimitKind::Registration, &address.key())?;
        return Err(MatrixError::forbidden(
            "The request is not signed with the shared secret.",
        ));
    }
    let user_id = accounts.judge_new_name(Some(&body.username)).await?;
    let account = accounts.register(&user_id, &body.password, body.admin).await?;
    if let Some(name) = body.displayname {
        accounts
            .set_profile_field(
                &user_id,
                account.number,
                crate::profile::DISPLAY_NAME,
                Some(name.into()),
            )
            .await?;
    }
    let opened = accounts.open_session(&account, SessionRequest::default()).await?;
    Ok(Json(session_body(&accounts, &opened)))
}

fn secret(accounts: &Accounts) -> Result<&str, MatrixError> {
    let secret = accounts
        .0
        .options
        .registration
        .shared_secret
        .as_deref()
        .filter(|secret| !secret.is_empty());
    secret.ok_or_else(|| MatrixError::unknown("Registration by shared secret is not set up on this server."))
}
