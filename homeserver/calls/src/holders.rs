use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use echorift_rooms::Room;
use echorift_storage::{RoomNumber, UserNumber};
use ruma::{OwnedUserId, UserId};

use crate::{CallError, Calls, calls::Grant};

/// Whose some grants are and for which rooms, read at once.
pub(crate) struct Holders {
    rooms: HashMap<RoomNumber, Arc<Room>>,
    users: HashMap<UserNumber, OwnedUserId>,
}

impl Holders {
    /// `None` for a room that is no more.
    pub fn of(&self, grant: &Grant) -> Option<(&Room, &UserId)> {
        Some((self.rooms.get(&grant.room)?, self.users.get(&grant.user)?))
    }
}

impl Calls {
    pub(crate) async fn holders<'g>(
        &self,
        grants: impl Iterator<Item = &'g Grant>,
    ) -> Result<Holders, CallError> {
        let (rooms, users): (BTreeSet<RoomNumber>, BTreeSet<UserNumber>) =
            grants.map(|grant| (grant.room, grant.user)).unzip();
        let rooms: Vec<RoomNumber> = rooms.into_iter().collect();
        let users: Vec<UserNumber> = users.into_iter().collect();
        let user_ids = self.rooms().user_ids(&users).await?;
        let rooms = self.rooms().load(&rooms).await?.into_iter();
        Ok(Holders {
            rooms: rooms.map(|room| (room.number, room)).collect(),
            users: users.into_iter().zip(user_ids).collect(),
        })
    }
}
