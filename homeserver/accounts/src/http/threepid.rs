//! Mail addresses and phone numbers of accounts. The directory alone says them; clients cannot change them.

use axum::{Json, Router, extract::State};
use echorift_storage::UserNumber;
use echorift_web::{MatrixError, Routes as _, Session};
use http::StatusCode;
use ruma::api::client::account::{
    add_3pid, bind_3pid, delete_3pid, get_3pids, request_3pid_management_token_via_email,
    request_3pid_management_token_via_msisdn, request_password_change_token_via_email,
    request_password_change_token_via_msisdn, request_registration_token_via_email,
    request_registration_token_via_msisdn, unbind_3pid,
};
use serde_json::{Value, json};

use crate::Accounts;

pub(super) fn router() -> Router<Accounts> {
    Router::new()
        .ruma::<get_3pids::v3::Request, _, _>(list)
        .ruma::<add_3pid::v3::Request, _, _>(refuse_change)
        .ruma::<bind_3pid::v3::Request, _, _>(refuse_change)
        .ruma::<delete_3pid::v3::Request, _, _>(refuse_change)
        .ruma::<unbind_3pid::v3::Request, _, _>(refuse_change)
        .ruma::<request_3pid_management_token_via_email::v3::Request, _, _>(refuse)
        .ruma::<request_3pid_management_token_via_msisdn::v3::Request, _, _>(refuse)
        .ruma::<request_password_change_token_via_email::v3::Request, _, _>(refuse)
        .ruma::<request_password_change_token_via_msisdn::v3::Request, _, _>(refuse)
        .ruma::<request_registration_token_via_email::v3::Request, _, _>(refuse)
        .ruma::<request_registration_token_via_msisdn::v3::Request, _, _>(refuse)
}

/// `GET /_matrix/client/v3/account/3pid` (CS API § Adding Account Administrative Contact Information).
async fn list(State(accounts): State<Accounts>, session: Session) -> Result<Json<Value>, MatrixError> {
    let account = accounts.load_account(UserNumber(session.user_number)).await?;
    let since = account.created.0;
    let mail = account
        .mail
        .map(|mail| json!({ "medium": "email", "address": mail, "validated_at": since, "added_at": since }));
    Ok(Json(json!({ "threepids": mail.into_iter().collect::<Vec<_>>() })))
}

/// Adding, binding and removing (`m.3pid_changes` says that they are off).
async fn refuse_change(_: Session) -> MatrixError {
    denied()
}

/// Sending a mail or a text message with a code.
async fn refuse() -> MatrixError {
    denied()
}

fn denied() -> MatrixError {
    let message = "Mail addresses and phone numbers cannot be changed on this server.";
    MatrixError::new(StatusCode::FORBIDDEN, "M_THREEPID_DENIED", message)
}
