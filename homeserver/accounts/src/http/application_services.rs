//! Accounts and sessions that application services make for themselves (AS API § Server admin style permissions).

use std::sync::Arc;

use axum::{Json, extract::FromRequestParts};
use echorift_web::{BearerToken, MatrixError};
use http::request::Parts;
use ruma::api::client::account::register::v3;
use serde_json::{Value, json};

use super::login::session_body;
use crate::{AccountError, Accounts, application_services::ApplicationService, sessions::SessionRequest};

/// The service behind a request's token, if the token is one's.
pub(crate) struct MaybeService {
    has_token: bool,
    service: Option<Arc<dyn ApplicationService>>,
}

impl MaybeService {
    /// Errors: `M_MISSING_TOKEN`, `M_UNKNOWN_TOKEN`.
    pub(crate) fn required(&self) -> Result<&dyn ApplicationService, MatrixError> {
        match &self.service {
            Some(service) => Ok(service.as_ref()),
            None if self.has_token => Err(MatrixError::unknown_token(
                "No application service has this token.",
                false,
            )),
            None => Err(MatrixError::missing_token(
                "This needs the token of an application service.",
            )),
        }
    }
}

impl FromRequestParts<Accounts> for MaybeService {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, accounts: &Accounts) -> Result<Self, MatrixError> {
        let Ok(BearerToken(token)) = BearerToken::from_request_parts(parts, accounts).await;
        Ok(Self {
            service: token
                .as_deref()
                .and_then(|token| accounts.service_of_token(token)),
            has_token: token.is_some(),
        })
    }
}

/// `POST /register` of type `m.login.application_service`.
pub(super) async fn register(
    accounts: &Accounts,
    service: &dyn ApplicationService,
    request: v3::Request,
) -> Result<Json<Value>, MatrixError> {
    let username = request.username.as_deref();
    let username = username.ok_or_else(|| MatrixError::missing_param("`username` is missing."))?;
    let user_id = accounts.service_user(service, username)?;
    let account = accounts.register_for_service(service, &user_id).await?;
    if request.inhibit_login {
        return Ok(Json(
            json!({ "user_id": user_id, "home_server": accounts.server_name() }),
        ));
    }
    let request = SessionRequest {
        device_id: request.device_id,
        device_name: request.initial_device_display_name,
        wants_refresh_token: request.refresh_token,
        client_id: None,
    };
    let opened = accounts.open_session(&account, request).await?;
    Ok(Json(session_body(accounts, &opened)))
}

/// The account as which a service logs in. Errors: `Exclusive` outside of its namespaces, `NoSuchUser`.
pub(super) async fn account_to_log_in(
    accounts: &Accounts,
    service: &dyn ApplicationService,
    typed: &str,
) -> Result<crate::store::accounts::Account, MatrixError> {
    let user_id = accounts.service_user(service, typed)?;
    let account = accounts.find_account(&user_id).await?;
    account.ok_or_else(|| AccountError::WrongCredentials.into())
}
