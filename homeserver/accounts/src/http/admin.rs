use axum::{Json, extract::State};
use echorift_storage::{Change, UserNumber};
use echorift_web::{MatrixError, Ruma, Session};
use ruma::{
    UserId,
    api::client::admin::{get_user_info, is_user_locked, is_user_suspended, lock_user, suspend_user},
};
use serde_json::{Map, Value, json};

use crate::{Accounts, Act, store::accounts::Account};

/// `GET /_matrix/client/v3/admin/whois/{userId}` (CS API § Server administration): for administrators, and for
/// everyone about themselves.
pub(crate) async fn whois(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<get_user_info::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let user = if session.user_id == request.user_id {
        UserNumber(session.user_number)
    } else {
        load(&accounts, &session, &request.user_id).await?.number
    };
    let devices: Map<String, Value> = accounts
        .devices(user)
        .await?
        .into_iter()
        .map(|device| {
            let mut connection = Map::new();
            if let (Some(at), Some(ip)) = (device.last_seen, device.last_seen_ip) {
                connection = Map::from_iter([
                    ("ip".to_owned(), ip.into()),
                    ("last_seen".to_owned(), at.0.into()),
                ]);
            }
            (
                device.device_id,
                json!({ "sessions": [{ "connections": [connection] }] }),
            )
        })
        .collect();
    Ok(Json(json!({ "user_id": request.user_id, "devices": devices })))
}

/// `GET /_matrix/client/v1/admin/lock/{userId}` (CS API § Server administration).
pub(crate) async fn is_locked(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<is_user_locked::v1::Request>,
) -> Result<Json<Value>, MatrixError> {
    let account = load(&accounts, &session, &request.user_id).await?;
    Ok(Json(json!({ "locked": account.is_locked })))
}

/// `PUT /_matrix/client/v1/admin/lock/{userId}` (CS API § Server administration).
pub(crate) async fn set_locked(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<lock_user::v1::Request>,
) -> Result<Json<Value>, MatrixError> {
    load_other(&accounts, &session, &request.user_id).await?;
    let action = if request.locked {
        "user.lock"
    } else {
        "user.unlock"
    };
    let remember = audit(&accounts, &session, action, &request.user_id).await?;
    accounts
        .set_locked(&request.user_id, request.locked, remember)
        .await?;
    Ok(Json(json!({ "locked": request.locked })))
}

/// `GET /_matrix/client/v1/admin/suspend/{userId}` (CS API § Server administration).
pub(crate) async fn is_suspended(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<is_user_suspended::v1::Request>,
) -> Result<Json<Value>, MatrixError> {
    let account = load(&accounts, &session, &request.user_id).await?;
    Ok(Json(json!({ "suspended": account.is_suspended })))
}

/// `PUT /_matrix/client/v1/admin/suspend/{userId}` (CS API § Server administration).
pub(crate) async fn set_suspended(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<suspend_user::v1::Request>,
) -> Result<Json<Value>, MatrixError> {
    load_other(&accounts, &session, &request.user_id).await?;
    let action = if request.suspended {
        "user.suspend"
    } else {
        "user.unsuspend"
    };
    let remember = audit(&accounts, &session, action, &request.user_id).await?;
    accounts
        .set_suspended(&request.user_id, request.suspended, remember)
        .await?;
    Ok(Json(json!({ "suspended": request.suspended })))
}

/// What remembers an act of an administrator; the request has no place for a reason.
async fn audit(
    accounts: &Accounts,
    session: &Session,
    action: &'static str,
    user: &UserId,
) -> Result<Change, MatrixError> {
    let act = Act {
        administrator: session.user_id.clone(),
        action,
        target: user.to_string(),
        reason: None,
        details: Map::new(),
    };
    Ok(accounts.audit(act).await?)
}

/// The account that an administrator asks about.
async fn load(accounts: &Accounts, session: &Session, user: &UserId) -> Result<Account, MatrixError> {
    if !session.is_admin {
        return Err(MatrixError::forbidden("Only administrators can do this."));
    }
    if !accounts.is_local(user) {
        return Err(MatrixError::invalid_param("This user is of another server."));
    }
    let account = accounts
        .find_account(user)
        .await?
        .filter(|account| !account.is_deactivated);
    account.ok_or_else(|| MatrixError::not_found("There is no such user."))
}

/// The account that an administrator may act upon: neither their own nor another administrator's.
async fn load_other(accounts: &Accounts, session: &Session, user: &UserId) -> Result<Account, MatrixError> {
    let account = load(accounts, session, user).await?;
    if account.is_admin {
        return Err(MatrixError::forbidden("This cannot be done to an administrator."));
    }
    Ok(account)
}
