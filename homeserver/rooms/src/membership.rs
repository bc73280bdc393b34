//! Who is in a room, and how that changes (CS API § Room membership).

mod content;
mod elsewhere;
mod join;
mod leave;
mod mutual;
mod several;
#[cfg(test)]
mod tests;

pub(crate) use self::content::{MemberContent, raw};
pub use self::{
    join::JoinRequest,
    mutual::MutualRooms,
    several::{Entrant, Entry},
};

use std::sync::Arc;

use echorift_accounts::Accounts;
use echorift_storage::{Change, StorageError, UserNumber};
use ruma::{EventId, OwnedRoomId, RoomId, UserId, events::room::member::MembershipState};
use serde::Deserialize;

use crate::{Event, EventDraft, Room, RoomError, Rooms};

/// The account data in which users say whom they let invite them (CS API § Invite permission), and its name before it
/// was stable (MSC4380).
const INVITE_PERMISSION: [&str; 2] = [
    "m.invite_permission_config",
    "org.matrix.msc4380.invite_permission_config",
];

#[derive(Deserialize)]
struct InvitePermission {
    default_action: Option<String>,
    /// As the action was written before.
    #[serde(default)]
    block_all: bool,
}

impl InvitePermission {
    fn blocks(&self) -> bool {
        self.block_all || self.default_action.as_deref() == Some("block")
    }
}

impl Rooms {
    /// The rooms that a user is in, in the order in which this server came to know them.
    pub async fn joined_rooms(&self, user: UserNumber) -> Result<Vec<OwnedRoomId>, StorageError> {
        let mine = self.rooms_of(user).await?;
        let joined = mine
            .iter()
            .filter(|(_, mine)| mine.membership == MembershipState::Join);
        let numbers: Vec<i64> = joined.map(|(number, _)| number.0).collect();
        self.room_ids(&numbers).await
    }

    /// Invites a user, or repeats the invite.
    ///
    /// Someone of this server need not have an account: the directory makes it at their first login. Someone of another
    /// is invited once their server has agreed.
    ///
    /// Errors: `Refused`, `InviteBlocked`, `Blocked`, `RemoteUser` without federation, `Unreachable`, `PeerRefused`.
    pub async fn invite(
        &self,
        accounts: &Accounts,
        room: &Arc<Room>,
        (inviter, invitee): (&UserId, &UserId),
        reason: Option<String>,
    ) -> Result<(), RoomError> {
        self.check_invitee(accounts, Some(&room.id), invitee).await?;
        let profile = accounts.profile(invitee).await?;
        let content = MemberContent::new(MembershipState::Invite)
            .with_profile(profile.as_ref())
            .with_reason(reason);
        if !self.is_local(invitee) {
            return self.peers()?.invite(room, inviter, invitee, raw(&content)?).await;
        }
        self.append(room, content.draft(inviter, invitee)?).await?;
        Ok(())
    }

    /// Whether an invite can reach the user at all. What those of other servers want their servers know. A room that is only
    /// being made has no ID yet.
    ///
    /// Errors: `InviteBlocked`, `Blocked`, `RemoteUser` without federation.
    pub async fn check_invitee(
        &self,
        accounts: &Accounts,
        room: Option<&RoomId>,
        invitee: &UserId,
    ) -> Result<(), RoomError> {
        if !self.is_local(invitee) {
            return match self.peers() {
                Ok(_) => Ok(()),
                Err(_) => Err(RoomError::RemoteUser(invitee.to_owned())),
            };
        }
        if let Some(room) = room {
            self.check_not_blocked(room).await?;
        }
        accounts.ask_services_for(invitee).await?;
        let Some(number) = self.users().find(invitee.as_str()).await? else {
            return Ok(());
        };
        if self.blocks_invites(accounts, UserNumber(number)).await? {
            return Err(RoomError::InviteBlocked(invitee.to_owned()));
        }
        Ok(())
    }

    /// Whether the user lets nobody invite them. Invites of the time before are not shown to them either.
    pub async fn blocks_invites(&self, accounts: &Accounts, user: UserNumber) -> Result<bool, RoomError> {
        let data = accounts.global_account_data(user).await?;
        let permissions = INVITE_PERMISSION.iter().filter_map(|name| data.get(*name));
        let mut permissions = permissions
            .filter_map(|datum| serde_json::from_str::<InvitePermission>(datum.content.get()).ok());
        Ok(permissions.any(|permission| permission.blocks()))
    }

    /// Removes a user who is in the room, was invited or knocks. Errors: `Forbidden`, `Refused`.
    pub async fn kick(
        &self,
        room: &Arc<Room>,
        (kicker, target): (&UserId, &UserId),
        reason: Option<String>,
    ) -> Result<(), RoomError> {
        self.check_joined(room, kicker).await?;
        let membership = self.membership(&room.view().state, target).await?;
        match membership.map(|(membership, _)| membership) {
            Some(MembershipState::Join | MembershipState::Invite | MembershipState::Knock) => {}
            _ => return Err(RoomError::Forbidden(format!("{target} is not in this room."))),
        }
        self.set_membership(room, (kicker, target), MembershipState::Leave, reason)
            .await
    }

