//! Rules on `m.room.power_levels`.

use super::*;

/// A room whose levels are `alice` 100 (or creator), `bob` 50 and whatever `more` says, and whether `bob` may then
/// set what `change` makes of them.
fn bob_may(version: u8, more: Value, change: impl FnOnce(&mut Value)) -> bool {
    let (mut room, mut fork) = TestRoom::public(version);
    let mut levels: Value = room
        .at(&fork.state, &"m.room.power_levels".into(), "")
        .unwrap()
        .content_as()
        .unwrap();
    for (key, value) in more.as_object().unwrap() {
        if let (Some(present), Some(added)) = (levels[key].as_object_mut(), value.as_object()) {
            present.extend(added.clone());
        } else {
            levels[key] = value.clone();
        }
    }
    room.state(&mut fork, "alice", "m.room.power_levels", levels.clone());
    change(&mut levels);
    room.allows_saying(&fork, state("bob", "m.room.power_levels", levels))
}

#[test]
fn nobody_moves_a_level_that_is_or_becomes_higher_than_their_own() {
    for version in 1..=12 {
        for key in [
            "users_default",
            "events_default",
            "state_default",
            "ban",
            "redact",
            "kick",
            "invite",
        ] {
            assert!(
                bob_may(version, json!({}), |levels| levels[key] = json!(40)),
                "{version} {key}"
            );
            assert!(
                bob_may(version, json!({ key: 50 }), |levels| levels[key] = json!(0)),
                "{version} {key}"
            );
            assert!(
                !bob_may(version, json!({}), |levels| levels[key] = json!(51)),
                "{version} {key}"
            );
        }
        // State events and bans now take 75, so bob gets the right to send levels by name.
        let high = json!({ "ban": 75, "events": { "m.room.power_levels": 50 } });
        assert!(!bob_may(version, high.clone(), |levels| levels["ban"] = json!(10)));
        assert!(!bob_may(version, high.clone(), |levels| drop(
            levels.as_object_mut().unwrap().remove("ban")
        )));
        assert!(bob_may(version, high, |levels| levels["kick"] = json!(10)));
    }
}

#[test]
fn event_levels_always_and_notification_levels_from_version_6_on_are_protected() {
    for version in 1..=12 {
        for (map, since) in [("events", 1), ("notifications", 6)] {
            let start = json!({ map: { "high": 75, "low": 25 } });
            let may =
                |key: &str, level: Value| bob_may(version, start.clone(), |levels| levels[map][key] = level);
            let is_free = version < since;
            assert!(may("low", json!(50)), "{version} {map}");
            assert!(may("new", json!(50)));
            assert_eq!(may("low", json!(51)), is_free, "{version} {map}");
            assert_eq!(may("new", json!(51)), is_free);
            assert_eq!(may("high", json!(25)), is_free);
            let removed = bob_may(version, start.clone(), |levels| {
                levels[map].as_object_mut().unwrap().remove("high");
            });
            assert_eq!(removed, is_free);
        }
    }
}

#[test]
fn users_are_moved_by_those_above_them_and_by_themselves() {
    for version in 1..=12 {
        let start = json!({ "users": { user("Carol"): 25, user("Dave"): 50, user("erin"): 75 } });
        let may = |name: &str, level: i64| {
            bob_may(version, start.clone(), |levels| {
                levels["users"][user(name)] = json!(level);
            })
        };
        assert!(may("Carol", 50));
        assert!(!may("Carol", 51));
        assert!(may("Frank", 50));
        assert!(!may("Dave", 0), "a peer");
        assert!(!may("erin", 0), "a superior");
        assert!(may("bob", 0), "oneself");
        assert!(!may("bob", 51));
        let removed = bob_may(version, start.clone(), |levels| {
            levels["users"].as_object_mut().unwrap().remove(&user("erin"));
        });
        assert!(!removed);
    }
}

#[test]
fn users_have_valid_ids_in_every_version() {
    for version in 1..=12 {
        assert!(
            !bob_may(version, json!({}), |levels| levels["users"]["carol"] = json!(1)),
            "{version}"
        );
        assert!(
            !bob_may(version, json!({}), |levels| levels["users"] = json!([])),
            "{version}"
        );
        assert!(
            !bob_may(version, json!({}), |levels| levels["users"]["@carol:two"] =
                json!("high")),
            "{version}"
        );
    }
}

