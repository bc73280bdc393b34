//! Two servers' engines that hand each other events, without a network between them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod forks;
mod gaps;
mod history;
mod joins;
mod sticky;

use std::{collections::HashMap, sync::Arc};

use echorift_events::{Draft, Pdu, SigningKey, seal};
use ruma::{EventId, OwnedUserId, ServerName, UserId, events::StateEventType, owned_server_name};
use serde_json::{Value, json};

use super::{Received, Reception, RemoteJoin, import::PartialAnswer};
use crate::{
    Event, EventDraft, HistoryPart, Outcome, Room,
    testing::{TestRooms, on_both_databases},
};

/// Another server, `two.example`, with a user of its own.
pub(super) struct Other {
    pub server: TestRooms,
    pub user: OwnedUserId,
}

impl Other {
    pub async fn start() -> Self {
        let server = TestRooms::start_as(owned_server_name!("two.example")).await;
        let user = server.register("bob").await;
        Self { server, user }
    }

    /// Joins the room of `resident`, with or without its other members; the room here.
    pub async fn join(&self, resident: &TestRooms, room: &Arc<Room>, is_partial: bool) -> Arc<Room> {
        let content = json!({ "membership": "join" });
        let join = self
            .template(
                resident,
                room,
                ("m.room.member", Some(self.user.as_str())),
                content,
            )
            .await;
        let before = room.view().state.clone();
        take(resident, room, &join, true).await;
        let numbers: Vec<_> = before.events().collect();
        let state = resident.rooms.events(&numbers).await.unwrap();
        let chain = resident.rooms.auth_chain(&numbers).await.unwrap();
        let is_told = |event: &&Arc<Event>| {
            let is_member = event.pdu.event_type == "m.room.member".into();
            !is_partial || !is_member || chain.iter().any(|needed| needed.number == event.number)
        };
        let partial = is_partial.then(|| PartialAnswer {
            resident: resident.rooms.server_name().to_owned(),
            servers: vec![resident.rooms.server_name().to_owned()],
        });
        let joined = RemoteJoin {
            room_id: room.id.clone(),
            version: room.version.clone(),
            join,
            state: state
                .iter()
                .filter(is_told)
                .map(|event| Pdu::clone(&event.pdu))
                .collect(),
            auth_chain: chain.iter().map(|event| Pdu::clone(&event.pdu)).collect(),
            partial,
        };
        self.server.rooms.import(joined).await.unwrap()
    }

    /// An event of the user's upon the head of `resident`'s room, signed by this server.
    pub async fn template(
        &self,
        resident: &TestRooms,
        room: &Arc<Room>,
        (event_type, state_key): (&str, Option<&str>),
        content: Value,
    ) -> Pdu {
        let content = serde_json::value::to_raw_value(&content).unwrap();
        let draft = match state_key {
            Some(key) => EventDraft::state(&self.user, StateEventType::from(event_type), key, content),
            None => EventDraft::message(&self.user, event_type.into(), content),
        };
        let proposed = resident.rooms.propose(room, draft).await.unwrap();
        signed_by(&self.server, room, &proposed)
    }
}

/// The event as `server` would have made it.
pub(super) fn signed_by(server: &TestRooms, room: &Room, pdu: &Pdu) -> Pdu {
    let key: &SigningKey = &server.rooms.options().signing_key;
    let draft = Draft {
        room_id: Some(pdu.room_id.clone()),
        sender: pdu.sender.clone(),
        event_type: pdu.event_type.clone(),
        state_key: pdu.state_key.clone(),
        content: pdu.content.clone(),
        redacts: pdu.redacts.clone(),
        sticky_duration_ms: pdu.sticky_duration_ms,
        origin_server_ts: pdu.origin_server_ts,
        prev_events: pdu.prev_events.clone(),
        auth_events: pdu.auth_events.clone(),
        depth: pdu.depth,
    };
    seal(draft, &room.rules, key).unwrap()
}

