//! Whether history is missing here, and where to ask for it.

use std::{collections::HashSet, sync::Arc};

use echorift_events::Pdu;
use echorift_storage::Position;
use ruma::{EventId, OwnedEventId, events::TimelineEventType};

use crate::{Event, Order, Outcome, Room, RoomError, Rooms};

/// Among how many of its oldest events the ends of a room's known history are looked for.
const OLDEST_LOOKED_AT: usize = 50;
/// How many such ends another server is asked about at a time.
const ENDS_MAX: usize = 20;

impl Rooms {
    /// The events right before the room's known timeline, which this server does not have: where to ask for more.
    /// Empty once the timeline reaches back to the room's creation.
    pub async fn history_ends(&self, room: &Room) -> Result<Vec<OwnedEventId>, RoomError> {
        let everything = (Position(i64::MIN), Position(i64::MAX));
        let oldest = self
            .timeline(room, everything, Order::OldestFirst, OLDEST_LOOKED_AT)
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

    /// Whether the room has history that this server could ask others for.
    pub async fn lacks_history(&self, room: &Room) -> Result<bool, RoomError> {
        if !self.is_in(room) {
            return Ok(false);
        }
        let everything = (Position(i64::MIN), Position(i64::MAX));
        let oldest = self.timeline(room, everything, Order::OldestFirst, 5).await?;
        let oldest = oldest.iter().find(|event| event.outcome == Outcome::Accepted);
        Ok(oldest.is_some_and(|event| event.pdu.event_type != TimelineEventType::RoomCreate))
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
