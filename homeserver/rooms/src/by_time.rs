use std::sync::Arc;

use echorift_storage::{Position, Timestamp};
use ruma::OwnedEventId;

use crate::{Event, Order, Reader, Room, RoomError, Rooms, store};

/// How many events near the moment are looked at for one that the reader may see.
const CANDIDATES: i64 = 100;

impl Rooms {
    /// The event closest to `ts` among those not before it (`OldestFirst`) or not after it (`NewestFirst`).
    ///
    /// Errors: `NotFound`, `NotJoined`. Source: CS API § `timestamp_to_event`.
    pub async fn closest_event(
        &self,
        room: &Room,
        reader: &Reader,
        ts: Timestamp,
        order: Order,
    ) -> Result<Arc<Event>, RoomError> {
        let until = self.access(room, reader).await?.until();
        let numbers =
            store::timeline::closest(self.database(), room.number, ts, order, until, CANDIDATES).await?;
        let events = self.events(&numbers).await?;
        let closest = self.visible(room, reader, events).await?.into_iter().next();
        closest.ok_or_else(none)
    }

    /// As [`Rooms::closest_event`], by the memory of other servers as well: they are asked if the room's history here
    /// ends on the way to the moment, so that a closer event may be known there.
    ///
    /// Errors: as [`Rooms::closest_event`]; a server that cannot be asked knows nothing.
    pub async fn closest_event_anywhere(
        &self,
        room: &Arc<Room>,
        reader: &Reader,
        ts: Timestamp,
        order: Order,
    ) -> Result<(OwnedEventId, Timestamp), RoomError> {
        let found = match self.closest_event(room, reader, ts, order).await {
            Ok(event) => Some(event),
            Err(RoomError::NotFound(_)) => None,
            Err(error) => return Err(error),
        };
        let here = found.as_ref().map(|event| {
            let sent = Timestamp(i64::from(event.pdu.origin_server_ts.get()));
            (event.pdu.event_id.clone(), sent)
        });
        let told = if self.is_told_better(room, found.as_deref()).await? {
            self.ask_by_time(room, ts, order).await?
        } else {
            None
        };
        let distance = |sent: Timestamp| sent.0.abs_diff(ts.0);
        let closest = match (here, told) {
            (Some(here), Some(told)) if distance(told.1) < distance(here.1) => Some(told),
            (here, told) => here.or(told),
        };
        closest.ok_or_else(none)
    }

    /// Whether others may know of a closer event than this one: the room's history here ends with it, on the way back.
    async fn is_told_better(&self, room: &Room, found: Option<&Event>) -> Result<bool, RoomError> {
        if self.peers().is_err() || !self.lacks_history(room).await? {
            return Ok(false);
        }
        let all = (Position(i64::MIN), Position(i64::MAX));
        let first = self.timeline(room, all, Order::OldestFirst, 1).await?.pop();
        Ok(found.is_none_or(|found| first.is_some_and(|first| first.number == found.number)))
    }

    async fn ask_by_time(
        &self,
        room: &Arc<Room>,
        ts: Timestamp,
        order: Order,
    ) -> Result<Option<(OwnedEventId, Timestamp)>, RoomError> {
        match self.peers()?.event_by_time(room, ts, order).await {
            Err(RoomError::Unreachable(_) | RoomError::PeerRefused { .. }) => Ok(None),
            answer => answer,
        }
    }
}

fn none() -> RoomError {
    RoomError::NotFound("There is no event on that side of this moment.".to_owned())
}