#[test]
fn levels_may_be_strings_before_version_10() {
    for version in 1..=12 {
        for text in ["40", " 40 ", "+40", "00040", "-3"] {
            let is_allowed = bob_may(version, json!({}), |levels| {
                levels["ban"] = json!(text);
                levels["events"] = json!({ "m.room.name": text });
                levels["users"][user("Carol")] = json!(text);
            });
            assert_eq!(is_allowed, version < 10, "version {version}: {text:?}");
        }
        for text in ["51", "+51", "\t0051"] {
            assert!(!bob_may(version, json!({}), |levels| levels["ban"] = json!(text)));
        }
    }
}

#[test]
fn levels_may_be_floats_before_version_6() {
    for version in 1..=5 {
        let (room, fork) = TestRoom::public(version);
        let levels = |users: Value| {
            room.build(
                &fork,
                state("alice", "m.room.power_levels", json!({ "users": users })),
            )
        };
        let event = levels(json!({ user("alice"): 100, user("bob"): 50.57, user("Carol"): 51.999 }));
        assert!(room.allows(&fork, &event), "version {version}");
        // Truncated, and not rounded: Carol, at 51, is above bob, at 50.
        let after = |event_type: &StateEventType, key: &str| {
            if *event_type == StateEventType::RoomPowerLevels {
                Some(Arc::new(event.clone()))
            } else {
                room.at(&fork.state, event_type, key)
            }
        };
        let kick = |sender: &str, target: &str| {
            let target = user(target);
            let content = json!({ "membership": "leave" });
            let say = Say {
                sender,
                event_type: "m.room.member",
                state_key: Some(&target),
                content,
            };
            authorise(&room.build(&fork, say), &room.rules, after).is_ok()
        };
        assert!(kick("Carol", "bob"));
        assert!(!kick("bob", "Carol"));
        let levels = levels(json!({ user("alice"): 100, user("bob"): 1e300 }));
        assert!(!room.allows(&fork, &levels));
    }
}

#[test]
fn levels_are_integers_from_version_10_on() {
    for (key, bad) in [
        ("ban", json!(null)),
        ("kick", json!([])),
        ("events", json!([])),
        ("events", json!({ "m.room.name": "40" })),
        ("notifications", json!({ "room": true })),
        ("notifications", json!(1)),
    ] {
        for version in [10, 11, 12] {
            assert!(
                !bob_may(version, json!({}), |levels| levels[key] = bad.clone()),
                "{version} {key} {bad}"
            );
        }
    }
}

#[test]
fn creators_stand_above_all_and_are_not_listed_from_version_12_on() {
    let create = json!({ "additional_creators": [user("bob")] });
    let (mut room, mut fork) = TestRoom::created_with(12, create);
    let levels = |users: Value| state("alice", "m.room.power_levels", json!({ "users": users }));
    assert!(!room.allows_saying(&fork, levels(json!({ user("alice"): 100 }))));
    assert!(!room.allows_saying(&fork, levels(json!({ user("bob"): 100 }))));
    assert!(room.allows_saying(&fork, levels(json!({ user("Carol"): 9_007_199_254_740_991_i64 }))));

    let highest = json!({ "users": { user("Carol"): 9_007_199_254_740_991_i64 } });
    room.state(&mut fork, "alice", "m.room.power_levels", highest);
    room.state(
        &mut fork,
        "alice",
        "m.room.join_rules",
        json!({ "join_rule": "public" }),
    );
    room.member(&mut fork, "Carol", "Carol", "join");
    room.member(&mut fork, "bob", "bob", "join");
    let may = |sender: &str, target: &str| {
        let target = user(target);
        let content = json!({ "membership": "ban" });
        room.allows_saying(
            &fork,
            Say {
                sender,
                event_type: "m.room.member",
                state_key: Some(&target),
                content,
            },
        )
    };
    assert!(may("bob", "Carol"));
    assert!(!may("Carol", "bob"));
    assert!(!may("alice", "bob"), "creators are peers");
}
