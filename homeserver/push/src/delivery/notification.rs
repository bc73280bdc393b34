//! What a push gateway is told (Push Gateway API § `POST /_matrix/push/v1/notify`).

use ruma::push::{Action, HighlightTweakValue, Tweak};
use serde_json::{Map, Value, json};

use crate::pusher::Pusher;

/// An event as a gateway may learn of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Told {
    pub event_id: String,
    pub room_id: String,
    pub event_type: String,
    pub sender: String,
    pub sender_display_name: Option<String>,
    pub room_name: Option<String>,
    pub room_alias: Option<String>,
    /// Whether the event is about the user's own membership.
    pub user_is_target: bool,
    /// `None` where contents do not leave the server.
    pub content: Option<Value>,
}

/// The request that tells of an event.
pub(crate) fn of_event(pusher: &Pusher, told: &Told, actions: &[Action], unread: u64) -> Value {
    let tweaks = tweaks(actions);
    let is_encrypted = told.event_type == "m.room.encrypted";
    // What makes a sound or lights up is to be seen at once; of an encrypted event nobody but the client can tell.
    let is_urgent =
        is_encrypted || tweaks.contains_key("sound") || tweaks.get("highlight") == Some(&json!(true));
    let mut notification = json!({
        "event_id": told.event_id,
        "room_id": told.room_id,
        "prio": if is_urgent { "high" } else { "low" },
        "counts": { "unread": unread },
        "devices": [device(pusher, &tweaks)],
    });
    let is_id_only = pusher.channel.is_id_only();
    if let Some(fields) = notification.as_object_mut().filter(|_| !is_id_only) {
        fields.insert("type".to_owned(), told.event_type.as_str().into());
        fields.insert("sender".to_owned(), told.sender.as_str().into());
        let optional = [
            ("sender_display_name", &told.sender_display_name),
            ("room_name", &told.room_name),
            ("room_alias", &told.room_alias),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                fields.insert(name.to_owned(), value.as_str().into());
            }
        }
        if told.user_is_target {
            fields.insert("user_is_target".to_owned(), true.into());
        }
        if let Some(content) = &told.content {
            fields.insert("content".to_owned(), content.clone());
        }
    }
    json!({ "notification": notification })
}

/// The request that tells how many messages are unread, and nothing else. Zero is said, for a count that is left out
/// could not clear the one that the phone shows.
pub(crate) fn of_badge(pusher: &Pusher, unread: u64) -> Value {
    json!({ "notification": {
        "prio": "low",
        "counts": { "unread": unread },
        "devices": [device(pusher, &Map::new())],
    } })
}

fn device(pusher: &Pusher, tweaks: &Map<String, Value>) -> Value {
    let mut data = pusher.data.clone();
    data.remove("url");
    json!({
        "app_id": &*pusher.key.app_id,
        "pushkey": &*pusher.key.pushkey,
        "pushkey_ts": pusher.set.0.div_euclid(1000),
        "data": data,
        "tweaks": tweaks,
    })
}

/// The tweaks among a rule's actions (CS API § Actions).
fn tweaks(actions: &[Action]) -> Map<String, Value> {
    let tweaks = actions.iter().filter_map(|action| match action {
        Action::SetTweak(tweak) => Some(tweak),
        _ => None,
    });
    let values = tweaks.map(|tweak| {
        let value = match tweak {
            Tweak::Highlight(highlight) => Value::from(*highlight == HighlightTweakValue::Yes),
            // One of a client's own may come without a value.
            other => other.value().map_or(Value::Null, |value| {
                serde_json::from_str(value.get()).unwrap_or_default()
            }),
        };
        (tweak.set_tweak().to_owned(), value)
    });
    values.collect()
}

