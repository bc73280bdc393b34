use axum::{Router, extract::State, routing::put};
use echorift_storage::UserNumber;
use echorift_web::{LimitKind, MatrixError, Routes as _, Ruma, Session};
use ruma::{
    UserId,
    api::client::{message::send_message_event, redact::redact_event, state::send_state_event},
    events::{StateEventType, TimelineEventType},
};
use serde_json::value::to_raw_value;

use super::{RoomsApi, sticky_duration::StickyDuration};
use crate::{EventDraft, RoomError, Sender, Transaction};

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
    }
}

/// `PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}` (CS API § Sending events to a room).
async fn send_message(
    State(api): State<RoomsApi>,
    session: Session,
    StickyDuration(sticky): StickyDuration,
    Ruma(request): Ruma<send_message_event::v3::Request>,
) -> Result<Ruma<send_message_event::v3::Response>, MatrixError> {
    api.limits.check(LimitKind::Messages, session.user_id.as_str())?;
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
    let content = request.body.into_json();
    let event_id = api
        .rooms
        .send(&room, &sender, event_type, content, sticky, transaction)
        .await?;
    if is_redaction {
        // It may have taken away what let guests in.
        api.rooms.expel_guests(&api.accounts, &room).await?;
    }
    Ok(Ruma(send_message_event::v3::Response { event_id }))
}

/// `PUT /_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}` (CS API § Redactions).
async fn redact(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<redact_event::v3::Request>,
) -> Result<Ruma<redact_event::v3::Response>, MatrixError> {
    api.limits.check(LimitKind::Messages, session.user_id.as_str())?;
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
    StickyDuration(sticky): StickyDuration,
    Ruma(request): Ruma<send_state_event::v3::Request>,
) -> Result<Ruma<send_state_event::v3::Response>, MatrixError> {
    api.check_may_act(&session)?;
    api.limits.check(LimitKind::Messages, session.user_id.as_str())?;
    let (rooms, user_id, content) = (&api.rooms, &session.user_id, request.body.into_json());
    let room = rooms.room(&request.room_id).await?;
    rooms
        .check_guest(&api.accounts, &room, UserNumber(session.user_number))
        .await?;
    let event = match request.event_type {
        StateEventType::RoomMember => {
            if sticky.is_some() {
                return Err(MatrixError::invalid_param("A membership cannot be sticky here."));
            }
            let target = UserId::parse(&request.state_key).map_err(|_| {
                RoomError::BadRequest("The state key of a member event is a user ID.".to_owned())
            })?;
            rooms
                .set_member_content(&api.accounts, &room, (user_id, &target), content)
                .await?
        }
        event_type => {
            if event_type == StateEventType::RoomCanonicalAlias && request.state_key.is_empty() {
                rooms.check_canonical_alias(&room, content.get()).await?;
            }
            let concerns_guests = event_type == StateEventType::RoomGuestAccess;
            let draft =
                EventDraft::state(user_id, event_type, &request.state_key, content).sticking_for(sticky);
            let event = rooms.append(&room, draft).await?;
            if concerns_guests {
                rooms.expel_guests(&api.accounts, &room).await?;
            }
            event
        }
    };
    Ok(Ruma(send_state_event::v3::Response {
        event_id: event.pdu.event_id.clone(),
    }))
}
