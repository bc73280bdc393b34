//! The room's history and state, as a batch moves them on.

use std::{collections::HashSet, sync::Arc};

use echorift_events::Pdu;
use echorift_storage::{EventNumber, SnapshotNumber};
use ruma::{EventId, OwnedEventId};

use super::Batch;
use crate::{
    RoomError,
    event::{Event, EventParts, Outcome},
    room::Extremity,
    state::{CHAIN_LENGTH_MAX, State},
    store,
};

impl Batch<'_> {
    /// Puts the event among the ends of the room's history, and says what the room's state is now.
    pub(super) async fn move_head(&mut self, event: &EventParts, after: &State) -> Result<(), RoomError> {
        let (pdu, number) = (&event.pdu, event.number);
        let covered = self.covered_by(pdu).await?;
        self.head
            .extremities
            .retain(|extremity| !covered.contains(&extremity.event_id));
        self.head.extremities.push(Extremity {
            number,
            event_id: pdu.event_id.clone(),
            snapshot: after.snapshot,
        });
        self.head.depth = self.head.depth.max(pdu.depth.saturating_add(1));
        let mut snapshots: Vec<SnapshotNumber> = self
            .head
            .extremities
            .iter()
            .map(|extremity| extremity.snapshot)
            .collect();
        snapshots.sort_unstable();
        snapshots.dedup();
        self.head.state = match snapshots.as_slice() {
            [_] => after.clone(),
            several => {
                // The event itself is nowhere yet for the resolution to find.
                let event = Arc::new(Event::new(event.clone(), None));
                self.resolve_with(several, &[event]).await?
            }
        };
        Ok(())
    }

    /// The state that several states resolve to, stored.
    pub async fn resolve(&mut self, snapshots: &[SnapshotNumber]) -> Result<State, RoomError> {
        self.resolve_with(snapshots, &[]).await
    }

    /// As [`Batch::resolve`], with events that are made and not yet placed.
    pub async fn resolve_with(
        &mut self,
        snapshots: &[SnapshotNumber],
        others: &[Arc<Event>],
    ) -> Result<State, RoomError> {
        let (_, rules, _) = self.room;
        let found = self.rooms.states(snapshots.iter().copied()).await?;
        let mut states: Vec<State> = found.into_values().collect();
        states.sort_by_key(|state| state.snapshot);
        let made: Vec<Arc<Event>> = self
            .appended
            .iter()
            .map(|appended| Arc::clone(&appended.event))
            .chain(others.iter().cloned())
            .collect();
        let mut resolved = self.rooms.resolve_states(rules, &states, &made).await?;
        let same = states.iter().find(|state| state.has_same_entries(&resolved));
        if let Some(same) = same {
            return Ok(same.clone());
        }
        // The delta is kept to the one that differs least.
        let base = states
            .iter()
            .min_by_key(|state| state.changes_to(&resolved).len())
            .cloned()
            .unwrap_or_default();
        let changes = base.changes_to(&resolved);
        let added: Vec<EventNumber> = changes.iter().filter_map(|change| change.after).collect();
        let removed: Vec<EventNumber> = changes
            .iter()
            .filter(|change| change.after.is_none())
            .filter_map(|change| change.before)
            .collect();
        self.store_state(&mut resolved, &base, &added, &removed).await?;
        Ok(resolved)
    }

    /// Gives a state its number, and stores it as what differs from `parent`, or whole at the end of a long chain.
    pub async fn store_state(
        &mut self,
        state: &mut State,
        parent: &State,
        added: &[EventNumber],
        removed: &[EventNumber],
    ) -> Result<(), RoomError> {
        let (room, ..) = self.room;
        state.snapshot = SnapshotNumber(self.rooms.0.snapshot_numbers.next().await?);
        state.chain_length = parent.chain_length.saturating_add(1);
        if parent.snapshot == SnapshotNumber(0) || state.chain_length > CHAIN_LENGTH_MAX {
            state.chain_length = 0;
            store::snapshots::insert_full(&mut self.change, room, state);
        } else {
            store::snapshots::insert_delta(&mut self.change, room, state, parent.snapshot, added, removed);
        }
        self.rooms.remember_state(state);
        Ok(())
    }

    /// The events that an event is built upon: its parents, and through those that are not part of the room's history
    /// (SS API § Soft failure) the ones behind them.
    async fn covered_by(&self, pdu: &Pdu) -> Result<HashSet<OwnedEventId>, RoomError> {
        let mut covered: HashSet<OwnedEventId> = pdu.prev_events.iter().cloned().collect();
        let is_plain = self
            .head
            .extremities
            .iter()
            .all(|end| covered.contains(&end.event_id));
        if is_plain {
            return Ok(covered);
        }
        let mut to_visit: Vec<OwnedEventId> = pdu.prev_events.clone();
        while !to_visit.is_empty() {
            let ids: Vec<&EventId> = to_visit.iter().map(|id| &**id).collect();
            let known = self.rooms.known_events(&ids).await?;
            let outside = known
                .values()
                .filter(|event| matches!(event.outcome, Outcome::SoftFailed | Outcome::Rejected));
            to_visit = outside
                .flat_map(|event| event.pdu.prev_events.iter())
                .filter(|id| !covered.contains(*id))
                .cloned()
                .collect();
            covered.extend(to_visit.iter().cloned());
        }
        Ok(covered)
    }
}
