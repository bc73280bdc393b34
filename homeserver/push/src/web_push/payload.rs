//! What a browser is told: the fields of the Push Gateway API's notification in one flat object, as the clients read it
//! that got theirs from a gateway before.

use ruma::push::Action;
use serde_json::{Map, Value, json};

use super::encryption::TEXT_BYTES_MAX;
use crate::{
    delivery::{Told, of_event as for_gateway},
    pusher::Pusher,
};

/// Of an event. `unread`: messages in all rooms that are not read yet.
pub(crate) fn of_event(pusher: &Pusher, told: &Told, actions: &[Action], unread: u64) -> Value {
    let mut written = for_gateway(pusher, told, actions, unread);
    let fields = written.get_mut("notification").and_then(Value::as_object_mut);
    let mut fields = fields.map(std::mem::take).unwrap_or_default();
    // The keys are the receiver's own, and the counts stand in the open.
    fields.remove("devices");
    fields.remove("counts");
    fields.insert("unread".to_owned(), unread.into());
    upon_default_payload(pusher, fields)
}

/// That this many messages are unread now, and nothing else.
pub(crate) fn of_badge(pusher: &Pusher, unread: u64) -> Value {
    upon_default_payload(pusher, Map::from_iter([("unread".to_owned(), json!(unread))]))
}

/// What the client wants in each message stays underneath.
fn upon_default_payload(pusher: &Pusher, fields: Map<String, Value>) -> Value {
    let mut payload = match pusher.data.get("default_payload") {
        Some(Value::Object(payload)) => payload.clone(),
        _ => Map::new(),
    };
    payload.extend(fields);
    Value::Object(payload)
}

/// The message as text that fits: what is too long loses first what is said twice, then the content, then all but what
/// it takes to fetch the event.
pub(super) fn fitting(payload: &Value) -> Vec<u8> {
    let whole = payload.to_string();
    let Some(fields) = payload.as_object().filter(|_| whole.len() > TEXT_BYTES_MAX) else {
        return whole.into_bytes();
    };
    let mut fields = fields.clone();
    if let Some(Value::Object(content)) = fields.get_mut("content") {
        content.remove("formatted_body");
    }
    let trimmed = Value::Object(fields.clone()).to_string();
    if trimmed.len() <= TEXT_BYTES_MAX {
        return trimmed.into_bytes();
    }
    fields.remove("content");
    let trimmed = Value::Object(fields.clone()).to_string();
    if trimmed.len() <= TEXT_BYTES_MAX {
        return trimmed.into_bytes();
    }
    fields.retain(|name, _| ["event_id", "room_id", "prio", "unread"].contains(&name.as_str()));
    Value::Object(fields).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Value {
        assert!(text.len() <= TEXT_BYTES_MAX);
        serde_json::from_slice(text).unwrap()
    }

    #[test]
    fn what_is_too_long_loses_the_least_first() {
        let message = |body: usize, formatted: usize, name: usize| {
            json!({
                "event_id": "$e", "room_id": "!r", "unread": 1, "room_name": "n".repeat(name),
                "content": { "body": "b".repeat(body), "formatted_body": "f".repeat(formatted) },
            })
        };
        let short = message(10, 10, 10);
        assert_eq!(read(&fitting(&short)), short);
        let formatted = read(&fitting(&message(100, 5_000, 10)));
        assert_eq!(formatted["content"], json!({ "body": "b".repeat(100) }));
        let long = read(&fitting(&message(5_000, 0, 10)));
        assert_eq!(
            (&long["content"], &long["room_name"]),
            (&Value::Null, &json!("n".repeat(10)))
        );
        let all = read(&fitting(&message(10, 10, 5_000)));
        assert_eq!(all, json!({ "event_id": "$e", "room_id": "!r", "unread": 1 }));
    }
}
