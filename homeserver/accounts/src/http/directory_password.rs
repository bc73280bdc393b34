use axum::{Json, Router, extract::State, routing::post};
use echorift_web::{Body, ClientAddress, LimitKind, MatrixError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{AccountError, Accounts, username::localpart_of};

pub(super) fn router() -> Router<Accounts> {
    Router::new().route("/_echorift/v1/login/password", post(change))
}

#[derive(Deserialize)]
struct ChangeBody {
    /// What the person types as their name when they log in.
    user: String,
    password: String,
    new_password: String,
}

/// `POST /_echorift/v1/login/password`: a new password in the directory for somebody whom the old one does not let in
/// any more (`docs/directory.md` § Passwords).
async fn change(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    Body(body): Body<ChangeBody>,
) -> Result<Json<Value>, MatrixError> {
    if !accounts.changes_directory_passwords() {
        return Err(MatrixError::unrecognized("Passwords are not changed here."));
    }
    accounts.0.limits.check(LimitKind::Login, &address.key())?;
    let login = localpart_of(body.user.trim(), accounts.server_name());
    let login = login.ok_or(AccountError::WrongCredentials)?;
    accounts
        .change_password_before_login(&login, &body.password, &body.new_password)
        .await?;
    Ok(Json(json!({})))
}
