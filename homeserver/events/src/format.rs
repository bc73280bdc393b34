//! Size and format of a PDU (CS API § Size limits, SS API § PDUs, rooms § Event format).

use ruma::{
    EventId, RoomId, UserId,
    room_version_rules::{EventsReferenceFormatVersion, RoomVersionRules},
};

use crate::{
    EventError, FIELD_BYTES_MAX, PDU_BYTES_MAX,
    json::{Json, Object, write_object},
};

/// The most `prev_events` that an event may have (SS API § PDUs).
pub(crate) const PREV_EVENTS_MAX: usize = 20;
/// The most `auth_events` that an event may have (SS API § PDUs).
pub(crate) const AUTH_EVENTS_MAX: usize = 10;

/// Checks what can be said of an event without knowing any other.
pub(crate) fn check(event: &Object, rules: &RoomVersionRules) -> Result<(), EventError> {
    let mut canonical = String::with_capacity(1024);
    write_object(&mut canonical, event);
    check_size(canonical.len())?;

    let event_type = required_string(event, "type")?;
    let sender = required_string(event, "sender")?;
    parse(<&UserId>::try_from(sender), "sender")?;
    optional_string(event, "state_key")?;
    if rules.event_format.require_event_id {
        let event_id = parse(
            <&EventId>::try_from(required_string(event, "event_id")?),
            "event_id",
        )?;
        if event_id.server_name().is_none() {
            return Err(bad("event_id", "names no server"));
        }
    }
    check_room_id(event, event_type, rules)?;
    for key in ["content", "hashes", "signatures"] {
        event
            .get(key)
            .and_then(Json::as_object)
            .ok_or_else(|| bad(key, "is not an object"))?;
    }
    check_references(event, "prev_events", PREV_EVENTS_MAX, rules)?;
    check_references(event, "auth_events", AUTH_EVENTS_MAX, rules)?;
    check_create_is_no_auth_event(event, rules)?;
    check_natural_number(event, "depth", rules)?;
    check_natural_number(event, "origin_server_ts", rules)
}

/// Checks the size of a whole canonical PDU.
pub(crate) fn check_size(bytes: usize) -> Result<(), EventError> {
    if bytes > PDU_BYTES_MAX {
        Err(EventError::TooLarge { bytes })
    } else {
        Ok(())
    }
}

/// Checks the size of one of the identifying fields.
pub(crate) fn check_field(field: &'static str, value: &str) -> Result<(), EventError> {
    let bytes = value.len();
    if bytes > FIELD_BYTES_MAX {
        Err(EventError::FieldTooLarge { field, bytes })
    } else {
        Ok(())
    }
}

fn bad(key: &str, what: &str) -> EventError {
    EventError::BadFormat(format!("`{key}` {what}"))
}

fn parse<T, E: std::fmt::Display>(id: Result<T, E>, key: &str) -> Result<T, EventError> {
    id.map_err(|error| bad(key, &format!("is invalid: {error}")))
}

fn optional_string<'a>(event: &'a Object, key: &'static str) -> Result<Option<&'a str>, EventError> {
    let Some(value) = event.get(key) else {
        return Ok(None);
    };
    let text = value.as_str().ok_or_else(|| bad(key, "is not a string"))?;
    check_field(key, text)?;
    Ok(Some(text))
}

fn required_string<'a>(event: &'a Object, key: &'static str) -> Result<&'a str, EventError> {
    optional_string(event, key)?.ok_or_else(|| bad(key, "is missing"))
}

/// Every event names its room, except the create event of version 12.
fn check_room_id(event: &Object, event_type: &str, rules: &RoomVersionRules) -> Result<(), EventError> {
    match optional_string(event, "room_id")? {
        Some(room_id) => parse(<&RoomId>::try_from(room_id), "room_id").map(|_| ()),
        None if event_type == "m.room.create" && !rules.event_format.require_room_create_room_id => Ok(()),
        None => Err(bad("room_id", "is missing")),
    }
}

fn check_references(
    event: &Object,
    key: &str,
    most: usize,
    rules: &RoomVersionRules,
) -> Result<(), EventError> {
    let references = event
        .get(key)
        .and_then(Json::as_array)
        .ok_or_else(|| bad(key, "is not an array"))?;
    if references.len() > most {
        return Err(bad(key, &format!("has more than {most} entries")));
    }
    for reference in references {
        let id = match rules.events_reference_format {
            EventsReferenceFormatVersion::V1 => match reference.as_array() {
                Some([id, Json::Object(_)]) => id.as_str(),
                _ => None,
            },
            EventsReferenceFormatVersion::V2 => reference.as_str(),
        };
        let id = id.ok_or_else(|| bad(key, "has an entry that is no event reference"))?;
        parse(<&EventId>::try_from(id), key)?;
    }
    Ok(())
}

/// From version 12 on the create event is implied by the room ID and must not be listed.
fn check_create_is_no_auth_event(event: &Object, rules: &RoomVersionRules) -> Result<(), EventError> {
    let (Some(room_id), false) = (
        event.get("room_id").and_then(Json::as_str),
        rules.event_format.allow_room_create_in_auth_events,
    ) else {
        return Ok(());
    };
    let is_create = |reference: &Json| {
        reference
            .as_str()
            .is_some_and(|id| id.get(1..) == room_id.get(1..))
    };
    if event
        .get("auth_events")
        .and_then(Json::as_array)
        .is_some_and(|ids| ids.iter().any(is_create))
    {
        return Err(bad("auth_events", "contains the create event"));
    }
    Ok(())
}

/// `depth` and `origin_server_ts`: integers from 0 on. Before version 6 a depth may go to 2^63 - 1.
fn check_natural_number(event: &Object, key: &str, rules: &RoomVersionRules) -> Result<(), EventError> {
    let Some(number @ Json::Number(text)) = event.get(key) else {
        return Err(bad(key, "is not a number"));
    };
    let is_huge_depth = key == "depth"
        && !rules.authorization.strict_canonical_json
        && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_huge_depth || number.as_i64().is_some_and(|number| number >= 0) {
        Ok(())
    } else {
        Err(bad(key, "is not an integer from 0 on"))
    }
}