/// Gives an event to a server, which must be able to judge it; what became of it.
pub(super) async fn take(server: &TestRooms, room: &Arc<Room>, pdu: &Pdu, is_ours: bool) -> Outcome {
    match server
        .rooms
        .receive(
            room,
            Received {
                is_ours,
                ..Received::foreign(pdu.clone())
            },
            |_| {},
        )
        .await
        .unwrap()
    {
        Reception::Known(event) => event.outcome,
        Reception::Taken(event, commit) => {
            commit.done().await.unwrap();
            event.outcome
        }
        Reception::Missing(missing) => panic!("{} lacks {missing:?}", pdu.event_id),
    }
}

/// Gives a server all accepted events of another's timeline that it lacks, oldest first; what was before its own time in
/// the room is left out.
pub(super) async fn catch_up(from: (&TestRooms, &Arc<Room>), to: (&TestRooms, &Arc<Room>)) {
    for event in timeline(from.0, from.1).await {
        let received = Received::foreign(Pdu::clone(&event.pdu));
        let is_create = event.pdu.event_type == "m.room.create".into();
        if !is_create
            && let Reception::Taken(_, commit) = to.0.rooms.receive(to.1, received, |_| {}).await.unwrap()
        {
            commit.done().await.unwrap();
        }
    }
}

/// Adds events of `from`'s room to a missing part of the room in `to`, as another server gives them, the latest first; how
/// many states had to be told for that, and how many of the events became part of the timeline.
pub(super) async fn prepend(
    from: &TestRooms,
    (to, room): (&TestRooms, &Arc<Room>),
    part: HistoryPart,
    events: &[Arc<Event>],
) -> (usize, usize) {
    let pdus = events.iter().rev().map(|event| Pdu::clone(&event.pdu)).collect();
    let pdus = to.rooms.retain_missing(room, part, pdus).await.unwrap();
    let mut told = HashMap::new();
    for id in to.rooms.in_need_of_state(&pdus).await.unwrap() {
        let event = find(from, &id).await;
        let state = from.rooms.stored_state_before(&event).await.unwrap();
        let numbers: Vec<_> = state.events().collect();
        let events = from.rooms.events(&numbers).await.unwrap();
        let pdus = events.iter().map(|event| Pdu::clone(&event.pdu)).collect();
        to.rooms.admit_outliers(room, pdus).await.unwrap();
        let ids: Vec<_> = events.iter().map(|event| event.pdu.event_id.clone()).collect();
        told.insert(id, to.rooms.told_state(room, &ids).await.unwrap());
    }
    let states = told.len();
    let count = to.rooms.prepend(room, part, pdus, told).await.unwrap();
    (states, count)
}

pub(super) async fn timeline(server: &TestRooms, room: &Room) -> Vec<Arc<Event>> {
    let all = (
        echorift_storage::Position(i64::MIN),
        echorift_storage::Position(i64::MAX),
    );
    server
        .rooms
        .timeline(room, all, crate::Order::OldestFirst, 10_000)
        .await
        .unwrap()
}

/// The room's state: the event under each key.
pub(super) async fn state_of(server: &TestRooms, room: &Room) -> HashMap<String, String> {
    let state = room.view().state.clone();
    let numbers: Vec<_> = state.events().collect();
    let events = server.rooms.events(&numbers).await.unwrap();
    let entry = |event: &Arc<Event>| {
        let key = format!(
            "{} {}",
            event.pdu.type_name(),
            event.pdu.state_key.as_deref().unwrap()
        );
        (key, event.pdu.event_id.to_string())
    };
    events.iter().map(entry).collect()
}

pub(super) fn is_from(event: &Event, server: &ServerName) -> bool {
    event.pdu.sender.server_name() == server
}

pub(super) async fn find(server: &TestRooms, id: &EventId) -> Arc<Event> {
    server
        .rooms
        .known_events(&[id])
        .await
        .unwrap()
        .remove(id)
        .unwrap()
}

pub(super) async fn room_of(server: &TestRooms) -> (OwnedUserId, Arc<Room>) {
    let alice: OwnedUserId = server.register("alice").await;
    let room = server.public_room(&alice).await;
    (alice, room)
}

pub(super) async fn say(server: &TestRooms, room: &Arc<Room>, user: &UserId, body: &str) -> Arc<Event> {
    server.send(room, user, body).await.unwrap()
}
