#![allow(clippy::unwrap_used, reason = "tests")]

use echorift_events::{Draft, Pdu, SigningKey, rules_for, seal};
use ruma::{
    MilliSecondsSinceUnixEpoch, RoomId, RoomVersionId, UInt, UserId,
    events::{TimelineEventType, room::member::MembershipState},
    owned_event_id, room_id, server_name, user_id,
};
use serde_json::{Value, json, value::to_raw_value};

use super::{
    received::{Expected, read_member_event},
    templates::{Template, Wanted},
};

fn room() -> &'static RoomId {
    room_id!("!room:one.example")
}

fn user() -> &'static UserId {
    user_id!("@bob:two.example")
}

fn key() -> SigningKey {
    SigningKey::from_seed(server_name!("two.example"), "1", &[7; 32]).unwrap()
}

fn template() -> Value {
    json!({
        "auth_events": ["$a:one.example", "$b:one.example"],
        "content": { "membership": "join", "join_authorised_via_users_server": "@alice:one.example",
                     "displayname": "Mallory" },
        "depth": 12,
        "origin": "one.example",
        "origin_server_ts": 1,
        "prev_events": ["$c:one.example"],
        "room_id": room(),
        "sender": user(),
        "state_key": user(),
        "type": "m.room.member",
    })
}

/// The event that we make of a template.
fn made_of(template: &Value, version: &RoomVersionId) -> Option<Pdu> {
    let content = to_raw_value(&json!({ "membership": "join", "displayname": "Bob" })).unwrap();
    let wanted = Wanted {
        room_id: room(),
        user: user(),
        membership: MembershipState::Join,
        content: &content,
    };
    let text = to_raw_value(template).unwrap();
    let template = Template::read(server_name!("one.example"), &text, &wanted).ok()?;
    let now = MilliSecondsSinceUnixEpoch(UInt::from(1_700_000_u32));
    let event = template.into_event(&wanted, &rules_for(version).unwrap(), &key(), now);
    Some(event.unwrap())
}

#[test]
fn of_a_template_its_place_is_taken_and_not_its_words() {
    let event = made_of(&template(), &RoomVersionId::V10).unwrap();
    assert_eq!(
        event.content.get(),
        r#"{"displayname":"Bob","join_authorised_via_users_server":"@alice:one.example","membership":"join"}"#
    );
    assert_eq!(
        (event.depth, event.prev_events.len(), event.auth_events.len()),
        (12, 1, 2)
    );
    assert_eq!(event.origin_server_ts.get(), UInt::from(1_700_000_u32));
}

#[test]
fn templates_of_the_first_format_name_hashes_beside_events() {
    let mut first = template();
    first["prev_events"] = json!([["$c:one.example", { "sha256": "abc" }]]);
    first["auth_events"] = json!([["$a:one.example", { "sha256": "abc" }]]);
    let event = made_of(&first, &RoomVersionId::V1).unwrap();
    assert_eq!(event.prev_events, [owned_event_id!("$c:one.example")]);
}

#[test]
fn a_template_for_anything_else_is_not_signed() {
    for (field, value) in [
        ("room_id", json!("!other:one.example")),
        ("sender", json!("@carol:two.example")),
        ("state_key", json!("@carol:two.example")),
        ("type", json!("m.room.message")),
        ("content", json!({ "membership": "invite" })),
        ("content", json!({})),
        ("prev_events", json!("nothing")),
        ("depth", json!(-1)),
    ] {
        let mut wrong = template();
        wrong[field] = value;
        assert!(made_of(&wrong, &RoomVersionId::V10).is_none(), "{wrong}");
    }
}

fn leave(sender: &UserId, state_key: &str, event_type: &str) -> Pdu {
    let draft = Draft {
        room_id: Some(room().to_owned()),
        sender: sender.to_owned(),
        event_type: TimelineEventType::from(event_type),
        state_key: Some(state_key.to_owned()),
        content: to_raw_value(&json!({ "membership": "leave" })).unwrap(),
        redacts: None,
        sticky_duration_ms: None,
        origin_server_ts: MilliSecondsSinceUnixEpoch(UInt::from(1_u32)),
        prev_events: vec![owned_event_id!("$c:one.example")],
        auth_events: vec![owned_event_id!("$a:one.example")],
        depth: 5,
    };
    seal(draft, &rules_for(&RoomVersionId::V10).unwrap(), &key()).unwrap()
}

/// What is said of a member event that is to be a leave of a user of `two.example`.
fn refusal(pdu: &Pdu, text: &str, room_id: &RoomId) -> Option<String> {
    let expected = Expected {
        origin: server_name!("two.example"),
        room_id,
        event_id: &pdu.event_id,
        membership: MembershipState::Leave,
    };
    let text = serde_json::from_str::<Box<serde_json::value::RawValue>>(text).unwrap();
    let rules = rules_for(&RoomVersionId::V10).unwrap();
    let read = read_member_event(&rules, &text, &expected);
    read.err().map(|error| {
        assert_eq!(error.errcode(), "M_INVALID_PARAM");
        error.message().to_owned()
    })
}

#[test]
fn a_member_event_is_taken_if_it_is_what_the_request_says() {
    let right = leave(user(), user().as_str(), "m.room.member");
    assert_eq!(refusal(&right, right.json(), room()), None);
    assert!(refusal(&right, right.json(), room_id!("!other:one.example")).is_some());
    let tampered = right.json().replace("\"depth\":5", "\"depth\":6");
    assert!(refusal(&right, &tampered, room()).is_some());
    let other = leave(
        user_id!("@carol:two.example"),
        "@carol:two.example",
        "m.room.member",
    );
    assert!(refusal(&right, other.json(), room()).is_some());

    for wrong in [
        leave(user(), "@carol:two.example", "m.room.member"),
        leave(user(), user().as_str(), "m.room.topic"),
        leave(
            user_id!("@bob:three.example"),
            "@bob:three.example",
            "m.room.member",
        ),
    ] {
        assert!(
            refusal(&wrong, wrong.json(), room()).is_some(),
            "{}",
            wrong.json()
        );
    }
}
