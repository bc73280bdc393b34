//! What an event is built upon, fetched from other servers (SS API § Retrieving events, § Backfilling).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use echorift_events::Pdu;
use echorift_rooms::{MissingAncestors, Outcome, Received, Reception, Room, ToldState};
use futures_util::{StreamExt as _, stream};
use ruma::{
    EventId, OwnedEventId, OwnedServerName, ServerName, UInt,
    api::federation::{
        authorization::get_event_authorization,
        event::{get_event, get_missing_events, get_room_state, get_room_state_ids},
    },
};
use serde_json::value::RawValue;

use crate::{Federation, FederationError, STATE_ANSWER_BYTES_MAX, SendOptions};

/// How many servers are asked for what one event lacks.
const SERVERS_ASKED: usize = 4;
/// How many events are asked for in one step back, and how many steps are taken. Beyond that the state is asked for,
/// and the gap stays.
pub(super) const GAP_STEP: u32 = 50;
const GAP_STEPS_MAX: usize = 25;
/// Up to so many missing events of a state are fetched one by one, so many at a time; otherwise the whole state.
const SINGLY_MAX: usize = 100;
const AT_ONCE: usize = 8;
/// The state of a large room takes its time, and its room.
const STATE_OPTIONS: SendOptions = SendOptions {
    timeout: Some(Duration::from_secs(180)),
    answer_bytes_max: STATE_ANSWER_BYTES_MAX,
    even_backing_off: false,
};
/// How many events of a state and its auth chain are looked at.
const STATE_EVENTS_MAX: usize = 500_000;

impl Federation {
    /// Servers that are in the room, the one that sent something first, then those with the most members; those that
    /// are down or kept apart are left out by whoever asks them.
    pub(super) fn servers_to_ask(&self, room: &Room, origin: Option<&ServerName>) -> Vec<OwnedServerName> {
        let view = room.view();
        let mut others: Vec<(&OwnedServerName, &usize)> = view
            .members
            .remote_servers
            .iter()
            .filter(|(server, _)| Some(&***server) != origin)
            .collect();
        others.sort_by_key(|(_, members)| std::cmp::Reverse(**members));
        let others = others.into_iter().map(|(server, _)| server.clone());
        let servers = origin.map(ToOwned::to_owned).into_iter().chain(others);
        servers.take(SERVERS_ASKED).collect()
    }

    /// Fetches from one server what the event lacks: parents as far as they can be had, otherwise the state before it.
    pub(super) async fn fetch_ancestors(
        &self,
        room: &Arc<Room>,
        server: &ServerName,
        pdu: &Pdu,
        missing: &MissingAncestors,
    ) -> Result<Option<ToldState>, FederationError> {
        if !missing.prev_events.is_empty() {
            self.fill_gap(room, server, pdu).await?;
            let parents: Vec<&EventId> = missing.prev_events.iter().map(|id| &**id).collect();
            let known = self.rooms().known_events(&parents).await?;
            let has_state = |id: &OwnedEventId| {
                known
                    .get(id)
                    .is_some_and(|event| event.outcome != Outcome::Outlier)
            };
            if !missing.prev_events.iter().all(has_state) {
                return self.fetch_state(room, server, &pdu.event_id).await.map(Some);
            }
        }
        if !missing.auth_events.is_empty() {
            self.fetch_auth(room, server, &pdu.event_id, &missing.auth_events)
                .await?;
        }
        Ok(None)
    }

