//! Rooms that the operator keeps everybody of this server out of.

use std::collections::HashSet;

use echorift_storage::{Change, StorageError};
use ruma::{OwnedRoomId, RoomId};

use crate::{RoomError, Rooms, store::blocking};

impl Rooms {
    /// Keeps users of this server out of a room, whether it is known here or not, or lets them in again. Who is in it stays.
    /// `remember` is written with it.
    pub async fn set_blocked(
        &self,
        room: &RoomId,
        is_blocked: bool,
        mut remember: Change,
    ) -> Result<(), StorageError> {
        blocking::put(&mut remember, room, is_blocked, self.clock().now());
        self.database().writer().commit(remember).await
    }

    /// Those of these rooms that users of this server are kept out of. One query.
    pub async fn blocked_among(&self, rooms: &[OwnedRoomId]) -> Result<HashSet<OwnedRoomId>, StorageError> {
        blocking::among(self.database(), rooms).await
    }

    /// Fails with `Blocked` if users of this server are kept out of the room.
    pub(crate) async fn check_not_blocked(&self, room: &RoomId) -> Result<(), RoomError> {
        match blocking::is_blocked(self.database(), room).await? {
            true => Err(RoomError::Blocked(room.to_owned())),
            false => Ok(()),
        }
    }
}
