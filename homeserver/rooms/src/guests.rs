//! What rooms let guests do (CS API § Guest access).

use std::sync::Arc;

use echorift_accounts::Accounts;
use echorift_storage::{StorageError, UserNumber};
use ruma::events::room::member::MembershipState;
use serde::Deserialize;

use crate::{Room, RoomError, Rooms, State, membership::MemberContent};

#[derive(Deserialize)]
struct GuestAccess {
    guest_access: String,
}

impl Rooms {
    /// Whether guests may join: only where the room says so.
    pub async fn welcomes_guests(&self, state: &State) -> Result<bool, StorageError> {
        let content: Option<GuestAccess> = self.state_content(state, "m.room.guest_access").await?;
        Ok(content.is_some_and(|content| content.guest_access == "can_join"))
    }

    /// Fails with `GuestsForbidden` if the user is a guest and the room welcomes none.
    pub async fn check_guest(
        &self,
        accounts: &Accounts,
        room: &Room,
        user: UserNumber,
    ) -> Result<(), RoomError> {
        if accounts.is_guest(user) && !self.welcomes_guests(&room.view().state).await? {
            return Err(RoomError::GuestsForbidden);
        }
        Ok(())
    }

    /// Takes the guests out of a room that welcomes them no longer; nothing happens in one that does.
    ///
    /// To be called after the room's state has changed in that respect. Should the server stop in between, the guests
    /// stay and can do nothing, for [`Rooms::check_guest`] is asked again whenever they try.
    pub async fn expel_guests(&self, accounts: &Accounts, room: &Arc<Room>) -> Result<(), RoomError> {
        let view = room.view();
        if self.welcomes_guests(&view.state).await? {
            return Ok(());
        }
        let local = view.members.joined_local.iter().copied();
        let guests: Vec<UserNumber> = local.filter(|user| accounts.is_guest(*user)).collect();
        if guests.is_empty() {
            return Ok(());
        }
        let leave = MemberContent::new(MembershipState::Leave);
        let users = self.user_ids(&guests).await?;
        let leaves = users.iter().map(|user| leave.draft(user, user));
        self.append_all(room, leaves.collect::<Result<_, _>>()?).await?;
        Ok(())
    }
}