    /// Fetches the events between the room's ends and the given one, and takes them into the room. What is older than the
    /// time of this server in the room is not among them: it would come in as news.
    async fn fill_gap(
        &self,
        room: &Arc<Room>,
        server: &ServerName,
        pdu: &Pdu,
    ) -> Result<(), FederationError> {
        let earliest = self.rooms().forward_extremities(room).await?;
        let depth_min = self.rooms().history_depth(room).await?;
        let mut latest = vec![pdu.event_id.clone()];
        let mut found: HashMap<OwnedEventId, Pdu> = HashMap::new();
        for _ in 0..GAP_STEPS_MAX {
            let request = get_missing_events::v1::Request {
                room_id: room.id.clone(),
                limit: UInt::from(GAP_STEP),
                min_depth: UInt::try_from(depth_min).unwrap_or(UInt::MAX),
                earliest_events: earliest.clone(),
                latest_events: latest.clone(),
            };
            let answer = self.client().send(server, request).await?;
            let mut texts = answer.events;
            texts.truncate(usize::try_from(GAP_STEP).unwrap_or(usize::MAX));
            let mut step = Vec::new();
            for verified in self.verify_pdus(&room.rules, texts).await {
                match verified {
                    Ok(pdu) => step.push(pdu),
                    Err(error) => tracing::debug!(%server, %error, "a missing event was left out"),
                }
            }
            step.retain(|pdu| {
                pdu.room_id == room.id && pdu.depth >= depth_min && !found.contains_key(&pdu.event_id)
            });
            if step.is_empty() {
                break;
            }
            found.extend(step.into_iter().map(|pdu| (pdu.event_id.clone(), pdu)));
            latest = self.ends_of(&found, pdu).await?;
            if latest.is_empty() {
                break;
            }
        }
        let events: Vec<Pdu> = found
            .into_values()
            .filter(|found| found.event_id != pdu.event_id)
            .collect();
        self.take_in_order(room, server, events).await
    }

    /// Those of the events some of whose parents are neither here nor among them.
    pub(super) async fn ends_of(
        &self,
        found: &HashMap<OwnedEventId, Pdu>,
        start: &Pdu,
    ) -> Result<Vec<OwnedEventId>, FederationError> {
        let all = || found.values().chain([start]);
        let parents: HashSet<&EventId> = all()
            .flat_map(|pdu| pdu.prev_events.iter().map(|id| &**id))
            .filter(|id| !found.contains_key(*id))
            .collect();
        let parents: Vec<&EventId> = parents.into_iter().collect();
        let known = self.rooms().known_events(&parents).await?;
        let is_open = |id: &OwnedEventId| {
            !found.contains_key(id)
                && known
                    .get(id)
                    .is_none_or(|event| event.outcome == Outcome::Outlier)
        };
        Ok(all()
            .filter(|pdu| pdu.prev_events.iter().any(is_open))
            .map(|pdu| pdu.event_id.clone())
            .collect())
    }

