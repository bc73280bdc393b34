//! The power levels that a room starts with.

use echorift_events::RoomVersionRules;
use ruma::{OwnedUserId, UserId, api::client::room::create_room::RoomPowerLevelsContentOverride, serde::Raw};
use serde_json::{Map, Value, json, value::RawValue};

use crate::{RoomError, membership::raw};

/// The creator's level where it is a number.
const CREATOR_LEVEL: i64 = 100;
/// Where creators stand above all numbers, only they shall be able to replace the room (CS API § Creation), which
/// takes a level above that of any administrator that they appoint.
const TOMBSTONE_LEVEL: i64 = 150;

/// What members of a room say who may say nothing else there: that somebody should answer a call or that they do not,
/// and how they like what they hear. It takes no level where others may speak but they may not.
const SAID_BY_LISTENERS: [&str; 4] = [
    "io.element.call.reaction",
    "m.reaction",
    "org.matrix.msc4075.rtc.notification",
    "org.matrix.msc4310.rtc.decline",
];

/// The content of the first `m.room.power_levels`, with the client's keys in the place of ours.
///
/// With `encrypts_calls` memberships of calls may be encrypted, so whoever may take part in one may send encrypted
/// events. Elsewhere this would let those speak whom the room's creator wants silent.
pub(super) fn initial_levels(
    (creator, equals): (&UserId, &[OwnedUserId]),
    rules: &RoomVersionRules,
    overrides: Option<&Raw<RoomPowerLevelsContentOverride>>,
    encrypts_calls: bool,
) -> Result<Box<RawValue>, RoomError> {
    let has_infinite_creators = rules.authorization.explicitly_privilege_room_creators;
    let mut users = Map::new();
    if !has_infinite_creators {
        let listed = std::iter::once(creator).chain(equals.iter().map(|equal| &**equal));
        users.extend(listed.map(|user| (user.to_string(), CREATOR_LEVEL.into())));
    }
    let tombstone = if has_infinite_creators {
        TOMBSTONE_LEVEL
    } else {
        100
    };
    let events = json!({
        "m.room.avatar": 50,
        "m.room.canonical_alias": 50,
        "m.room.encryption": 100,
        "m.room.history_visibility": 100,
        "m.room.name": 50,
        "m.room.power_levels": 100,
        "m.room.server_acl": 100,
        "m.room.tombstone": tombstone,
        // What members of any level may say, so that they can take part in calls: their own membership of a call.
        "m.call.member": 0,
        "m.rtc.member": 0,
        "org.matrix.msc3401.call.member": 0,
        "org.matrix.msc4143.rtc.member": 0,
    });
    let levels = json!({
        "users": users,
        "users_default": 0,
        "events": events,
        "events_default": 0,
        "state_default": 50,
        "ban": 50,
        "kick": 50,
        "redact": 50,
        "invite": 0,
        "historical": 100,
    });
    let Value::Object(mut levels) = levels else {
        return raw(&levels);
    };
    if let Some(overrides) = overrides {
        let overrides: Map<String, Value> = serde_json::from_str(overrides.json().get()).map_err(|_| {
            RoomError::BadRequest("`power_level_content_override` must be an object.".to_owned())
        })?;
        let has_own_events = overrides.contains_key("events");
        levels.extend(overrides);
        if !has_own_events {
            let_listeners_in(&mut levels, encrypts_calls);
        }
        if has_infinite_creators && !has_own_events {
            keep_tombstone_high(&mut levels);
        }
    }
    raw(&levels)
}

/// The level for tombstones in a room of version 12 and up: above that of other state events.
pub(crate) fn tombstone_level(state_default: i64) -> i64 {
    TOMBSTONE_LEVEL.max(state_default.saturating_add(1))
}

/// Where sending takes a level, calls take none nevertheless.
fn let_listeners_in(levels: &mut Map<String, Value>, encrypts_calls: bool) {
    let events_default = levels.get("events_default").and_then(Value::as_i64).unwrap_or(0);
    if events_default <= 0 {
        return;
    }
    if let Some(Value::Object(events)) = levels.get_mut("events") {
        let encrypted = Some("m.room.encrypted").filter(|_| encrypts_calls);
        let said = SAID_BY_LISTENERS.into_iter().chain(encrypted);
        events.extend(said.map(|event_type| (event_type.to_owned(), 0.into())));
    }
}

/// Raises what it takes to send tombstones above what the client says of other state. Who lists events has decided that, too.
fn keep_tombstone_high(levels: &mut Map<String, Value>) {
    let state_default = levels.get("state_default").and_then(Value::as_i64).unwrap_or(50);
    if let Some(Value::Object(events)) = levels.get_mut("events") {
        events
            .entry("m.room.tombstone")
            .or_insert_with(|| tombstone_level(state_default).into());
    }
}
