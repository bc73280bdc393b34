//! What we ask other servers about rooms and people (SS API § Querying for information, § Spaces).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use echorift_rooms::{Order, PeerDirectory, PeerDirectoryRequest, PeerRoom, Room, RoomError};
use echorift_storage::Timestamp;
use http::StatusCode;
use quick_cache::sync::Cache;
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedServerName, RoomAliasId, RoomId, ServerName,
    UInt, UserId,
    api::{
        Direction, OutgoingRequest,
        federation::{
            authentication::ServerSignatures,
            directory::get_public_rooms_filtered,
            event::get_event_by_timestamp,
            query::{get_profile_information, get_room_information},
            space::get_hierarchy,
        },
        path_builder::SinglePath,
    },
};
use serde_json::Value;

use crate::{Federation, FederationError, policy::Crossing};

/// How many servers one question is put to before it is given up, and how long all of it may take: somebody waits.
const SERVERS_MAX: usize = 5;
const TIME_MAX: Duration = Duration::from_secs(20);
/// How long a room's hierarchy is told without asking again, and of how many rooms.
const HIERARCHY_LIFETIME_MS: i64 = 5 * 60 * 1_000;
const HIERARCHIES_MAX: usize = 2_000;
/// Of the children of a space, and of the servers of a room, so many are believed.
const CHILDREN_MAX: usize = 500;
const RESIDENTS_MAX: usize = 50;

type HierarchyKey = (OwnedRoomId, bool);

/// What other servers answered a short while ago.
pub(crate) struct Asked {
    hierarchies: Cache<HierarchyKey, (Timestamp, Option<Arc<PeerRoom>>)>,
}

impl Asked {
    pub(crate) fn new() -> Self {
        Self {
            hierarchies: Cache::new(HIERARCHIES_MAX),
        }
    }
}

impl Federation {
    /// The room behind an alias of another server, and servers that are in it.
    pub(crate) async fn ask_alias(
        &self,
        alias: &RoomAliasId,
    ) -> Result<Option<(OwnedRoomId, Vec<OwnedServerName>)>, RoomError> {
        let request = get_room_information::v1::Request::new(alias.to_owned());
        let answer = within_time(self.client().send(alias.server_name(), request)).await;
        match answer {
            Ok(answer) => {
                let mut servers = answer.servers;
                servers.truncate(RESIDENTS_MAX);
                if !servers.iter().any(|server| server == alias.server_name()) {
                    // It knows the alias, so that it may know more.
                    servers.push(alias.server_name().to_owned());
                }
                Ok(Some((answer.room_id, servers)))
            }
            Err(error) if is_status(&error, StatusCode::NOT_FOUND) => Ok(None),
            Err(error) => Err(room_error(error)),
        }
    }

    /// A room and its children from the first server that shows it.
    pub(crate) async fn ask_hierarchy(
        &self,
        id: &RoomId,
        via: &[OwnedServerName],
        is_suggested_only: bool,
    ) -> Result<Option<Arc<PeerRoom>>, RoomError> {
        let key = (id.to_owned(), is_suggested_only);
        let now = self.clock().now();
        if let Some((until, room)) = self.asked().hierarchies.get(&key)
            && until > now
        {
            return Ok(room);
        }
        let request = get_hierarchy::v1::Request {
            room_id: id.to_owned(),
            suggested_only: is_suggested_only,
        };
        let found = self
            .first_of(id, via, request, |answer| peer_room(id, answer))
            .await?;
        let found = found.map(Arc::new);
        let until = now.plus_ms(HIERARCHY_LIFETIME_MS);
        self.asked().hierarchies.insert(key, (until, found.clone()));
        Ok(found)
    }

