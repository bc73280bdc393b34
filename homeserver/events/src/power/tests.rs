#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::{Value, json, value::to_raw_value};

use super::*;
use crate::testing::{Say, TestRoom, rules, user};

fn id(name: &str) -> OwnedUserId {
    UserId::parse(user(name)).unwrap()
}

fn levels(version: u8, content: Option<Value>) -> PowerLevels {
    let content = content.map(|content| to_raw_value(&content).unwrap());
    PowerLevels::new(content.as_deref(), &[id("alice")], &rules(version))
}

#[test]
fn defaults_are_those_of_the_specification() {
    for version in 1..=12 {
        for content in [None, Some(json!({}))] {
            let levels = levels(version, content.clone());
            assert_eq!(
                (levels.ban(), levels.kick(), levels.redact(), levels.invite()),
                (50, 50, 50, 0)
            );
            assert_eq!(
                (levels.level_for_state("x"), levels.level_for_message("x")),
                (50, 0)
            );
            assert_eq!((levels.notifications_room(), levels.users_default()), (50, 0));
            let creator = match (version, content) {
                (12, _) => Level::Creator,
                (_, None) => Level::Int(100),
                (_, Some(_)) => Level::Int(0),
            };
            assert_eq!(levels.user_level(&id("alice")), creator, "version {version}");
            assert_eq!(levels.user_level(&id("bob")), Level::Int(0));
        }
    }
}

#[test]
fn given_levels_count_for_what_they_name() {
    let levels = levels(
        10,
        Some(json!({
            "users": { user("bob"): 50 }, "users_default": 5, "events": { "m.room.topic": 7 }, "state_default": 20,
            "events_default": 6, "ban": 60, "kick": 40, "redact": 30, "invite": 10, "notifications": { "room": 51 },
        })),
    );
    let (bob, carol) = (id("bob"), id("Carol"));
    assert_eq!(
        (levels.user_level(&bob), levels.user_level(&carol)),
        (Level::Int(50), Level::Int(5))
    );
    assert!(levels.can_send_state(&bob, "m.room.name") && !levels.can_send_state(&carol, "m.room.topic"));
    assert!(
        levels.can_send_message(&bob, "m.room.message") && !levels.can_send_message(&carol, "m.room.message")
    );
    assert!(levels.can_kick(&bob, &carol) && !levels.can_kick(&bob, &bob) && !levels.can_kick(&carol, &bob));
    assert!(!levels.can_ban(&bob, &carol));
    assert!(levels.can_invite(&bob) && !levels.can_invite(&carol));
    assert!(levels.can_redact(&bob, &carol) && !levels.can_redact(&carol, &bob));
    assert!(
        levels.can_redact(&carol, &id("Dave")),
        "a server may redact what it sent"
    );
    assert!(!levels.can_notify_room(&bob));
}

#[test]
fn creators_of_version_12_stand_above_every_number() {
    let levels = levels(
        12,
        Some(json!({ "users": { user("bob"): 9_007_199_254_740_991_i64 }, "ban": 100 })),
    );
    let (alice, bob) = (id("alice"), id("bob"));
    assert!(levels.user_level(&alice) > levels.user_level(&bob));
    assert!(levels.can_ban(&alice, &bob) && !levels.can_ban(&bob, &alice));
    assert!(!levels.can_kick(&alice, &alice));
}

#[test]
fn strings_count_before_version_10_and_floats_are_truncated() {
    let read =
        |version: u8, level: Value| levels(version, Some(json!({ "users_default": level }))).users_default();
    for (level, number) in [
        (json!(" +0050 "), 50),
        (json!("-3"), -3),
        (json!(50.9), 50),
        (json!(-50.9), -50),
    ] {
        assert_eq!(read(5, level.clone()), number);
        assert_eq!(read(10, level), 0);
    }
    for level in [
        json!("high"),
        json!("5.5"),
        json!(""),
        json!("+-5"),
        json!([]),
        json!(null),
        json!(1e300),
    ] {
        assert_eq!(read(5, level), 0);
    }
}

#[test]
fn what_is_no_object_gives_defaults() {
    assert_eq!(levels(10, Some(json!([]))).ban(), 50);
    assert_eq!(
        levels(10, Some(json!({ "users": [], "events": 1 }))).level_for_state("x"),
        50
    );
}

/// A level as the version may hold it.
fn level(version: u8) -> impl Strategy<Value = Value> {
    let number = prop::sample::select(vec![-1_i64, 0, 1, 49, 50, 51, 100]);
    (number, 0..4_u8).prop_map(move |(number, form)| match form {
        1 if version < 10 => json!(number.to_string()),
        2 if version < 10 => json!(format!(" {number:+04} ")),
        3 if version < 6 => serde_json::from_str(&format!("{number}.9")).unwrap(),
        _ => json!(number),
    })
}

/// The content of a power levels event that the version allows.
fn content(version: u8) -> impl Strategy<Value = Value> {
    let keys = [
        "ban",
        "kick",
        "invite",
        "state_default",
        "events_default",
        "users_default",
    ];
    let defaults = prop::collection::btree_map(prop::sample::select(keys.to_vec()), level(version), 0..4);
    let events = prop::sample::select(vec!["m.room.topic", "m.room.message"]);
    let events = prop::collection::btree_map(events, level(version), 0..3);
    let users = prop::sample::select(vec![user("bob"), user("Carol")]);
    let users = prop::collection::btree_map(users, level(version), 0..3);
    (defaults, events, users).prop_map(|(defaults, events, users)| {
        let mut content = json!(defaults);
        content["events"] = json!(events);
        content["users"] = json!(users);
        content
    })
}

proptest! {
    /// What we say that a user can do is what the authorisation rules let them do.
    #[test]
    fn power_levels_and_authorisation_rules_agree(
        (version, content) in (1_u8..=12).prop_flat_map(|version| (Just(version), content(version))),
    ) {
        let (mut room, mut fork) = TestRoom::bare(version);
        for name in ["bob", "Carol"] {
            room.state(&mut fork, "alice", "m.room.join_rules", json!({ "join_rule": "public" }));
            room.member(&mut fork, name, name, "join");
        }
        let event = room.state(&mut fork, "alice", "m.room.power_levels", content);
        let levels = PowerLevels::new(Some(&event.content), &[id("alice")], &room.rules);
        for sender in ["alice", "bob", "Carol"] {
            let may = |event_type, state_key: Option<&str>, content| {
                room.allows_saying(&fork, Say { sender, event_type, state_key, content })
            };
            let me = id(sender);
            for event_type in ["m.room.topic", "m.room.name"] {
                prop_assert_eq!(levels.can_send_state(&me, event_type), may(event_type, Some(""), json!({})));
            }
            for event_type in ["m.room.message", "m.sticker"] {
                prop_assert_eq!(levels.can_send_message(&me, event_type), may(event_type, None, json!({})));
            }
            let invite = json!({ "membership": "invite" });
            prop_assert_eq!(levels.can_invite(&me), may("m.room.member", Some(&user("Dave")), invite));
            for target in ["alice", "bob", "Carol"] {
                let set = |membership| may("m.room.member", Some(&user(target)), json!({ "membership": membership }));
                prop_assert_eq!(levels.can_ban(&me, &id(target)), set("ban"));
                prop_assert_eq!(levels.can_kick(&me, &id(target)) || sender == target, set("leave"));
            }
        }
    }
}
