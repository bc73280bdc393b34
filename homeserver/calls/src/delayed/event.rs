use echorift_rooms::DelayId;
use echorift_storage::{Position, Timestamp, UserNumber};
use ruma::{OwnedDeviceId, OwnedEventId, OwnedRoomId, OwnedUserId, events::sticky::StickyDurationMs};
use serde_json::value::RawValue;

/// The types under which devices say that they are in a call, and later that they have left it: in state, and as
/// sticky events (MSC3401, MSC4143).
const CALL_MEMBER_TYPES: [&str; 4] = [
    "org.matrix.msc3401.call.member",
    "m.call.member",
    "org.matrix.msc4143.rtc.member",
    "m.rtc.member",
];

/// An event that is to be sent later, or that was to be.
#[derive(Debug, Clone)]
pub struct DelayedEvent {
    pub id: DelayId,
    pub room_id: OwnedRoomId,
    pub user_id: OwnedUserId,
    pub user: UserNumber,
    /// Whose session asked for it.
    pub device_id: OwnedDeviceId,
    pub event_type: String,
    /// Present for state events.
    pub state_key: Option<String>,
    pub content: Box<RawValue>,
    /// For how long it is sticky once it is sent (MSC4354).
    pub sticky_duration_ms: Option<StickyDurationMs>,
    pub delay_ms: i64,
    /// When it was asked for or restarted.
    pub scheduled_at: Timestamp,
    /// When this server will send it: not before [`DelayedEvent::send_at`].
    pub due_at: Timestamp,
    /// The end of the log when it was asked for.
    pub position: Position,
    pub fate: Fate,
}

/// What became of a delayed event.
#[derive(Debug, Clone)]
pub enum Fate {
    Waiting,
    Sent {
        event_id: OwnedEventId,
        at: Timestamp,
    },
    /// It could not be sent: the error as its sender would have got it, a JSON object.
    Failed {
        error: Box<RawValue>,
        at: Timestamp,
    },
    Cancelled {
        at: Timestamp,
    },
}

impl DelayedEvent {
    /// When it was promised to be sent.
    pub fn send_at(&self) -> Timestamp {
        self.scheduled_at.plus_ms(self.delay_ms)
    }

    pub fn is_waiting(&self) -> bool {
        matches!(self.fate, Fate::Waiting)
    }

    /// Whether the event takes a device out of a call, as far as this can be told from outside: in encrypted rooms only
    /// that it is sticky is to be seen.
    ///
    /// Such an event is what a device says when it can say nothing any more. Who is logged out, suspended or too busy
    /// must not be seen in a call for hours.
    pub fn ends_call(&self) -> bool {
        CALL_MEMBER_TYPES.contains(&self.event_type.as_str()) || self.sticky_duration_ms.is_some()
    }
}
