//! What the room engine needs of other servers. Federation implements it; without it every room is of this server.

use std::{future::Future, pin::Pin, sync::Arc};

use ruma::{OwnedRoomId, OwnedServerName, RoomAliasId, RoomId, UserId};
use serde_json::value::RawValue;

use crate::{Room, RoomError};

/// What a method of [`Peers`] returns.
pub type PeerFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, RoomError>> + Send + 'a>>;

/// Other servers, in the room engine's words. Every method is bounded in time.
///
/// Errors: `Unreachable` if none of the servers could be asked, `PeerRefused` with the answer of the one that refused.
pub trait Peers: Send + Sync {
    /// Joins a local user by way of one of the servers `via`, tried in order. `content` is that of the member event.
    fn join<'a>(
        &'a self,
        room_id: &'a RoomId,
        via: &'a [OwnedServerName],
        user: &'a UserId,
        content: Box<RawValue>,
    ) -> PeerFuture<'a, Arc<Room>>;

    /// Knocks for a local user, likewise.
    fn knock<'a>(
        &'a self,
        room_id: &'a RoomId,
        via: &'a [OwnedServerName],
        user: &'a UserId,
        content: Box<RawValue>,
    ) -> PeerFuture<'a, ()>;

    /// Declines an invite or takes back a knock in a room that this server is not in.
    fn leave<'a>(
        &'a self,
        room: &'a Arc<Room>,
        user: &'a UserId,
        content: Box<RawValue>,
    ) -> PeerFuture<'a, ()>;

    /// Invites a user of another server into a room that this server is in.
    fn invite<'a>(
        &'a self,
        room: &'a Arc<Room>,
        inviter: &'a UserId,
        invitee: &'a UserId,
        content: Box<RawValue>,
    ) -> PeerFuture<'a, ()>;

    /// The room behind an alias of another server, and servers that are in it; `None` if there is no such alias.
    fn resolve_alias<'a>(
        &'a self,
        alias: &'a RoomAliasId,
    ) -> PeerFuture<'a, Option<(OwnedRoomId, Vec<OwnedServerName>)>>;

    /// Fetches up to `limit` events from before the oldest that this server has of the room's timeline; how many came.
    fn backfill<'a>(&'a self, room: &'a Arc<Room>, limit: usize) -> PeerFuture<'a, usize>;
}
