//! The authorisation rules, version by version.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "literals read better without ampersands"
)]

mod auth_events;
mod hostile;
mod members;
mod power_levels;

use serde_json::{Value, json};

use super::*;
use crate::testing::{Fork, Say, TestRoom, user};

fn message(sender: &str) -> Say<'_> {
    Say {
        sender,
        event_type: "m.room.message",
        state_key: None,
        content: json!({}),
    }
}

fn state<'a>(sender: &'a str, event_type: &'a str, content: Value) -> Say<'a> {
    Say {
        sender,
        event_type,
        state_key: Some(""),
        content,
    }
}

/// The event with its JSON edited, under the ID and in the room that it had.
fn altered(event: &Pdu, rules: &RoomVersionRules, edit: impl FnOnce(&mut Value)) -> Pdu {
    let mut json: Value = serde_json::from_str(event.json()).unwrap();
    edit(&mut json);
    Pdu::from_stored(
        event.event_id.clone(),
        event.room_id.clone(),
        &json.to_string(),
        rules,
    )
    .unwrap()
}

fn create_event(version: u8) -> (TestRoom, Arc<Pdu>) {
    let (room, fork) = TestRoom::bare(version);
    let create = room.at(&fork.state, &StateEventType::RoomCreate, "").unwrap();
    (room, create)
}

fn is_allowed(room: &TestRoom, event: &Pdu) -> bool {
    authorise(event, &room.rules, |_, _| None).is_ok()
}

#[test]
fn a_create_event_stands_at_the_start_of_its_senders_room() {
    for version in 1..=12 {
        let (room, create) = create_event(version);
        assert!(is_allowed(&room, &create));
        let reference = if version < 3 {
            json!(["$a:b", {}])
        } else {
            json!("$a:b")
        };
        assert!(!is_allowed(
            &room,
            &altered(&create, &room.rules, |json| json["prev_events"] =
                json!([reference]))
        ));
        let elsewhere = altered(&create, &room.rules, |json| {
            json["sender"] = json!("@mallory:two");
        });
        assert_eq!(is_allowed(&room, &elsewhere), version == 12, "version {version}");
        let named = altered(&create, &room.rules, |json| json["room_id"] = json!("!room:one"));
        assert_eq!(is_allowed(&room, &named), version < 12, "version {version}");
    }
}

#[test]
fn a_create_event_names_a_recognised_version_and_before_11_its_creator() {
    for version in 1..=12 {
        let (room, create) = create_event(version);
        let with =
            |key: &str, value: Value| altered(&create, &room.rules, |json| json["content"][key] = value);
        assert!(!is_allowed(&room, &with("room_version", json!("nonsense"))));
        assert!(!is_allowed(&room, &with("room_version", json!(10))));
        let anonymous = altered(&create, &room.rules, |json| {
            json["content"].as_object_mut().unwrap().remove("creator");
        });
        assert_eq!(is_allowed(&room, &anonymous), version >= 11, "version {version}");
    }
}

#[test]
fn additional_creators_are_user_ids_from_version_12_on() {
    for version in [11, 12] {
        let (room, create) = create_event(version);
        for bad in [json!("@a:b"), json!([1]), json!(["bob"]), Value::Null] {
            let event = altered(&create, &room.rules, |json| {
                json["content"]["additional_creators"] = bad.clone();
            });
            assert_eq!(
                is_allowed(&room, &event),
                version == 11,
                "version {version}: {bad}"
            );
        }
        let good = altered(&create, &room.rules, |json| {
            json["content"]["additional_creators"] = json!(["@a:b"]);
        });
        assert!(is_allowed(&room, &good));
    }
}

#[test]
fn creators_are_those_whom_the_version_means() {
    let creators = |version: u8| -> Vec<String> {
        let (room, create) = create_event(version);
        let event = altered(&create, &room.rules, |json| {
            json["content"]["additional_creators"] = json!(["@zed:two"]);
            if version < 11 {
                json["content"]["creator"] = json!("@other:one");
            }
        });
        let mut creators: Vec<String> = creators_of(&event, &room.rules)
            .iter()
            .map(ToString::to_string)
            .collect();
        creators.sort();
        creators
    };
    assert_eq!(creators(1), ["@other:one"]);
    assert_eq!(creators(10), ["@other:one"]);
    assert_eq!(creators(11), ["@alice:one"]);
    assert_eq!(creators(12), ["@alice:one", "@zed:two"]);
}

#[test]
fn an_unfederated_room_is_closed_to_other_servers() {
    let (mut room, mut fork) = TestRoom::created_with(10, json!({ "m.federate": false }));
    room.state(
        &mut fork,
        "alice",
        "m.room.join_rules",
        json!({ "join_rule": "public" }),
    );
    let join = |name: &'static str| {
        let (target, content) = (user(name), json!({ "membership": "join" }));
        let say = Say {
            sender: name,
            event_type: "m.room.member",
            state_key: Some(&target),
            content,
        };
        room.allows_saying(&fork, say)
    };
    assert!(join("bob"));
    assert!(!join("Carol"));
}

