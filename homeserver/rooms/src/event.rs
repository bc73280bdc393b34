//! An event as the room engine keeps it in memory.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use echorift_events::Pdu;
use echorift_storage::{EventNumber, Position, RoomNumber, SnapshotNumber, UserNumber};
use ruma::{OwnedEventId, OwnedTransactionId};

use crate::DelayId;

/// A stored event with its place in the room. Shared by everyone who reads it.
#[derive(Debug)]
pub struct Event {
    pub number: EventNumber,
    pub room: RoomNumber,
    pub sender: UserNumber,
    /// The state after the event.
    pub snapshot: SnapshotNumber,
    /// The room's state once the event was in: another one where the room's history had several ends.
    pub room_snapshot: SnapshotNumber,
    pub outcome: Outcome,
    pub pdu: Arc<Pdu>,
    /// The request that made the event, if it was one of ours.
    pub transaction: Option<Transaction>,
    /// The delayed event that it was before it was sent (MSC4140).
    pub delay_id: Option<DelayId>,
    pub relation: Option<Relation>,
    /// The state event that stood in the place of this one before it.
    pub replaces: Option<EventNumber>,
    /// The redaction that took the content away.
    pub redacted_by: Option<EventNumber>,
    /// Set by the commit.
    position: OnceLock<Position>,
    /// Whether any event relates to this one; only then are aggregations looked for.
    has_relations: AtomicBool,
}

/// How far an event may travel (SS API § Checks performed on receipt of a PDU).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Part of the timeline.
    Accepted = 0,
    /// Kept, but neither shown nor built upon.
    SoftFailed = 1,
    /// Never part of room state.
    Rejected = 2,
    /// Kept only because it authorises others.
    Outlier = 3,
}

impl Outcome {
    pub(crate) fn from_stored(number: i64) -> Option<Self> {
        [Self::Accepted, Self::SoftFailed, Self::Rejected, Self::Outlier]
            .into_iter()
            .find(|outcome| *outcome as i64 == number)
    }
}

/// Which session made an event with which transaction ID (CS API § Transaction identifiers).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transaction {
    pub session_number: i64,
    pub id: OwnedTransactionId,
}

/// What an event relates to (CS API § Forming relationships between events).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    pub event_id: OwnedEventId,
    pub rel_type: String,
}

#[derive(serde::Deserialize)]
struct RelatesTo {
    #[serde(rename = "m.relates_to")]
    relates_to: Option<RelatesToField>,
}

#[derive(serde::Deserialize)]
struct RelatesToField {
    event_id: Option<OwnedEventId>,
    rel_type: Option<String>,
}

impl Relation {
    /// The relation in an event's content, if it is well-formed; a reply without `rel_type` is none.
    pub fn of(pdu: &Pdu) -> Option<Self> {
        if !pdu.content.get().contains("m.relates_to") {
            return None;
        }
        let field = pdu.content_as::<RelatesTo>().ok()?.relates_to?;
        Some(Self {
            event_id: field.event_id?,
            rel_type: field.rel_type?,
        })
    }
}

/// The parts of an [`Event`] that are known before its commit.
#[derive(Debug, Clone)]
pub(crate) struct EventParts {
    pub number: EventNumber,
    pub room: RoomNumber,
    pub sender: UserNumber,
    pub snapshot: SnapshotNumber,
    pub room_snapshot: SnapshotNumber,
    pub outcome: Outcome,
    pub pdu: Arc<Pdu>,
    pub transaction: Option<Transaction>,
    pub delay_id: Option<DelayId>,
    pub relation: Option<Relation>,
    pub replaces: Option<EventNumber>,
    pub redacted_by: Option<EventNumber>,
    pub has_relations: bool,
}

impl Event {
    pub(crate) fn new(parts: EventParts, position: Option<Position>) -> Self {
        let place = OnceLock::new();
        if let Some(position) = position {
            let _ = place.set(position);
        }
        Self {
            number: parts.number,
            room: parts.room,
            sender: parts.sender,
            snapshot: parts.snapshot,
            room_snapshot: parts.room_snapshot,
            outcome: parts.outcome,
            pdu: parts.pdu,
            transaction: parts.transaction,
            delay_id: parts.delay_id,
            relation: parts.relation,
            replaces: parts.replaces,
            redacted_by: parts.redacted_by,
            position: place,
            has_relations: AtomicBool::new(parts.has_relations),
        }
    }

    /// The event's place in the log and in its room's timeline; 0 before its commit and outside of the timeline.
    pub fn position(&self) -> Position {
        self.position.get().copied().unwrap_or_default()
    }

    pub(crate) fn set_position(&self, position: Position) {
        let _ = self.position.set(position);
    }

    pub fn has_relations(&self) -> bool {
        self.has_relations.load(Ordering::Relaxed)
    }

    pub(crate) fn set_has_relations(&self) {
        self.has_relations.store(true, Ordering::Relaxed);
    }

    /// The same event after a redaction: `pdu` is the redacted form.
    pub(crate) fn redacted(&self, pdu: Arc<Pdu>, redacted_by: EventNumber) -> Self {
        Self {
            number: self.number,
            room: self.room,
            sender: self.sender,
            snapshot: self.snapshot,
            room_snapshot: self.room_snapshot,
            outcome: self.outcome,
            pdu,
            transaction: self.transaction.clone(),
            delay_id: self.delay_id.clone(),
            // A redacted event relates to nothing any more.
            relation: None,
            replaces: self.replaces,
            redacted_by: Some(redacted_by),
            position: self.position.clone(),
            has_relations: AtomicBool::new(self.has_relations()),
        }
    }

    /// The same event as it is shown to who must not see its content: `pdu` is the redacted form.
    pub(crate) fn without_content(&self, pdu: Arc<Pdu>) -> Self {
        Self {
            redacted_by: None,
            ..self.redacted(pdu, self.number)
        }
    }

    /// How many bytes the event takes in the cache, roughly.
    pub(crate) fn weight(&self) -> u64 {
        // The canonical and the client form, and the parsed parts.
        u64::try_from(self.pdu.json().len())
            .unwrap_or(0)
            .saturating_mul(3)
            .saturating_add(512)
    }
}
