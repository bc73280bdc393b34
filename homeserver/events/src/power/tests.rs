#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json, value::to_raw_value};

use super::*;
use crate::testing::{rules, user};

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
