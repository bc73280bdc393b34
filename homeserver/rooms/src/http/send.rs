use axum::{
    Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::put,
};
use echorift_storage::{Timestamp, UserNumber};
use echorift_web::{LimitKind, MatrixError, Routes as _, Ruma, Scope, Session};
use ruma::{
    MilliSecondsSinceUnixEpoch,
    api::client::{message::send_message_event, redact::redact_event, state::send_state_event},
    events::TimelineEventType,
};
use serde_json::value::to_raw_value;

use super::{RoomsApi, later::Later};
use crate::{EventDraft, Postponed, Sender, Transaction};

pub(super) fn routes() -> Router<RoomsApi> {
    let mut router = Router::new()
        .ruma::<send_message_event::v3::Request, _, _>(send_message)
        .ruma::<send_state_event::v3::Request, _, _>(send_state)
        .ruma::<redact_event::v3::Request, _, _>(redact);
    // Without a state key, whose slash is optional then.
    for version in ["r0", "v3"] {
        let path = format!("/_matrix/client/{version}/rooms/{{room_id}}/state/{{event_type}}");
        router = router
            .route(&path, put(send_state))
            .route(&format!("{path}/"), put(send_state));
    }
    router
}

fn sender(session: &Session) -> Sender<'_> {
    Sender {
        user_id: &session.user_id,
        user_number: UserNumber(session.user_number),
        is_admin: session.is_admin,
        may_moderate: session.has_scope(Scope::Manage),
    }
}

/// When an application service says that the event was sent; people are not asked (AS API § Timestamp massaging).
fn massaged(session: &Session, timestamp: Option<MilliSecondsSinceUnixEpoch>) -> Option<Timestamp> {
    session.service.as_ref()?;
    timestamp.map(|timestamp| Timestamp(timestamp.get().into()))
}

/// `PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}` (CS API § Sending events to a room).
async fn send_message(
    State(api): State<RoomsApi>,
    session: Session,
    later: Later,
    Ruma(request): Ruma<send_message_event::v3::Request>,
) -> Result<Response, MatrixError> {
    if let Some(delay_ms) = later.delay_ms {
        let event = Postponed {
            room_id: request.room_id,
            event_type: request.event_type.to_string().into(),
            state_key: None,
            content: request.body.into_json(),
            delay_ms,
            sticky_duration_ms: later.sticky_duration_ms,
            transaction_id: Some(request.txn_id),
        };
        return api.postpone(&session, event).await;
    }
    api.limits.check_session(LimitKind::Messages, &session)?;
    let room = api.rooms.room(&request.room_id).await?;
    api.check_may_speak(&session, &room).await?;
    let transaction = Transaction {
        session_number: session.session_number,
        id: request.txn_id,
    };
    let sender = sender(&session);
    api.rooms
        .check_guest(&api.accounts, &room, sender.user_number)
        .await?;
    let event_type = TimelineEventType::from(request.event_type.to_string());
    let is_redaction = event_type == TimelineEventType::RoomRedaction;
    let draft = EventDraft::message(&session.user_id, event_type, request.body.into_json());
    let draft = draft
        .sticking_for(later.sticky_duration_ms)
        .dated(massaged(&session, request.timestamp));
    let event_id = api.rooms.send(&room, &sender, draft, transaction).await?;
    if is_redaction {
        // It may have taken away what let guests in.
        api.rooms.expel_guests(&api.accounts, &room).await?;
    }
    Ok(Ruma(send_message_event::v3::Response { event_id }).into_response())
}

/// `PUT /_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}` (CS API § Redactions).
async fn redact(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<redact_event::v3::Request>,
) -> Result<Ruma<redact_event::v3::Response>, MatrixError> {
    api.limits.check_session(LimitKind::Messages, &session)?;
    let room = api.rooms.room(&request.room_id).await?;
    if let Err(suspended) = api.check_may_act(&session) {
        // Suspended users may still take back what they said (CS API § Account suspension).
        let event = api.rooms.event_by_id(&room, &request.event_id).await?;
        if event.pdu.sender != session.user_id {
            return Err(suspended);
        }
    }
    let transaction = Transaction {
        session_number: session.session_number,
        id: request.txn_id,
    };
    let mut content = serde_json::Map::new();
    content.extend(request.reason.map(|reason| ("reason".to_owned(), reason.into())));
    let content = to_raw_value(&content).map_err(MatrixError::internal)?;
    let event_id = api
        .rooms
        .redact(&room, &sender(&session), request.event_id, content, transaction)
        .await?;
    api.rooms.expel_guests(&api.accounts, &room).await?;
    Ok(Ruma(redact_event::v3::Response { event_id }))
}

/// `PUT /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}` (CS API § Sending events to a room).
async fn send_state(
    State(api): State<RoomsApi>,
    session: Session,
    later: Later,
    Ruma(request): Ruma<send_state_event::v3::Request>,
) -> Result<Response, MatrixError> {
    if let Some(delay_ms) = later.delay_ms {
        let event = Postponed {
            room_id: request.room_id,
            event_type: request.event_type.to_string().into(),
            state_key: Some(request.state_key),
            content: request.body.into_json(),
            delay_ms,
            sticky_duration_ms: later.sticky_duration_ms,
            transaction_id: None,
        };
        return api.postpone(&session, event).await;
    }
    api.check_may_act(&session)?;
    api.limits.check_session(LimitKind::Messages, &session)?;
    let room = api.rooms.room(&request.room_id).await?;
    api.rooms
        .check_guest(&api.accounts, &room, UserNumber(session.user_number))
        .await?;
    let content = request.body.into_json();
    let draft = EventDraft::state(&session.user_id, request.event_type, &request.state_key, content)
        .sticking_for(later.sticky_duration_ms)
        .dated(massaged(&session, request.timestamp));
    let event = api
        .rooms
        .set_state(&api.accounts, &room, draft, |_, _| {})
        .await?;
    let event_id = event.pdu.event_id.clone();
    Ok(Ruma(send_state_event::v3::Response { event_id }).into_response())
}
