//! A room's state: which event stands under each type and state key.

use std::{ops::Bound, sync::Arc};

use echorift_storage::{EventNumber, SnapshotNumber};
use imbl::{OrdMap, ordmap::DiffItem};

/// One state of a room. Cheap to clone and to change: versions share all that they have in common.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Keys are `type NUL state_key`: one type's entries stand together, in the order of their state keys.
    entries: OrdMap<Arc<str>, EventNumber>,
    /// Where the state is stored.
    pub snapshot: SnapshotNumber,
    /// How many deltas the stored snapshot is away from a full one.
    pub chain_length: i64,
}

/// After so many deltas a full state is written, so that reading any state takes a bounded number of rows. For a room
/// of 10,000 members a full state is some 80 KB, a little over 600 bytes for each state event.
pub const CHAIN_LENGTH_MAX: i64 = 128;

/// One key whose event differs between two states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    pub key: Arc<str>,
    pub before: Option<EventNumber>,
    pub after: Option<EventNumber>,
}

impl State {
    /// The event under this type and state key.
    pub fn get(&self, event_type: &str, state_key: &str) -> Option<EventNumber> {
        self.entries.get(key_of(event_type, state_key).as_str()).copied()
    }

    /// Puts `event` in its place; its snapshot is for the caller to set.
    pub fn insert(&mut self, event_type: &str, state_key: &str, event: EventNumber) {
        self.entries.insert(key_of(event_type, state_key).into(), event);
    }

    /// The event under a map key, as of [`key_of`].
    pub(crate) fn get_key(&self, key: &str) -> Option<EventNumber> {
        self.entries.get(key).copied()
    }

    pub(crate) fn insert_key(&mut self, key: Arc<str>, event: EventNumber) {
        self.entries.insert(key, event);
    }

    /// Map keys and events, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Arc<str>, EventNumber)> + '_ {
        self.entries.iter().map(|(key, event)| (key, *event))
    }

    pub fn remove_key(&mut self, key: &str) {
        self.entries.remove(key);
    }

    /// All events, ordered by type and state key.
    pub fn events(&self) -> impl Iterator<Item = EventNumber> + '_ {
        self.entries.values().copied()
    }

    /// The state keys and events of one type, in the order of the state keys.
    pub fn of_type<'a>(&'a self, event_type: &str) -> impl Iterator<Item = (&'a str, EventNumber)> + use<'a> {
        let start = key_of(event_type, "");
        let prefix = start.len();
        self.entries
            .range::<(Bound<&str>, Bound<&str>), str>((Bound::Included(start.as_str()), Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(start.as_str()))
            .filter_map(move |(key, event)| Some((key.get(prefix..)?, *event)))
    }

    /// Types, state keys and events, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, EventNumber)> + '_ {
        self.entries.iter().filter_map(|(key, event)| {
            let (event_type, state_key) = key.split_once('\0')?;
            Some((event_type, state_key, *event))
        })
    }

    /// Whether both hold the same events.
    pub fn has_same_entries(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len() && self.entries.diff(&other.entries).next().is_none()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What changed from this state to `later`; quick where the two share most of their history.
    pub fn changes_to(&self, later: &Self) -> Vec<StateChange> {
        let changes = self.entries.diff(&later.entries).map(|item| match item {
            DiffItem::Add(key, after) => StateChange {
                key: Arc::clone(key),
                before: None,
                after: Some(*after),
            },
            DiffItem::Remove(key, before) => StateChange {
                key: Arc::clone(key),
                before: Some(*before),
                after: None,
            },
            DiffItem::Update {
                old: (key, before),
                new: (_, after),
            } => StateChange {
                key: Arc::clone(key),
                before: Some(*before),
                after: Some(*after),
            },
        });
        changes.collect()
    }
}

/// The map key of a type and state key.
pub fn key_of(event_type: &str, state_key: &str) -> String {
    let mut key = String::with_capacity(event_type.len() + state_key.len() + 1);
    key.push_str(event_type);
    key.push('\0');
    key.push_str(state_key);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> State {
        let mut state = State::default();
        state.insert("m.room.create", "", EventNumber(1));
        state.insert("m.room.member", "@b:x", EventNumber(3));
        state.insert("m.room.member", "@a:x", EventNumber(2));
        state.insert("m.room.members", "", EventNumber(4));
        state
    }

    #[test]
    fn one_type_is_read_without_its_neighbours() {
        let state = sample();
        let members: Vec<_> = state.of_type("m.room.member").collect();
        assert_eq!(members, [("@a:x", EventNumber(2)), ("@b:x", EventNumber(3))]);
        assert_eq!(state.get("m.room.create", ""), Some(EventNumber(1)));
        assert_eq!(state.get("m.room.create", "x"), None);
    }

    #[test]
    fn changes_between_states_name_added_replaced_and_removed_keys() {
        let before = sample();
        let mut after = before.clone();
        after.insert("m.room.member", "@a:x", EventNumber(9));
        after.insert("m.room.topic", "", EventNumber(10));
        after.remove_key(&key_of("m.room.member", "@b:x"));
        let changes = before.changes_to(&after);
        let seen: Vec<_> = changes
            .iter()
            .map(|change| (change.before, change.after))
            .collect();
        let expected = [
            (Some(EventNumber(2)), Some(EventNumber(9))),
            (Some(EventNumber(3)), None),
            (None, Some(EventNumber(10))),
        ];
        assert_eq!(seen, expected);
    }
}
