//! The events before others, for servers that lack them (SS API § Backfilling and retrieving missing events).

#[cfg(test)]
mod tests;

use std::{
    collections::{BinaryHeap, HashMap, HashSet},
    sync::Arc,
};

use echorift_storage::{Position, StorageError, Timestamp};
use ruma::{EventId, OwnedEventId, ServerName};

use crate::{Event, Order, Outcome, Room, RoomError, Rooms, Standing, State, TimelineToken, store};

/// For each event that is wanted so many are looked at: rejected ones are passed over.
const LOOKED_AT_PER_EVENT: usize = 4;
/// How many events near a moment are looked at for one that the asking server may see.
const CANDIDATES: i64 = 100;

/// What a server lacks: all between the events that it has and those that it got.
#[derive(Debug, Clone, Copy)]
pub struct MissingEvents<'a> {
    pub latest: &'a [OwnedEventId],
    pub earliest: &'a [OwnedEventId],
    pub min_depth: u64,
    pub limit: usize,
}

impl Rooms {
    /// An event of any room and outcome by its ID. `None` also for one that is not committed yet.
    pub async fn find_event(&self, id: &EventId) -> Result<Option<Arc<Event>>, StorageError> {
        let event = self.known_events(&[id]).await?.remove(id);
        Ok(event.filter(|event| is_committed(event)))
    }

    /// Up to `limit` events of the room, these and those before them, the latest first by depth and each once. What was
    /// rejected, or is kept only because it authorises others, is left out.
    ///
    /// A handful of queries if the events stand together in the timeline.
    pub async fn events_before(
        &self,
        room: &Room,
        from: &[OwnedEventId],
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StorageError> {
        let mut walk = Walk::new(self, room, limit);
        let mut seen: HashSet<OwnedEventId> = HashSet::new();
        let mut waiting: BinaryHeap<(u64, Position, OwnedEventId)> = BinaryHeap::new();
        let (mut found, mut looked_at) = (Vec::new(), 0_usize);
        let mut next: Vec<OwnedEventId> = from.to_vec();
        loop {
            next.retain(|id| seen.insert(id.clone()));
            walk.learn(&next).await?;
            let learnt = next.iter().filter_map(|id| walk.known.get(id));
            waiting
                .extend(learnt.map(|event| (event.pdu.depth, event.position(), event.pdu.event_id.clone())));
            let Some(event) = waiting.pop().and_then(|(.., id)| walk.known.get(&id).cloned()) else {
                return Ok(found);
            };
            next = prev_events(&event);
            if is_served(&event) {
                found.push(event);
            }
            looked_at = looked_at.saturating_add(1);
            if found.len() >= limit || looked_at >= limit.saturating_mul(LOOKED_AT_PER_EVENT) {
                return Ok(found);
            }
        }
    }

    /// What lies between the events that a server has and those that it got, without either: found breadth first from
    /// the latest, answered in the order in which they were sent, for so they are to be processed.
    pub async fn missing_events(
        &self,
        room: &Room,
        wanted: MissingEvents<'_>,
    ) -> Result<Vec<Arc<Event>>, StorageError> {
        let mut walk = Walk::new(self, room, wanted.limit);
        let mut seen: HashSet<OwnedEventId> = wanted.earliest.iter().chain(wanted.latest).cloned().collect();
        let mut found: Vec<Arc<Event>> = Vec::new();
        let mut looked_at = 0_usize;
        let mut generation: Vec<OwnedEventId> = wanted.latest.to_vec();
        walk.learn(&generation).await?;
        'walk: while !generation.is_empty() {
            let known = generation.iter().filter_map(|id| walk.known.get(id));
            let mut parents: Vec<OwnedEventId> = known.flat_map(|event| prev_events(event)).collect();
            parents.retain(|id| seen.insert(id.clone()));
            walk.learn(&parents).await?;
            generation.clear();
            for id in parents {
                let Some(event) = walk
                    .known
                    .get(&id)
                    .filter(|event| event.pdu.depth >= wanted.min_depth)
                else {
                    continue;
                };
                if is_served(event) {
                    found.push(Arc::clone(event));
                }
                generation.push(id);
                looked_at = looked_at.saturating_add(1);
                if found.len() >= wanted.limit
                    || looked_at >= wanted.limit.saturating_mul(LOOKED_AT_PER_EVENT)
                {
                    break 'walk;
                }
            }
        }
        found.sort_by_key(|event| (event.pdu.depth, event.position()));
        Ok(found)
    }