    /// Takes events that were fetched into the room, parents first. What still has no parents here gets its state told.
    async fn take_in_order(
        &self,
        room: &Arc<Room>,
        server: &ServerName,
        events: Vec<Pdu>,
    ) -> Result<(), FederationError> {
        for pdu in echorift_rooms::in_history_order(events) {
            let mut told = None;
            // Once for what authorises it, once for its state.
            for _ in 0..3 {
                let received = self
                    .rooms()
                    .receive(
                        room,
                        Received::foreign(pdu.clone()).with_state(told.clone()),
                        |_| {},
                    )
                    .await?;
                let missing = match received {
                    Reception::Known(_) => break,
                    Reception::Taken(_, commit) => {
                        commit.done().await?;
                        break;
                    }
                    Reception::Missing(missing) => missing,
                };
                if !missing.prev_events.is_empty() {
                    told = Some(self.fetch_state(room, server, &pdu.event_id).await?);
                } else {
                    self.fetch_auth(room, server, &pdu.event_id, &missing.auth_events)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// The state before an event, as a server tells it, with all its events here.
    pub(super) async fn fetch_state(
        &self,
        room: &Arc<Room>,
        server: &ServerName,
        event_id: &EventId,
    ) -> Result<ToldState, FederationError> {
        let ids = self.fetch_state_events(room, server, event_id).await?;
        Ok(self.rooms().told_state(room, &ids).await?)
    }

    /// Fetches the state before an event and what authorises it; the state's events.
    pub(super) async fn fetch_state_events(
        &self,
        room: &Arc<Room>,
        server: &ServerName,
        event_id: &EventId,
    ) -> Result<Vec<OwnedEventId>, FederationError> {
        let request = get_room_state_ids::v1::Request::new(event_id.to_owned(), room.id.clone());
        let ids = self.client().send_with(server, request, STATE_OPTIONS).await?;
        let all: Vec<OwnedEventId> = ids.pdu_ids.iter().chain(&ids.auth_chain_ids).cloned().collect();
        if all.len() > STATE_EVENTS_MAX {
            return Err(bad_answer(server, "it tells of more state than a room can have"));
        }
        let absent = self.absent(&all).await?;
        if absent.len() > SINGLY_MAX {
            let request = get_room_state::v1::Request::new(event_id.to_owned(), room.id.clone());
            let state = self.client().send_with(server, request, STATE_OPTIONS).await?;
            let texts = state.auth_chain.into_iter().chain(state.pdus).collect();
            self.admit(room, server, texts).await?;
        } else {
            self.fetch_singly(room, server, absent).await?;
        }
        Ok(ids.pdu_ids)
    }

    /// Fetches what authorises an event, down to the room's creation.
    pub(super) async fn fetch_auth(
        &self,
        room: &Arc<Room>,
        server: &ServerName,
        event_id: &EventId,
        missing: &[OwnedEventId],
    ) -> Result<(), FederationError> {
        let request = get_event_authorization::v1::Request::new(room.id.clone(), event_id.to_owned());
        match self.client().send(server, request).await {
            Ok(answer) => self.admit(room, server, answer.auth_chain).await?,
            Err(FederationError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        let absent = self.absent(missing).await?;
        self.fetch_singly(room, server, absent).await?;
        match self.absent(missing).await?.first() {
            None => Ok(()),
            Some(id) => Err(bad_answer(
                server,
                &format!("it does not give {id}, which authorises another event"),
            )),
        }
    }

    /// Fetches events one by one, several at a time, and keeps them as outliers.
    async fn fetch_singly(
        &self,
        room: &Arc<Room>,
        server: &ServerName,
        ids: Vec<OwnedEventId>,
    ) -> Result<(), FederationError> {
        let fetch = |id: OwnedEventId| async move {
            self.client().send(server, get_event::v1::Request::new(id)).await
        };
        let answers: Vec<_> = stream::iter(ids.into_iter().take(SINGLY_MAX))
            .map(fetch)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut texts = Vec::with_capacity(answers.len());
        for answer in answers {
            match answer {
                Ok(answer) => texts.push(answer.pdu),
                Err(FederationError::Refused { .. } | FederationError::BadAnswer { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.admit(room, server, texts).await
    }

    /// Keeps events as outliers, those with wrong signatures left out.
    async fn admit(
        &self,
        room: &Arc<Room>,
        server: &ServerName,
        texts: Vec<Box<RawValue>>,
    ) -> Result<(), FederationError> {
        let mut pdus = Vec::with_capacity(texts.len());
        for verified in self.verify_pdus(&room.rules, texts).await {
            match verified {
                Ok(pdu) if pdu.room_id == room.id => pdus.push(pdu),
                Ok(pdu) => {
                    tracing::info!(%server, event_id = %pdu.event_id, "an event of another room was left out");
                }
                Err(error) => tracing::info!(%server, %error, "an event was left out"),
            }
        }
        Ok(self.rooms().admit_outliers(room, pdus).await?)
    }

    /// Those of these events that are not here in any form.
    pub(super) async fn absent(&self, ids: &[OwnedEventId]) -> Result<Vec<OwnedEventId>, FederationError> {
        let held: Vec<&EventId> = ids.iter().map(|id| &**id).collect();
        let known = self.rooms().held_ids(&held).await?;
        Ok(ids.iter().filter(|id| !known.contains(*id)).cloned().collect())
    }
}

fn bad_answer(server: &ServerName, reason: &str) -> FederationError {
    FederationError::BadAnswer {
        server: server.to_owned(),
        reason: reason.to_owned(),
    }
}
