use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use echorift_storage::{Change, UserNumber};
use echorift_web::{MatrixError, Ruma, Session};
use http::StatusCode;
use ruma::{
    MilliSecondsSinceUnixEpoch, UInt,
    api::client::device::{Device, delete_device, delete_devices, get_device, get_devices, update_device},
};

use super::confirmed::Confirmed;
use crate::{Accounts, UiaRefusal, secret, store::devices::StoredDevice};

/// `GET /_matrix/client/v3/devices` (CS API § Device management).
pub(crate) async fn list(
    State(accounts): State<Accounts>,
    session: Session,
) -> Result<Ruma<get_devices::v3::Response>, MatrixError> {
    let devices = accounts.devices(UserNumber(session.user_number)).await?;
    Ok(Ruma(get_devices::v3::Response::new(
        devices.into_iter().map(shown).collect(),
    )))
}

/// `GET /_matrix/client/v3/devices/{deviceId}` (CS API § Device management).
pub(crate) async fn get(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<get_device::v3::Request>,
) -> Result<Ruma<get_device::v3::Response>, MatrixError> {
    let device = accounts
        .find_device(UserNumber(session.user_number), &request.device_id)
        .await?;
    let device = device.ok_or_else(|| MatrixError::not_found("You have no such device."))?;
    Ok(Ruma(get_device::v3::Response::new(shown(device))))
}

/// `PUT /_matrix/client/v3/devices/{deviceId}` (CS API § Device management). Application services also make devices with
/// it (AS API § Device management).
pub(crate) async fn rename(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<update_device::v3::Request>,
) -> Result<Response, MatrixError> {
    let user = UserNumber(session.user_number);
    if session.service.is_some()
        && accounts
            .create_device(user, &request.device_id, request.display_name.clone())
            .await?
    {
        return Ok((StatusCode::CREATED, Json(serde_json::json!({}))).into_response());
    }
    let is_there = match request.display_name {
        Some(name) => accounts.rename_device(user, &request.device_id, name).await?,
        None => accounts.find_device(user, &request.device_id).await?.is_some(),
    };
    if !is_there {
        return Err(MatrixError::not_found("You have no such device."));
    }
    Ok(Ruma(update_device::v3::Response::new()).into_response())
}

/// `DELETE /_matrix/client/v3/devices/{deviceId}` (CS API § Device management).
pub(crate) async fn delete(
    State(accounts): State<Accounts>,
    session: Session,
    Confirmed(request): Confirmed<delete_device::v3::Request>,
) -> Result<Ruma<delete_device::v3::Response>, UiaRefusal> {
    accounts
        .authorise(
            &session,
            &deletion_of(&[&request.device_id]),
            request.auth.as_ref(),
        )
        .await?;
    accounts
        .delete_devices(
            UserNumber(session.user_number),
            &[request.device_id],
            Change::new(),
        )
        .await?;
    Ok(Ruma(delete_device::v3::Response::new()))
}

/// `POST /_matrix/client/v3/delete_devices` (CS API § Device management).
pub(crate) async fn delete_several(
    State(accounts): State<Accounts>,
    session: Session,
    Confirmed(request): Confirmed<delete_devices::v3::Request>,
) -> Result<Ruma<delete_devices::v3::Response>, UiaRefusal> {
    accounts
        .authorise(&session, &deletion_of(&request.devices), request.auth.as_ref())
        .await?;
    accounts
        .delete_devices(UserNumber(session.user_number), &request.devices, Change::new())
        .await?;
    Ok(Ruma(delete_devices::v3::Response::new()))
}

/// What is confirmed: the end of these devices and of no others. It is remembered while the confirmation is waited for, so that
/// it must not grow with the request.
fn deletion_of(devices: &[impl AsRef<str>]) -> String {
    let devices: Vec<&str> = devices.iter().map(AsRef::as_ref).collect();
    format!("delete_devices {}", secret::hash(&devices.join("\0")))
}

fn shown(device: StoredDevice) -> Device {
    let last_seen = device.last_seen.and_then(|time| UInt::try_from(time.0).ok());
    Device {
        device_id: device.device_id.into(),
        display_name: device.display_name,
        last_seen_ip: device.last_seen_ip,
        last_seen_ts: last_seen.map(MilliSecondsSinceUnixEpoch),
    }
}
