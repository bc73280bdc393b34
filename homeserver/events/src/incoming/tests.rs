#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    FIELD_BYTES_MAX, PDU_BYTES_MAX,
    testing::{Fork, Say, TestRoom, key, rules, third_party_invite, user},
};

/// A message of Carol's, who is of server `two`, in a public room of the version.
fn message(version: u8) -> (TestRoom, Fork, Pdu) {
    let (room, fork) = TestRoom::public(version);
    let content = json!({ "body": "hi", "msgtype": "m.text" });
    let event = room.build(
        &fork,
        Say {
            sender: "Carol",
            event_type: "m.room.message",
            state_key: None,
            content,
        },
    );
    (room, fork, event)
}

/// The published keys of these servers, which in these tests are all the same.
fn keys(servers: &[&str]) -> PublicKeyMap {
    let published = servers
        .iter()
        .map(|server| (*server, json!({ "ed25519:1": key(server).public_key() })));
    serde_json::from_value(
        published
            .map(|(server, keys)| (server.to_owned(), keys))
            .collect(),
    )
    .unwrap()
}

fn edited(event: &Pdu, edit: impl FnOnce(&mut Value)) -> String {
    let mut json: Value = serde_json::from_str(event.json()).unwrap();
    edit(&mut json);
    json.to_string()
}

#[test]
fn an_event_arrives_as_it_was_sealed_in_every_room_version() {
    for version in 1..=12 {
        let (room, _, sent) = message(version);
        let received = Pdu::receive(sent.json(), &room.rules).unwrap();
        assert_eq!(received.event_id, sent.event_id, "version {version}");
        assert_eq!(received.json(), sent.json());
        assert_eq!(received.room_id, sent.room_id);
        Pdu::verify_signatures(sent.json(), &keys(&["two"]), &room.rules).unwrap();
    }
}

#[test]
fn event_ids_have_the_form_of_their_room_version() {
    for version in 1..=12 {
        let (_, _, event) = message(version);
        let id = event.event_id.as_str();
        assert_eq!(id.contains(':'), version < 3, "{id}");
        assert_eq!(event.json().contains("\"event_id\""), version < 3);
        if version >= 3 {
            assert_eq!(id.len(), 44);
        }
    }
}

#[test]
fn version_3_and_4_encode_the_same_hash_differently() {
    let bytes = (0_u32..200).map(|number| {
        let text = number.to_string();
        let of = |format| crate::hash::reference_hash(&text, format);
        (of(EventIdFormatVersion::V2), of(EventIdFormatVersion::V3))
    });
    for (standard, url_safe) in bytes {
        assert_eq!(standard.replace('+', "-").replace('/', "_"), url_safe);
    }
}

#[test]
fn a_room_of_version_12_is_named_after_its_create_event() {
    let (room, fork) = TestRoom::bare(12);
    let create = room.at(&fork.state, &"m.room.create".into(), "").unwrap();
    assert!(!create.json().contains("room_id"));
    assert_eq!(create.room_id.as_str()[1..], create.event_id.as_str()[1..]);
    assert_eq!(
        Pdu::receive(create.json(), &room.rules).unwrap().room_id,
        create.room_id
    );
}

#[test]
fn a_changed_content_leaves_the_redacted_copy_with_the_same_id() {
    for version in 3..=12 {
        let (room, _, sent) = message(version);
        let changed = edited(&sent, |json| json["content"]["body"] = json!("something else"));
        let received = Pdu::receive(&changed, &room.rules).unwrap();
        assert_eq!(received.event_id, sent.event_id);
        assert_eq!(received.content.get(), "{}");
        assert_eq!(received.json(), sent.redacted(&room.rules).unwrap().json());
        Pdu::verify_signatures(&changed, &keys(&["two"]), &room.rules).unwrap();
    }
}

#[test]
fn what_nobody_signed_is_dropped() {
    let (room, _, sent) = message(10);
    let with_unsigned = edited(&sent, |json| {
        json["unsigned"] = json!({ "age": 1, "prev_content": { "a": 1.5 } });
    });
    // Even there, version 6 and up want canonical JSON.
    assert!(Pdu::receive(&with_unsigned, &room.rules).is_err());
    let with_unsigned = edited(&sent, |json| json["unsigned"] = json!({ "age": 1 }));
    assert_eq!(
        Pdu::receive(&with_unsigned, &room.rules).unwrap().json(),
        sent.json()
    );
}

#[test]
fn a_missing_unknown_or_wrong_signature_is_refused() {
    let (room, _, sent) = message(10);
    let is_refused = |json: &str, keys: &PublicKeyMap| {
        matches!(
            Pdu::verify_signatures(json, keys, &room.rules),
            Err(EventError::Signature(_))
        )
    };
    assert!(is_refused(
        &edited(&sent, |json| json["signatures"] = json!({})),
        &keys(&["two"])
    ));
    assert!(is_refused(sent.json(), &keys(&["one"])));
    assert!(is_refused(
        &edited(&sent, |json| json["depth"] = json!(1)),
        &keys(&["two"])
    ));
    let other_key = keys(&["two"]).into_iter().map(|(server, mut keys)| {
        let (_, key) = keys.pop_first().unwrap();
        (server, [("ed25519:other".to_owned(), key)].into())
    });
    assert!(is_refused(sent.json(), &other_key.collect()));
}

