use axum::{
    Router,
    extract::{Query, State},
    routing::get,
};
use echorift_storage::{Position, UserNumber};
use echorift_web::{InPath, MatrixError, Routes as _, Ruma, Session};
use ruma::{
    DeviceId, OwnedDeviceId,
    api::client::dehydrated_device::{
        delete_dehydrated_device, get_dehydrated_device, get_events, put_dehydrated_device,
    },
    serde::Raw,
};
use serde::Deserialize;

use crate::{Encryption, dehydrated::NewDehydratedDevice, upload::KeyUpload};

pub(super) fn routes() -> Router<Encryption> {
    Router::new()
        .ruma::<put_dehydrated_device::unstable::Request, _, _>(put)
        .ruma::<get_dehydrated_device::unstable::Request, _, _>(find)
        .ruma::<delete_dehydrated_device::unstable::Request, _, _>(delete)
        .ruma::<get_events::unstable::Request, _, _>(post_events)
        // The proposal reads with GET; clients of before its last change POST.
        .route(
            "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{device_id}/events",
            get(get_events_of),
        )
}

/// `PUT /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device` (MSC3814).
async fn put(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<put_dehydrated_device::unstable::Request>,
) -> Result<Ruma<put_dehydrated_device::unstable::Response>, MatrixError> {
    let id = request.device_id;
    let keys = KeyUpload::judge(
        (&session.user_id, &id),
        Some(&request.device_keys),
        &request.one_time_keys,
        &request.fallback_keys,
    )?;
    let device = NewDehydratedDevice {
        id: id.clone(),
        display_name: request.initial_device_display_name,
        data: request.device_data.into_json(),
        keys,
    };
    let user = UserNumber(session.user_number);
    encryption.put_dehydrated_device(user, device).await?;
    Ok(Ruma(put_dehydrated_device::unstable::Response::new(id)))
}

/// `GET /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device` (MSC3814).
async fn find(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(_): Ruma<get_dehydrated_device::unstable::Request>,
) -> Result<Ruma<get_dehydrated_device::unstable::Response>, MatrixError> {
    let (device, data) = encryption
        .dehydrated_device(UserNumber(session.user_number))
        .await?;
    let response = get_dehydrated_device::unstable::Response::new(device, Raw::from_json(data));
    Ok(Ruma(response))
}

/// `DELETE /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device` (MSC3814).
async fn delete(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(_): Ruma<delete_dehydrated_device::unstable::Request>,
) -> Result<Ruma<delete_dehydrated_device::unstable::Response>, MatrixError> {
    let user = UserNumber(session.user_number);
    let device = encryption.delete_dehydrated_device(user).await?;
    Ok(Ruma(delete_dehydrated_device::unstable::Response::new(device)))
}

/// `POST /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{device_id}/events` (MSC3814).
async fn post_events(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<get_events::unstable::Request>,
) -> Result<Ruma<get_events::unstable::Response>, MatrixError> {
    let next_batch = request.next_batch.as_deref();
    events(&encryption, &session, &request.device_id, next_batch).await
}

#[derive(Deserialize)]
struct EventsQuery {
    next_batch: Option<String>,
}

/// `GET /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{device_id}/events` (MSC3814).
async fn get_events_of(
    State(encryption): State<Encryption>,
    session: Session,
    InPath(device): InPath<OwnedDeviceId>,
    Query(query): Query<EventsQuery>,
) -> Result<Ruma<get_events::unstable::Response>, MatrixError> {
    events(&encryption, &session, &device, query.next_batch.as_deref()).await
}

async fn events(
    encryption: &Encryption,
    session: &Session,
    device: &DeviceId,
    next_batch: Option<&str>,
) -> Result<Ruma<get_events::unstable::Response>, MatrixError> {
    let after = next_batch.map(str::parse).transpose();
    let after =
        after.map_err(|_| MatrixError::invalid_param("This `next_batch` is not one of this server."))?;
    let user = UserNumber(session.user_number);
    let page = encryption
        .dehydrated_messages(user, device, Position(after.unwrap_or(0)))
        .await?;
    let mut response = get_events::unstable::Response::new(page.events);
    response.next_batch = Some(page.up_to.0.to_string());
    Ok(Ruma(response))
}