    /// A page of another server's room directory.
    pub(crate) async fn ask_directory(
        &self,
        server: &ServerName,
        wanted: PeerDirectoryRequest<'_>,
    ) -> Result<PeerDirectory, RoomError> {
        let request = get_public_rooms_filtered::v1::Request {
            limit: Some(wanted.limit),
            since: wanted.since.map(ToOwned::to_owned),
            filter: wanted.filter.clone(),
            room_network: wanted.network.clone(),
        };
        let answer = within_time(self.client().send(server, request))
            .await
            .map_err(room_error)?;
        let mut chunk = answer.chunk;
        chunk.truncate(usize::try_from(u64::from(wanted.limit)).unwrap_or(usize::MAX));
        Ok(PeerDirectory {
            chunk,
            next: answer.next_batch,
            previous: answer.prev_batch,
            total: answer.total_room_count_estimate,
        })
    }

    /// The event closest to a moment as servers in the room know it.
    pub(crate) async fn ask_by_time(
        &self,
        room: &Room,
        ts: Timestamp,
        order: Order,
    ) -> Result<Option<(OwnedEventId, Timestamp)>, RoomError> {
        let servers = self.rooms().servers_in(room);
        let millis = UInt::try_from(ts.0).unwrap_or_default();
        let request = get_event_by_timestamp::v1::Request {
            room_id: room.id.clone(),
            ts: MilliSecondsSinceUnixEpoch(millis),
            dir: match order {
                Order::NewestFirst => Direction::Backward,
                Order::OldestFirst => Direction::Forward,
            },
        };
        let accept = |answer: get_event_by_timestamp::v1::Response| {
            let sent = Timestamp(answer.origin_server_ts.get().into());
            let is_on_that_side = match order {
                Order::NewestFirst => sent <= ts,
                Order::OldestFirst => sent >= ts,
            };
            is_on_that_side.then_some((answer.event_id, sent))
        };
        self.first_of(&room.id, &servers, request, accept).await
    }

