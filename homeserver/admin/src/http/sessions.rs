//! Sessions of people, ended by administrators.

use axum::{Json, extract::State};
use echorift_web::{InPath, MatrixError};
use ruma::{OwnedDeviceId, OwnedUserId};
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
        .routes(routes!(log_out))
        .routes(routes!(log_out_device))
}

/// Ends all sessions of somebody, and deletes their devices.
#[utoipa::path(post, path = "/users/{user_id}/logout", tag = "users", params(("user_id" = String, Path)),
    request_body = Option<ReasonBody>, responses((status = 200, body = User)))]
async fn log_out(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(user_id): InPath<OwnedUserId>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<User>, MatrixError> {
    check_is_active(&admin, &user_id).await?;
    let deed = Deed::new("user.logout", &user_id, body.reason);
    let remember = administrator.audit(&admin, deed).await?;
    admin.accounts().log_out_user(&user_id, remember).await?;
    shown(&admin, &user_id).await
}

/// Ends the session of one device, and deletes the device.
#[utoipa::path(delete, path = "/users/{user_id}/sessions/{device_id}", tag = "users",
    params(("user_id" = String, Path), ("device_id" = String, Path)),
    request_body = Option<ReasonBody>, responses((status = 200, body = User)))]
async fn log_out_device(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath((user_id, device_id)): InPath<(OwnedUserId, OwnedDeviceId)>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<User>, MatrixError> {
    check_is_active(&admin, &user_id).await?;
    let deed = Deed::new("user.logout_device", &user_id, body.reason).with("device_id", device_id.as_str());
    let remember = administrator.audit(&admin, deed).await?;
    let was_there = admin
        .accounts()
        .log_out_device(&user_id, &device_id, remember)
        .await?;
    if !was_there {
        return Err(MatrixError::not_found("They have no such device."));
    }
    shown(&admin, &user_id).await
}
