use std::{cmp::Reverse, collections::HashSet, sync::Arc};

use echorift_rooms::{Reader, Room, RoomError, RoomsOfUser, UserMembership};
use echorift_storage::{EventNumber, Position, RoomNumber};
use ruma::events::room::member::MembershipState;

use super::connection::{Sent, Standing};
use crate::Syncs;

/// A room of the reader's list.
#[derive(Clone)]
pub(crate) struct Entry {
    pub room: Arc<Room>,
    pub standing: Standing,
    pub membership: UserMembership,
}

impl Syncs {
    /// The rooms that windows look into, the most active first (MSC4186 § Lists): those that the reader is in, is
    /// invited to, knocks at or was removed from, and those that were left since the connection told of them.
    ///
    /// From memory, if the rooms are.
    pub(super) async fn room_list(
        &self,
        reader: &Reader,
        memberships: &RoomsOfUser,
        sent: &Sent,
    ) -> Result<Vec<Entry>, RoomError> {
        let known = || {
            memberships
                .iter()
                .filter(|(_, membership)| !membership.is_forgotten)
        };
        let ended = known().filter(|(room, membership)| {
            Standing::of(&membership.membership) == Standing::Left && !sent.rooms.contains_key(*room)
        });
        let ended = ended.map(|(room, membership)| (*room, membership));
        let removed: HashSet<RoomNumber> = self
            .departures()
            .removed_from(self.rooms(), ended)
            .await?
            .into_iter()
            .collect();
        let unwelcome = self.unwelcome_invites(reader, memberships).await?;
        let is_listed =
            |room: &RoomNumber, membership: &UserMembership| match Standing::of(&membership.membership) {
                Standing::Joined | Standing::Knocked => true,
                Standing::Invited => !unwelcome.contains(&membership.event),
                Standing::Left => removed.contains(room) || sent.rooms.contains_key(room),
            };
        let listed: Vec<RoomNumber> = known()
            .filter(|(room, membership)| is_listed(room, membership))
            .map(|(room, _)| *room)
            .collect();
        let rooms = self.rooms().load(&listed).await?;
        let mut entries: Vec<(Position, Entry)> = Vec::with_capacity(rooms.len());
        for room in rooms {
            if let Some(membership) = memberships.get(&room.number) {
                let entry = Entry::new(room, membership);
                entries.push((entry.active(), entry));
            }
        }
        entries.sort_by_key(|(active, entry)| Reverse((*active, entry.room.number)));
        Ok(entries.into_iter().map(|(_, entry)| entry).collect())
    }

    /// The member events of invites that the reader does not want to see.
    async fn unwelcome_invites(
        &self,
        reader: &Reader,
        memberships: &RoomsOfUser,
    ) -> Result<HashSet<EventNumber>, RoomError> {
        let invites = memberships
            .values()
            .filter(|membership| Standing::of(&membership.membership) == Standing::Invited);
        let invites: Vec<EventNumber> = invites.map(|membership| membership.event).collect();
        if invites.is_empty() {
            return Ok(HashSet::new());
        }
        if self.rooms().blocks_invites(self.accounts(), reader.user).await? {
            return Ok(invites.into_iter().collect());
        }
        if reader.ignored.is_empty() {
            return Ok(HashSet::new());
        }
        let events = self.rooms().events(&invites).await?;
        let unwelcome = events
            .iter()
            .filter(|event| reader.ignored.contains(&event.pdu.sender));
        Ok(unwelcome.map(|event| event.number).collect())
    }
}

impl Entry {
    pub fn new(room: Arc<Room>, membership: &UserMembership) -> Self {
        Self {
            standing: Standing::of(&membership.membership),
            membership: membership.clone(),
            room,
        }
    }

    /// When something last happened in the room that the reader could know of.
    fn active(&self) -> Position {
        match self.standing {
            Standing::Joined => self.room.view().position,
            _ => self.membership.position,
        }
    }
}

impl Standing {
    pub fn of(membership: &MembershipState) -> Self {
        match membership {
            MembershipState::Join => Self::Joined,
            MembershipState::Invite => Self::Invited,
            MembershipState::Knock => Self::Knocked,
            _ => Self::Left,
        }
    }
}