#[test]
fn a_signature_of_an_unknown_key_beside_a_good_one_does_no_harm() {
    let (room, _, sent) = message(10);
    let json = edited(&sent, |json| {
        json["signatures"]["two"]["ed25519:retired"] = json!("bm90IGEgc2lnbmF0dXJl");
    });
    Pdu::verify_signatures(&json, &keys(&["two"]), &room.rules).unwrap();
    assert_eq!(
        Incoming::parse(&json, &room.rules)
            .unwrap()
            .key_ids_of("two".try_into().unwrap())
            .count(),
        2
    );
}

#[test]
fn the_servers_that_must_sign_depend_on_the_event_and_the_version() {
    let required = |version: u8, content: Value| -> Vec<String> {
        let (room, fork) = TestRoom::public(version);
        let target = user("Dave");
        let say = Say {
            sender: "bob",
            event_type: "m.room.member",
            state_key: Some(&target),
            content,
        };
        let event = room.build(&fork, say);
        let servers = Incoming::parse(event.json(), &room.rules)
            .unwrap()
            .required_servers(&room.rules)
            .unwrap();
        servers.iter().map(ToString::to_string).collect()
    };
    let restricted = json!({ "membership": "join", "join_authorised_via_users_server": "@helper:three" });
    assert_eq!(required(7, restricted.clone()), ["one"]);
    assert_eq!(required(8, restricted), ["one", "three"]);
    let invite = third_party_invite(&user("Dave"), "token");
    let invite = json!({ "membership": "invite", "third_party_invite": invite });
    assert_eq!(required(3, invite.clone()), Vec::<String>::new());
    // In versions 1 and 2 the server in the event ID signs in any case.
    assert_eq!(required(1, invite), ["one"]);
}

/// Both would otherwise be invites in the name of anyone, signed by nobody.
#[test]
fn what_only_looks_like_a_third_party_invite_needs_its_senders_signature() {
    for version in 3..=12 {
        let (room, fork) = TestRoom::public(version);
        let target = user("Dave");
        let build = |invite: Value| {
            let content = json!({ "membership": "invite", "third_party_invite": invite });
            let say = Say {
                sender: "alice",
                event_type: "m.room.member",
                state_key: Some(&target),
                content,
            };
            room.build(&fork, say)
        };
        let empty = build(Value::Null);
        assert_eq!(
            Incoming::parse(empty.json(), &room.rules)
                .unwrap()
                .required_servers(&room.rules)
                .unwrap()
                .len(),
            1
        );
        let broken = edited(&build(third_party_invite(&target, "token")), |json| {
            json["content"]["x"] = json!(1);
        });
        let incoming = Incoming::parse(&broken, &room.rules).unwrap();
        assert!(!incoming.is_intact());
        let is_still_one = incoming
            .clone()
            .into_pdu(&room.rules)
            .unwrap()
            .content
            .get()
            .contains("signed");
        assert_eq!(
            incoming.required_servers(&room.rules).unwrap().is_empty(),
            is_still_one,
            "version {version}"
        );
        assert_eq!(is_still_one, version >= 11);
    }
}

