//! Who shares rooms with whom, for those who follow each other's devices (CS API § Tracking the device list for a
//! user).

use std::collections::HashSet;

use echorift_storage::{EventNumber, Position, RoomNumber, StorageError, UserNumber};
use ruma::events::room::member::MembershipState;

use crate::{Rooms, append::membership_of, store};

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
}
