use std::{collections::HashMap, sync::Arc};

use dashmap::DashMap;
use echorift_rooms::{Room, RoomError, Rooms};
use echorift_storage::{Position, RoomNumber, UserNumber};
use ruma::{UserId, events::room::member::MembershipState};

use crate::Unread;

/// How many rooms are loaded at a time to count a user's unread messages from the start.
const ROOMS_AT_ONCE: usize = 100;

/// How many messages each user with a pusher has not read, all rooms together. Follows room by room what changes.
pub(crate) struct Badges {
    rooms: Rooms,
    unread: Unread,
    users: DashMap<UserNumber, Arc<tokio::sync::Mutex<Badge>>>,
}

/// The unread notifications of one user, by room; only rooms that have any.
#[derive(Debug, Default)]
struct Badge {
    rooms: HashMap<RoomNumber, u32>,
    is_whole: bool,
}

impl Badge {
    fn total(&self) -> u64 {
        self.rooms.values().map(|count| u64::from(*count)).sum()
    }

    fn set(&mut self, room: RoomNumber, count: u32) {
        if count == 0 {
            self.rooms.remove(&room);
        } else {
            self.rooms.insert(room, count);
        }
    }
}

impl Badges {
    pub fn new(rooms: &Rooms, unread: &Unread) -> Self {
        Self {
            rooms: rooms.clone(),
            unread: unread.clone(),
            users: DashMap::new(),
        }
    }

    /// The user's unread messages after something has happened in `room`.
    pub async fn refresh(&self, reader: (UserNumber, &UserId), room: &Arc<Room>) -> Result<u64, RoomError> {
        let badge = self.of(reader.0);
        let mut badge = badge.lock().await;
        if badge.is_whole {
            let count = self.count(reader, room).await?;
            badge.set(room.number, count);
        } else {
            self.count_all(reader, &mut badge).await?;
        }
        Ok(badge.total())
    }

    /// The user's unread messages.
    pub async fn total(&self, reader: (UserNumber, &UserId)) -> Result<u64, RoomError> {
        let badge = self.of(reader.0);
        let mut badge = badge.lock().await;
        if !badge.is_whole {
            self.count_all(reader, &mut badge).await?;
        }
        Ok(badge.total())
    }

    /// The rooms in which the user has unread messages.
    pub async fn rooms_with_unread(
        &self,
        reader: (UserNumber, &UserId),
    ) -> Result<Vec<RoomNumber>, RoomError> {
        let badge = self.of(reader.0);
        let mut badge = badge.lock().await;
        if !badge.is_whole {
            self.count_all(reader, &mut badge).await?;
        }
        let mut rooms: Vec<RoomNumber> = badge.rooms.keys().copied().collect();
        rooms.sort_unstable();
        Ok(rooms)
    }

    fn of(&self, user: UserNumber) -> Arc<tokio::sync::Mutex<Badge>> {
        Arc::clone(&self.users.entry(user).or_default())
    }

    async fn count_all(&self, reader: (UserNumber, &UserId), badge: &mut Badge) -> Result<(), RoomError> {
        let memberships = self.rooms.rooms_of(reader.0).await?;
        let joined = memberships
            .iter()
            .filter(|(_, own)| own.membership == MembershipState::Join);
        let joined: Vec<RoomNumber> = joined.map(|(room, _)| *room).collect();
        for numbers in joined.chunks(ROOMS_AT_ONCE) {
            for room in self.rooms.load(numbers).await? {
                let count = self.count(reader, &room).await?;
                badge.set(room.number, count);
            }
        }
        badge.is_whole = true;
        Ok(())
    }

    async fn count(&self, reader: (UserNumber, &UserId), room: &Arc<Room>) -> Result<u32, RoomError> {
        let view = room.view();
        if !view.members.joined_local.contains(&reader.0) {
            return Ok(0);
        }
        let counts = self
            .unread
            .counts(reader, room, Position::default(), view.position)
            .await?;
        Ok(counts.total().notifications)
    }
}
