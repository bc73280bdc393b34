//! Sets of events that the auth graph gives.

use std::{collections::HashMap, sync::Arc};

use ruma::{EventId, OwnedEventId};

use super::EventIdSet;
use crate::{EventError, Pdu};

/// The events reachable from the given ones by `auth_events` (rooms § State resolution, *Auth chain*), without the
/// given ones unless they authorise each other.
///
/// Errors: [`EventError::MissingEvent`].
pub fn auth_chain(
    events: impl IntoIterator<Item = OwnedEventId>,
    fetch: impl Fn(&EventId) -> Option<Arc<Pdu>>,
) -> Result<EventIdSet, EventError> {
    let mut chain = EventIdSet::new();
    let mut to_visit: Vec<OwnedEventId> = events.into_iter().collect();
    while let Some(event_id) = to_visit.pop() {
        let event = fetch(&event_id).ok_or(EventError::MissingEvent(event_id))?;
        for auth_event in &event.auth_events {
            if chain.insert(auth_event.clone()) {
                to_visit.push(auth_event.clone());
            }
        }
    }
    Ok(chain)
}

/// The events that are in some of the chains and not in all of them (*Auth difference*).
pub fn auth_difference(auth_chains: &[EventIdSet]) -> EventIdSet {
    let is_in_all = |event_id: &OwnedEventId| auth_chains.iter().all(|chain| chain.contains(event_id));
    auth_chains
        .iter()
        .flatten()
        .filter(|event_id| !is_in_all(event_id))
        .cloned()
        .collect()
}

/// The events on any path along `auth_events` from one of the given events to another, ends included (room version
/// 12 § State resolution, *Conflicted state subgraph*).
///
/// Errors: [`EventError::MissingEvent`].
pub fn conflicted_subgraph(
    conflicted: impl IntoIterator<Item = OwnedEventId>,
    fetch: impl Fn(&EventId) -> Option<Arc<Pdu>>,
) -> Result<EventIdSet, EventError> {
    let conflicted: EventIdSet = conflicted.into_iter().collect();
    // Down to the start of the room, noting for each event which ones it authorises …
    let mut authorised_by: HashMap<OwnedEventId, Vec<OwnedEventId>> = HashMap::new();
    let mut seen = conflicted.clone();
    let mut to_visit: Vec<OwnedEventId> = conflicted.iter().cloned().collect();
    while let Some(event_id) = to_visit.pop() {
        let event = fetch(&event_id).ok_or_else(|| EventError::MissingEvent(event_id.clone()))?;
        for auth_event in &event.auth_events {
            authorised_by
                .entry(auth_event.clone())
                .or_default()
                .push(event_id.clone());
            if seen.insert(auth_event.clone()) {
                to_visit.push(auth_event.clone());
            }
        }
    }
    // … and back up from the conflicted events: whatever is met on both ways lies between two of them.
    let mut subgraph = conflicted.clone();
    let mut to_visit: Vec<OwnedEventId> = conflicted.into_iter().collect();
    while let Some(event_id) = to_visit.pop() {
        for authorised in authorised_by.get(&event_id).into_iter().flatten() {
            if subgraph.insert(authorised.clone()) {
                to_visit.push(authorised.clone());
            }
        }
    }
    Ok(subgraph)
}
