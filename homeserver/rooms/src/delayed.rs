//! Delayed events (MSC4140) as far as rooms have a part in them. `calls` keeps them until their time has come.

use std::sync::Arc;

use echorift_accounts::Accounts;
use echorift_storage::{Change, Position, StorageError};
use echorift_web::{BoxFuture, MatrixError, Session};
use ruma::{
    EventId, OwnedEventId, OwnedRoomId, OwnedTransactionId,
    events::{TimelineEventType, sticky::StickyDurationMs},
};
use serde_json::value::RawValue;

use crate::{EventDraft, Room, RoomError, Rooms, Sender};

/// Names an event that has no ID yet: an opaque identifier, which only its sender learns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DelayId(Arc<str>);

impl DelayId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for DelayId {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}

/// An event that a client wants to have sent later. Nothing of it is judged yet.
#[derive(Debug)]
pub struct Postponed {
    pub room_id: OwnedRoomId,
    pub event_type: TimelineEventType,
    /// Present for state events.
    pub state_key: Option<String>,
    pub content: Box<RawValue>,
    pub delay_ms: u64,
    /// For how long it is to be sticky once it is sent (MSC4354).
    pub sticky_duration_ms: Option<StickyDurationMs>,
    /// Absent where the endpoint knows no transactions.
    pub transaction_id: Option<OwnedTransactionId>,
}

/// Who keeps delayed events; implemented by `calls`.
pub trait Scheduler: Send + Sync {
    /// Keeps the event, durably, until it is to be sent.
    ///
    /// Errors: `M_FORBIDDEN` where the delay is longer than the server allows or no events are delayed here,
    /// `M_LIMIT_EXCEEDED` if the user has too many, those of a malformed event.
    fn schedule<'a>(
        &'a self,
        session: &'a Session,
        event: Postponed,
    ) -> BoxFuture<'a, Result<DelayId, MatrixError>>;
}

impl Rooms {
    /// Sends an event whose time has come as its sender would send it now: by the same checks as `PUT …/send` and
    /// `PUT …/state`.
    ///
    /// `also` is written in the same commit. It is not written where nothing is appended, because the same state stands
    /// already, and for memberships that other servers have a say in.
    /// Errors: those of [`Rooms::send`] and [`Rooms::set_state`], `GuestsForbidden`.
    pub async fn send_delayed(
        &self,
        accounts: &Accounts,
        room: &Arc<Room>,
        sender: &Sender<'_>,
        draft: EventDraft,
        also: impl FnOnce(&mut Change, &EventId) + Send,
    ) -> Result<OwnedEventId, RoomError> {
        self.check_guest(accounts, room, sender.user_number).await?;
        if draft.state_key.is_some() {
            let event = self.set_state(accounts, room, draft, also).await?;
            return Ok(event.pdu.event_id.clone());
        }
        let is_redaction = draft.event_type == TimelineEventType::RoomRedaction;
        let draft = self.prepare(room, sender, draft).await?;
        let events = self.append_with(room, vec![draft], also).await?;
        if is_redaction {
            self.expel_guests(accounts, room).await?;
        }
        let event = events.into_iter().next();
        let event = event.ok_or_else(|| StorageError::corrupt("append", "no event"))?;
        Ok(event.pdu.event_id.clone())
    }

    /// Whether the state that the draft would set was set by somebody else since `position`.
    pub async fn is_overtaken(
        &self,
        room: &Room,
        draft: &EventDraft,
        position: Position,
    ) -> Result<bool, RoomError> {
        let Some(state_key) = &draft.state_key else {
            return Ok(false);
        };
        let (state, event_type) = (room.view().state.clone(), draft.event_type.to_string());
        let standing = self.state_event(&state, &event_type, state_key).await?;
        Ok(standing.is_some_and(|event| event.pdu.sender != draft.sender && event.position() > position))
    }
}
