//! Who shares rooms with whom, for those who follow each other's devices (CS API § Tracking the device list for a
//! user).

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use echorift_storage::{EventNumber, Position, RoomNumber, StorageError, UserNumber};
use ruma::{OwnedServerName, events::room::member::MembershipState};

use crate::{Room, Rooms, append::membership_of, store};

/// How many of a room's local members are asked since when they are in it. Those with the oldest accounts, who are
/// likely to have been there for long; that it was somebody else is taken for a shorter time.
const MEMBERS_ASKED: usize = 20;

impl Rooms {
    /// Whether a member event made its user come into the room or go out of it. Asks memory only: what is not there
    /// may have.
    pub fn may_change_sharing(&self, event: EventNumber) -> bool {
        let Some(event) = self.0.events.peek(&event) else {
            return true;
        };
        let Ok(is) = membership_of(&event.pdu) else {
            return true;
        };
        let Some(replaced) = event.replaces else {
            return is == MembershipState::Join;
        };
        let was = self.0.events.peek(&replaced);
        match was.map(|was| membership_of(&was.pdu)) {
            Some(Ok(was)) => (was == MembershipState::Join) != (is == MembershipState::Join),
            _ => true,
        }
    }

    /// The local users who share a room with the user, and the user; `None` if that is not all in memory.
    pub fn loaded_neighbours(&self, user: UserNumber) -> Option<HashSet<UserNumber>> {
        let memberships = self.0.user_rooms.at_hand(user)?;
        let mut neighbours = HashSet::from([user]);
        for (number, membership) in &*memberships {
            if membership.membership == MembershipState::Join {
                neighbours.extend(self.loaded(*number)?.view().members.joined_local.iter().copied());
            }
        }
        Some(neighbours)
    }

    /// Who came into these rooms or went out of them after `after`. One query.
    pub async fn sharing_changes(
        &self,
        rooms: &[RoomNumber],
        after: Position,
    ) -> Result<Vec<(RoomNumber, UserNumber)>, StorageError> {
        store::memberships::sharing_changes(self.database(), rooms, after).await
    }

    /// The rooms that the user came into or went out of after `after`. One query.
    pub async fn own_sharing_changes(
        &self,
        user: UserNumber,
        after: Position,
    ) -> Result<Vec<RoomNumber>, StorageError> {
        store::memberships::own_sharing_changes(self.database(), user, after).await
    }

    /// Since when these users share a room with a local user without interruption; those who share none are left out.
    /// Two queries, however many users. The time may be told too short, never too long.
    pub async fn shared_since(
        &self,
        users: &[UserNumber],
    ) -> Result<HashMap<UserNumber, Position>, StorageError> {
        if users.is_empty() {
            return Ok(HashMap::new());
        }
        let joined = store::memberships::joined_rooms(self.database(), users).await?;
        let mut asked = Vec::new();
        for (number, room) in self.rooms_of_memberships(&joined).await? {
            let view = room.view();
            let local = view.members.joined_local.iter().take(MEMBERS_ASKED);
            asked.extend(local.map(|user| (number, *user)));
        }
        let ours = store::memberships::first_joined(self.database(), &asked).await?;
        let ours: HashMap<RoomNumber, Position> = ours.into_iter().collect();
        let mut shared: HashMap<UserNumber, Position> = HashMap::new();
        for (user, room, theirs) in joined {
            if let Some(ours) = ours.get(&room) {
                let since = theirs.max(*ours);
                let earliest = shared.entry(user).or_insert(since);
                *earliest = since.min(*earliest);
            }
        }
        Ok(shared)
    }

    /// The other servers that have members in rooms of these users. One query, however many users.
    pub async fn servers_around(
        &self,
        users: &[UserNumber],
    ) -> Result<HashMap<UserNumber, BTreeSet<OwnedServerName>>, StorageError> {
        if users.is_empty() {
            return Ok(HashMap::new());
        }
        let joined = store::memberships::joined_rooms(self.database(), users).await?;
        let rooms = self.rooms_of_memberships(&joined).await?;
        let mut servers: HashMap<UserNumber, BTreeSet<OwnedServerName>> = HashMap::new();
        for (user, room, _) in joined {
            if let Some(room) = rooms.get(&room) {
                let remote = room.view().members.remote_servers.clone();
                servers.entry(user).or_default().extend(remote.keys().cloned());
            }
        }
        Ok(servers)
    }

    async fn rooms_of_memberships(
        &self,
        joined: &[(UserNumber, RoomNumber, Position)],
    ) -> Result<HashMap<RoomNumber, Arc<Room>>, StorageError> {
        let numbers: BTreeSet<RoomNumber> = joined.iter().map(|(_, room, _)| *room).collect();
        let numbers: Vec<RoomNumber> = numbers.into_iter().collect();
        let rooms = self.load(&numbers).await?;
        Ok(rooms.into_iter().map(|room| (room.number, room)).collect())
    }
}
