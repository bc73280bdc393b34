use echorift_rooms::{DelayId, Room, RoomError};
use echorift_storage::{Change, UserNumber};
use ruma::{OwnedDeviceId, RoomId, ServerName, UserId};

use super::{SeatClaim, token};
use crate::{
    CallError, Calls, Permission, Sfu,
    authorisation::Standing,
    calls::{Grant, Seat},
    names::{identity, livekit_room},
    options::{TOKEN_LIFETIME, milliseconds},
    peers::PeerTokenRequest,
    store::grants,
};

/// How many seats one user may hold in one call at a time. A client takes one, and another whenever it enters anew.
const SEATS_PER_USER_MAX: i64 = 200;

/// On what terms somebody is let in.
#[derive(Debug, Clone, Copy)]
struct Terms {
    /// Whether the call is opened for them if nobody is in it yet.
    opens_room: bool,
    /// Whether they may send what the room lets them send.
    may_publish: bool,
}

impl Calls {
    /// A token for an SFU of this server, for a user of this server or of another, whom the service's endpoints let in. With
    /// `delay`, it is left to this server to send that event when they are gone.
    ///
    /// Errors: `Forbidden`, `Incomplete` if the event cannot be left to this server, `TooManySeats`, `Sfu`.
    pub(crate) async fn token_by_service(
        &self,
        sfu: &Sfu,
        user: &UserId,
        claim: &SeatClaim,
        delay: Option<&DelayId>,
    ) -> Result<String, CallError> {
        let is_trusted = self.may_publish_here(user.server_name());
        let terms = Terms {
            opens_room: is_trusted,
            may_publish: is_trusted,
        };
        // Clients ask again without the delayed event when they hear that the request is incomplete.
        if delay.is_some() && !self.rooms().is_local(user) {
            return Err(CallError::Incomplete(
                "an account here, with which delayed events are kept",
            ));
        }
        let issued = self.issue(sfu, user, claim, terms, delay).await;
        issued.map_err(|error| match error {
            CallError::UnknownDelay => CallError::Incomplete("the ID of a delayed event of yours"),
            error => error,
        })
    }

    /// A token for an SFU that carries a call of the room, for a user of this server: for one of this server's, or for the one
    /// at `url` of the server named (MSC4195).
    ///
    /// Errors: `Forbidden`, `UnknownSfu`, `TooManySeats`, `Sfu`; about another server's `NoFederation`, `PeerRefused`, `Peer`.
    pub(crate) async fn token_of_session(
        &self,
        user: &UserId,
        (server, url): (&ServerName, &str),
        claim: &SeatClaim,
    ) -> Result<String, CallError> {
        if server == self.rooms().server_name() {
            let sfu = self.sfu_at(url)?;
            let terms = Terms {
                opens_room: true,
                may_publish: true,
            };
            return self.issue(sfu, user, claim, terms, None).await;
        }
        let room = self.room(&claim.room_id).await?;
        self.rooms()
            .check_joined(&room, user)
            .await
            .map_err(not_in_room)?;
        let peers = self.peers()?;
        let is_there = room.view().members.remote_servers.contains_key(server);
        if !is_there || !peers.may_call(server) {
            return Err(CallError::Forbidden);
        }
        let request = PeerTokenRequest {
            user_id: user.to_owned(),
            url: url.to_owned(),
            room_id: claim.room_id.clone(),
            slot_id: claim.slot_id.clone(),
            member: claim.member.clone(),
        };
        peers.livekit_token(server, request).await
    }

    /// A token for an SFU of this server, for a user for whom their server asks: they listen here and send by their own
    /// server's SFU (MSC4195).
    ///
    /// Errors: `Forbidden`, also for users who are not of `origin`; `UnknownSfu`, `TooManySeats`, `Sfu`.
    pub async fn token_for_peer(
        &self,
        origin: &ServerName,
        user: &UserId,
        url: &str,
        claim: &SeatClaim,
    ) -> Result<String, CallError> {
        if user.server_name() != origin {
            return Err(CallError::Forbidden);
        }
        let sfu = self.sfu_at(url)?;
        let terms = Terms {
            opens_room: true,
            may_publish: false,
        };
        self.issue(sfu, user, claim, terms, None).await
    }

