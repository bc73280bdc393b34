//! The state of a room whose history forks (rooms § State resolution), reduced to the keys that the forks disagree on.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use echorift_events::{EventError, EventIdSet, Pdu, RoomVersionRules, StateMap, resolve_reduced};
use echorift_storage::EventNumber;
use ruma::{EventId, OwnedEventId, events::StateEventType};

use crate::{Event, RoomError, Rooms, State};

/// How often resolution is run anew with events that it asked for. The first round knows nearly all of them.
const ROUNDS_MAX: usize = 16;

/// The events that resolution has asked for and was not given.
#[derive(Default)]
struct Missing {
    ids: BTreeSet<OwnedEventId>,
    numbers: BTreeSet<EventNumber>,
}

/// Events by ID and by number.
#[derive(Default)]
struct Known {
    by_id: HashMap<OwnedEventId, Arc<Event>>,
    by_number: HashMap<EventNumber, Arc<Event>>,
}

impl Known {
    fn extend(&mut self, events: impl IntoIterator<Item = Arc<Event>>) {
        for event in events {
            self.by_number.insert(event.number, Arc::clone(&event));
            self.by_id.insert(event.pdu.event_id.clone(), event);
        }
    }
}

impl Rooms {
    /// The state that these resolve to; it has no place in storage yet. `made` are events that are only in memory.
    pub(crate) async fn resolve_states(
        &self,
        rules: &RoomVersionRules,
        states: &[State],
        made: &[Arc<Event>],
    ) -> Result<State, RoomError> {
        let Some((first, others)) = states.split_first() else {
            return Ok(State::default());
        };
        let keys: BTreeSet<Arc<str>> = others
            .iter()
            .flat_map(|other| first.changes_to(other))
            .map(|change| change.key)
            .collect();
        if keys.is_empty() {
            return Ok(first.clone());
        }
        let conflicted: Vec<BTreeMap<&Arc<str>, EventNumber>> = states
            .iter()
            .map(|state| {
                keys.iter()
                    .filter_map(|key| Some((key, state.get_key(key)?)))
                    .collect()
            })
            .collect();

        let mut known = Known::default();
        known.extend(made.iter().cloned());
        let numbers: HashSet<EventNumber> = conflicted
            .iter()
            .flat_map(|state| state.values().copied())
            .collect();
        let mut wanted: Vec<EventNumber> = numbers.iter().copied().collect();
        wanted.extend(self.auth_chain_numbers(&wanted).await?);
        // From version 12 on it is in no auth chain, and everything is judged by it.
        wanted.extend(first.get("m.room.create", ""));
        known.extend(self.events(&wanted).await?);
        let difference = self.auth_difference(first, &keys, &conflicted).await?;
        let absent: Vec<EventNumber> = difference
            .iter()
            .copied()
            .filter(|number| !known.by_number.contains_key(number))
            .collect();
        known.extend(self.events(&absent).await?);

        for _ in 0..ROUNDS_MAX {
            let id_of = |number: &EventNumber| {
                known
                    .by_number
                    .get(number)
                    .map(|event| event.pdu.event_id.clone())
            };
            let maps: Vec<StateMap> = conflicted
                .iter()
                .map(|state| {
                    state
                        .iter()
                        .filter_map(|(key, number)| Some((split(key)?, id_of(number)?)))
                        .collect()
                })
                .collect();
            let auth_difference: EventIdSet = difference.iter().filter_map(id_of).collect();
            let missing = RefCell::new(Missing::default());
            let unconflicted = |event_type: &StateEventType, state_key: &str| {
                let number = first.get(&event_type.to_string(), state_key)?;
                let found = id_of(&number);
                if found.is_none() {
                    missing.borrow_mut().numbers.insert(number);
                }
                found
            };
            let fetch = |id: &EventId| -> Option<Arc<Pdu>> {
                let found = known.by_id.get(id).map(|event| Arc::clone(&event.pdu));
                if found.is_none() {
                    missing.borrow_mut().ids.insert(id.to_owned());
                }
                found
            };
            let result = resolve_reduced(rules, &maps, unconflicted, auth_difference, fetch);
            let missing = missing.into_inner();
            let ids: Vec<&EventId> = missing.ids.iter().map(|id| &**id).collect();
            let mut more: Vec<Arc<Event>> = self.known_events(&ids).await?.into_values().collect();
            let numbers: Vec<EventNumber> = missing.numbers.into_iter().collect();
            more.extend(self.events(&numbers).await?);
            if more.is_empty() {
                return Ok(overlay(first, &keys, &result?, &known));
            }
            known.extend(more);
        }
        Err(EventError::Resolution("it asks for ever more events".to_owned()).into())
    }

    /// The auth difference of the whole states: what is in the auth chains of some of them and not of all. Only what
    /// the conflicted entries lead to can be in it, and of that nothing that an entry all agree on leads to.
    async fn auth_difference(
        &self,
        first: &State,
        keys: &BTreeSet<Arc<str>>,
        conflicted: &[BTreeMap<&Arc<str>, EventNumber>],
    ) -> Result<HashSet<EventNumber>, RoomError> {
        let mut chains = Vec::with_capacity(conflicted.len());
        for state in conflicted {
            let entries: Vec<EventNumber> = state.values().copied().collect();
            chains.push(self.auth_chain_numbers(&entries).await?);
        }
        let is_in_all = |number: &EventNumber| chains.iter().all(|chain| chain.contains(number));
        let mut difference: HashSet<EventNumber> = chains
            .iter()
            .flatten()
            .copied()
            .filter(|number| !is_in_all(number))
            .collect();
        if difference.is_empty() {
            return Ok(difference);
        }
        let agreed: Vec<EventNumber> = first
            .entries()
            .filter(|(key, _)| !keys.contains(*key))
            .map(|(_, number)| number)
            .collect();
        let shared = self.auth_chain_numbers(&agreed).await?;
        difference.retain(|number| !shared.contains(number));
        Ok(difference)
    }
}

/// The first state with what was decided laid over it.
fn overlay(first: &State, keys: &BTreeSet<Arc<str>>, decided: &StateMap, known: &Known) -> State {
    let mut state = first.clone();
    for key in keys {
        let winner = split(key)
            .and_then(|key| decided.get(&key))
            .and_then(|id| known.by_id.get(id));
        match winner {
            Some(event) => state.insert_key(Arc::clone(key), event.number),
            None => state.remove_key(key),
        }
    }
    state
}

fn split(key: &str) -> Option<(StateEventType, String)> {
    let (event_type, state_key) = key.split_once('\0')?;
    Some((event_type.into(), state_key.to_owned()))
}
