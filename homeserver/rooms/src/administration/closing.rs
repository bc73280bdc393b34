use std::sync::Arc;

use echorift_storage::{Change, StorageError, UserNumber};
use futures_util::{StreamExt as _, stream};
use ruma::{OwnedRoomAliasId, OwnedUserId};

use crate::{Room, RoomError, Rooms, store};

/// How many members leave at the same time; appends to one room are ordered in any case.
const LEAVING_AT_ONCE: usize = 16;

/// What came of closing a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedRoom {
    /// Who has left, or declined their invite.
    pub left: Vec<OwnedUserId>,
    /// Who could not: the log says why.
    pub stayed: Vec<OwnedUserId>,
}

impl Rooms {
    /// The users of this server who are joined to a room or invited to it, by ID.
    pub async fn local_members(&self, room: &Room) -> Result<Vec<OwnedUserId>, StorageError> {
        let view = room.view();
        let joined = view.members.joined_local.iter();
        let numbers: Vec<UserNumber> = joined.chain(&view.members.invited).copied().collect();
        let mut members = self.user_ids(&numbers).await?;
        members.retain(|user| self.is_local(user));
        members.sort_unstable();
        Ok(members)
    }

    /// The aliases of a room on this server, sorted.
    pub async fn local_aliases(&self, room: &Room) -> Result<Vec<OwnedRoomAliasId>, StorageError> {
        let mut aliases = self.aliases_of(&[room.number]).await?;
        Ok(aliases.remove(&room.number).unwrap_or_default())
    }

    /// Takes a room away from this server: its aliases and its place in the directory go, and all users of this server
    /// leave it. With `blocks` they are kept out from then on. What the room held stays stored, and other servers in the
    /// room are not concerned. `remember` is written with the first of it.
    pub async fn close_room(
        &self,
        room: &Arc<Room>,
        blocks: bool,
        reason: Option<String>,
        remember: Change,
    ) -> Result<ClosedRoom, RoomError> {
        let aliases = self.local_aliases(room).await?;
        let mut change = remember;
        store::directory::set_published(&mut change, room.number, false);
        for alias in &aliases {
            store::aliases::delete(&mut change, alias);
        }
        if blocks {
            store::blocking::put(&mut change, &room.id, true, self.clock().now());
        }
        self.database().writer().commit(change).await?;
        for alias in &aliases {
            self.tell_alias_gone(alias);
        }
        let leave = |user: OwnedUserId| {
            let reason = reason.clone();
            async move {
                let left = self.leave(room, &user, reason).await;
                if let Err(error) = &left {
                    tracing::warn!(room_id = %room.id, user_id = %user, %error, "somebody could not leave a closed room");
                }
                (user, left.is_ok())
            }
        };
        let members = self.local_members(room).await?;
        let mut tried: Vec<(OwnedUserId, bool)> = stream::iter(members)
            .map(leave)
            .buffer_unordered(LEAVING_AT_ONCE)
            .collect()
            .await;
        tried.sort_unstable();
        let (left, stayed): (Vec<_>, Vec<_>) = tried.into_iter().partition(|(_, has_left)| *has_left);
        let users = |tried: Vec<(OwnedUserId, bool)>| tried.into_iter().map(|(user, _)| user).collect();
        Ok(ClosedRoom {
            left: users(left),
            stayed: users(stayed),
        })
    }
}
