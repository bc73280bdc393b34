use std::{str::FromStr, sync::Arc};

use echorift_storage::{RoomNumber, StorageError, containing};
use ruma::{OwnedRoomId, OwnedUserId};

use crate::{Room, Rooms, SummarisedRoom, store::administration as store};

/// In which order rooms are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RoomOrder {
    /// By name, small and capital letters of ASCII alike; those without a name last.
    #[default]
    Name,
    /// Those with the most joined members first.
    Members,
    /// Those that this server came to know last first.
    Newest,
}

/// A room's place in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomPlace {
    pub(crate) key: PlaceKey,
    pub(crate) room: RoomNumber,
}

/// What the list is ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlaceKey {
    Name(String),
    Number(i64),
}

impl std::fmt::Display for RoomPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.key {
            PlaceKey::Name(name) => write!(f, "{},{name}", self.room),
            PlaceKey::Number(number) => write!(f, "{}:{number}", self.room),
        }
    }
}

impl FromStr for RoomPlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let end = text.find([',', ':']).ok_or(NoPlace)?;
        let (room, key) = text.split_at_checked(end).ok_or(NoPlace)?;
        let room = RoomNumber(room.parse().map_err(|_| NoPlace)?);
        let key = match key.strip_prefix(',') {
            Some(name) => PlaceKey::Name(name.to_owned()),
            None => PlaceKey::Number(key.trim_start_matches(':').parse().map_err(|_| NoPlace)?),
        };
        Ok(Self { key, room })
    }
}

/// A text that is no place in a list of rooms.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("this is no place in a list of rooms")]
pub struct NoPlace;

/// Which rooms are looked for.
#[derive(Debug, Clone, Default)]
pub struct RoomsQuery {
    /// A part of the name, of an alias of this server or of the ID, in any case of letters.
    pub search: Option<String>,
    pub order: RoomOrder,
    /// After which place, of a list in the same order.
    pub after: Option<RoomPlace>,
    pub limit: u32,
}

/// A room as administrators see it.
#[derive(Clone)]
pub struct RoomOverview {
    pub room: SummarisedRoom,
    pub creator: Option<OwnedUserId>,
    /// Whether it is in the room directory.
    pub is_published: bool,
    pub is_blocked: bool,
    pub joined: usize,
    pub joined_local: usize,
}

impl Rooms {
    /// How many rooms this server is or was in.
    pub async fn count_rooms(&self) -> Result<i64, StorageError> {
        store::count(self.database()).await
    }

    /// A page of the rooms that this server is or was in, each with its place.
    pub async fn rooms_page(
        &self,
        query: &RoomsQuery,
    ) -> Result<Vec<(RoomPlace, RoomOverview)>, StorageError> {
        let patterns = query.search.as_deref().map(|text| containing(text.trim()));
        let places = store::page(
            self.database(),
            query.order,
            patterns.as_ref(),
            query.after.as_ref(),
            query.limit.into(),
        )
        .await?;
        let numbers: Vec<RoomNumber> = places.iter().map(|place| place.room).collect();
        let rooms = self.load(&numbers).await?;
        let mut overviews = self.room_overviews(&rooms).await?;
        let placed = places.into_iter().filter_map(|place| {
            let index = overviews
                .iter()
                .position(|found| found.room.room.number == place.room)?;
            Some((place, overviews.swap_remove(index)))
        });
        Ok(placed.collect())
    }

    /// These rooms as administrators see them. A handful of queries, however many there are.
    pub async fn room_overviews(&self, rooms: &[Arc<Room>]) -> Result<Vec<RoomOverview>, StorageError> {
        let numbers: Vec<RoomNumber> = rooms.iter().map(|room| room.number).collect();
        let ids: Vec<OwnedRoomId> = rooms.iter().map(|room| room.id.clone()).collect();
        let published = self.published_among(&numbers).await?;
        let blocked = self.blocked_among(&ids).await?;
        let mut overviews = Vec::with_capacity(rooms.len());
        for summary in self.summaries(rooms).await? {
            let room = Arc::clone(&summary.room);
            let view = room.view();
            // The summary has just been made of it, so that it is in memory.
            let create = self.state_event(&view.state, "m.room.create", "").await?;
            overviews.push(RoomOverview {
                room: summary,
                creator: create.map(|create| create.pdu.sender.clone()),
                is_published: published.contains(&room.number),
                is_blocked: blocked.contains(&room.id),
                joined: view.members.joined.len(),
                joined_local: view.members.joined_local.len(),
            });
        }
        Ok(overviews)
    }

    /// How many events this server keeps of a room.
    pub async fn count_events(&self, room: &Room) -> Result<i64, StorageError> {
        store::count_events(self.database(), room.number).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for key in [
            PlaceKey::Name("a, b: c".to_owned()),
            PlaceKey::Name(String::new()),
            PlaceKey::Number(-7),
        ] {
            let place = RoomPlace {
                key,
                room: RoomNumber(12),
            };
            assert_eq!(place.to_string().parse::<RoomPlace>().unwrap(), place);
        }
        for text in ["", "12", "x,y", "12:z"] {
            assert!(text.parse::<RoomPlace>().is_err(), "{text}");
        }
    }
}
