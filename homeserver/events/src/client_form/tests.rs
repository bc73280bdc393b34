#![allow(clippy::unwrap_used, reason = "tests")]

use ruma::events::StateEventType;
use serde_json::{Value, json};

use crate::Pdu;
use crate::testing::{Say, TestRoom, user};

#[test]
fn clients_get_the_fields_of_the_client_format_and_no_others() {
    for version in 1..=12 {
        let (room, fork) = TestRoom::public(version);
        let content = json!({ "body": "\"hi\"\n\u{1}", "nested": { "b": 1, "a": [true, null] } });
        let say = Say {
            sender: "bob",
            event_type: "m.room.message",
            state_key: None,
            content: content.clone(),
        };
        let event = room.build(&fork, say);
        let expected = json!({
            "content": content,
            "event_id": event.event_id,
            "origin_server_ts": event.origin_server_ts,
            "room_id": event.room_id,
            "sender": user("bob"),
            "type": "m.room.message",
        });
        let shown: Value = serde_json::from_str(&event.client_json(None)).unwrap();
        assert_eq!(shown, expected);
        let shown: Value = serde_json::from_str(&event.client_json(Some(r#"{"age":1}"#))).unwrap();
        assert_eq!(shown.get("unsigned"), Some(&json!({ "age": 1 })));
        assert_eq!(format!("{}}}", event.client_json_open()), event.client_json(None));
    }
}

#[test]
fn state_events_show_their_key_and_the_create_event_its_room() {
    for version in [11, 12] {
        let (room, fork) = TestRoom::bare(version);
        let create = room.at(&fork.state, &"m.room.create".into(), "").unwrap();
        let shown: Value = serde_json::from_str(&create.client_json(None)).unwrap();
        assert_eq!(shown.get("state_key"), Some(&json!("")));
        assert_eq!(shown.get("room_id"), Some(&json!(create.room_id)));
    }
}

#[test]
fn redactions_name_their_target_in_both_places() {
    for version in 1..=12 {
        let (room, fork) = TestRoom::public(version);
        let target = "$target:one";
        let redaction = room.redaction(&fork, "bob", target);
        assert_eq!(redaction.redacts.as_deref().unwrap(), target);
        let sent: Value = serde_json::from_str(redaction.json()).unwrap();
        let (top, inner) = (sent.get("redacts"), sent.pointer("/content/redacts"));
        assert_eq!(
            (top.is_some(), inner.is_some()),
            (version < 11, version >= 11),
            "version {version}"
        );
        let shown: Value = serde_json::from_str(&redaction.client_json(None)).unwrap();
        assert_eq!(shown.get("redacts"), Some(&json!(target)));
        assert_eq!(
            shown.get("content"),
            Some(&json!({ "reason": "spam", "redacts": target }))
        );
    }
}

#[test]
fn stripped_state_has_four_fields() {
    let (room, fork) = TestRoom::public(10);
    let event = room.at(&fork.state, &"m.room.join_rules".into(), "").unwrap();
    let shown: Value = serde_json::from_str(&event.stripped_json()).unwrap();
    let expected = json!({
        "content": { "join_rule": "public" }, "sender": user("alice"), "state_key": "", "type": "m.room.join_rules",
    });
    assert_eq!(shown, expected);
}

/// The enumeration of event types takes this name for `m.call.sdp_stream_metadata_changed`.
#[test]
fn a_type_is_shown_as_its_sender_wrote_it() {
    let (room, fork) = TestRoom::public(10);
    let say = Say {
        sender: "bob",
        event_type: "m.sticker",
        state_key: None,
        content: json!({}),
    };
    let unstable = "org.matrix.call.sdp_stream_metadata_changed";
    let json = room.build(&fork, say).json().replace("m.sticker", unstable);
    let event = Pdu::receive(&json, &room.rules).unwrap();
    assert_eq!(event.type_name(), unstable);
    let shown: Value = serde_json::from_str(&event.client_json(None)).unwrap();
    assert_eq!(shown.get("type"), Some(&json!(unstable)));
}

/// State is kept by type, and own events are built by type: an enumeration that confused two types of state would
/// mix up rooms. Features of the Matrix library bring such names; one that does must not be turned on.
#[test]
fn no_two_types_of_state_are_taken_for_one() {
    for name in [
        "m.room.language",
        "m.room.retention",
        "m.room.presence_sharing",
        "m.beacon_info",
        "m.call.member",
        "org.matrix.msc3401.call.member",
        "m.member_hints",
        "io.element.functional_members",
    ] {
        assert_eq!(StateEventType::from(name).to_string(), name);
    }
}
