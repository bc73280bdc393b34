//! Entering and leaving rooms, and inviting people, by way of other servers.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use echorift_accounts::Accounts;
use futures_util::{StreamExt as _, stream};
use ruma::{OwnedServerName, OwnedUserId, RoomId, UserId, events::room::member::MembershipState};
use serde_json::value::RawValue;

use super::{JoinRequest, MemberContent, raw};
use crate::{Room, RoomError, Rooms};

/// How many servers are invited from at the same time while a room is made.
const INVITES_AT_ONCE: usize = 8;
/// How long the creator of a room waits for other servers to take its invites; they go on after that.
const INVITES_WAIT: Duration = Duration::from_secs(10);

impl Rooms {
    /// The room, if users of ours can enter it without other servers.
    pub async fn find_enterable(&self, id: &RoomId) -> Result<Option<Arc<Room>>, RoomError> {
        match self.room(id).await {
            Ok(room) => Ok(Some(room).filter(|room| !self.is_elsewhere(room))),
            Err(RoomError::UnknownRoom(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Joins a local user to a room that this server is not in, by way of one of the servers `via`.
    ///
    /// Errors: `NotFound` if there is nobody to ask, `Unreachable`, `PeerRefused`.
    pub async fn join_elsewhere(
        &self,
        accounts: &Accounts,
        id: &RoomId,
        via: &[OwnedServerName],
        user: &UserId,
        request: JoinRequest,
    ) -> Result<Arc<Room>, RoomError> {
        let via = self.servers_to_enter_by(id, via, user).await?;
        let profile = accounts.profile(user).await?;
        let content = MemberContent::new(MembershipState::Join)
            .with_profile(profile.as_ref())
            .with_reason(request.reason);
        let room = self.peers()?.join(id, &via, user, raw(&content)?).await?;
        self.carry_over_settings(accounts, &room, user).await;
        Ok(room)
    }

    /// Knocks for a local user at a room that this server is not in. Errors as [`Rooms::join_elsewhere`].
    pub async fn knock_elsewhere(
        &self,
        accounts: &Accounts,
        id: &RoomId,
        via: &[OwnedServerName],
        user: &UserId,
        reason: Option<String>,
    ) -> Result<(), RoomError> {
        let via = self.servers_to_enter_by(id, via, user).await?;
        let profile = accounts.profile(user).await?;
        let content = MemberContent::new(MembershipState::Knock)
            .with_profile(profile.as_ref())
            .with_reason(reason);
        self.peers()?.knock(id, &via, user, raw(&content)?).await
    }

    /// Servers by which a user can enter a room, each once: the inviter's, those given, those that were in the room when
    /// this server last was, and the one that the room's ID names.
    ///
    /// Errors: `NotFound` if there are none, `Blocked`.
    pub(super) async fn servers_to_enter_by(
        &self,
        id: &RoomId,
        via: &[OwnedServerName],
        user: &UserId,
    ) -> Result<Vec<OwnedServerName>, RoomError> {
        self.check_not_blocked(id).await?;
        let mut candidates = via.to_vec();
        match self.room(id).await {
            Ok(room) => {
                if let Some((MembershipState::Invite, event)) =
                    self.membership(&room.view().state, user).await?
                {
                    candidates.insert(0, event.pdu.sender.server_name().to_owned());
                }
                candidates.extend(self.servers_in(&room));
            }
            Err(RoomError::UnknownRoom(_)) => {}
            Err(error) => return Err(error),
        }
        candidates.extend(id.server_name().map(ToOwned::to_owned));
        let mut seen = BTreeSet::from([self.server_name().to_owned()]);
        candidates.retain(|server| seen.insert(server.clone()));
        if candidates.is_empty() {
            return Err(RoomError::NotFound(format!("The room {id} is not known here.")));
        }
        Ok(candidates)
    }

    /// Joins a local user to a room that this server is in by way of another one, who may invite. `refusal` is what is
    /// answered if there is none.
    pub(super) async fn join_by_inviter(
        &self,
        room: &Arc<Room>,
        user: &UserId,
        content: Box<RawValue>,
        refusal: RoomError,
    ) -> Result<(), RoomError> {
        let via = self.servers_that_may_invite(room).await?;
        let Ok(peers) = self.peers() else {
            return Err(refusal);
        };
        if via.is_empty() {
            return Err(refusal);
        }
        peers.join(&room.id, &via, user, content).await?;
        Ok(())
    }

    /// Other servers with members who may invite; those with the most members first if everybody may.
    async fn servers_that_may_invite(&self, room: &Room) -> Result<Vec<OwnedServerName>, RoomError> {
        let view = room.view();
        let (levels, creators) = self.power_levels(room, &view.state).await?;
        let mut servers: Vec<OwnedServerName> = Vec::new();
        for user in creators.iter().chain(levels.users().keys()) {
            let server = user.server_name();
            let is_candidate = levels.can_invite(user)
                && view.members.remote_servers.contains_key(server)
                && !servers.iter().any(|known| known == server);
            if is_candidate && self.is_joined(room, user).await? {
                servers.push(server.to_owned());
            }
        }
        if levels.users_default() >= levels.invite() {
            for server in self.servers_in(room) {
                if server != self.server_name() && !servers.contains(&server) {
                    servers.push(server);
                }
            }
        }
        Ok(servers)
    }

    async fn is_joined(&self, room: &Room, user: &UserId) -> Result<bool, RoomError> {
        let number = self.users().find(user.as_str()).await?;
        let members = &room.view().members;
        Ok(number.is_some_and(|number| members.joined.contains(&echorift_storage::UserNumber(number))))
    }

    /// Declines an invite or takes back a knock in a room that this server is not in.
    ///
    /// The user is rid of it even if nobody can be reached.
    pub(crate) async fn leave_elsewhere(
        &self,
        room: &Arc<Room>,
        user: &UserId,
        content: Box<RawValue>,
    ) -> Result<(), RoomError> {
        match self.peers() {
            Ok(peers) => peers.leave(room, user, content).await,
            Err(_) => self.leave_outside(room, user, content).await,
        }
    }

    /// Invites users of other servers into a room that was just made. Whom their servers do not let be invited is left
    /// out: the room is there, and its creator can see who is in it.
    pub(crate) async fn invite_all_elsewhere(
        &self,
        room: &Arc<Room>,
        inviter: &UserId,
        invitees: Vec<(OwnedUserId, Box<RawValue>)>,
    ) {
        let (rooms, room, inviter) = (self.clone(), Arc::clone(room), inviter.to_owned());
        let inviting = async move {
            stream::iter(invitees)
                .for_each_concurrent(INVITES_AT_ONCE, |(invitee, content)| {
                    let (rooms, room, inviter) = (&rooms, &room, &inviter);
                    async move {
                        let invited = match rooms.peers() {
                            Ok(peers) => peers.invite(room, inviter, &invitee, content).await,
                            Err(error) => Err(error),
                        };
                        if let Err(error) = invited {
                            tracing::warn!(room_id = %room.id, user_id = %invitee, %error, "an invite did not arrive");
                        }
                    }
                })
                .await;
        };
        // Goes on if the creator's client is gone, and after the wait.
        let _ = tokio::time::timeout(INVITES_WAIT, tokio::spawn(inviting)).await;
    }
}
