use std::sync::Arc;

use echorift_storage::Timestamp;

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
        closest
            .ok_or_else(|| RoomError::NotFound("There is no event on that side of this moment.".to_owned()))
    }
}
