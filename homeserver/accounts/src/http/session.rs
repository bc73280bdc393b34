use axum::extract::State;
use echorift_storage::{Change, UserNumber};
use echorift_web::{MatrixError, Ruma, Session, SessionEvenLocked};
use ruma::api::client::{
    account::whoami,
    session::{logout, logout_all, refresh_token},
};

use crate::Accounts;

/// `POST /_matrix/client/v3/refresh` (CS API § Refreshing access tokens).
pub(crate) async fn refresh(
    State(accounts): State<Accounts>,
    Ruma(request): Ruma<refresh_token::v3::Request>,
) -> Result<Ruma<refresh_token::v3::Response>, MatrixError> {
    let tokens = accounts.refresh(&request.refresh_token, None).await?.tokens;
    Ok(Ruma(refresh_token::v3::Response {
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        expires_in_ms: Some(tokens.expires_in),
    }))
}

/// `POST /_matrix/client/v3/logout` (CS API § Logout): also ends the device.
pub(crate) async fn log_out(
    State(accounts): State<Accounts>,
    SessionEvenLocked(session): SessionEvenLocked,
) -> Result<Ruma<logout::v3::Response>, MatrixError> {
    // A service has no session to end, and the device that it names stays.
    if session.service.is_some() {
        return Err(MatrixError::forbidden("An application service cannot log out."));
    }
    let device = std::slice::from_ref(&session.device_id);
    accounts
        .delete_devices(UserNumber(session.user_number), device, Change::new())
        .await?;
    Ok(Ruma(logout::v3::Response::new()))
}

/// `POST /_matrix/client/v3/logout/all` (CS API § Logout).
pub(crate) async fn log_out_everywhere(
    State(accounts): State<Accounts>,
    SessionEvenLocked(session): SessionEvenLocked,
) -> Result<Ruma<logout_all::v3::Response>, MatrixError> {
    accounts
        .end_sessions(UserNumber(session.user_number), None, Change::new())
        .await?;
    Ok(Ruma(logout_all::v3::Response::new()))
}

/// `GET /_matrix/client/v3/account/whoami` (CS API § Current account information).
pub(crate) async fn whoami(session: Session) -> Ruma<whoami::v3::Response> {
    Ruma(whoami::v3::Response {
        user_id: session.user_id,
        device_id: Some(session.device_id).filter(|device_id| !device_id.as_str().is_empty()),
        is_guest: session.is_guest,
    })
}
