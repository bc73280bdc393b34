//! When something last happened in rooms, for lists of rooms in that order (MSC4186 § Activity ordering).

use std::{collections::HashMap, sync::Arc};

use echorift_storage::{Position, RoomNumber, StorageError};

use crate::{Event, Room, Rooms, store};

/// The events that make a room worth looking at (MSC4186 § Common fields, `bump_stamp`).
const BUMPING: [&str; 7] = [
    "m.room.create",
    "m.room.message",
    "m.room.encrypted",
    "m.sticker",
    "m.call.invite",
    "m.poll.start",
    "m.beacon_info",
];

/// Whether the event is one that people would look at the room for.
pub(crate) fn bumps(event: &Event) -> bool {
    BUMPING.contains(&event.pdu.type_name())
}

impl Rooms {
    /// The position of the last event of each room that people would look at it for. One query at most, for rooms
    /// whose latest events in memory are all of other types; then it is remembered.
    pub async fn bump_stamps(
        &self,
        rooms: &[Arc<Room>],
    ) -> Result<HashMap<RoomNumber, Position>, StorageError> {
        let known = rooms
            .iter()
            .filter_map(|room| Some((room.number, room.bumped()?)));
        let mut stamps: HashMap<RoomNumber, Position> = known.collect();
        if stamps.len() < rooms.len() {
            let unknown: Vec<RoomNumber> = rooms
                .iter()
                .map(|room| room.number)
                .filter(|number| !stamps.contains_key(number))
                .collect();
            let found = store::timeline::last_of_types(self.database(), &unknown, &BUMPING).await?;
            for room in rooms {
                if let Some(position) = found.get(&room.number) {
                    room.set_bumped(*position);
                    stamps.insert(room.number, *position);
                }
            }
        }
        Ok(stamps)
    }
}
