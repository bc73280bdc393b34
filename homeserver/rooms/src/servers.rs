//! Which servers are in a room.

use echorift_storage::{StorageError, UserNumber};
use ruma::{OwnedServerName, ServerName, UserId};

use crate::{Room, Rooms};

impl Rooms {
    /// The servers that have users joined to the room, this one included: those with the most users first, for they
    /// are the likeliest to answer and to know.
    pub fn servers_in(&self, room: &Room) -> Vec<OwnedServerName> {
        let view = room.view();
        let mut servers: Vec<(OwnedServerName, usize)> = view
            .members
            .remote_servers
            .iter()
            .map(|(server, users)| (server.clone(), *users))
            .collect();
        if !view.members.joined_local.is_empty() {
            servers.push((self.server_name().to_owned(), view.members.joined_local.len()));
        }
        servers.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        servers.into_iter().map(|(server, _)| server).collect()
    }

    /// Whether the server has a user joined to the room.
    pub fn is_server_in(&self, room: &Room, server: &ServerName) -> bool {
        let view = room.view();
        if server == self.server_name() {
            return !view.members.joined_local.is_empty();
        }
        view.members.remote_servers.contains_key(server)
    }

    /// Whether the server has a user invited to the room. One query at most.
    pub async fn is_server_invited(&self, room: &Room, server: &ServerName) -> Result<bool, StorageError> {
        let invited: Vec<UserNumber> = room.view().members.invited.iter().copied().collect();
        let invited = self.user_ids(&invited).await?;
        Ok(invited.iter().any(|user| user.server_name() == server))
    }
}

/// Whether a user ID is of this server.
pub(crate) fn is_of(user: &str, server: &ServerName) -> bool {
    <&UserId>::try_from(user).is_ok_and(|user| user.server_name() == server)
}
