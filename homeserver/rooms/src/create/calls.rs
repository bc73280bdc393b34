//! What rooms are given for calls in them (MSC4143, MSC4196).

use ruma::{UserId, api::client::room::create_room::v3::RoomPreset, events::StateEventType};
use serde_json::json;

use crate::{EventDraft, RoomError, membership::raw};

/// The type of a room that is a voice channel (MSC3417).
pub(super) const VOICE_CHANNEL: &str = "org.matrix.msc3417.call";
/// The slot of the one call that clients hold in a room, as they know it and as it will be called.
pub(crate) const SLOT_TYPES: [&str; 2] = ["org.matrix.msc4143.rtc.slot", "m.rtc.slot"];
const SLOT_KEY: &str = "m.call#ROOM";

/// The open slot that a room begins with if it is there for calls, or for people who will call each other: without one
/// their clients do not ring. Elsewhere who may set state opens one.
pub(super) fn open_slot(
    creator: &UserId,
    (room_type, preset): (Option<&str>, &RoomPreset),
    is_encrypted: bool,
) -> Result<Option<EventDraft>, RoomError> {
    if room_type != Some(VOICE_CHANNEL) && *preset != RoomPreset::TrustedPrivateChat {
        return Ok(None);
    }
    let mut content = json!({ "status": "open", "application": { "type": "m.call" } });
    if is_encrypted && let Some(content) = content.as_object_mut() {
        // Media is encrypted exactly where messages are.
        let encryption = json!({ "type": "org.matrix.msc4143.per_member" });
        content.insert("encryption".to_owned(), encryption);
    }
    let [event_type, _] = SLOT_TYPES;
    let event_type = StateEventType::from(event_type);
    Ok(Some(EventDraft::state(
        creator,
        event_type,
        SLOT_KEY,
        raw(&content)?,
    )))
}

/// Whether the draft sets the same slot, under either name.
pub(super) fn is_slot(draft: &EventDraft) -> bool {
    let event_type = draft.event_type.to_string();
    SLOT_TYPES.contains(&event_type.as_str()) && draft.state_key.as_deref() == Some(SLOT_KEY)
}
