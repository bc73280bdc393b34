//! What versions 2 and 2.1 of the algorithm promise (rooms § State resolution).

use super::*;

/// Versions of the room that use the algorithm in one of its two forms.
const VERSIONS: [u8; 4] = [2, 6, 11, 12];

#[test]
fn what_a_banned_user_did_meanwhile_is_undone() {
    for version in VERSIONS {
        let (mut room, mut base) = TestRoom::public(version);
        let before = set_topic(&mut room, &mut base, "alice", "before");
        let (mut left, mut right) = (base.clone(), base);
        let ban = room.member(&mut left, "alice", "bob", "ban");
        room.now += 100;
        set_topic(&mut room, &mut right, "bob", "by bob");
        let state = resolved(&room, &[&left, &right]);
        assert_eq!(
            state[&key("m.room.topic", "")],
            before.event_id,
            "version {version}"
        );
        assert_eq!(state[&key("m.room.member", &user("bob"))], ban.event_id);
    }
}

#[test]
fn the_greater_power_comes_first_whatever_the_clocks_say() {
    for version in VERSIONS {
        let (mut room, base) = TestRoom::public(version);
        let carol = base.state[&key("m.room.member", &user("Carol"))].clone();
        let (mut left, mut right) = (base.clone(), base);
        room.member(&mut right, "bob", "Carol", "leave");
        room.now += 100;
        let ban = room.member(&mut left, "alice", "bob", "ban");
        let state = resolved(&room, &[&left, &right]);
        assert_eq!(
            state[&key("m.room.member", &user("bob"))],
            ban.event_id,
            "version {version}"
        );
        assert_eq!(
            state[&key("m.room.member", &user("Carol"))],
            carol,
            "bob's kick came too late"
        );
    }
}

#[test]
fn of_equals_the_later_clock_wins() {
    for version in VERSIONS {
        let (mut room, base) = TestRoom::public(version);
        let (mut left, mut right) = (base.clone(), base);
        let earlier = room.now;
        room.now += 100;
        let late = set_topic(&mut room, &mut left, "alice", "late");
        room.now = earlier;
        set_topic(&mut room, &mut right, "bob", "early");
        assert_eq!(
            resolved(&room, &[&left, &right])[&key("m.room.topic", "")],
            late.event_id
        );
    }
}

#[test]
fn what_stands_on_newer_power_levels_comes_later_whatever_the_clocks_say() {
    for version in VERSIONS {
        let (mut room, base) = TestRoom::public(version);
        let (mut left, mut right) = (base.clone(), base);
        set_level(&mut room, &mut left, "alice", "Carol", 10);
        let on_new_levels = set_topic(&mut room, &mut left, "alice", "on new levels");
        room.now += 100;
        set_topic(&mut room, &mut right, "alice", "on old levels");
        let state = resolved(&room, &[&left, &right]);
        assert_eq!(
            state[&key("m.room.topic", "")],
            on_new_levels.event_id,
            "version {version}"
        );
    }
}

/// A member who joined while the room was public, in a room that is not public any more, and whom one of two forks
/// does not know: version 2.0 judges the old join by the new rule and throws the member out.
#[test]
fn version_12_does_not_judge_the_past_by_the_present() {
    for (version, stays) in [(11, false), (12, true)] {
        let (mut room, mut base) = TestRoom::public(version);
        room.state(
            &mut base,
            "alice",
            "m.room.join_rules",
            json!({ "join_rule": "invite" }),
        );
        let carol = key("m.room.member", &user("Carol"));
        let mut forgetful = base.state.clone();
        forgetful.remove(&carol);
        let state = resolve_whole(&room, &[base.state.clone(), forgetful]);
        assert_eq!(state.contains_key(&carol), stays, "version {version}");
    }
}

/// One fork is stuck at the first levels while the other has the third. Between them lie the second, which neither
/// holds, and by which alone bob, whom they made a moderator, could set the third.
#[test]
fn version_12_replays_what_lies_between_the_conflicted_events() {
    let (mut room, mut base) = TestRoom::public(12);
    let stuck = base.state.clone();
    let second = set_level(&mut room, &mut base, "alice", "bob", 100);
    let third = set_level(&mut room, &mut base, "bob", "Carol", 75);
    let states = [stuck, base.state.clone()];
    // Not even the auth difference shall tell of it.
    let no_difference = vec![EventIdSet::new(), EventIdSet::new()];
    let state = resolve(&room.rules, &states, no_difference, |id| room.fetch(id)).unwrap();
    assert_eq!(state[&key("m.room.power_levels", "")], third.event_id);
    let second = room.fetch(&second.event_id).unwrap();
    assert!(
        !states
            .iter()
            .any(|state| state.values().any(|id| *id == second.event_id))
    );
}