    /// The room's state as the event met it. Errors: `UnknownEvent` if that state is not known here, or not all of it.
    pub async fn state_before_event(&self, room: &Room, event: &Event) -> Result<State, RoomError> {
        if event.outcome == Outcome::Outlier || room.standing() != Standing::Resident {
            return Err(RoomError::UnknownEvent(event.pdu.event_id.clone()));
        }
        Ok(self.stored_state_before(event).await?)
    }

    /// The state before an event that is no outlier, as it is stored.
    pub(crate) async fn stored_state_before(&self, event: &Event) -> Result<State, StorageError> {
        let mut state = self.state(event.snapshot).await?;
        let Some(state_key) = event.pdu.state_key.as_deref() else {
            return Ok(state);
        };
        let event_type = event.pdu.event_type.to_string();
        // A rejected event never stood in the state.
        if state.get(&event_type, state_key) == Some(event.number) {
            match event.replaces {
                Some(replaced) => state.insert(&event_type, state_key, replaced),
                None => state.remove_key(&crate::key_of(&event_type, state_key)),
            }
        }
        Ok(state)
    }

    /// The event closest to `ts` on one side of it among those that a server in the room may see.
    ///
    /// Errors: `NotFound`. Source: SS API § `timestamp_to_event`.
    pub async fn closest_event_for_server(
        &self,
        room: &Room,
        server: &ServerName,
        ts: Timestamp,
        order: Order,
    ) -> Result<Arc<Event>, RoomError> {
        let all = Position(i64::MAX);
        let numbers =
            store::timeline::closest(self.database(), room.number, ts, order, all, CANDIDATES).await?;
        let mut events = self.events(&numbers).await?;
        events.retain(|event| event.outcome == Outcome::Accepted);
        let seen = self.seen_by_server(room, server, &events).await?;
        let closest = events.into_iter().find(|event| seen.contains(&event.number));
        closest
            .ok_or_else(|| RoomError::NotFound("There is no event on that side of this moment.".to_owned()))
    }
}

/// Every event of the timeline gets its position with the commit; the others never have one.
fn is_committed(event: &Event) -> bool {
    event.outcome != Outcome::Accepted || event.position() != Position(0)
}

/// Soft-failed events are handed on to who meets them by way of others (SS API § Soft failure).
fn is_served(event: &Event) -> bool {
    matches!(event.outcome, Outcome::Accepted | Outcome::SoftFailed)
}

/// Behind what is known only because it authorises others nothing is looked for.
fn prev_events(event: &Event) -> Vec<OwnedEventId> {
    match event.outcome {
        Outcome::Outlier => Vec::new(),
        _ => event.pdu.prev_events.clone(),
    }
}

/// The events met on a walk. Where one is not known yet, it is read with as many of its neighbours in the timeline as
/// the walk may need, for most rooms are one line of events.
struct Walk<'a> {
    rooms: &'a Rooms,
    room: &'a Room,
    neighbours: usize,
    known: HashMap<OwnedEventId, Arc<Event>>,
    absent: HashSet<OwnedEventId>,
}

impl<'a> Walk<'a> {
    fn new(rooms: &'a Rooms, room: &'a Room, neighbours: usize) -> Self {
        Self {
            rooms,
            room,
            neighbours,
            known: HashMap::new(),
            absent: HashSet::new(),
        }
    }

    async fn learn(&mut self, ids: &[OwnedEventId]) -> Result<(), StorageError> {
        let unknown = ids
            .iter()
            .filter(|id| !self.known.contains_key(*id) && !self.absent.contains(*id));
        let unknown: Vec<&EventId> = unknown.map(|id| &**id).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let found = self.rooms.known_events(&unknown).await?.into_values();
        let is_here = |event: &Arc<Event>| event.room == self.room.number && is_committed(event);
        let mut found: Vec<Arc<Event>> = found.filter(is_here).collect();
        let latest = found
            .iter()
            .map(|event| event.position())
            .max()
            .filter(|position| position.0 != 0);
        if let Some(latest) = latest {
            let before = (Position(i64::MIN), TimelineToken::before(latest).0);
            let neighbours = self
                .rooms
                .timeline(self.room, before, Order::NewestFirst, self.neighbours);
            found.extend(neighbours.await?);
        }
        self.known
            .extend(found.into_iter().map(|event| (event.pdu.event_id.clone(), event)));
        let absent = unknown.into_iter().filter(|id| !self.known.contains_key(*id));
        self.absent
            .extend(absent.map(ToOwned::to_owned).collect::<Vec<_>>());
        Ok(())
    }
}
