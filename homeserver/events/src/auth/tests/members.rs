//! Rules on `m.room.member`.

use super::*;
use crate::testing::{identity_public_key, third_party_invite};

fn member<'a>(sender: &'a str, target: &'a str, content: Value) -> Say<'a> {
    Say {
        sender,
        event_type: "m.room.member",
        state_key: Some(target),
        content,
    }
}

/// Whether the sender may set the target's membership.
fn may(room: &TestRoom, fork: &Fork, sender: &str, target: &str, membership: &str) -> bool {
    room.allows_saying(
        fork,
        member(sender, &user(target), json!({ "membership": membership })),
    )
}

/// A room with the join rule; Dave is invited where the version and rule let him be.
fn with_join_rule(version: u8, rule: &str) -> (TestRoom, Fork) {
    let (mut room, mut fork) = TestRoom::public(version);
    room.member(&mut fork, "bob", "Dave", "invite");
    room.state(
        &mut fork,
        "alice",
        "m.room.join_rules",
        json!({ "join_rule": rule }),
    );
    (room, fork)
}

#[test]
fn the_first_join_is_the_creators() {
    for version in 1..=12 {
        let (room, mut fork) = TestRoom::bare(version);
        fork.state.remove(&(StateEventType::RoomMember, user("alice")));
        fork.heads = vec![fork.state[&(StateEventType::RoomCreate, String::new())].clone()];
        assert!(may(&room, &fork, "alice", "alice", "join"));
        assert!(!may(&room, &fork, "bob", "bob", "join"));
        fork.heads = vec!["$other:one".try_into().unwrap()];
        assert!(
            !may(&room, &fork, "alice", "alice", "join"),
            "there is no join rule yet"
        );
    }
}

#[test]
fn additional_creators_do_not_join_like_the_first() {
    let (room, mut fork) = TestRoom::created_with(12, json!({ "additional_creators": [user("bob")] }));
    fork.heads = vec![fork.state[&(StateEventType::RoomCreate, String::new())].clone()];
    assert!(!may(&room, &fork, "bob", "bob", "join"));
}

#[test]
fn join_rules_decide_who_may_join() {
    // Rule, first version that knows it, whether strangers may join, whether invited users may.
    let table = [
        ("public", 1, true, true),
        ("invite", 1, false, true),
        ("private", 1, false, false),
        ("knock", 7, false, true),
        ("restricted", 8, false, true),
        ("knock_restricted", 10, false, true),
        ("nonsense", 1, false, false),
    ];
    for version in 1..=12 {
        for (rule, since, stranger_joins, invited_joins) in table {
            let (room, fork) = with_join_rule(version, rule);
            let is_known = version >= since;
            assert_eq!(
                may(&room, &fork, "erin", "erin", "join"),
                is_known && stranger_joins,
                "{version} {rule}"
            );
            assert_eq!(
                may(&room, &fork, "Dave", "Dave", "join"),
                is_known && invited_joins,
                "{version} {rule}"
            );
            assert!(
                !may(&room, &fork, "bob", "Dave", "join"),
                "nobody joins for another"
            );
            let knocks = matches!((rule, version), ("knock", 7..) | ("knock_restricted", 10..));
            assert_eq!(
                may(&room, &fork, "erin", "erin", "knock"),
                knocks,
                "{version} {rule}"
            );
            assert!(!may(&room, &fork, "bob", "erin", "knock"));
            assert!(
                !may(&room, &fork, "Dave", "Dave", "knock"),
                "invited users need not"
            );
            assert!(!may(&room, &fork, "Carol", "Carol", "knock"), "members need not");
        }
    }
}

#[test]
fn a_restricted_join_is_vouched_for_by_a_member_who_may_invite() {
    for (version, rule, works) in [
        (7, "restricted", false),
        (8, "restricted", true),
        (9, "knock_restricted", false),
        (10, "knock_restricted", true),
        (12, "restricted", true),
    ] {
        let (mut room, mut fork) = TestRoom::public(version);
        let mut levels: Value = room
            .at(&fork.state, &"m.room.power_levels".into(), "")
            .unwrap()
            .content_as()
            .unwrap();
        levels["invite"] = json!(50);
        room.state(&mut fork, "alice", "m.room.power_levels", levels);
        room.state(
            &mut fork,
            "alice",
            "m.room.join_rules",
            json!({ "join_rule": rule }),
        );
        let vouched = |by: Value| {
            let content = json!({ "membership": "join", "join_authorised_via_users_server": by });
            room.allows_saying(&fork, member("erin", &user("erin"), content))
        };
        assert_eq!(vouched(json!(user("bob"))), works, "version {version} {rule}");
        assert_eq!(vouched(json!(user("alice"))), works, "creators may invite, too");
        assert!(!vouched(json!(user("Carol"))), "may not invite");
        assert!(!vouched(json!(user("Frank"))), "is not a member");
        assert!(!vouched(json!(1)));
        assert!(!may(&room, &fork, "erin", "erin", "join"));
    }
}

#[test]
fn knocking_ends_in_leaving_or_an_invite() {
    let (mut room, mut fork) = with_join_rule(7, "knock");
    room.member(&mut fork, "erin", "erin", "knock");
    assert!(may(&room, &fork, "erin", "erin", "leave"));
    assert!(may(&room, &fork, "bob", "erin", "invite"));
    assert!(
        may(&room, &fork, "bob", "erin", "leave"),
        "a knock can be turned down"
    );
    assert!(!may(&room, &fork, "erin", "erin", "join"));
}

