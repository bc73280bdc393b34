//! The rooms of one user, kept in memory for users who are about.

use std::{collections::BTreeMap, sync::Arc};

use echorift_storage::{Database, RoomNumber, StorageError, UserNumber};
use parking_lot::Mutex;
use quick_cache::sync::Cache;

use crate::store::memberships::{self, UserMembership};

/// How many users' room lists are kept; each is some 100 bytes a room.
const CACHED_USERS: usize = 50_000;

/// All rooms that a user has or had a membership in. Ordered by room number.
pub type RoomsOfUser = BTreeMap<RoomNumber, UserMembership>;

/// The room lists of users, kept current by every commit.
pub(crate) struct UserRooms {
    database: Database,
    lists: Cache<UserNumber, Arc<List>>,
}

#[derive(Default)]
struct List {
    rooms: Mutex<Arc<RoomsOfUser>>,
    loaded: tokio::sync::OnceCell<()>,
}

impl UserRooms {
    pub fn new(database: &Database) -> Self {
        Self {
            database: database.clone(),
            lists: Cache::new(CACHED_USERS),
        }
    }

    pub async fn of(&self, user: UserNumber) -> Result<Arc<RoomsOfUser>, StorageError> {
        // The list is in the cache before the query, so that no commit in between is missed: see `put`.
        let list = match self.lists.get(&user) {
            Some(list) => list,
            None => self
                .lists
                .get_or_insert_with::<_, std::convert::Infallible>(&user, || Ok(Arc::default()))
                .unwrap_or_default(),
        };
        list.loaded
            .get_or_try_init(|| async {
                let stored = memberships::of_user(&self.database, user).await?;
                let mut rooms = list.rooms.lock();
                let rooms = Arc::make_mut(&mut rooms);
                for (room, membership) in stored {
                    if rooms
                        .get(&room)
                        .is_none_or(|known| known.position < membership.position)
                    {
                        rooms.insert(room, membership);
                    }
                }
                Ok::<_, StorageError>(())
            })
            .await?;
        let rooms = Arc::clone(&list.rooms.lock());
        Ok(rooms)
    }

    /// As [`UserRooms::of`], if they are in memory.
    pub fn at_hand(&self, user: UserNumber) -> Option<Arc<RoomsOfUser>> {
        let list = self.lists.peek(&user)?;
        list.loaded.get()?;
        Some(Arc::clone(&list.rooms.lock()))
    }

    /// Follows a commit.
    pub fn put(&self, user: UserNumber, room: RoomNumber, membership: UserMembership) {
        if let Some(list) = self.lists.get(&user) {
            let mut rooms = list.rooms.lock();
            Arc::make_mut(&mut rooms).insert(room, membership);
        }
    }

    /// Follows the commit that hides a room.
    pub fn forget(&self, user: UserNumber, room: RoomNumber) {
        if let Some(list) = self.lists.get(&user) {
            let mut rooms = list.rooms.lock();
            if let Some(membership) = Arc::make_mut(&mut rooms).get_mut(&room) {
                membership.is_forgotten = true;
            }
        }
    }
}
