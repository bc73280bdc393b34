use axum::{Json, Router, extract::State};
use echorift_rooms::Reader;
use echorift_storage::Position;
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::api::client::push::get_notifications;
use serde_json::{Value, json};

use crate::{
    Push,
    notifications::{NotificationsRequest, Notified, PAGE, PAGE_MAX},
};

pub(super) fn router() -> Router<Push> {
    Router::new().ruma::<get_notifications::v3::Request, _, _>(list)
}

/// `GET /_matrix/client/v3/notifications`.
async fn list(
    State(push): State<Push>,
    session: Session,
    Ruma(request): Ruma<get_notifications::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let from = request.from.as_deref().filter(|from| !from.is_empty());
    let before = match from {
        None => None,
        Some(from) => Some(Position(from.parse().map_err(|_| {
            MatrixError::invalid_param("`from` is not a `next_token` of this endpoint.")
        })?)),
    };
    let limit = request.limit.map_or(PAGE, |limit| {
        usize::try_from(u64::from(limit)).unwrap_or(PAGE_MAX)
    });
    let request = NotificationsRequest {
        before,
        limit: limit.clamp(1, PAGE_MAX),
        only_highlights: request.only.as_deref() == Some("highlight"),
    };
    let reader = Reader::of_session(&session, &push.0.accounts).await?;
    let (page, next) = push.notifications(&reader, request).await?;
    let mut answer = json!({ "notifications": page.iter().map(write).collect::<Vec<_>>() });
    if let (Some(next), Some(answer)) = (next, answer.as_object_mut()) {
        answer.insert("next_token".to_owned(), next.0.to_string().into());
    }
    Ok(Json(answer))
}

fn write(notified: &Notified) -> Value {
    json!({
        "actions": *notified.actions,
        "event": notified.event,
        "read": notified.is_read,
        "room_id": notified.room.id,
        "ts": notified.ts,
    })
}
