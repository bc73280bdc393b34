//! Which servers are in a room.

use std::collections::BTreeMap;

use echorift_storage::{StorageError, UserNumber};
use ruma::{OwnedServerName, ServerName, UserId};

use crate::{Room, Rooms};

impl Rooms {
    /// The servers that have users joined to the room, this one included: those with the most users first, for they
    /// are the likeliest to answer and to know.
    pub async fn servers_in(&self, room: &Room) -> Result<Vec<OwnedServerName>, StorageError> {
        let joined: Vec<UserNumber> = room.view().members.joined.iter().copied().collect();
        let mut counts: BTreeMap<OwnedServerName, usize> = BTreeMap::new();
        for user in self.user_ids(&joined).await? {
            let count = counts.entry(user.server_name().to_owned()).or_default();
            *count = count.saturating_add(1);
        }
        let mut servers: Vec<(OwnedServerName, usize)> = counts.into_iter().collect();
        // Stable: servers with as many users stay in the order of their names.
        servers.sort_by_key(|(_, users)| std::cmp::Reverse(*users));
        Ok(servers.into_iter().map(|(server, _)| server).collect())
    }

    /// Whether the server has a user joined to the room.
    pub async fn is_server_in(&self, room: &Room, server: &ServerName) -> Result<bool, StorageError> {
        let view = room.view();
        if server == self.server_name() {
            return Ok(!view.members.joined_local.is_empty());
        }
        if view.members.joined.len() == view.members.joined_local.len() {
            return Ok(false);
        }
        self.is_home_of_any(view.members.joined.iter().copied(), server)
            .await
    }

    /// Whether the server has a user invited to the room.
    pub async fn is_server_invited(&self, room: &Room, server: &ServerName) -> Result<bool, StorageError> {
        let view = room.view();
        self.is_home_of_any(view.members.invited.iter().copied(), server)
            .await
    }

    async fn is_home_of_any(
        &self,
        users: impl Iterator<Item = UserNumber>,
        server: &ServerName,
    ) -> Result<bool, StorageError> {
        let users: Vec<i64> = users.map(|user| user.0).collect();
        let names = self.users().names(&users).await?;
        Ok(names.iter().any(|name| is_of(name, server)))
    }
}

/// Whether a user ID is of this server.
pub(crate) fn is_of(user: &str, server: &ServerName) -> bool {
    <&UserId>::try_from(user).is_ok_and(|user| user.server_name() == server)
}
