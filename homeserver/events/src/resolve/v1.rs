//! The state resolution of room version 1 (room version 1 § State resolution).

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use ruma::{EventId, events::StateEventType, room_version_rules::RoomVersionRules};
use sha1::{Digest, Sha1};

use super::StateMap;
use crate::{EventError, Pdu, auth::authorise};

type Key = (StateEventType, String);

/// Resolves the states: agreement first, then power levels, join rules, members, and everything else.
///
/// A key is conflicted where two states hold different events; a state that holds none does not object.
pub(super) fn resolve(
    rules: &RoomVersionRules,
    states: &[StateMap],
    fetch: impl Fn(&EventId) -> Option<Arc<Pdu>>,
) -> Result<StateMap, EventError> {
    let mut candidates: BTreeMap<Key, Vec<Arc<Pdu>>> = BTreeMap::new();
    for (key, event_id) in states.iter().flatten() {
        let events = candidates.entry(key.clone()).or_default();
        if !events.iter().any(|event| event.event_id == *event_id) {
            events.push(fetch(event_id).ok_or_else(|| EventError::MissingEvent(event_id.clone()))?);
        }
    }
    let mut resolved: HashMap<Key, Arc<Pdu>> = HashMap::new();
    let mut conflicts: Vec<(Key, Vec<Arc<Pdu>>)> = Vec::new();
    for (key, mut events) in candidates {
        if events.len() > 1 {
            events.sort_by_cached_key(|event| (event.depth, Reverse(sha1(event))));
            conflicts.push((key, events));
        } else {
            resolved.extend(events.pop().map(|event| (key, event)));
        }
    }
    let stages = [
        StateEventType::RoomPowerLevels,
        StateEventType::RoomJoinRules,
        StateEventType::RoomMember,
    ];
    for event_type in &stages {
        // The conflicts of one stage are settled beside each other, not on top of each other.
        let settled: Vec<_> = conflicts
            .iter()
            .filter(|(key, _)| key.0 == *event_type)
            .filter_map(|(key, events)| {
                Some((key.clone(), last_of_allowed_run(rules, &resolved, key, events)?))
            })
            .collect();
        resolved.extend(settled);
    }
    let settled: Vec<_> = conflicts
        .iter()
        .filter(|(key, _)| !stages.contains(&key.0))
        .filter_map(|(key, events)| Some((key.clone(), greatest_allowed(rules, &resolved, events)?)))
        .collect();
    resolved.extend(settled);
    Ok(resolved
        .into_iter()
        .map(|(key, event)| (key, event.event_id.clone()))
        .collect())
}

fn sha1(event: &Pdu) -> [u8; 20] {
    Sha1::digest(event.event_id.as_bytes()).into()
}

/// From the first event on, each next one that the state with its predecessor allows; stops at the first refusal.
fn last_of_allowed_run(
    rules: &RoomVersionRules,
    resolved: &HashMap<Key, Arc<Pdu>>,
    key: &Key,
    ascending: &[Arc<Pdu>],
) -> Option<Arc<Pdu>> {
    let (first, rest) = ascending.split_first()?;
    let mut last = first;
    for event in rest {
        let state = |event_type: &StateEventType, state_key: &str| {
            let looked_up = (event_type.clone(), state_key.to_owned());
            if looked_up == *key {
                Some(last.clone())
            } else {
                resolved.get(&looked_up).cloned()
            }
        };
        if authorise(event, rules, state).is_err() {
            break;
        }
        last = event;
    }
    Some(last.clone())
}

/// The allowed event of the greatest depth, then the lowest hash. If none is allowed, the one of the least depth:
/// the specification is silent, and this is what the rooms of this version were built with.
fn greatest_allowed(
    rules: &RoomVersionRules,
    resolved: &HashMap<Key, Arc<Pdu>>,
    ascending: &[Arc<Pdu>],
) -> Option<Arc<Pdu>> {
    let state = |event_type: &StateEventType, state_key: &str| {
        resolved.get(&(event_type.clone(), state_key.to_owned())).cloned()
    };
    let allowed = ascending
        .iter()
        .rev()
        .find(|event| authorise(event, rules, state).is_ok());
    allowed.or_else(|| ascending.first()).cloned()
}
