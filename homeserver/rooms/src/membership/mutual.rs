//! The rooms that two users share (CS API § Mutual rooms).

use echorift_storage::{RoomNumber, StorageError, UserNumber};
use ruma::{OwnedRoomId, UserId, events::room::member::MembershipState};

use crate::Rooms;

impl Rooms {
    /// The rooms in which both users are joined, in the order in which this server came to know them, after `after`.
    /// The first of them, whether there are more, and how many there are in all.
    pub async fn mutual_rooms(
        &self,
        user: UserNumber,
        other: &UserId,
        after: RoomNumber,
        limit: usize,
    ) -> Result<MutualRooms, StorageError> {
        let Some(other) = self.users().find(other.as_str()).await?.map(UserNumber) else {
            return Ok(MutualRooms::default());
        };
        let (mine, theirs) = (self.rooms_of(user).await?, self.rooms_of(other).await?);
        let is_joined = |number: &RoomNumber| {
            theirs
                .get(number)
                .is_some_and(|theirs| theirs.membership == MembershipState::Join)
        };
        let shared = mine
            .iter()
            .filter(|(number, mine)| mine.membership == MembershipState::Join && is_joined(number));
        let shared: Vec<i64> = shared.map(|(number, _)| number.0).collect();
        let mut page: Vec<i64> = shared
            .iter()
            .copied()
            .filter(|number| *number > after.0)
            .take(limit + 1)
            .collect();
        let has_more = page.len() > limit;
        page.truncate(limit);
        Ok(MutualRooms {
            next: page.last().copied().filter(|_| has_more).map(RoomNumber),
            rooms: self.room_ids(&page).await?,
            count: shared.len(),
        })
    }
}

/// A page of the rooms that two users share.
#[derive(Debug, Default)]
pub struct MutualRooms {
    pub rooms: Vec<OwnedRoomId>,
    /// Where the next page starts, if there is one.
    pub next: Option<RoomNumber>,
    pub count: usize,
}
