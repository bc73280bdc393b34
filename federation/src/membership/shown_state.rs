//! What people who are not in a room see of it: state events, told between servers as whole PDUs and shown to clients
//! stripped (CS API § Stripped state, MSC4311).

use std::time::Duration;

use echorift_events::{Pdu, RoomVersionRules};
use echorift_rooms::{Room, RoomError};
use echorift_storage::EventNumber;
use ruma::{OwnedUserId, RoomId, UserId, events::TimelineEventType};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::Federation;

/// What we tell of a room, beside the member event of who invites.
const TOLD: [&str; 7] = [
    "m.room.create",
    "m.room.join_rules",
    "m.room.canonical_alias",
    "m.room.avatar",
    "m.room.name",
    "m.room.encryption",
    "m.room.topic",
];
/// Of what others tell of a room so many events are looked at, of so many bytes together.
const EVENTS_MAX: usize = 30;
const BYTES_MAX: usize = 256 * 1024;
/// How long it may take to find the keys that such events were signed with.
const KEYS_WAIT: Duration = Duration::from_secs(10);

/// What another server told of a room, ready for clients.
pub(super) struct ShownState {
    pub stripped: Vec<Box<RawValue>>,
    /// Whether the room's create event is among what holds true of this room.
    pub has_create_event: bool,
}

/// A state event as clients get it, with whatever else it has left out.
#[derive(Deserialize, Serialize)]
struct Stripped {
    content: serde_json::Map<String, serde_json::Value>,
    sender: OwnedUserId,
    state_key: String,
    r#type: String,
}

impl Federation {
    /// The events that tell another server's user what the room is, as PDUs; `inviter` is shown by name.
    pub(super) async fn shown_state(
        &self,
        room: &Room,
        inviter: Option<&UserId>,
    ) -> Result<Vec<Box<RawValue>>, RoomError> {
        let state = room.view().state.clone();
        let mut numbers: Vec<EventNumber> = TOLD.iter().filter_map(|kind| state.get(kind, "")).collect();
        numbers.extend(inviter.and_then(|user| state.get("m.room.member", user.as_str())));
        let events = self.rooms().events(&numbers).await?;
        let texts = events
            .iter()
            .map(|event| RawValue::from_string(event.pdu.json().to_owned()));
        let texts: Result<_, _> = texts.collect();
        texts.map_err(|error| RoomError::BadRequest(error.to_string()))
    }

    /// Reads what another server tells of a room. What is no state event, is of another room, or is not signed as it
    /// should be is left out; what older servers have stripped already is believed, for nothing hangs on it.
    pub(super) async fn read_shown_state(
        &self,
        room_id: &RoomId,
        rules: &RoomVersionRules,
        told: Vec<Box<RawValue>>,
    ) -> ShownState {
        let mut bytes = 0_usize;
        let told = told.into_iter().take(EVENTS_MAX).take_while(|event| {
            bytes = bytes.saturating_add(event.get().len());
            bytes <= BYTES_MAX
        });
        let (pdus, plain): (Vec<_>, Vec<_>) = told.partition(|event| is_pdu(event));
        let mut stripped: Vec<Box<RawValue>> = plain.iter().filter_map(|event| strip(event)).collect();
        let verifying = self.verify_pdus(rules, pdus);
        let verified = tokio::time::timeout(KEYS_WAIT, verifying)
            .await
            .unwrap_or_default();
        let mut has_create_event = false;
        for result in verified {
            match result {
                Ok(pdu) if pdu.room_id == room_id && pdu.is_state() => {
                    has_create_event |= pdu.is_state_of(&TimelineEventType::RoomCreate);
                    stripped.extend(strip_pdu(&pdu));
                }
                Ok(pdu) => {
                    tracing::info!(event_id = %pdu.event_id, %room_id, "an event of another room was left out");
                }
                Err(error) => {
                    tracing::info!(%room_id, %error, "an event that should show a room was left out");
                }
            }
        }
        ShownState {
            stripped,
            has_create_event,
        }
    }
}

fn is_pdu(event: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Parts {
        #[serde(rename = "auth_events")]
        _auth_events: serde::de::IgnoredAny,
        #[serde(rename = "hashes")]
        _hashes: serde::de::IgnoredAny,
        #[serde(rename = "signatures")]
        _signatures: serde::de::IgnoredAny,
    }
    serde_json::from_str::<Parts>(event.get()).is_ok()
}

fn strip(event: &RawValue) -> Option<Box<RawValue>> {
    let stripped: Stripped = serde_json::from_str(event.get()).ok()?;
    to_raw_value(&stripped).ok()
}

fn strip_pdu(pdu: &Pdu) -> Option<Box<RawValue>> {
    RawValue::from_string(pdu.stripped_json()).ok()
}