#[test]
fn an_authorising_user_binds_member_events_only() {
    let (room, fork) = TestRoom::public(10);
    let nobody = json!({ "membership": "join", "join_authorised_via_users_server": "helper" });
    let say = Say {
        sender: "bob",
        event_type: "m.room.member",
        state_key: Some("@bob:one"),
        content: nobody,
    };
    assert!(Pdu::verify_signatures(room.build(&fork, say).json(), &keys(&["one"]), &room.rules).is_err());
    let content = json!({ "join_authorised_via_users_server": "@helper:three" });
    let event = room.build(
        &fork,
        Say {
            sender: "bob",
            event_type: "m.room.message",
            state_key: None,
            content,
        },
    );
    assert_eq!(
        Incoming::parse(event.json(), &room.rules)
            .unwrap()
            .required_servers(&room.rules)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn sizes_are_limited_to_the_byte() {
    let (room, _, sent) = message(10);
    let of_size = |bytes: usize| {
        let room_left = bytes - (sent.json().len() - "hi".len());
        edited(&sent, |json| {
            json["content"]["body"] = json!("x".repeat(room_left));
        })
    };
    assert!(Pdu::receive(&of_size(PDU_BYTES_MAX), &room.rules).is_ok());
    let refusal = Pdu::receive(&of_size(PDU_BYTES_MAX + 1), &room.rules).unwrap_err();
    assert_eq!(
        refusal,
        EventError::TooLarge {
            bytes: PDU_BYTES_MAX + 1
        }
    );

    for (field, start) in [
        ("type", ""),
        ("state_key", ""),
        ("sender", "@:two"),
        ("room_id", "!:one"),
    ] {
        let filler = FIELD_BYTES_MAX - start.len();
        let of = |filler: usize| {
            let (sigil, server) = start.split_at(start.len().min(1));
            edited(&sent, |json| {
                json[field] = json!(format!("{sigil}{}{server}", "x".repeat(filler)));
            })
        };
        assert!(Pdu::receive(&of(filler), &room.rules).is_ok(), "{field}");
        let refusal = Pdu::receive(&of(filler + 1), &room.rules).unwrap_err();
        assert_eq!(
            refusal,
            EventError::FieldTooLarge {
                field,
                bytes: FIELD_BYTES_MAX + 1
            }
        );
    }
}

#[test]
fn a_text_that_can_be_no_event_is_not_even_parsed() {
    let (room, _, sent) = message(10);
    let padded = |bytes: usize| sent.json().to_owned() + &" ".repeat(bytes - sent.json().len());
    assert!(Pdu::receive(&padded(TEXT_BYTES_MAX), &room.rules).is_ok());
    assert!(matches!(
        Pdu::receive(&padded(TEXT_BYTES_MAX + 1), &room.rules),
        Err(EventError::TooLarge { .. })
    ));
}

#[test]
fn malformed_events_are_refused() {
    let (room, _, sent) = message(10);
    let edits: [(&str, Value); 18] = [
        ("type", json!(1)),
        ("type", Value::Null),
        ("sender", json!("carol")),
        ("sender", Value::Null),
        ("room_id", json!("room")),
        ("room_id", Value::Null),
        ("state_key", json!(1)),
        ("content", json!([])),
        ("content", Value::Null),
        ("hashes", json!("")),
        ("signatures", Value::Null),
        ("prev_events", json!({})),
        ("prev_events", json!([["$a:b", {}]])),
        ("prev_events", json!(vec!["$a"; 21])),
        ("auth_events", json!(vec!["$a"; 11])),
        ("depth", json!(-1)),
        ("depth", json!("1")),
        ("origin_server_ts", json!(-1)),
    ];
    for (key, value) in edits {
        let changed = edited(&sent, |json| json[key] = value.clone());
        assert!(Pdu::receive(&changed, &room.rules).is_err(), "{key}: {value}");
        let removed = edited(&sent, |json| drop(json.as_object_mut().unwrap().remove(key)));
        assert_eq!(
            Pdu::receive(&removed, &room.rules).is_ok(),
            key == "state_key",
            "{key}"
        );
    }
}

#[test]
fn the_create_event_is_an_auth_event_before_version_12_and_must_not_be_one_after() {
    for version in [11, 12] {
        let (room, fork, sent) = message(version);
        let create = &fork.state[&("m.room.create".into(), String::new())];
        assert_eq!(sent.auth_events.contains(create), version == 11);
        let with_create = edited(&sent, |json| json["auth_events"] = json!([create]));
        assert_eq!(Pdu::receive(&with_create, &room.rules).is_ok(), version == 11);
    }
}

#[test]
fn old_rooms_may_hold_numbers_that_canonical_json_forbids() {
    for version in 1..=12 {
        let (room, _, sent) = message(version);
        let odd = edited(&sent, |json| json["content"]["number"] = json!(1.5));
        assert_eq!(
            Pdu::receive(&odd, &room.rules).is_ok(),
            version < 6,
            "version {version}"
        );
        let deep = edited(&sent, |json| json["depth"] = json!(i64::MAX));
        assert_eq!(
            Pdu::receive(&deep, &room.rules).is_ok(),
            version < 6,
            "version {version}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_receiver_panic(text in any::<String>(), version in 1_u8..=12) {
        let _outcome = Pdu::receive(&text, &rules(version));
    }

    #[test]
    fn no_event_shaped_text_makes_the_receiver_panic(
        version in 1_u8..=12,
        key in prop::sample::select(vec![
            "type", "sender", "room_id", "event_id", "state_key", "content", "hashes", "signatures", "prev_events",
            "auth_events", "depth", "origin_server_ts", "redacts", "unsigned",
        ]),
        text in r#"[ \[\]{},:"$@!a-e0-9.-]{0,12}"#,
    ) {
        let (room, _, sent) = message(version);
        let whole = edited(&sent, |json| json[key] = json!("PLACEHOLDER")).replace("\"PLACEHOLDER\"", &text);
        let outcome = Pdu::receive(&whole, &room.rules);
        if let Ok(pdu) = outcome {
            // What was accepted can be read back, shown and redacted.
            let again = Pdu::from_stored(pdu.event_id.clone(), pdu.room_id.clone(), pdu.json(), &room.rules).unwrap();
            prop_assert!(serde_json::from_str::<Value>(&again.client_json(None)).is_ok());
            prop_assert!(pdu.redacted(&room.rules).is_ok());
        }
        let _verdict = Pdu::verify_signatures(&whole, &keys(&["two"]), &room.rules);
    }
}
