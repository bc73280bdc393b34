//! Joining rooms by way of other servers (SS API § Joining Rooms).

use std::{collections::HashSet, sync::Arc, time::Duration};

use dashmap::DashMap;
use echorift_events::{Pdu, RoomVersionRules, supported_versions};
use echorift_rooms::{Outcome, PartialAnswer, PartialJoin, Received, Reception, RemoteJoin, Room, RoomError};
use ruma::{
    EventId, OwnedEventId, OwnedRoomId, OwnedServerName, OwnedUserId, RoomId, RoomVersionId, ServerName,
    UserId,
    api::federation::membership::{
        create_join_event::v2::{self as send_join, RoomState},
        prepare_join_event::v1 as make_join,
    },
    events::{TimelineEventType, room::member::MembershipState},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::{Mutex, Semaphore};

use super::{
    handshake::{Made, bad_answer, most_telling, text_of},
    templates::Wanted,
};
use crate::{Federation, FederationError, STATE_ANSWER_BYTES_MAX, SendOptions};

/// How many rooms are joined at the same time: each answer may be of tens of megabytes.
const JOINS_AT_ONCE: usize = 8;
/// How long one user's join may take, all servers together.
const TIME_MAX: Duration = Duration::from_secs(240);
/// A server has so many times `outbound.request_timeout` to put a room's state together and send it.
const STATE_PATIENCE: u32 = 2;
/// Of the servers that are said to be in a room so many are believed.
const SERVERS_MAX: usize = 20_000;

/// How long events of a room that is being joined wait for that: less than their senders wait for an answer.
const EVENTS_PATIENCE: Duration = Duration::from_secs(20);

/// Rooms that are being joined: one at a time for each.
pub(crate) struct Joins {
    rooms: DashMap<OwnedRoomId, Arc<Mutex<()>>>,
    permits: Semaphore,
}

impl Default for Joins {
    fn default() -> Self {
        Self {
            rooms: DashMap::new(),
            permits: Semaphore::new(JOINS_AT_ONCE),
        }
    }
}

impl Joins {
    /// Waits until the room is not being joined, for a while. Others know of a join before the server that joins does, and
    /// what they send in between is for a member.
    pub async fn settled(&self, room_id: &RoomId) {
        let turn = self.rooms.get(room_id).map(|turn| Arc::clone(&turn));
        let Some(turn) = turn else { return };
        if tokio::time::timeout(EVENTS_PATIENCE, turn.lock()).await.is_err() {
            tracing::info!(%room_id, "events have come that wait for a join no longer");
        }
        drop(turn);
        self.tidy(room_id);
    }

    /// Forgets a room that nobody joins any more.
    fn tidy(&self, room_id: &RoomId) {
        self.rooms
            .remove_if(room_id, |_, turn| Arc::strong_count(turn) == 1);
    }
}

/// A join that somebody waits for.
struct Joining {
    room_id: OwnedRoomId,
    via: Vec<OwnedServerName>,
    user: OwnedUserId,
    content: Box<RawValue>,
}

impl Federation {
    /// Joins a local user by way of one of the servers `via`. See [`echorift_rooms::Peers::join`].
    pub(crate) async fn join_remote(
        &self,
        room_id: &RoomId,
        via: &[OwnedServerName],
        user: &UserId,
        content: Box<RawValue>,
    ) -> Result<Arc<Room>, RoomError> {
        let joining = Joining {
            room_id: room_id.to_owned(),
            via: via.to_vec(),
            user: user.to_owned(),
            content,
        };
        let federation = self.clone();
        self.to_its_end(TIME_MAX, async move { federation.join_in_turn(&joining).await })
            .await
    }

    async fn join_in_turn(&self, joining: &Joining) -> Result<Arc<Room>, RoomError> {
        let turn = Arc::clone(&self.joins().rooms.entry(joining.room_id.clone()).or_default());
        let guard = turn.lock().await;
        let joined = match self.join_here(joining).await {
            Ok(Some(room)) => Ok(room),
            Ok(None) => self.join_elsewhere(joining).await,
            Err(error) => Err(error),
        };
        drop(guard);
        drop(turn);
        self.joins().tidy(&joining.room_id);
        let result = if joined.is_ok() { "ok" } else { "failed" };
        metrics::counter!("echorift_federation_joins_total", "result" => result).increment(1);
        joined
    }

    /// Joins the user without others if this server is in the room by now; `None` if it takes others.
    async fn join_here(&self, joining: &Joining) -> Result<Option<Arc<Room>>, RoomError> {
        let rooms = self.rooms();
        let Some(room) = rooms.find_enterable(&joining.room_id).await? else {
            return Ok(None);
        };
        match rooms
            .join_here(&room, &joining.user, joining.content.clone())
            .await
        {
            Ok(()) => Ok(Some(room)),
            Err(RoomError::CannotAuthoriseJoin(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn join_elsewhere(&self, joining: &Joining) -> Result<Arc<Room>, RoomError> {
        let wanted = Wanted {
            room_id: &joining.room_id,
            user: &joining.user,
            membership: MembershipState::Join,
            content: &joining.content,
        };
        let servers = self.servers_to_try(&wanted, &joining.via)?;
        let mut failures = Vec::new();
        for server in servers {
            match self.join_by(&server, &wanted).await {
                Ok(room) => {
                    tracing::info!(room_id = %room.id, user_id = %joining.user, %server, "joined by way of another server");
                    return Ok(room);
                }
                Err(FederationError::Storage(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::info!(room_id = %joining.room_id, %server, %error, "a server did not help to join");
                    failures.push(error);
                }
            }
        }
        Err(most_telling(failures))
    }

    async fn join_by(&self, server: &ServerName, wanted: &Wanted<'_>) -> Result<Arc<Room>, FederationError> {
        let request = make_join::Request {
            room_id: wanted.room_id.to_owned(),
            user_id: wanted.user.to_owned(),
            ver: supported_versions().collect(),
        };
        let answer = self.ask_quickly(server, request).await?;
        let mut made = self.make_event(server, wanted, (answer.room_version, &answer.event))?;
        let request = send_join::Request {
            room_id: wanted.room_id.to_owned(),
            event_id: made.event.event_id.clone(),
            pdu: text_of(&made.event)?,
            // They are fetched once the user is in (SS API § Faster joins).
            omit_members: !self.is_in(wanted.room_id).await?,
        };
        let options = SendOptions {
            timeout: Some(
                self.options()
                    .outbound
                    .request_timeout
                    .saturating_mul(STATE_PATIENCE),
            ),
            answer_bytes_max: STATE_ANSWER_BYTES_MAX,
            even_backing_off: true,
        };
        let permit = self.joins().permits.acquire().await;
        let answer = self
            .client()
            .send_with(server, request, options)
            .await?
            .room_state;
        if let Some(authorising) = made.authorising_server.take() {
            made.event = self
                .signed_by_both(server, &authorising, &made, answer.event.as_deref())
                .await?;
        }
        let room = self.take_room(server, wanted, made, answer).await;
        drop(permit);
        room
    }

    /// The join with the signature of the server that let the user into a restricted room.
    async fn signed_by_both(
        &self,
        server: &ServerName,
        authorising: &ServerName,
        made: &Made,
        copy: Option<&RawValue>,
    ) -> Result<Pdu, FederationError> {
        let copy = copy.ok_or_else(|| bad_answer(server, "it did not return the join with its signature"))?;
        let signed = made
            .event
            .with_signatures_of(authorising, copy.get(), &made.rules)
            .map_err(|error| bad_answer(server, error.to_string()))?;
        let verified = self.verify_pdus(&made.rules, vec![text_of(&signed)?]).await.pop();
        verified.unwrap_or_else(|| Err(bad_answer(server, "the join could not be checked")))
    }

    /// Checks what another server tells of the room, and makes the room one of ours.
    async fn take_room(
        &self,
        server: &ServerName,
        wanted: &Wanted<'_>,
        made: Made,
        told: RoomState,
    ) -> Result<Arc<Room>, FederationError> {
        let partial = told.members_omitted.then(|| partial_answer(server, &told));
        let (state, auth_chain) = self.check_told(server, wanted.room_id, &made.rules, told).await;
        check_create(server, &state, &made.version)?;
        let Made { version, event, .. } = made;
        if let Some(room) = self.rooms().find_enterable(wanted.room_id).await?
            && self.rooms().is_in(&room)
        {
            if partial.is_some() {
                return Err(bad_answer(server, "it left out members that were asked for"));
            }
            self.join_beside(&room, event, state, auth_chain).await?;
            return Ok(room);
        }
        let (join_id, is_partial) = (event.event_id.clone(), partial.is_some());
        let joined = RemoteJoin {
            room_id: wanted.room_id.to_owned(),
            version,
            join: event,
            state,
            auth_chain,
            partial,
        };
        let room = self.rooms().import(joined).await?;
        if is_partial {
            self.fetch_members(server, &room, &join_id).await?;
        }
        Ok(room)
    }

    /// Has the members fetched that the answer to a join left out.
    async fn fetch_members(
        &self,
        server: &ServerName,
        room: &Room,
        join_id: &EventId,
    ) -> Result<(), FederationError> {
        let join = self.rooms().known_events(&[join_id]).await?.remove(join_id);
        if let Some(join) = join {
            self.complete_later(PartialJoin {
                room: room.number,
                join: join.number,
                resident: server.to_owned(),
            });
        }
        Ok(())
    }

    async fn is_in(&self, room_id: &RoomId) -> Result<bool, RoomError> {
        let room = self.rooms().find_enterable(room_id).await?;
        Ok(room.is_some_and(|room| self.rooms().is_in(&room)))
    }

    /// The events that are rightly signed and of this room: state, and auth chain. All are checked together.
    async fn check_told(
        &self,
        server: &ServerName,
        room_id: &RoomId,
        rules: &RoomVersionRules,
        told: RoomState,
    ) -> (Vec<Pdu>, Vec<Pdu>) {
        let RoomState {
            state: mut texts,
            auth_chain,
            ..
        } = told;
        let is_twice: Vec<bool> = {
            let seen: HashSet<&str> = texts.iter().map(|text| text.get()).collect();
            auth_chain.iter().map(|text| seen.contains(text.get())).collect()
        };
        let state_count = texts.len();
        let rest = auth_chain.into_iter().zip(is_twice);
        texts.extend(rest.filter(|(_, is_twice)| !is_twice).map(|(text, _)| text));
        let (mut state, mut chain) = (Vec::with_capacity(state_count), Vec::new());
        let mut left_out = 0_usize;
        for (index, verified) in self.verify_pdus(rules, texts).await.into_iter().enumerate() {
            match verified {
                Ok(pdu) if pdu.room_id == room_id => {
                    let list = if index < state_count {
                        &mut state
                    } else {
                        &mut chain
                    };
                    list.push(pdu);
                }
                Ok(_) => left_out = left_out.saturating_add(1),
                Err(error) => {
                    tracing::debug!(%room_id, %error, "an event of a joined room's state was left out");
                    left_out = left_out.saturating_add(1);
                }
            }
        }
        if left_out > 0 {
            tracing::warn!(%room_id, %server, left_out, "events of a joined room's state were not signed as they should be");
        }
        (state, chain)
    }

    /// Takes the join of a room that this server is in already.
    async fn join_beside(
        &self,
        room: &Arc<Room>,
        join: Pdu,
        state: Vec<Pdu>,
        auth_chain: Vec<Pdu>,
    ) -> Result<(), FederationError> {
        let rooms = self.rooms();
        let ids: Vec<OwnedEventId> = state.iter().map(|pdu| pdu.event_id.clone()).collect();
        let mut received = rooms
            .receive(room, Received::foreign(join.clone()), |_| {})
            .await?;
        if matches!(received, Reception::Missing(_)) {
            let events = auth_chain.into_iter().chain(state).collect();
            rooms.admit_outliers(room, events).await?;
            let told = rooms.told_state(room, &ids).await?;
            received = rooms
                .receive(room, Received::foreign(join).with_state(Some(told)), |_| {})
                .await?;
        }
        let event = match received {
            Reception::Known(event) => event,
            Reception::Taken(event, commit) => {
                commit.done().await?;
                event
            }
            Reception::Missing(_) => {
                let reason = "The other server did not tell what the join is built upon.".to_owned();
                return Err(RoomError::Forbidden(reason).into());
            }
        };
        match event.outcome {
            Outcome::Accepted => Ok(()),
            _ => Err(RoomError::Forbidden("The rules of the room do not allow this.".to_owned()).into()),
        }
    }
}

/// Who can tell the rest of a room whose members were left out. The server that answered is in it in any case.
fn partial_answer(server: &ServerName, told: &RoomState) -> PartialAnswer {
    let names = told.servers_in_room.iter().flatten().take(SERVERS_MAX);
    let mut servers: Vec<OwnedServerName> = names.filter_map(|name| ServerName::parse(name).ok()).collect();
    if !servers.iter().any(|known| known == server) {
        servers.push(server.to_owned());
    }
    PartialAnswer {
        resident: server.to_owned(),
        servers,
    }
}

/// Whether the state has the create event of a room of this version.
fn check_create(server: &ServerName, state: &[Pdu], version: &RoomVersionId) -> Result<(), FederationError> {
    #[derive(Deserialize)]
    struct Create {
        #[serde(default = "first_version")]
        room_version: RoomVersionId,
    }
    let create = state
        .iter()
        .find(|pdu| pdu.is_state_of(&TimelineEventType::RoomCreate));
    let create = create.ok_or_else(|| bad_answer(server, "the room's state has no create event"))?;
    match create.content_as::<Create>() {
        Ok(create) if create.room_version == *version => Ok(()),
        _ => Err(bad_answer(server, "the room is of another version than it said")),
    }
}

fn first_version() -> RoomVersionId {
    RoomVersionId::V1
}
