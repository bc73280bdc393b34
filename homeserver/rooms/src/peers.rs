//! What the room engine needs of other servers. Federation implements it; without it every room is of this server.

use std::{collections::HashSet, future::Future, pin::Pin, sync::Arc};

use echorift_events::Pdu;
use echorift_storage::Timestamp;
use ruma::{
    OwnedEventId, OwnedRoomId, OwnedServerName, RoomAliasId, RoomId, ServerName, UInt, UserId,
    directory::{Filter, PublicRoomsChunk, RoomNetwork},
    room::RoomSummary,
};
use serde_json::{Value, value::RawValue};

use crate::{HistoryPart, Order, Room, RoomError};

/// What came of asking other servers for history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backfilled {
    /// The timeline has grown, or nothing was missing there.
    Grown,
    /// Nobody has more.
    Nothing,
    /// Not everybody who may have more could be asked.
    Unreachable,
}

/// What a method of [`Peers`] returns.
pub type PeerFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, RoomError>> + Send + 'a>>;

/// A room as another server tells of it, and what that server tells of its children.
#[derive(Debug, Clone)]
pub struct PeerRoom {
    pub summary: RoomSummary,
    /// Its `m.space.child` events, stripped, with their `origin_server_ts`.
    pub children_state: Vec<Value>,
    /// Those of the children that the server knows and that our users could read or enter.
    pub children: Vec<RoomSummary>,
    /// Those that are closed to us, whoever is asked.
    pub inaccessible: HashSet<OwnedRoomId>,
}

/// Which part of another server's room directory is wanted.
#[derive(Debug, Clone, Copy)]
pub struct PeerDirectoryRequest<'a> {
    pub filter: &'a Filter,
    pub network: &'a RoomNetwork,
    pub since: Option<&'a str>,
    pub limit: UInt,
}

/// A page of another server's room directory.
#[derive(Debug, Clone, Default)]
pub struct PeerDirectory {
    pub chunk: Vec<PublicRoomsChunk>,
    pub next: Option<String>,
    pub previous: Option<String>,
    pub total: Option<UInt>,
}

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

    /// An event of ours as the room's policy server has signed it (SS API § Policy Servers); unchanged in rooms that have
    /// none. Errors: `PeerRefused` with what the policy server said.
    fn recommend<'a>(&'a self, room: &'a Arc<Room>, pdu: Pdu) -> PeerFuture<'a, Pdu>;

    /// The room behind an alias of another server, and servers that are in it; `None` if there is no such alias.
    fn resolve_alias<'a>(
        &'a self,
        alias: &'a RoomAliasId,
    ) -> PeerFuture<'a, Option<(OwnedRoomId, Vec<OwnedServerName>)>>;

    /// Fetches up to `limit` events of a part of the room's history that this server lacks, the latest of them. For
    /// whoever asks at the same time as somebody else, what that one gets.
    fn backfill<'a>(
        &'a self,
        room: &'a Arc<Room>,
        part: HistoryPart,
        limit: usize,
    ) -> PeerFuture<'a, Backfilled>;

    /// A room that we are not in, and its children, from the first of the servers `via` that shows it to us; `None` if
    /// none of those that answer does. Answers are kept for a few minutes.
    fn hierarchy<'a>(
        &'a self,
        room_id: &'a RoomId,
        via: &'a [OwnedServerName],
        is_suggested_only: bool,
    ) -> PeerFuture<'a, Option<Arc<PeerRoom>>>;

    /// A page of the room directory of another server.
    fn public_rooms<'a>(
        &'a self,
        server: &'a ServerName,
        request: PeerDirectoryRequest<'a>,
    ) -> PeerFuture<'a, PeerDirectory>;

    /// The event of the room closest to a moment, on one side of it, among those that other servers in the room have;
    /// `None` if they have none.
    fn event_by_time<'a>(
        &'a self,
        room: &'a Arc<Room>,
        ts: Timestamp,
        order: Order,
    ) -> PeerFuture<'a, Option<(OwnedEventId, Timestamp)>>;
}