/// The keys that the gateway will not serve any more. `None` if the answer is not what a gateway says.
pub(crate) fn rejected(answer: &[u8]) -> Option<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Answer {
        // Required, and yet left out by simple gateways that reject nothing.
        #[serde(default)]
        rejected: Vec<String>,
    }
    serde_json::from_slice::<Answer>(answer)
        .ok()
        .map(|answer| answer.rejected)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicI64};

    use echorift_storage::{Timestamp, UserNumber};

    use super::*;
    use crate::pusher::{Channel, PusherKey};

    fn pusher(is_id_only: bool) -> Pusher {
        let data =
            json!({ "url": "https://push.example/_matrix/push/v1/notify", "default_payload": { "aps": 1 } });
        Pusher {
            key: PusherKey {
                user: UserNumber(1),
                app_id: "app".into(),
                pushkey: "key".into(),
            },
            channel: Channel::Http {
                url: "https://push.example/_matrix/push/v1/notify".parse().unwrap(),
                is_id_only,
            },
            device_id: Some("D".to_owned()),
            app_display_name: String::new(),
            device_display_name: String::new(),
            profile_tag: None,
            lang: String::new(),
            data: data.as_object().unwrap().clone(),
            is_enabled: true,
            is_activated: AtomicBool::new(true),
            set: Timestamp(12_345),
            delivered: AtomicI64::new(0),
            letters: parking_lot::Mutex::default(),
        }
    }

    fn told() -> Told {
        Told {
            event_id: "$e".to_owned(),
            room_id: "!r".to_owned(),
            event_type: "m.room.message".to_owned(),
            sender: "@alice:x".to_owned(),
            room_name: Some("Tea".to_owned()),
            content: Some(json!({ "body": "hi" })),
            ..Told::default()
        }
    }

    fn actions(json: Value) -> Vec<Action> {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_gateway_learns_all_fields_but_its_own_url() {
        let sound =
            json!(["notify", { "set_tweak": "sound", "value": "ring" }, { "set_tweak": "highlight" }]);
        let request = of_event(&pusher(false), &told(), &actions(sound), 3);
        let expected = json!({ "notification": {
            "event_id": "$e", "room_id": "!r", "type": "m.room.message", "sender": "@alice:x", "room_name": "Tea",
            "prio": "high", "content": { "body": "hi" }, "counts": { "unread": 3 },
            "devices": [{
                "app_id": "app", "pushkey": "key", "pushkey_ts": 12,
                "data": { "default_payload": { "aps": 1 } },
                "tweaks": { "sound": "ring", "highlight": true },
            }],
        } });
        assert_eq!(request, expected);
    }

    #[test]
    fn by_id_only_nothing_of_the_event_is_told() {
        let request = of_event(&pusher(true), &told(), &actions(json!(["notify"])), 1);
        let names: Vec<&String> = request["notification"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["counts", "devices", "event_id", "prio", "room_id"]);
        assert_eq!(request["notification"]["prio"], "low");
    }

    #[test]
    fn an_encrypted_event_is_always_urgent_and_a_tweak_needs_no_value() {
        let encrypted = Told {
            event_type: "m.room.encrypted".to_owned(),
            ..told()
        };
        let odd = json!(["notify", { "set_tweak": "org.example.light" }]);
        let request = of_event(&pusher(false), &encrypted, &actions(odd), 1);
        assert_eq!(request["notification"]["prio"], "high");
        let tweaks = &request["notification"]["devices"][0]["tweaks"];
        assert_eq!(*tweaks, json!({ "org.example.light": null }));
    }

    #[test]
    fn only_a_gateways_answer_is_one() {
        assert_eq!(rejected(br#"{"rejected":["a"]}"#), Some(vec!["a".to_owned()]));
        assert_eq!(rejected(br#"{"rejected":[]}"#), Some(Vec::new()));
        assert_eq!(rejected(b"{}"), Some(Vec::new()));
        for other in ["", "<html>", "7", r#"{"rejected":"a"}"#] {
            assert_eq!(rejected(other.as_bytes()), None, "{other}");
        }
    }
}
