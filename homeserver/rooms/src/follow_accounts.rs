//! What accounts do, rooms follow: new names and pictures are written into the rooms, ended accounts leave them.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use echorift_accounts::{AccountObserver, Profile, ProfileObserver};
use echorift_web::BoxFuture;
use futures_util::{StreamExt as _, stream};
use ruma::{UserId, events::room::member::MembershipState};

use crate::{EventDraft, Room, RoomError, Rooms, membership::MemberContent};

/// How many rooms of one user are written to at the same time.
const ROOMS_AT_ONCE: usize = 16;

impl ProfileObserver for Rooms {
    fn profile_changed<'a>(&'a self, user: &'a UserId, profile: &'a Profile) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let content = MemberContent::new(MembershipState::Join).with_profile(Some(profile));
            self.write_everywhere(user, &[MembershipState::Join], &content)
                .await;
        })
    }
}

impl AccountObserver for Rooms {
    fn deactivated<'a>(&'a self, user: &'a UserId, _erase: bool) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let present = [
                MembershipState::Join,
                MembershipState::Invite,
                MembershipState::Knock,
            ];
            self.write_everywhere(user, &present, &MemberContent::new(MembershipState::Leave))
                .await;
        })
    }
}

impl Rooms {
    /// Sends a member event of the user about themselves to every room in which they have one of these memberships. A
    /// room that refuses does not stop the others; the log says which.
    async fn write_everywhere(
        &self,
        user: &UserId,
        memberships: &[MembershipState],
        content: &MemberContent,
    ) {
        let written = self.try_write_everywhere(user, memberships, content).await;
        if let Err(error) = written {
            tracing::error!(user_id = %user, %error, "the rooms of a user could not be told of a change");
        }
    }

    async fn try_write_everywhere(
        &self,
        user: &UserId,
        memberships: &[MembershipState],
        content: &MemberContent,
    ) -> Result<(), RoomError> {
        let draft = content.draft(user, user)?;
        let mine = self.rooms_of(self.user_number(user).await?).await?;
        let concerned = mine
            .iter()
            .filter(|(_, mine)| memberships.contains(&mine.membership));
        let numbers: Vec<_> = concerned.map(|(number, _)| *number).collect();
        let rooms = self.load(&numbers).await?;
        let append = |room: Arc<Room>| self.append_or_log(room, draft.clone());
        stream::iter(rooms)
            .map(append)
            .buffer_unordered(ROOMS_AT_ONCE)
            .collect::<()>()
            .await;
        Ok(())
    }

    async fn append_or_log(&self, room: Arc<Room>, draft: EventDraft) {
        let sender = draft.sender.clone();
        // Only invites and knocks are left where this server is not.
        let written = match self.is_elsewhere(&room) {
            true => self.leave_elsewhere(&room, &sender, draft.content).await,
            false => self.append(&room, draft).await.map(drop),
        };
        if let Err(error) = written {
            tracing::warn!(room_id = %room.id, user_id = %sender, %error, "a room did not take a user's change");
        }
    }
}
