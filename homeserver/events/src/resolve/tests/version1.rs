//! The algorithm of room version 1, step by step (room version 1 § State resolution).

use sha1::{Digest, Sha1};

use super::*;

fn room() -> (TestRoom, Fork) {
    TestRoom::public(1)
}

#[test]
fn a_key_that_one_fork_lacks_is_not_in_conflict() {
    for (version, survives) in [(1, true), (2, false)] {
        let (mut room, base) = TestRoom::public(version);
        let (mut left, mut right) = (base.clone(), base);
        set_topic(&mut room, &mut left, "bob", "by bob");
        // Bob's topic cannot stand once he is banned; but version 1 does not ask.
        room.member(&mut right, "alice", "bob", "ban");
        let state = resolved(&room, &[&left, &right]);
        assert_eq!(
            state.contains_key(&key("m.room.topic", "")),
            survives,
            "version {version}"
        );
    }
}

#[test]
fn of_other_state_the_deepest_that_is_allowed_wins() {
    let (mut room, base) = room();
    let (mut left, mut right) = (base.clone(), base);
    set_topic(&mut room, &mut left, "alice", "first");
    let deepest = set_topic(&mut room, &mut left, "bob", "second");
    let shallow = set_topic(&mut room, &mut right, "alice", "other");
    assert_eq!(
        resolved(&room, &[&left, &right])[&key("m.room.topic", "")],
        deepest.event_id
    );
    room.member(&mut right, "alice", "bob", "ban");
    assert_eq!(
        resolved(&room, &[&left, &right])[&key("m.room.topic", "")],
        shallow.event_id
    );
}

#[test]
fn at_equal_depth_the_lower_hash_wins() {
    for attempt in 0..8 {
        let (mut room, base) = room();
        let (mut left, mut right) = (base.clone(), base);
        let left_topic = set_topic(&mut room, &mut left, "alice", &format!("left {attempt}"));
        let right_topic = set_topic(&mut room, &mut right, "bob", &format!("right {attempt}"));
        let lower = [&left_topic.event_id, &right_topic.event_id]
            .into_iter()
            .min_by_key(|id| <[u8; 20]>::from(Sha1::digest(id.as_bytes())))
            .unwrap();
        assert_eq!(
            resolved(&room, &[&left, &right])[&key("m.room.topic", "")],
            *lower
        );
    }
}

#[test]
fn if_none_is_allowed_the_shallowest_is_kept() {
    let (mut room, base) = room();
    let (mut left, mut right) = (base.clone(), base);
    set_topic(&mut room, &mut left, "bob", "first");
    set_topic(&mut room, &mut left, "bob", "second");
    let shallowest = set_topic(&mut room, &mut right, "bob", "other");
    let state = |fork: &Fork| {
        let mut state = fork.state.clone();
        // As if both forks had seen Bob go, with what he said.
        state.remove(&key("m.room.member", &user("bob")));
        state
    };
    let outcome = resolve_whole(&room, &[state(&left), state(&right)]);
    assert_eq!(outcome[&key("m.room.topic", "")], shallowest.event_id);
}

#[test]
fn power_levels_follow_each_other_until_the_first_that_is_not_allowed() {
    let (mut room, base) = room();
    let (mut left, mut right) = (base.clone(), base);
    let demotion = set_level(&mut room, &mut left, "alice", "bob", 0);
    // Deeper by one, hence later in the list.
    set_topic(&mut room, &mut right, "bob", "on the way");
    set_level(&mut room, &mut right, "bob", "Carol", 25);
    assert_eq!(
        resolved(&room, &[&left, &right])[&key("m.room.power_levels", "")],
        demotion.event_id
    );
}

#[test]
fn the_shallowest_power_levels_are_taken_unseen() {
    let (mut room, base) = room();
    let (mut left, mut right) = (base.clone(), base);
    set_level(&mut room, &mut left, "alice", "Carol", 100);
    // While levels are in conflict Carol has none, and yet hers come first and are not asked.
    let of_carol = set_level(&mut room, &mut left, "Carol", "Dave", 10);
    for topic in ["on the way", "further"] {
        set_topic(&mut room, &mut right, "alice", topic);
    }
    // Alice's would take from Carol a level that is as high as hers.
    set_level(&mut room, &mut right, "alice", "erin", 1);
    assert_eq!(
        resolved(&room, &[&left, &right])[&key("m.room.power_levels", "")],
        of_carol.event_id
    );
}

#[test]
fn members_are_judged_by_the_settled_levels_and_join_rules() {
    let (mut room, base) = room();
    let (mut left, mut right) = (base.clone(), base);
    room.state(
        &mut left,
        "alice",
        "m.room.join_rules",
        json!({ "join_rule": "invite" }),
    );
    set_topic(&mut room, &mut right, "alice", "on the way");
    room.state(
        &mut right,
        "alice",
        "m.room.join_rules",
        json!({ "join_rule": "public" }),
    );
    room.member(&mut left, "alice", "Carol", "leave");
    set_topic(&mut room, &mut right, "alice", "further");
    let ban = room.member(&mut right, "bob", "Carol", "ban");
    let state = resolved(&room, &[&left, &right]);
    let rule: Value = room
        .fetch(&state[&key("m.room.join_rules", "")])
        .unwrap()
        .content_as()
        .unwrap();
    assert_eq!(rule, json!({ "join_rule": "public" }));
    assert_eq!(state[&key("m.room.member", &user("Carol"))], ban.event_id);
}
