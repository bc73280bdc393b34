//! What is done to accounts.

use axum::{Json, extract::State};
use echorift_web::{Body, InPath, MatrixError};
use ruma::{OwnedUserId, UserId};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    ReasonBody,
    users::{User, check_is_active, shown},
};
use crate::{
    Admin,
    administrator::{Administrator, Deed},
    extract::Told,
};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(lock))
        .routes(routes!(unlock))
        .routes(routes!(suspend))
        .routes(routes!(unsuspend))
        .routes(routes!(deactivate))
        .routes(routes!(password))
        .routes(routes!(administrator))
}

/// Locks an account: its sessions stay, and are of no use until it is unlocked.
#[utoipa::path(post, path = "/users/{user_id}/lock", tag = "users", params(("user_id" = String, Path)),
    request_body = Option<ReasonBody>, responses((status = 200, body = User)))]
async fn lock(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(user_id): InPath<OwnedUserId>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<User>, MatrixError> {
    administrator.check_is_another(&user_id, "You cannot lock your own account.")?;
    set_locked(&admin, &administrator, &user_id, true, body.reason).await
}

/// Unlocks an account: its sessions are good again.
#[utoipa::path(post, path = "/users/{user_id}/unlock", tag = "users", params(("user_id" = String, Path)),
    request_body = Option<ReasonBody>, responses((status = 200, body = User)))]
async fn unlock(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(user_id): InPath<OwnedUserId>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<User>, MatrixError> {
    set_locked(&admin, &administrator, &user_id, false, body.reason).await
}

async fn set_locked(
    admin: &Admin,
    administrator: &Administrator,
    user_id: &UserId,
    is_locked: bool,
    reason: Option<String>,
) -> Result<Json<User>, MatrixError> {
    check_is_active(admin, user_id).await?;
    let action = if is_locked { "user.lock" } else { "user.unlock" };
    let remember = administrator
        .audit(admin, Deed::new(action, user_id, reason))
        .await?;
    admin.accounts().set_locked(user_id, is_locked, remember).await?;
    shown(admin, user_id).await
}

/// Suspends an account: its owner may look, and do nothing.
#[utoipa::path(post, path = "/users/{user_id}/suspend", tag = "users", params(("user_id" = String, Path)),
    request_body = Option<ReasonBody>, responses((status = 200, body = User)))]
async fn suspend(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(user_id): InPath<OwnedUserId>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<User>, MatrixError> {
    administrator.check_is_another(&user_id, "You cannot suspend your own account.")?;
    set_suspended(&admin, &administrator, &user_id, true, body.reason).await
}

/// Lets a suspended account act again.
#[utoipa::path(post, path = "/users/{user_id}/unsuspend", tag = "users", params(("user_id" = String, Path)),
    request_body = Option<ReasonBody>, responses((status = 200, body = User)))]
async fn unsuspend(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(user_id): InPath<OwnedUserId>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<User>, MatrixError> {
    set_suspended(&admin, &administrator, &user_id, false, body.reason).await
}

async fn set_suspended(
    admin: &Admin,
    administrator: &Administrator,
    user_id: &UserId,
    is_suspended: bool,
    reason: Option<String>,
) -> Result<Json<User>, MatrixError> {
    check_is_active(admin, user_id).await?;
    let action = if is_suspended {
        "user.suspend"
    } else {
        "user.unsuspend"
    };
    let remember = administrator
        .audit(admin, Deed::new(action, user_id, reason))
        .await?;
    let accounts = admin.accounts();
    accounts.set_suspended(user_id, is_suspended, remember).await?;
    shown(admin, user_id).await
}

#[derive(Deserialize, ToSchema)]
struct Deactivation {
    /// Whether the user's messages are to be hidden from those who join later.
    #[serde(default)]
    erase: bool,
    /// Kept in the audit log.
    reason: Option<String>,
}

/// Ends an account for good: its name is never given out again, and it leaves all its rooms.
#[utoipa::path(post, path = "/users/{user_id}/deactivate", tag = "users", params(("user_id" = String, Path)),
    request_body = Option<Deactivation>, responses((status = 200, body = User)))]
async fn deactivate(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(user_id): InPath<OwnedUserId>,
    Told(body): Told<Deactivation>,
) -> Result<Json<User>, MatrixError> {
    administrator.check_is_another(
        &user_id,
        "You cannot deactivate your own account here: do so in your settings.",
    )?;
    check_is_active(&admin, &user_id).await?;
    let deed = Deed::new("user.deactivate", &user_id, body.reason).with("erase", body.erase);
    let remember = administrator.audit(&admin, deed).await?;
    let accounts = admin.accounts();
    accounts.end_account(&user_id, body.erase, remember).await?;
    shown(&admin, &user_id).await
}

#[derive(Deserialize, ToSchema)]
struct NewPassword {
    password: String,
    /// Whether all sessions of the user end: yes if left out.
    #[serde(default = "yes")]
    logout_devices: bool,
    /// Kept in the audit log.
    reason: Option<String>,
}

fn yes() -> bool {
    true
}

/// Gives an account a new password. Those of the directory are changed there.
#[utoipa::path(post, path = "/users/{user_id}/password", tag = "users", params(("user_id" = String, Path)),
    request_body = NewPassword, responses((status = 200, body = User)))]
async fn password(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(user_id): InPath<OwnedUserId>,
    Body(body): Body<NewPassword>,
) -> Result<Json<User>, MatrixError> {
    check_is_active(&admin, &user_id).await?;
    let deed = Deed::new("user.password", &user_id, body.reason).with("logout_devices", body.logout_devices);
    let remember = administrator.audit(&admin, deed).await?;
    admin
        .accounts()
        .set_user_password(&user_id, &body.password, body.logout_devices, remember)
        .await?;
    shown(&admin, &user_id).await
}

#[derive(Deserialize, ToSchema)]
struct AdministratorBody {
    is_administrator: bool,
    /// Kept in the audit log.
    reason: Option<String>,
}

/// Makes somebody an administrator, or takes that from them.
///
/// Where the directory names the administrators, it has the last word at their next log-in.
#[utoipa::path(post, path = "/users/{user_id}/administrator", tag = "users", params(("user_id" = String, Path)),
    request_body = AdministratorBody, responses((status = 200, body = User)))]
async fn administrator(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(user_id): InPath<OwnedUserId>,
    Body(body): Body<AdministratorBody>,
) -> Result<Json<User>, MatrixError> {
    if !body.is_administrator {
        administrator.check_is_another(
            &user_id,
            "You cannot take your own rights from you: another administrator can.",
        )?;
    }
    check_is_active(&admin, &user_id).await?;
    let deed = Deed::new("user.administrator", &user_id, body.reason)
        .with("is_administrator", body.is_administrator);
    let remember = administrator.audit(&admin, deed).await?;
    let accounts = admin.accounts();
    accounts
        .set_administrator(&user_id, body.is_administrator, remember)
        .await?;
    shown(&admin, &user_id).await
}
