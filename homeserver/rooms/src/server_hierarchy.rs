//! A space and its children, for another server (SS API § `GET /hierarchy/{roomId}`).

#[cfg(test)]
mod tests;

use std::sync::Arc;

use echorift_storage::{StorageError, UserNumber};
use ruma::{OwnedRoomId, RoomId, ServerName, room::RoomSummary};

use crate::{HierarchyRoom, Room, RoomError, Rooms, summary::SummarisedRoom};

/// How many children of one space are told of.
const CHILDREN_MAX: usize = 500;

/// A room and what another server may know of its children.
pub struct ServerHierarchy {
    pub room: HierarchyRoom,
    pub children: Vec<RoomSummary>,
    /// Children that are known here and that the server's users could neither read nor join.
    pub inaccessible: Vec<OwnedRoomId>,
}

impl Rooms {
    /// The room and its children, as far as users of the server could read or join them.
    ///
    /// Errors: `NotFound`, also for a room that they could not.
    pub async fn hierarchy_for_server(
        &self,
        id: &RoomId,
        server: &ServerName,
        is_suggested_only: bool,
    ) -> Result<ServerHierarchy, RoomError> {
        let unknown =
            || RoomError::NotFound("There is no such room, or your users may not see it.".to_owned());
        let room = match self.room(id).await {
            Ok(room) => room,
            Err(RoomError::UnknownRoom(_)) => return Err(unknown()),
            Err(error) => return Err(error),
        };
        let root = self.summaries(&[room]).await?.pop().ok_or_else(unknown)?;
        if !self.is_open_to_server(&root, server).await? {
            return Err(unknown());
        }
        let mut children = self.children_of_space(&root, is_suggested_only).await?;
        children.truncate(CHILDREN_MAX);
        let ids: Vec<OwnedRoomId> = children.iter().map(|child| child.room_id.clone()).collect();
        let rooms = self.load(&self.room_numbers(&ids).await?).await?;
        self.prepare_invited(&rooms).await?;
        let (mut open, mut inaccessible) = (Vec::new(), Vec::new());
        for summary in self.summaries(&rooms).await? {
            if self.is_open_to_server(&summary, server).await? {
                open.push(summary.summary);
            } else if !summary.room.view().members.joined_local.is_empty() {
                inaccessible.push(summary.room.id.clone());
            }
        }
        open.sort_by_key(|summary| ids.iter().position(|id| *id == summary.room_id));
        Ok(ServerHierarchy {
            room: HierarchyRoom {
                summary: root.summary,
                children: children.into_iter().map(|child| child.event).collect(),
            },
            children: open,
            inaccessible,
        })
    }

    /// The users who are invited to any of these rooms, read with one query, for the questions that follow.
    async fn prepare_invited(&self, rooms: &[Arc<Room>]) -> Result<(), StorageError> {
        let views: Vec<_> = rooms.iter().map(|room| room.view()).collect();
        let users: Vec<UserNumber> = views
            .iter()
            .flat_map(|view| view.members.invited.iter().copied())
            .collect();
        self.user_ids(&users).await.map(drop)
    }

    /// Whether some user of the server is in the room, or could join, knock on or read it.
    async fn is_open_to_server(
        &self,
        room: &SummarisedRoom,
        server: &ServerName,
    ) -> Result<bool, StorageError> {
        if self.is_denied(&room.room, server).await? {
            return Ok(false);
        }
        let rules = &room.join_rules;
        if room.summary.world_readable || rules.join_rule == "public" || rules.is_knockable() {
            return Ok(true);
        }
        if self.is_server_in(&room.room, server) || self.is_server_invited(&room.room, server).await? {
            return Ok(true);
        }
        let allowed = self
            .load(&self.room_numbers(&rules.allowed_rooms()).await?)
            .await?;
        Ok(allowed.iter().any(|room| self.is_server_in(room, server)))
    }
}