    /// Bans a user, whether in the room or not. Errors: `Refused`.
    pub async fn ban(
        &self,
        room: &Arc<Room>,
        (banner, target): (&UserId, &UserId),
        reason: Option<String>,
    ) -> Result<(), RoomError> {
        self.set_membership(room, (banner, target), MembershipState::Ban, reason)
            .await
    }

    /// Lifts a ban. Errors: `Forbidden` if there is none, `Refused`.
    pub async fn unban(
        &self,
        room: &Arc<Room>,
        (unbanner, target): (&UserId, &UserId),
        reason: Option<String>,
    ) -> Result<(), RoomError> {
        self.check_joined(room, unbanner).await?;
        let membership = self.membership(&room.view().state, target).await?;
        if !matches!(membership, Some((MembershipState::Ban, _))) {
            return Err(RoomError::Forbidden(format!(
                "{target} is not banned from this room."
            )));
        }
        self.set_membership(room, (unbanner, target), MembershipState::Leave, reason)
            .await
    }

    async fn set_membership(
        &self,
        room: &Arc<Room>,
        (sender, target): (&UserId, &UserId),
        membership: MembershipState,
        reason: Option<String>,
    ) -> Result<(), RoomError> {
        let content = MemberContent::new(membership).with_reason(reason);
        self.append(room, content.draft(sender, target)?).await?;
        Ok(())
    }

    /// Writes a member event with content of the sender's own making, as `PUT …/state/m.room.member/{userId}` does:
    /// the same conditions hold as for the endpoint of that membership.
    ///
    /// A join without permission of its own gets the restricted rooms' one added. What takes other servers goes by them.
    /// `also` is written in one commit with what is simply appended, and otherwise not at all.
    pub(crate) async fn set_member_content(
        &self,
        accounts: &Accounts,
        room: &Arc<Room>,
        target: &UserId,
        draft: EventDraft,
        also: impl FnOnce(&mut Change, &EventId),
    ) -> Result<Arc<Event>, RoomError> {
        #[derive(Deserialize)]
        struct Membership {
            membership: MembershipState,
        }
        let (sender, content) = (&*draft.sender, draft.content.clone());
        let read: Result<Membership, _> = serde_json::from_str(content.get());
        let membership = read
            .map_err(|error| RoomError::BadRequest(error.to_string()))?
            .membership;
        let (is_own, is_elsewhere) = (sender == target, self.is_elsewhere(room));
        match membership {
            MembershipState::Invite if !self.is_local(target) => {
                self.check_invitee(accounts, Some(&room.id), target).await?;
                self.peers()?.invite(room, sender, target, content).await?;
                return self.member_event(room, target).await;
            }
            MembershipState::Join if is_own && is_elsewhere => {
                let via = self.servers_to_enter_by(&room.id, &[], target).await?;
                self.peers()?.join(&room.id, &via, target, content).await?;
                let room = self.room(&room.id).await?;
                return self.member_event(&room, target).await;
            }
            MembershipState::Knock if is_own && is_elsewhere => {
                let via = self.servers_to_enter_by(&room.id, &[], target).await?;
                self.peers()?.knock(&room.id, &via, target, content).await?;
                return self.member_event(room, target).await;
            }
            MembershipState::Leave if is_own && is_elsewhere => {
                self.leave_elsewhere(room, target, content).await?;
                return self.member_event(room, target).await;
            }
            MembershipState::Invite => {
                self.check_invitee(accounts, Some(&room.id), target).await?;
            }
            MembershipState::Leave if is_own => {
                if let Some(standing) = self.membership(&room.view().state, target).await?
                    && self.is_notice_invite(room, target, &standing).await?
                {
                    return Err(RoomError::CannotLeaveNotices);
                }
            }
            MembershipState::Join if is_own => {
                match self.join_here(room, target, content.clone()).await {
                    Err(error @ RoomError::CannotAuthoriseJoin(_)) => {
                        self.join_by_inviter(room, target, content, error).await?;
                    }
                    joined => joined?,
                }
                return self.member_event(room, target).await;
            }
            _ => {}
        }
        let mut events = self.append_with(room, vec![draft], also).await?;
        events
            .pop()
            .ok_or_else(|| StorageError::corrupt("append", "no event").into())
    }

    /// What says how the user stands to the room. Errors: `NotJoined` if nothing does.
    async fn member_event(&self, room: &Room, user: &UserId) -> Result<Arc<Event>, RoomError> {
        let standing = self.membership(&room.view().state, user).await?;
        let (_, event) = standing.ok_or_else(|| RoomError::NotJoined {
            user_id: user.to_owned(),
            room_id: room.id.clone(),
        })?;
        Ok(event)
    }
}