    /// The profile of a user of another server; `None` if there is no such user.
    pub(crate) async fn ask_profile(
        &self,
        user: &UserId,
    ) -> Result<Option<BTreeMap<String, Value>>, FederationError> {
        let request = get_profile_information::v1::Request::new(user.to_owned());
        match within_time(self.client().send(user.server_name(), request)).await {
            Ok(answer) => Ok(Some(
                answer.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            )),
            Err(error) if is_status(&error, StatusCode::NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The first answer of these servers about a room that is one; `None` if those that answer know or show nothing.
    ///
    /// Errors: of the last that failed, if none answered.
    async fn first_of<R, T>(
        &self,
        room: &RoomId,
        servers: &[OwnedServerName],
        request: R,
        accept: impl Fn(R::IncomingResponse) -> Option<T>,
    ) -> Result<Option<T>, RoomError>
    where
        R: OutgoingRequest<Authentication = ServerSignatures, PathBuilder = SinglePath> + Clone,
    {
        let own = self.rooms().server_name();
        let allowed = servers
            .iter()
            .filter(|server| *server != own && self.policy().allows(server, Crossing::Room(room)));
        let asked = async {
            let (mut has_answered, mut failure) = (false, None);
            for server in allowed.take(SERVERS_MAX) {
                let error = match self.client().send(server, request.clone()).await.map(&accept) {
                    Ok(Some(answer)) => return Ok(Some(answer)),
                    Ok(None) => FederationError::BadAnswer {
                        server: server.clone(),
                        reason: "it answered another question".to_owned(),
                    },
                    Err(error) => error,
                };
                tracing::debug!(%error, room_id = %room, "a server was asked about a room in vain");
                if is_status(&error, StatusCode::NOT_FOUND) || is_status(&error, StatusCode::FORBIDDEN) {
                    has_answered = true;
                } else {
                    failure = Some(error);
                }
            }
            match failure {
                Some(failure) if !has_answered => Err(room_error(failure)),
                _ => Ok(None),
            }
        };
        let in_time = tokio::time::timeout(TIME_MAX, asked).await;
        in_time.unwrap_or_else(|_| Err(RoomError::Unreachable("there was no answer in time".to_owned())))
    }
}

/// An answer, however long the client itself would wait.
async fn within_time<T>(
    asking: impl Future<Output = Result<T, FederationError>>,
) -> Result<T, FederationError> {
    let in_time = tokio::time::timeout(TIME_MAX, asking).await;
    in_time.unwrap_or_else(|_| {
        Err(FederationError::Room(Box::new(RoomError::Unreachable(
            "there was no answer in time".to_owned(),
        ))))
    })
}

/// What a server tells of a room and its children, if it is the room that was asked for.
fn peer_room(id: &RoomId, answer: get_hierarchy::v1::Response) -> Option<PeerRoom> {
    if answer.room.summary.room_id != id {
        return None;
    }
    let events = answer.room.children_state.iter().take(CHILDREN_MAX);
    let events = events.filter_map(|event| serde_json::from_str::<Value>(event.json().get()).ok());
    Some(PeerRoom {
        summary: answer.room.summary,
        children_state: events.collect(),
        children: answer.children.into_iter().take(CHILDREN_MAX).collect(),
        inaccessible: answer
            .inaccessible_children
            .into_iter()
            .take(CHILDREN_MAX)
            .collect(),
    })
}

fn is_status(error: &FederationError, wanted: StatusCode) -> bool {
    matches!(error, FederationError::Refused { status, .. } if *status == wanted)
}

/// A failure in the room engine's words.
pub(crate) fn room_error(error: FederationError) -> RoomError {
    match error {
        FederationError::Denied(server) => {
            RoomError::Forbidden(format!("This server does not federate with {server}."))
        }
        // What is wrong between the two servers is none of the client's doing: a 401 would even log it out.
        FederationError::Refused { status, .. }
            if status == StatusCode::UNAUTHORIZED || status.is_server_error() =>
        {
            RoomError::Unreachable(error.to_string())
        }
        FederationError::Refused {
            server,
            status,
            errcode,
            message,
            ..
        } => RoomError::PeerRefused {
            server,
            status,
            errcode,
            message,
        },
        FederationError::Room(error) => *error,
        FederationError::Event(error) => error.into(),
        FederationError::Storage(error) => error.into(),
        // The server is away, or talks nonsense.
        error => RoomError::Unreachable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ruma::{api::IncomingResponseExt as _, room_id};
    use serde_json::json;

    use super::*;

    fn answer(room: &str) -> get_hierarchy::v1::Response {
        let summary = |id: &str| {
            json!({ "room_id": id, "num_joined_members": 1, "world_readable": false, "guest_can_join": false,
                    "join_rule": "public" })
        };
        let mut parent = summary(room);
        parent["children_state"] = json!([{ "type": "m.space.child", "state_key": "!b:x", "sender": "@a:x",
                                            "origin_server_ts": 1, "content": { "via": ["x"] } }]);
        let body =
            json!({ "room": parent, "children": [summary("!b:x")], "inaccessible_children": ["!c:x"] });
        let body = serde_json::to_vec(&body).unwrap();
        get_hierarchy::v1::Response::try_from_http_response(http::Response::new(&*body)).unwrap()
    }

    #[test]
    fn a_server_is_believed_about_the_room_that_was_asked_for() {
        let told = peer_room(room_id!("!a:x"), answer("!a:x")).unwrap();
        assert_eq!(
            (
                told.children_state.len(),
                told.children.len(),
                told.inaccessible.len()
            ),
            (1, 1, 1)
        );
        assert!(peer_room(room_id!("!a:x"), answer("!z:x")).is_none());
    }

    #[test]
    fn a_refusal_reaches_the_client_unless_it_is_between_the_servers() {
        let refused = |status, errcode: &str| {
            room_error(FederationError::Refused {
                server: ruma::owned_server_name!("two.example"),
                status,
                errcode: errcode.to_owned(),
                message: String::new(),
                body: Value::Null,
            })
        };
        let told = refused(StatusCode::FORBIDDEN, "M_FORBIDDEN");
        assert!(matches!(
            told,
            RoomError::PeerRefused {
                status: StatusCode::FORBIDDEN,
                ..
            }
        ));
        for status in [StatusCode::UNAUTHORIZED, StatusCode::INTERNAL_SERVER_ERROR] {
            assert!(matches!(
                refused(status, "M_UNKNOWN_TOKEN"),
                RoomError::Unreachable(_)
            ));
        }
    }
}
