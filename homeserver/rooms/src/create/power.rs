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

/// The content of the first `m.room.power_levels`, with the client's keys in the place of ours.
pub(super) fn initial_levels(
    (creator, equals): (&UserId, &[OwnedUserId]),
    rules: &RoomVersionRules,
    overrides: Option<&Raw<RoomPowerLevelsContentOverride>>,
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
        levels.extend(overrides);
        if has_infinite_creators {
            keep_tombstone_high(&mut levels);
        }
    }
    raw(&levels)
}

/// The level for tombstones in a room of version 12 and up: above that of other state events.
pub(crate) fn tombstone_level(state_default: i64) -> i64 {
    TOMBSTONE_LEVEL.max(state_default.saturating_add(1))
}

/// Adds what it takes to send tombstones where the client's levels do not say it.
fn keep_tombstone_high(levels: &mut Map<String, Value>) {
    let state_default = levels.get("state_default").and_then(Value::as_i64).unwrap_or(50);
    if let Some(Value::Object(events)) = levels.get_mut("events") {
        events
            .entry("m.room.tombstone")
            .or_insert_with(|| tombstone_level(state_default).into());
    }
}
