//! What the lower layers need of other servers, each in its own words.

use std::{collections::BTreeMap, sync::Arc};

use echorift_accounts::{AccountError, RemoteProfiles};
use echorift_events::Pdu;
use echorift_rooms::{
    Backfilled, HistoryPart, Order, PeerDirectory, PeerDirectoryRequest, PeerFuture, PeerRoom, Peers, Room,
    RoomError,
};
use echorift_storage::Timestamp;
use echorift_web::BoxFuture;
use http::StatusCode;
use ruma::{OwnedEventId, OwnedRoomId, OwnedServerName, RoomAliasId, RoomId, ServerName, UserId};
use serde_json::{Value, value::RawValue};

use crate::{
    Federation,
    queries::{PolicyVerdict, room_error},
};

impl Peers for Federation {
    fn join<'a>(
        &'a self,
        room_id: &'a RoomId,
        via: &'a [OwnedServerName],
        user: &'a UserId,
        content: Box<RawValue>,
    ) -> PeerFuture<'a, Arc<Room>> {
        Box::pin(self.join_remote(room_id, via, user, content))
    }

    fn knock<'a>(
        &'a self,
        room_id: &'a RoomId,
        via: &'a [OwnedServerName],
        user: &'a UserId,
        content: Box<RawValue>,
    ) -> PeerFuture<'a, ()> {
        Box::pin(self.knock_remote(room_id, via, user, content))
    }

    fn leave<'a>(
        &'a self,
        room: &'a Arc<Room>,
        user: &'a UserId,
        content: Box<RawValue>,
    ) -> PeerFuture<'a, ()> {
        Box::pin(self.leave_remote(room, user, content))
    }

    fn invite<'a>(
        &'a self,
        room: &'a Arc<Room>,
        inviter: &'a UserId,
        invitee: &'a UserId,
        content: Box<RawValue>,
    ) -> PeerFuture<'a, ()> {
        Box::pin(self.invite_remote(room, inviter, invitee, content))
    }

    fn recommend<'a>(&'a self, room: &'a Arc<Room>, pdu: Pdu) -> PeerFuture<'a, Pdu> {
        Box::pin(async move {
            match self.check_policy_signature(room, &pdu).await? {
                PolicyVerdict::NotNeeded | PolicyVerdict::Recommended => Ok(pdu),
                PolicyVerdict::Signed(signed) => Ok(*signed),
                PolicyVerdict::NotRecommended(refusal) => Err(refusal.into()),
            }
        })
    }

    fn resolve_alias<'a>(
        &'a self,
        alias: &'a RoomAliasId,
    ) -> PeerFuture<'a, Option<(OwnedRoomId, Vec<OwnedServerName>)>> {
        Box::pin(self.ask_alias(alias))
    }

    fn backfill<'a>(
        &'a self,
        room: &'a Arc<Room>,
        part: HistoryPart,
        limit: usize,
    ) -> PeerFuture<'a, Backfilled> {
        Box::pin(async move {
            Federation::backfill(self, room, part, limit)
                .await
                .map_err(room_error)
        })
    }

    fn hierarchy<'a>(
        &'a self,
        room_id: &'a RoomId,
        via: &'a [OwnedServerName],
        is_suggested_only: bool,
    ) -> PeerFuture<'a, Option<Arc<PeerRoom>>> {
        Box::pin(self.ask_hierarchy(room_id, via, is_suggested_only))
    }

    fn public_rooms<'a>(
        &'a self,
        server: &'a ServerName,
        request: PeerDirectoryRequest<'a>,
    ) -> PeerFuture<'a, PeerDirectory> {
        Box::pin(self.ask_directory(server, request))
    }

    fn event_by_time<'a>(
        &'a self,
        room: &'a Arc<Room>,
        ts: Timestamp,
        order: Order,
    ) -> PeerFuture<'a, Option<(OwnedEventId, Timestamp)>> {
        Box::pin(self.ask_by_time(room, ts, order))
    }
}

impl RemoteProfiles for Federation {
    fn profile<'a>(
        &'a self,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Option<BTreeMap<String, Value>>, AccountError>> {
        Box::pin(async move {
            let away = || AccountError::PeerUnreachable(user.server_name().to_owned());
            self.ask_profile(user)
                .await
                .map_err(|error| match room_error(error) {
                    RoomError::PeerRefused {
                        status,
                        errcode,
                        message,
                        ..
                    } => AccountError::PeerRefused {
                        status,
                        errcode,
                        message,
                    },
                    RoomError::Forbidden(message) => AccountError::PeerRefused {
                        status: StatusCode::FORBIDDEN,
                        errcode: "M_FORBIDDEN".to_owned(),
                        message,
                    },
                    RoomError::Storage(error) => error.into(),
                    _ => away(),
                })
        })
    }
}