#[test]
fn invites_are_for_members_to_give_to_outsiders() {
    for version in 1..=12 {
        let (mut room, mut fork) = TestRoom::public(version);
        assert!(may(&room, &fork, "Carol", "Dave", "invite"));
        assert!(!may(&room, &fork, "Frank", "Dave", "invite"));
        assert!(!may(&room, &fork, "Carol", "bob", "invite"));
        let mut levels: Value = room
            .at(&fork.state, &"m.room.power_levels".into(), "")
            .unwrap()
            .content_as()
            .unwrap();
        levels["invite"] = json!(1);
        room.state(&mut fork, "alice", "m.room.power_levels", levels);
        assert!(!may(&room, &fork, "Carol", "Dave", "invite"));
        assert!(may(&room, &fork, "bob", "Dave", "invite"));
        room.member(&mut fork, "alice", "Dave", "ban");
        assert!(!may(&room, &fork, "bob", "Dave", "invite"));
        assert!(!may(&room, &fork, "Dave", "Dave", "join"));
    }
}

#[test]
fn leaving_kicking_and_banning_follow_membership_and_rank() {
    for version in 1..=12 {
        let (mut room, mut fork) = TestRoom::public(version);
        assert!(may(&room, &fork, "Carol", "Carol", "leave"));
        assert!(!may(&room, &fork, "Frank", "Frank", "leave"), "was never there");
        for act in ["leave", "ban"] {
            assert!(may(&room, &fork, "bob", "Carol", act));
            assert!(!may(&room, &fork, "Carol", "bob", act), "lacks the level");
            assert!(!may(&room, &fork, "bob", "alice", act), "outranked");
            assert!(may(&room, &fork, "alice", "bob", act));
            assert!(!may(&room, &fork, "Frank", "Carol", act), "is not a member");
        }
        assert!(!may(&room, &fork, "bob", "bob", "ban"), "nobody outranks himself");
        room.member(&mut fork, "bob", "Carol", "ban");
        assert!(
            !may(&room, &fork, "Carol", "Carol", "leave"),
            "a ban cannot be left"
        );
        assert!(may(&room, &fork, "bob", "Carol", "leave"), "a ban can be lifted");
        let mut levels: Value = room
            .at(&fork.state, &"m.room.power_levels".into(), "")
            .unwrap()
            .content_as()
            .unwrap();
        levels["ban"] = json!(75);
        room.state(&mut fork, "alice", "m.room.power_levels", levels);
        assert!(
            !may(&room, &fork, "bob", "Carol", "leave"),
            "lifting takes the ban level"
        );
    }
}

#[test]
fn what_is_no_membership_is_refused() {
    let (room, fork) = TestRoom::public(10);
    assert!(!may(&room, &fork, "bob", "bob", "nonsense"));
    assert!(!room.allows_saying(&fork, member("bob", &user("bob"), json!({}))));
    assert!(!room.allows_saying(&fork, member("bob", "bob", json!({ "membership": "join" }))));
    let keyless = Say {
        sender: "bob",
        event_type: "m.room.member",
        state_key: None,
        content: json!({ "membership": "join" }),
    };
    assert!(!room.allows_saying(&fork, keyless));
}

#[test]
fn a_third_party_invite_must_fit_its_token_signature_and_sender() {
    for version in 1..=12 {
        let (mut room, mut fork) = TestRoom::public(version);
        for (token, content) in [
            ("one", json!({ "public_key": identity_public_key() })),
            (
                "many",
                json!({ "public_key": "AAAA", "public_keys": [{ "public_key": identity_public_key() }] }),
            ),
            (
                "other",
                json!({ "public_key": "DA1UYZjDzF2hYxB3dHVMvcVC0yhW1GVFnEGAfsZQ1ZU" }),
            ),
        ] {
            let state_key = Some(token);
            room.add(
                &mut fork,
                Say {
                    sender: "bob",
                    event_type: "m.room.third_party_invite",
                    state_key,
                    content,
                },
            );
        }
        let target = user("Dave");
        let redeems = |sender: &str, invite: Value| {
            let content = json!({ "membership": "invite", "third_party_invite": invite });
            room.allows_saying(&fork, member(sender, &target, content))
        };
        assert!(redeems("bob", third_party_invite(&target, "one")));
        assert!(redeems("bob", third_party_invite(&target, "many")));
        assert!(
            !redeems("bob", third_party_invite(&target, "other")),
            "signed with another key"
        );
        assert!(!redeems("bob", third_party_invite(&target, "unknown")));
        assert!(
            !redeems("bob", third_party_invite(&user("erin"), "one")),
            "made for someone else"
        );
        assert!(
            !redeems("alice", third_party_invite(&target, "one")),
            "given by someone else"
        );
        let mut forged = third_party_invite(&target, "one");
        forged["signed"]["token"] = json!("many");
        assert!(!redeems("bob", forged));
        assert!(!redeems("bob", json!({})));
        assert!(!redeems("bob", json!({ "signed": {} })));
        room.member(&mut fork, "alice", "Dave", "ban");
        let content =
            json!({ "membership": "invite", "third_party_invite": third_party_invite(&target, "one") });
        assert!(!room.allows_saying(&fork, member("bob", &target, content)));
    }
}

#[test]
fn giving_third_party_invites_takes_the_invite_level() {
    let (mut room, mut fork) = TestRoom::public(10);
    let gives = |room: &TestRoom, fork: &Fork, sender| {
        let say = Say {
            sender,
            event_type: "m.room.third_party_invite",
            state_key: Some("t"),
            content: json!({}),
        };
        room.allows_saying(fork, say)
    };
    assert!(
        gives(&room, &fork, "Carol"),
        "though a state event, the state level does not count"
    );
    let levels = json!({ "invite": 50, "users": { user("alice"): 100, user("bob"): 50 } });
    room.state(&mut fork, "alice", "m.room.power_levels", levels);
    assert!(!gives(&room, &fork, "Carol"));
    assert!(gives(&room, &fork, "bob"));
}
