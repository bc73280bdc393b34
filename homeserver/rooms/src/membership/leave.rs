//! Leaving and forgetting.

use std::sync::Arc;

use echorift_storage::{Change, UserNumber};
use ruma::{UserId, events::room::member::MembershipState};

use super::{MemberContent, raw};
use crate::{Room, RoomError, Rooms, store};

impl Rooms {
    /// Leaves a room, declines an invite or takes a knock back; nothing happens to those who have left.
    ///
    /// Errors: `NotJoined` for those who were never in the room, `Forbidden` for those who are banned,
    /// `CannotLeaveNotices` for invites by the server itself.
    pub async fn leave(
        &self,
        room: &Arc<Room>,
        user: &UserId,
        reason: Option<String>,
    ) -> Result<(), RoomError> {
        let standing = self.membership(&room.view().state, user).await?;
        if let Some(standing) = &standing
            && self.is_notice_invite(room, user, standing).await?
        {
            return Err(RoomError::CannotLeaveNotices);
        }
        match standing.map(|(membership, _)| membership) {
            None => {
                return Err(RoomError::NotJoined {
                    user_id: user.to_owned(),
                    room_id: room.id.clone(),
                });
            }
            Some(MembershipState::Leave) => return Ok(()),
            Some(MembershipState::Ban) => {
                return Err(RoomError::Forbidden("You are banned from this room.".to_owned()));
            }
            Some(_) => {}
        }
        let content = MemberContent::new(MembershipState::Leave).with_reason(reason);
        if self.is_elsewhere(room) {
            return self.leave_elsewhere(room, user, raw(&content)?).await;
        }
        self.append(room, content.draft(user, user)?).await?;
        Ok(())
    }

    /// Hides a room from a user who has left it, until they come back. Nothing happens to those who were never in it.
    ///
    /// Errors: `NotLeft`.
    pub async fn forget(&self, room: &Room, user: UserNumber) -> Result<(), RoomError> {
        let rooms = self.rooms_of(user).await?;
        match rooms.get(&room.number).map(|mine| &mine.membership) {
            None => return Ok(()),
            Some(MembershipState::Leave | MembershipState::Ban) => {}
            Some(_) => return Err(RoomError::NotLeft(room.id.clone())),
        }
        let mut change = Change::new();
        store::memberships::forget(&mut change, room.number, user);
        let (rooms, number) = (self.clone(), room.number);
        change.on_commit(move |_| rooms.0.user_rooms.forget(user, number));
        Ok(self.database().writer().commit(change).await?)
    }
}
