//! What a destination missed while it was away, or while it was slower than the room.

use std::collections::HashSet;

use echorift_rooms::Rooms;
use echorift_storage::{Clock, Database, EventNumber, Position, RoomNumber, StorageError};
use ruma::ServerName;

use super::{destination::Queued, recipients::recipients, store};
use crate::{Policy, policy::Crossing};

/// How many missed events are looked at together.
const PAGE: i64 = 200;
/// A destination that missed more gets the latest event of each room, and asks for the others if it wants them.
const MISSED_MAX: i64 = 2_000;
/// So does one that missed something so long ago.
const AWAY_MAX_MS: i64 = 7 * 24 * 3_600_000;

/// How many sticky events a server is sent that comes into rooms, the latest ones: as many as one room has.
const STICKY_MAX: i64 = 10_000;

/// Missed events, oldest first.
pub(super) struct Page {
    pub events: Vec<Queued>,
    /// All that the destination missed up to here is in `events`, or left out on purpose.
    pub covers: Position,
}

/// Where missed events are looked for.
pub(super) struct Missed<'a> {
    pub database: &'a Database,
    pub clock: &'a Clock,
    pub rooms: &'a Rooms,
    pub policy: &'a Policy,
}

impl Missed<'_> {
    /// The first of the events after a position that the destination should have.
    pub async fn page(&self, server: &ServerName, after: Position) -> Result<Page, StorageError> {
        let to = self.database.log().visible();
        let of_server = store::rooms_of_server(self.database, server, after).await?;
        let numbers: Vec<RoomNumber> = of_server.iter().map(|room| room.room).collect();
        if numbers.is_empty() {
            return Ok(Page {
                events: Vec::new(),
                covers: to,
            });
        }
        let now = self.clock.now();
        let (count, first) =
            store::backlog(self.database, &numbers, (after, to), MISSED_MAX.saturating_add(1)).await?;
        let is_long = count > MISSED_MAX || first.is_some_and(|first| first < now.plus_ms(-AWAY_MAX_MS));
        let found = if count == 0 {
            Vec::new()
        } else if is_long {
            let joined: Vec<_> = of_server
                .iter()
                .filter(|room| room.is_joined)
                .map(|room| room.room)
                .collect();
            let left: Vec<_> = of_server
                .iter()
                .filter(|room| !room.is_joined)
                .map(|room| room.room)
                .collect();
            store::latest(self.database, server, (&joined, &left), (after, to), (now, PAGE)).await?
        } else {
            store::missed(self.database, &numbers, (after, to), PAGE).await?
        };
        let is_last = i64::try_from(found.len()).unwrap_or(i64::MAX) < PAGE;
        let covers = match found.last() {
            Some((last, _)) if !is_last => *last,
            _ => to,
        };
        let steady = of_server
            .iter()
            .filter(|room| room.is_joined && !room.has_changed);
        let steady: HashSet<RoomNumber> = steady.map(|room| room.room).collect();
        let mut events = self.only_for(server, found, &steady).await?;
        let came: Vec<_> = of_server
            .iter()
            .filter(|room| room.has_come)
            .map(|room| room.room)
            .collect();
        if !came.is_empty() {
            events.extend(self.sticky_for(server, &came, covers).await?);
            events.sort_unstable();
            events.dedup();
        }
        Ok(Page { events, covers })
    }

    /// What of ours sticks to rooms that the server has come into, from before it came too (MSC4354 § Proposal). Up to where
    /// the page goes, so that the destination's place is not moved past what comes after.
    async fn sticky_for(
        &self,
        server: &ServerName,
        rooms: &[RoomNumber],
        to: Position,
    ) -> Result<Vec<Queued>, StorageError> {
        let now = self.clock.now();
        let mut found = store::sticky(self.database, rooms, (to, now), STICKY_MAX).await?;
        let numbers: Vec<EventNumber> = found.iter().map(|(_, event)| *event).collect();
        let mut events = self.rooms.events(&numbers).await?;
        events.retain(|event| {
            let crossing = Crossing::Event(&event.pdu.room_id, &event.pdu.event_type);
            self.rooms.is_local(&event.pdu.sender) && self.policy.allows(server, crossing)
        });
        let wanted: HashSet<EventNumber> = events.into_iter().map(|event| event.number).collect();
        found.retain(|(_, event)| wanted.contains(event));
        Ok(found)
    }

    /// Those of the events that are for the server, which was in the rooms of `steady` all the time.
    async fn only_for(
        &self,
        server: &ServerName,
        found: Vec<Queued>,
        steady: &HashSet<RoomNumber>,
    ) -> Result<Vec<Queued>, StorageError> {
        let numbers: Vec<EventNumber> = found.iter().map(|(_, event)| *event).collect();
        let events = self.rooms.events(&numbers).await?;
        let (mut wanted, unsure): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| steady.contains(&event.room));
        wanted.retain(|event| event.pdu.sender.server_name() != server);
        let unsure = recipients(self.rooms, &unsure).await?.into_iter();
        wanted.extend(unsure.filter_map(|(event, recipients)| recipients.contains(server).then_some(event)));
        wanted.retain(|event| {
            let crossing = Crossing::Event(&event.pdu.room_id, &event.pdu.event_type);
            self.policy.allows(server, crossing)
        });
        let wanted: HashSet<EventNumber> = wanted.into_iter().map(|event| event.number).collect();
        Ok(found
            .into_iter()
            .filter(|(_, event)| wanted.contains(event))
            .collect())
    }
}
