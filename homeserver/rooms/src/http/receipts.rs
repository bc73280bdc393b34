use axum::{Router, extract::State};
use echorift_storage::UserNumber;
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::{
    api::client::{
        read_marker::set_read_marker,
        receipt::create_receipt::{self, v3::ReceiptType},
    },
    events::receipt::ReceiptThread,
};

use super::RoomsApi;
use crate::{ReadUpTo, ReceiptKind};

pub(super) fn routes() -> Router<RoomsApi> {
    Router::new()
        .ruma::<create_receipt::v3::Request, _, _>(send_receipt)
        .ruma::<set_read_marker::v3::Request, _, _>(set_markers)
}

/// `POST /_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}` (CS API § Receipts).
async fn send_receipt(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<create_receipt::v3::Request>,
) -> Result<Ruma<create_receipt::v3::Response>, MatrixError> {
    let kind = match request.receipt_type {
        ReceiptType::Read => Some(ReceiptKind::Public),
        ReceiptType::ReadPrivate => Some(ReceiptKind::Private),
        ReceiptType::FullyRead => None,
        _ => return Err(MatrixError::invalid_param("There are no receipts of this type.")),
    };
    let room = api.rooms.room(&request.room_id).await?;
    let user = (UserNumber(session.user_number), &*session.user_id);
    match kind {
        Some(kind) => {
            let read = ReadUpTo {
                kind,
                thread: request.thread,
                event_id: request.event_id,
            };
            api.rooms.receive_receipts(&room, user, vec![read]).await?;
        }
        None if request.thread != ReceiptThread::Unthreaded => {
            return Err(MatrixError::invalid_param(
                "The fully-read marker knows no threads.",
            ));
        }
        None => {
            api.rooms
                .mark_fully_read(&api.accounts, &room, user, &request.event_id)
                .await?;
        }
    }
    Ok(Ruma(create_receipt::v3::Response {}))
}

/// `POST /_matrix/client/v3/rooms/{roomId}/read_markers` (CS API § Fully read markers).
async fn set_markers(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<set_read_marker::v3::Request>,
) -> Result<Ruma<set_read_marker::v3::Response>, MatrixError> {
    let room = api.rooms.room(&request.room_id).await?;
    let user = (UserNumber(session.user_number), &*session.user_id);
    if let Some(event_id) = &request.fully_read {
        api.rooms
            .mark_fully_read(&api.accounts, &room, user, event_id)
            .await?;
    }
    let public = request
        .read_receipt
        .map(|event_id| (ReceiptKind::Public, event_id));
    let private = request
        .private_read_receipt
        .map(|event_id| (ReceiptKind::Private, event_id));
    let read = public.into_iter().chain(private);
    let read = read
        .map(|(kind, event_id)| ReadUpTo {
            kind,
            thread: ReceiptThread::Unthreaded,
            event_id,
        })
        .collect();
    api.rooms.receive_receipts(&room, user, read).await?;
    Ok(Ruma(set_read_marker::v3::Response {}))
}
