//! Which parts of a room's history are missing here, and which events belong there.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use echorift_events::Pdu;
use echorift_storage::Position;
use ruma::{EventId, OwnedEventId, events::TimelineEventType};

use crate::{Event, HistoryPart, Order, Outcome, Room, RoomError, Rooms};

/// Among how many of its oldest events the ends of a known part of a room's history are looked for: as many as another
/// server gives at a time.
const OLDEST_LOOKED_AT: usize = 100;
/// How many of its first events say where a part of the timeline begins: invites from outside may be among them.
const EARLIEST: usize = 5;
/// How many such ends another server is asked about at a time.
const ENDS_MAX: usize = 20;

impl Rooms {
    /// The latest events of a missing part of the room's history: where to ask for more. Empty once nothing is missing
    /// there, because the timeline reaches back to the room's creation, or to what is known from before the gap.
    pub async fn history_ends(&self, room: &Room, part: HistoryPart) -> Result<Vec<OwnedEventId>, RoomError> {
        let Some(known) = room.gaps.known_above(part) else {
            return Ok(Vec::new());
        };
        let oldest = self
            .timeline(room, known, Order::OldestFirst, OLDEST_LOOKED_AT)
            .await?;
        let oldest: Vec<Arc<Event>> = oldest
            .into_iter()
            .filter(|event| event.outcome == Outcome::Accepted)
            .collect();
        let parents: Vec<&EventId> = oldest
            .iter()
            .flat_map(|event| event.pdu.prev_events.iter().map(|id| &**id))
            .collect();
        let known = self.known_events(&parents).await?;
        let is_missing = |id: &&EventId| {
            known
                .get(*id)
                .is_none_or(|event| event.outcome == Outcome::Outlier)
        };
        let mut seen = HashSet::new();
        let ends = parents
            .into_iter()
            .filter(is_missing)
            .filter(|id| seen.insert(id.to_owned()));
        Ok(ends.take(ENDS_MAX).map(ToOwned::to_owned).collect())
    }

    /// How deep the earliest known events are since this server last came to the room: what is less deep is history, and
    /// goes to its place when somebody reads that far. 0 if nothing of the room is known.
    pub async fn history_depth(&self, room: &Room) -> Result<u64, RoomError> {
        let last = room.gap_from(Position(i64::MAX), Order::NewestFirst);
        let part = last.map_or(HistoryPart::Beginning, |gap| HistoryPart::Gap(gap.lower));
        let Some(known) = room.gaps.known_above(part) else {
            return Ok(0);
        };
        let earliest = self.timeline(room, known, Order::OldestFirst, EARLIEST).await?;
        let accepted = earliest.iter().filter(|event| event.outcome == Outcome::Accepted);
        Ok(accepted.map(|event| event.pdu.depth).min().unwrap_or(0))
    }

    /// Whether the room has history that this server could ask others for.
    pub async fn lacks_history(&self, room: &Room) -> Result<bool, RoomError> {
        if !self.is_in(room) {
            return Ok(false);
        }
        let everything = (Position(i64::MIN), Position(i64::MAX));
        let oldest = self
            .timeline(room, everything, Order::OldestFirst, EARLIEST)
            .await?;
        let oldest = oldest.iter().find(|event| event.outcome == Outcome::Accepted);
        Ok(oldest.is_some_and(|event| event.pdu.event_type != TimelineEventType::RoomCreate))
    }

    /// Those of these events that are new and belong to the part: a server that is asked about a gap goes on to what is
    /// below it, and knows nothing of ours.
    pub async fn retain_missing(
        &self,
        room: &Room,
        part: HistoryPart,
        mut pdus: Vec<Pdu>,
    ) -> Result<Vec<Pdu>, RoomError> {
        let HistoryPart::Gap(lower) = part else {
            return Ok(pdus);
        };
        let ids: Vec<&EventId> = pdus.iter().map(|pdu| &*pdu.event_id).collect();
        let known = self.known_events(&ids).await?;
        let is_below = |event: &Arc<Event>| {
            event.room == room.number && event.outcome == Outcome::Accepted && event.position() <= lower
        };
        let parents: HashMap<&EventId, &[OwnedEventId]> = pdus
            .iter()
            .map(|pdu| (&*pdu.event_id, &*pdu.prev_events))
            .collect();
        let mut to_visit: Vec<&EventId> = known
            .values()
            .filter(|event| is_below(event))
            .filter_map(|event| parents.get_key_value(&*event.pdu.event_id))
            .map(|(id, _)| *id)
            .collect();
        let mut below: HashSet<OwnedEventId> = HashSet::new();
        while let Some(id) = to_visit.pop() {
            if let Some(parents) = parents.get(id)
                && below.insert(id.to_owned())
            {
                to_visit.extend(parents.iter().map(|id| &**id));
            }
        }
        pdus.retain(|pdu| {
            let is_known = known
                .get(&pdu.event_id)
                .is_some_and(|event| event.outcome != Outcome::Outlier);
            !is_known && !below.contains(&pdu.event_id)
        });
        Ok(pdus)
    }

    /// Those of these events whose state has to be told before they can be prepended: not all their parents are here
    /// or among them.
    pub async fn in_need_of_state(&self, pdus: &[Pdu]) -> Result<Vec<OwnedEventId>, RoomError> {
        let parents: Vec<&EventId> = pdus
            .iter()
            .flat_map(|pdu| pdu.prev_events.iter().map(|id| &**id))
            .collect();
        let known = self.known_events(&parents).await?;
        let own: HashSet<&EventId> = pdus.iter().map(|pdu| &*pdu.event_id).collect();
        let has_state = |id: &OwnedEventId| {
            own.contains(&**id)
                || known
                    .get(id)
                    .is_some_and(|event| event.outcome != Outcome::Outlier)
        };
        let needy = pdus.iter().filter(|pdu| {
            pdu.event_type != TimelineEventType::RoomCreate && !pdu.prev_events.iter().all(has_state)
        });
        Ok(needy.map(|pdu| pdu.event_id.clone()).collect())
    }
}
