//! The power levels of a replacement room.

use echorift_events::RoomVersionRules;
use ruma::{OwnedUserId, UserId, events::StateEventType};
use serde_json::{Map, Value};

use crate::{Event, EventDraft, RoomError, create::tombstone_level, membership::raw};

/// What the upgrading user has in a room whose creators have a number.
const CREATOR_LEVEL: i64 = 100;

/// The old room's levels as the new version writes them.
pub(super) struct Levels(Map<String, Value>);

/// The content of a power levels event, with every level as an integer: versions up to 9 also took texts, and up to 5
/// fractions. Empty without an event.
pub(crate) fn read_levels(event: Option<&Event>) -> Map<String, Value> {
    let content: Map<String, Value> = event
        .and_then(|event| event.pdu.content_as().ok())
        .unwrap_or_default();
    let integer = |value: Value| match &value {
        Value::String(text) => text.trim().parse::<i64>().map_or(value, Value::from),
        _ => value,
    };
    let whole = |(key, value): (String, Value)| match value {
        Value::Object(levels) => (
            key,
            levels
                .into_iter()
                .map(|(key, value)| (key, integer(value)))
                .collect(),
        ),
        value => (key, integer(value)),
    };
    content.into_iter().map(whole).collect()
}

impl Levels {
    /// In versions whose creators stand above all numbers they are not listed, and replacing the room again takes
    /// more than other state; in older ones the upgrading user keeps at least a creator's number.
    pub fn for_replacement(
        old: &Map<String, Value>,
        (user, additional): (&UserId, &[OwnedUserId]),
        rules: &RoomVersionRules,
    ) -> Self {
        let mut levels = old.clone();
        let state_default = levels.get("state_default").and_then(Value::as_i64).unwrap_or(50);
        if rules.authorization.explicitly_privilege_room_creators {
            let is_creator =
                |listed: &str| listed == user.as_str() || additional.iter().any(|creator| creator == listed);
            edit(&mut levels, "users", |users| {
                users.retain(|listed, _| !is_creator(listed));
            });
            edit(&mut levels, "events", |events| {
                let level = events.get("m.room.tombstone").and_then(Value::as_i64);
                if level.is_none_or(|level| level <= state_default) {
                    events.insert(
                        "m.room.tombstone".to_owned(),
                        tombstone_level(state_default).into(),
                    );
                }
            });
        } else {
            edit(&mut levels, "users", |users| {
                users.entry(user.as_str()).or_insert_with(|| CREATOR_LEVEL.into());
            });
        }
        Self(levels)
    }

    /// The levels while the user fills the room: enough for everything that is taken over.
    pub fn while_filling(&self, user: &UserId) -> Result<EventDraft, RoomError> {
        let mut levels = self.0.clone();
        let highest = highest(&levels).max(CREATOR_LEVEL);
        if let Some(Value::Object(users)) = levels.get_mut("users")
            && let Some(own) = users.get_mut(user.as_str())
        {
            *own = highest.into();
        }
        draft(user, &levels)
    }

    /// The levels that stay.
    pub fn at_last(&self, user: &UserId) -> Result<EventDraft, RoomError> {
        draft(user, &self.0)
    }
}

fn draft(user: &UserId, levels: &Map<String, Value>) -> Result<EventDraft, RoomError> {
    Ok(EventDraft::state(
        user,
        StateEventType::RoomPowerLevels,
        "",
        raw(levels)?,
    ))
}

/// Changes the object under this key, which is made if need be.
fn edit(levels: &mut Map<String, Value>, key: &str, change: impl FnOnce(&mut Map<String, Value>)) {
    let mut object = match levels.remove(key) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    change(&mut object);
    levels.insert(key.to_owned(), Value::Object(object));
}

/// The highest of all levels.
fn highest(levels: &Map<String, Value>) -> i64 {
    let numbers = levels.values().flat_map(|value| match value {
        Value::Object(nested) => nested.values().filter_map(Value::as_i64).collect(),
        value => value.as_i64().into_iter().collect::<Vec<_>>(),
    });
    numbers.max().unwrap_or(0)
}
