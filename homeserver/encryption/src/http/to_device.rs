use axum::{Router, extract::State};
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::api::client::to_device::send_event_to_device;

use crate::Encryption;

pub(super) fn routes() -> Router<Encryption> {
    Router::new().ruma::<send_event_to_device::v3::Request, _, _>(send)
}

/// `PUT /_matrix/client/v3/sendToDevice/{eventType}/{txnId}` (CS API § Send-to-Device messaging).
async fn send(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<send_event_to_device::v3::Request>,
) -> Result<Ruma<send_event_to_device::v3::Response>, MatrixError> {
    let transaction = (request.event_type.to_string(), request.txn_id.to_string());
    encryption
        .send_to_devices(&session, transaction, request.messages)
        .await?;
    Ok(Ruma(send_event_to_device::v3::Response::new()))
}