    pub(crate) fn sfu_at(&self, url: &str) -> Result<&Sfu, CallError> {
        if !self.0.options.is_on {
            return Err(CallError::Off);
        }
        let sfu = self.sfus().by_url(url);
        sfu.ok_or_else(|| CallError::UnknownSfu(url.to_owned()))
    }

    /// The room of a claim. Rooms that are not here are not told apart from those that the user is not in.
    pub(crate) async fn room(&self, id: &RoomId) -> Result<std::sync::Arc<Room>, CallError> {
        self.rooms().room(id).await.map_err(not_in_room)
    }

    async fn issue(
        &self,
        sfu: &Sfu,
        user_id: &UserId,
        claim: &SeatClaim,
        terms: Terms,
        delay: Option<&DelayId>,
    ) -> Result<String, CallError> {
        let room = self.room(&claim.room_id).await?;
        let user = self.rooms().user_number(user_id).await?;
        let standing = Standing {
            room: &room,
            user,
            user_id,
        };
        let permission = self.permission(&standing).await?.ok_or(CallError::Forbidden)?;
        let seat = Seat {
            sfu: sfu.options().name.clone(),
            livekit_room: livekit_room(&room.id, &claim.slot_id),
            identity: identity(user_id, &claim.member),
        };
        let delay = match delay {
            Some(delay) => Some(self.delayed_leave(&room, user_id, delay).await?),
            None => None,
        };
        let device_id = self.known_device(user_id, user, claim).await?;
        let held = grants::count_others(self.database(), &seat, user, self.now()).await?;
        if held >= SEATS_PER_USER_MAX {
            return Err(CallError::TooManySeats);
        }
        if terms.opens_room {
            sfu.create_room(&seat.livekit_room).await?;
        }
        let now = self.now();
        let mut grant = Grant {
            seat,
            room: room.number,
            user,
            device_id,
            issued: now,
            expires: now.plus_ms(milliseconds(TOKEN_LIFETIME)),
            permission: if terms.may_publish {
                permission
            } else {
                Permission::nothing()
            },
            is_listener: !terms.may_publish,
            is_revoked: false,
        };
        self.0.rooms_with_grants.insert(room.number);
        self.put_grant(&grant).await?;
        // Who was put out of the room or demoted meanwhile held no grant then that could have been changed.
        let holds = self.permission(&standing).await?;
        grant.is_revoked = holds.is_none();
        let holds = holds.filter(|_| terms.may_publish).unwrap_or_default();
        if grant.is_revoked || grant.permission != holds {
            grant.permission = holds;
            self.put_grant(&grant).await?;
        }
        if grant.is_revoked {
            return Err(CallError::Forbidden);
        }
        let jwt = token::sign(sfu.options(), &grant.seat, &grant.permission)?;
        if let Some(delay) = delay {
            self.leave_to_us(grant.seat, delay).await?;
        }
        metrics::counter!("echorift_calls_tokens_total").increment(1);
        Ok(jwt)
    }

    pub(crate) async fn put_grant(&self, grant: &Grant) -> Result<(), CallError> {
        let mut change = Change::new();
        grants::put(&mut change, grant);
        self.database().writer().commit(change).await?;
        Ok(())
    }

    /// The device of a claim, if it is one of this server's: what other clients claim is only a name.
    async fn known_device(
        &self,
        user_id: &UserId,
        user: UserNumber,
        claim: &SeatClaim,
    ) -> Result<Option<OwnedDeviceId>, CallError> {
        let Some(device_id) = claim
            .member
            .device_id()
            .filter(|_| self.rooms().is_local(user_id))
        else {
            return Ok(None);
        };
        let device_id = OwnedDeviceId::from(device_id);
        let devices = [(user, device_id.clone())];
        let is_gone = !self.accounts().ended_devices(&devices).await?.is_empty();
        Ok((!is_gone).then_some(device_id))
    }
}

/// Outsiders learn nothing of rooms, not even which there are.
fn not_in_room(error: RoomError) -> CallError {
    match error {
        RoomError::UnknownRoom(_) | RoomError::NotJoined { .. } => CallError::Forbidden,
        error => error.into(),
    }
}