#[test]
fn aliases_are_any_servers_to_publish_before_version_6() {
    for version in 1..=12 {
        let (room, fork) = TestRoom::public(version);
        let aliases = |sender: &'static str, state_key: Option<&str>| {
            let say = Say {
                sender,
                event_type: "m.room.aliases",
                state_key,
                content: json!({ "aliases": [] }),
            };
            room.allows_saying(&fork, say)
        };
        // Frank is not even in the room.
        assert_eq!(aliases("Frank", Some("two")), version < 6, "version {version}");
        assert_eq!(aliases("Carol", Some("two")), version < 6);
        assert!(!aliases("Frank", Some("one")));
        // Like other state, it is for those with the power to send it.
        assert_eq!(aliases("alice", Some("two")), version >= 6);
        assert_eq!(aliases("Carol", None), version >= 6);
    }
}

#[test]
fn only_members_with_the_required_level_may_send() {
    for version in 1..=12 {
        let (mut room, mut fork) = TestRoom::public(version);
        assert!(room.allows_saying(&fork, message("Carol")));
        assert!(!room.allows_saying(&fork, message("Frank")));
        assert!(!room.allows_saying(&fork, state("Carol", "m.room.topic", json!({}))));
        assert!(room.allows_saying(&fork, state("bob", "m.room.topic", json!({}))));
        let mut levels: Value = room
            .at(&fork.state, &"m.room.power_levels".into(), "")
            .unwrap()
            .content_as()
            .unwrap();
        levels["events_default"] = json!(10);
        levels["events"] = json!({ "m.room.topic": 0, "m.sticker": 50 });
        levels["users"][user("Carol")] = json!(10);
        room.state(&mut fork, "alice", "m.room.power_levels", levels);
        assert!(room.allows_saying(&fork, message("Carol")));
        assert!(room.allows_saying(&fork, state("Carol", "m.room.topic", json!({}))));
        assert!(!room.allows_saying(&fork, state("Carol", "m.room.name", json!({}))));
        let sticker = Say {
            sender: "Carol",
            event_type: "m.sticker",
            state_key: None,
            content: json!({}),
        };
        assert!(!room.allows_saying(&fork, sticker));
    }
}

#[test]
fn without_power_levels_the_creator_rules_alone() {
    for version in 1..=12 {
        let (mut room, mut fork) = TestRoom::bare(version);
        assert!(room.allows_saying(&fork, state("alice", "m.room.topic", json!({}))));
        room.state(
            &mut fork,
            "alice",
            "m.room.join_rules",
            json!({ "join_rule": "public" }),
        );
        room.member(&mut fork, "bob", "bob", "join");
        assert!(room.allows_saying(&fork, message("bob")));
        assert!(!room.allows_saying(&fork, state("bob", "m.room.topic", json!({}))));
    }
}

#[test]
fn a_state_key_that_is_a_user_belongs_to_that_user() {
    let (room, fork) = TestRoom::public(10);
    let say = |state_key: &str| {
        let say = Say {
            sender: "bob",
            event_type: "org.example",
            state_key: Some(state_key),
            content: json!({}),
        };
        room.allows_saying(&fork, say)
    };
    assert!(say("@bob:one"));
    assert!(say("bob"));
    assert!(!say("@alice:one"));
    assert!(!say("@"));
}

#[test]
fn redactions_are_judged_by_the_rules_in_versions_1_and_2_only() {
    for version in 1..=4 {
        let (room, fork) = TestRoom::public(version);
        let redaction = |sender: &str, redacts: &str| {
            let say = Say {
                sender,
                event_type: "m.room.redaction",
                state_key: None,
                content: json!({}),
            };
            let event = altered(&room.build(&fork, say), &room.rules, |json| {
                json["redacts"] = json!(redacts);
            });
            room.allows(&fork, &event)
        };
        assert!(redaction("bob", "$by_someone:two"), "moderators redact anything");
        assert!(redaction("Carol", "$by_someone:two"), "servers redact their own");
        assert_eq!(
            redaction("Carol", "$by_someone:one"),
            version >= 3,
            "version {version}"
        );
    }
}

#[test]
fn a_verdict_is_about_the_first_state_that_refuses() {
    let (mut room, base) = TestRoom::public(10);
    let event = room.build(&base, message("Carol"));
    let mut without_carol = base.clone();
    room.member(&mut without_carol, "alice", "Carol", "ban");
    let judged = |by_auth_events: &Fork, before: &Fork, current: &Fork| {
        let look_up = |fork: &Fork| {
            let (room, state) = (&room, fork.state.clone());
            move |event_type: &StateEventType, key: &str| room.at(&state, event_type, key)
        };
        judge(
            &event,
            &room.rules,
            look_up(by_auth_events),
            look_up(before),
            look_up(current),
        )
    };
    assert_eq!(judged(&base, &base, &base), Verdict::Accepted);
    assert!(matches!(
        judged(&base, &base, &without_carol),
        Verdict::SoftFailed(_)
    ));
    assert!(matches!(
        judged(&base, &without_carol, &base),
        Verdict::Rejected(_)
    ));
    assert!(matches!(
        judged(&without_carol, &base, &base),
        Verdict::Rejected(_)
    ));
}
