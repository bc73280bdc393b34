//! Histories made by hand for what distinguishes the algorithms, and properties of them all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod properties;
mod version1;
mod version2;

use serde_json::{Value, json};

use super::*;
use crate::testing::{Fork, TestRoom, user};

fn key(event_type: &str, state_key: &str) -> (StateEventType, String) {
    (event_type.into(), state_key.to_owned())
}

fn resolve_whole(room: &TestRoom, states: &[StateMap]) -> StateMap {
    resolve(&room.rules, states, room.auth_chains(states), |id| room.fetch(id)).unwrap()
}

fn resolved(room: &TestRoom, forks: &[&Fork]) -> StateMap {
    let states: Vec<StateMap> = forks.iter().map(|fork| fork.state.clone()).collect();
    resolve_whole(room, &states)
}

/// The current levels with one user's changed.
fn levels_with(room: &TestRoom, fork: &Fork, name: &str, level: i64) -> Value {
    let levels = room
        .at(&fork.state, &StateEventType::RoomPowerLevels, "")
        .unwrap();
    let mut content: Value = levels.content_as().unwrap();
    content["users"][user(name)] = json!(level);
    content
}

fn set_level(room: &mut TestRoom, fork: &mut Fork, sender: &str, name: &str, level: i64) -> Arc<Pdu> {
    let content = levels_with(room, fork, name, level);
    room.state(fork, sender, "m.room.power_levels", content)
}

fn set_topic(room: &mut TestRoom, fork: &mut Fork, sender: &str, topic: &str) -> Arc<Pdu> {
    room.state(fork, sender, "m.room.topic", json!({ "topic": topic }))
}

#[test]
fn chains_and_differences_are_walked_over_the_auth_graph() {
    let (mut room, mut fork) = TestRoom::public(10);
    let before = fork.clone();
    let create = fork.state[&key("m.room.create", "")].clone();
    let alice = fork.state[&key("m.room.member", &user("alice"))].clone();
    let first = fork.state[&key("m.room.power_levels", "")].clone();
    let second = set_level(&mut room, &mut fork, "alice", "Carol", 1);
    let chain = auth_chain([second.event_id.clone()], |id| room.fetch(id)).unwrap();
    assert_eq!(chain.len(), 3);
    assert!([&create, &alice, &first].iter().all(|id| chain.contains(id)));
    assert!(auth_chain([create], |id| room.fetch(id)).unwrap().is_empty());
    set_level(&mut room, &mut fork, "alice", "Carol", 2);
    let difference = auth_difference(&room.auth_chains(&[before.state, fork.state]));
    assert_eq!(difference.iter().collect::<Vec<_>>(), [&second.event_id]);
    let missing = auth_chain([second.event_id.clone()], |_| None).unwrap_err();
    assert_eq!(missing, EventError::MissingEvent(second.event_id.clone()));
}

#[test]
fn the_conflicted_subgraph_is_what_lies_between() {
    let (mut room, mut fork) = TestRoom::public(12);
    let first = fork.state[&key("m.room.power_levels", "")].clone();
    let second = set_level(&mut room, &mut fork, "alice", "Carol", 1)
        .event_id
        .clone();
    let third = set_level(&mut room, &mut fork, "alice", "Carol", 2)
        .event_id
        .clone();
    let topic = set_topic(&mut room, &mut fork, "alice", "aside").event_id.clone();
    let between = |ends: &[&OwnedEventId]| {
        conflicted_subgraph(ends.iter().map(|id| (*id).clone()), |id| room.fetch(id)).unwrap()
    };
    let subgraph = between(&[&first, &third]);
    assert_eq!(subgraph.len(), 3);
    assert!([&first, &second, &third].iter().all(|id| subgraph.contains(id)));
    assert_eq!(between(&[&third]).len(), 1);
    assert_eq!(between(&[&third, &topic]).len(), 2);
    assert_eq!(between(&[&first, &topic]).len(), 4);
    assert!(conflicted_subgraph([first], |_| None).is_err());
}

#[test]
fn a_missing_event_is_named() {
    for version in [1, 2, 12] {
        let (mut room, base) = TestRoom::public(version);
        let (mut left, mut right) = (base.clone(), base);
        set_topic(&mut room, &mut left, "alice", "left");
        set_topic(&mut room, &mut right, "bob", "right");
        let states = [left.state, right.state];
        let chains = room.auth_chains(&states);
        let levels = states[0][&key("m.room.power_levels", "")].clone();
        let outcome = resolve(&room.rules, &states, chains, |id| {
            if *id == *levels { None } else { room.fetch(id) }
        });
        assert_eq!(
            outcome,
            Err(EventError::MissingEvent(levels)),
            "version {version}"
        );
    }
}
