//! State resolution: what the state of a room is where its history forks (rooms § State resolution).

mod chains;
mod v1;

use std::{collections::HashSet, sync::Arc};

pub use chains::{auth_chain, auth_difference, conflicted_subgraph};
use ruma::{
    EventId, OwnedEventId,
    events::StateEventType,
    room_version_rules::{RoomVersionRules, StateResolutionVersion},
    state_res::{self, utils::event_id_set},
};

use crate::{EventError, Pdu, auth::auth_types_for};

/// A room state: the event at each (type, state key).
pub type StateMap = state_res::StateMap<OwnedEventId>;

/// A set of event IDs.
pub type EventIdSet = event_id_set::EventIdSet<OwnedEventId>;

/// Resolves the states of a room's forks to one.
///
/// `auth_chains` holds, for each state, the union of the [`auth_chain`]s of its events; version 1 needs none.
/// `fetch` must know every event of the states and of their auth chains.
///
/// Errors: [`EventError::MissingEvent`] for an event that `fetch` does not know, [`EventError::Resolution`] for
/// events that could not have been accepted.
pub fn resolve(
    rules: &RoomVersionRules,
    states: &[StateMap],
    auth_chains: Vec<EventIdSet>,
    fetch: impl Fn(&EventId) -> Option<Arc<Pdu>>,
) -> Result<StateMap, EventError> {
    let v2_rules = match rules.state_res {
        StateResolutionVersion::V1 => return v1::resolve(rules, states, fetch),
        StateResolutionVersion::V2(v2_rules) => v2_rules,
    };
    let subgraph = if v2_rules.consider_conflicted_state_subgraph {
        Some(conflicted_subgraph(conflicted_events(states), &fetch)?)
    } else {
        None
    };
    state_res::resolve(
        &rules.authorization,
        &v2_rules,
        states,
        auth_chains,
        fetch,
        |_| subgraph.clone(),
    )
    .map_err(|error| match error {
        state_res::Error::NotFound(event_id) => EventError::MissingEvent(event_id),
        error => EventError::Resolution(error.to_string()),
    })
}

/// Resolves without looking at more of the states than matters; equal to [`resolve`] of the whole states.
///
/// `conflicted` holds, for each fork, its entries at the keys where the forks differ, and no others.
/// `unconflicted` looks up where they agree. `auth_difference` is that of the *whole* states; version 1 needs none.
///
/// Returns the entries to lay over the unconflicted state. A conflicted key may be absent: nothing there survived.
///
/// Only these keys can have a say: what authorises an event of the full conflicted set, the power levels that the
/// mainline starts from, and the keys of these events themselves.
pub fn resolve_reduced(
    rules: &RoomVersionRules,
    conflicted: &[StateMap],
    unconflicted: impl Fn(&StateEventType, &str) -> Option<OwnedEventId>,
    auth_difference: EventIdSet,
    fetch: impl Fn(&EventId) -> Option<Arc<Pdu>>,
) -> Result<StateMap, EventError> {
    let mut full_conflicted_set: EventIdSet = conflicted_events(conflicted).collect();
    if matches!(rules.state_res, StateResolutionVersion::V2(v2) if v2.consider_conflicted_state_subgraph) {
        full_conflicted_set.extend(conflicted_subgraph(conflicted_events(conflicted), &fetch)?);
    }
    full_conflicted_set.extend(auth_difference.iter().cloned());

    let mut relevant_keys = HashSet::from([(StateEventType::RoomPowerLevels, String::new())]);
    for event_id in &full_conflicted_set {
        let Some(event) = fetch(event_id) else { continue };
        relevant_keys.extend(
            event
                .state_key_pair()
                .map(|(event_type, key)| (event_type, key.to_owned())),
        );
        let state_key = event.state_key.as_deref();
        // An event whose content does not tell what authorises it fails its check and needs nothing.
        let auth_types = auth_types_for(&event.event_type, &event.sender, state_key, &event.content, rules);
        relevant_keys.extend(auth_types.unwrap_or_default());
    }
    let is_conflicted =
        |key: &(StateEventType, String)| conflicted.iter().any(|state| state.contains_key(key));
    let agreed: StateMap = relevant_keys
        .into_iter()
        .filter(|key| !is_conflicted(key))
        .filter_map(|key| unconflicted(&key.0, &key.1).map(|event_id| (key, event_id)))
        .collect();

    let states: Vec<StateMap> = conflicted
        .iter()
        .map(|state| {
            state
                .iter()
                .chain(&agreed)
                .map(|(key, event_id)| (key.clone(), event_id.clone()))
                .collect()
        })
        .collect();
    // Two chains, of which one is empty, differ in exactly the difference that is known already.
    let auth_chains = vec![auth_difference, EventIdSet::new()];
    let mut resolved = resolve(rules, &states, auth_chains, fetch)?;
    resolved.retain(|key, _| !agreed.contains_key(key));
    Ok(resolved)
}

/// The events at the keys where the states are not all alike, absence being one way to differ.
fn conflicted_events(states: &[StateMap]) -> impl Iterator<Item = OwnedEventId> {
    states
        .iter()
        .flatten()
        .filter(move |(key, event_id)| states.iter().any(|state| state.get(*key) != Some(*event_id)))
        .map(|(_, event_id)| event_id.clone())
}

#[cfg(test)]
mod tests;
