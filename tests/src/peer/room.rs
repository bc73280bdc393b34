use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use echorift_events::{SigningKey, auth_types_for};
use reqwest::Method;
use ruma::room_version_rules::RoomVersionRules;
use ruma::{RoomVersionId, UserId};
use serde_json::{Value, json};

use super::{Peer, PeerEvent, World, now_ms};
use crate::json::percent_encode;
use crate::{Answer, Look as _, Refusal, TestServer};

/// A room as the peer sees it.
#[derive(Debug, Clone)]
pub struct PeerRoom {
    pub peer: Peer,
    pub id: String,
    pub rules: RoomVersionRules,
}

/// What the peer knows of a room. It believes whatever it gets, and resolves no state: the newest event counts.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) rules: RoomVersionRules,
    pub(super) events: BTreeMap<String, PeerEvent>,
    pub(super) state: BTreeMap<(String, String), String>,
    pub(super) heads: BTreeSet<String>,
    pub(super) depth: u64,
}

impl Model {
    fn new(id: &str, version: &str) -> Self {
        Self {
            id: id.to_owned(),
            version: version.to_owned(),
            rules: rules_of(version),
            events: BTreeMap::new(),
            state: BTreeMap::new(),
            heads: BTreeSet::new(),
            depth: 0,
        }
    }

    /// Knows an event without taking it into the room: it is given to whoever asks.
    pub(super) fn know(&mut self, event: PeerEvent) {
        self.events.insert(event.id.clone(), event);
    }

    /// Takes an event in at the end of the room.
    pub(super) fn append(&mut self, event: PeerEvent) {
        for prev in event.json["prev_events"].as_array().into_iter().flatten() {
            self.heads.remove(prev.as_str().unwrap_or_default());
        }
        self.heads.insert(event.id.clone());
        self.depth = self.depth.max(event.json["depth"].as_u64().unwrap_or_default());
        if let Some(pair) = event.state_pair() {
            self.state.insert(pair, event.id.clone());
        }
        self.know(event);
    }

    pub(super) fn state_events(&self) -> Vec<Value> {
        self.jsons(self.state.values())
    }

    /// All that the events of the state stand on.
    pub(super) fn auth_chain(&self) -> Vec<Value> {
        self.jsons(&self.auth_chain_ids())
    }

    pub(super) fn auth_chain_ids(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&String> = self.state.values().collect();
        while let Some(event) = open.pop().and_then(|id| self.events.get(id)) {
            for id in event.json["auth_events"].as_array().into_iter().flatten() {
                let Some((id, _)) = id.as_str().and_then(|id| self.events.get_key_value(id)) else {
                    continue;
                };
                if found.insert(id.clone()) {
                    open.push(id);
                }
            }
        }
        found
    }

    pub(super) fn send_join_answer(&self, origin: &str, join: &Value) -> Value {
        json!({
            "origin": origin, "event": join, "members_omitted": false,
            "state": self.state_events(), "auth_chain": self.auth_chain(),
        })
    }

    fn jsons<'a>(&self, ids: impl IntoIterator<Item = &'a String>) -> Vec<Value> {
        ids.into_iter()
            .filter_map(|id| Some(self.events.get(id)?.json.clone()))
            .collect()
    }

    fn auth_events(&self, sender: &str, kind: &str, state_key: Option<&str>, content: &Value) -> Vec<String> {
        let sender = <&UserId>::try_from(sender).expect("a user id");
        let content = serde_json::value::to_raw_value(content).expect("JSON");
        auth_types_for(&kind.into(), sender, state_key, &content, &self.rules)
            .expect("a member event tells its membership")
            .into_iter()
            .filter_map(|(kind, key)| self.state.get(&(kind.to_string(), key)).cloned())
            .collect()
    }

    pub(super) fn draft(&self, sender: &str, kind: &str, state_key: Option<&str>, content: &Value) -> Value {
        let mut draft = json!({
            "room_id": self.id, "sender": sender, "type": kind, "content": content,
            "origin_server_ts": now_ms(), "depth": self.depth + 1, "prev_events": self.heads,
            "auth_events": self.auth_events(sender, kind, state_key, content),
        });
        if let Some(state_key) = state_key {
            draft["state_key"] = state_key.into();
        }
        draft
    }
}

impl Peer {
    /// Joins a room of the server with a user of the peer's.
    pub async fn join(&self, server: &TestServer, room: &str, localpart: &str) -> Result<PeerRoom, Refusal> {
        let (version, draft) = self.make_join(server, room, localpart).await?;
        let join = PeerEvent::sealed(&draft, &rules_of(&version), self.key());
        let answer = self.send_join(server, room, &join).await?;
        let mut model = Model::new(room, &version);
        for event in answer.list("/state").iter().chain(answer.list("/auth_chain")) {
            let event = PeerEvent::received(event, &model.rules);
            model.know(event);
        }
        for event in answer.list("/state") {
            let event = PeerEvent::received(event, &model.rules);
            model.append(event);
        }
        model.heads.clear();
        model.append(join);
        Ok(self.keep(model))
    }

    /// `GET /make_join` for all room versions: the room's version and the draft of the join.
    pub async fn make_join(
        &self,
        server: &TestServer,
        room: &str,
        localpart: &str,
    ) -> Result<(String, Value), Refusal> {
        let versions: Vec<String> = (1..=12).map(|version| format!("ver={version}")).collect();
        let target = format!(
            "/_matrix/federation/v1/make_join/{}/{}?{}",
            percent_encode(room),
            percent_encode(&self.user(localpart)),
            versions.join("&")
        );
        let answer = self.get(server, &target).await?;
        let mut draft = answer["event"].clone();
        draft["origin_server_ts"] = now_ms().into();
        Ok((answer.text("/room_version").to_owned(), draft))
    }

    pub async fn send_join(&self, server: &TestServer, room: &str, join: &PeerEvent) -> Answer {
        let target = format!(
            "/_matrix/federation/v2/send_join/{}/{}",
            percent_encode(room),
            percent_encode(&join.id)
        );
        self.ask(server, Method::PUT, &target, Some(join.json.clone()))
            .await
    }

    /// Makes a room that anybody may join and that the peer answers for.
    pub fn create_room(&self, version: &str, localpart: &str) -> PeerRoom {
        let creator = self.user(localpart);
        let rules = rules_of(version);
        let mut create = json!({
            "sender": creator, "type": "m.room.create", "state_key": "", "content": { "room_version": version },
            "origin_server_ts": now_ms(), "depth": 1, "prev_events": [], "auth_events": [],
        });
        if !rules.authorization.use_room_create_sender {
            create["content"]["creator"] = creator.as_str().into();
        }
        let mut id = format!("!{}:{}", crate::fresh("peer"), self.name());
        if rules.event_format.require_room_create_room_id {
            create["room_id"] = id.as_str().into();
        }
        let create = PeerEvent::sealed(&create, &rules, self.key());
        if !rules.event_format.require_room_create_room_id {
            id = create.id.replacen('$', "!", 1);
        }
        let mut model = Model::new(&id, version);
        model.append(create);
        let room = self.keep(model);
        let mut users = json!({});
        if rules.event_format.require_room_create_room_id {
            users[creator.as_str()] = 100.into();
        }
        for (kind, state_key, content) in [
            ("m.room.member", creator.as_str(), json!({ "membership": "join" })),
            ("m.room.power_levels", "", json!({ "users": users })),
            ("m.room.join_rules", "", json!({ "join_rule": "public" })),
            (
                "m.room.history_visibility",
                "",
                json!({ "history_visibility": "shared" }),
            ),
        ] {
            let event = room.seal(&room.draft(localpart, kind, Some(state_key), &content));
            room.append(&event);
        }
        room
    }

    fn keep(&self, model: Model) -> PeerRoom {
        let room = PeerRoom {
            peer: self.clone(),
            id: model.id.clone(),
            rules: model.rules.clone(),
        };
        let mut rooms = self.0.world.rooms.lock().unwrap();
        rooms.insert(model.id.clone(), model);
        room
    }
}

impl PeerRoom {
    fn with<T>(&self, look: impl FnOnce(&mut Model) -> T) -> T {
        let mut rooms = self.world().rooms.lock().unwrap();
        look(rooms.get_mut(&self.id).expect("the peer's own room"))
    }

    fn world(&self) -> &Arc<World> {
        &self.peer.0.world
    }

    /// An event that fits the room, without hashes and signatures. `localpart` is one of the peer's, or a whole user id.
    pub fn draft(&self, localpart: &str, kind: &str, state_key: Option<&str>, content: &Value) -> Value {
        let sender = match localpart.starts_with('@') {
            true => localpart.to_owned(),
            false => self.peer.user(localpart),
        };
        self.with(|room| room.draft(&sender, kind, state_key, content))
    }

    /// The draft of a message.
    pub fn message(&self, localpart: &str, body: &str) -> Value {
        let content = json!({ "msgtype": "m.text", "body": body });
        self.draft(localpart, "m.room.message", None, &content)
    }

    /// Hashed and signed by the peer.
    pub fn seal(&self, draft: &Value) -> PeerEvent {
        self.seal_with(draft, self.peer.key())
    }

    pub fn seal_with(&self, draft: &Value, key: &SigningKey) -> PeerEvent {
        PeerEvent::sealed(draft, &self.rules, key)
    }

    /// Takes an event in: what is drafted next follows it.
    pub fn append(&self, event: &PeerEvent) {
        self.with(|room| room.append(event.clone()));
    }

    /// Knows an event, for whoever asks for it, and does not follow it.
    pub fn know(&self, event: &PeerEvent) {
        self.with(|room| room.know(event.clone()));
    }

    pub fn knows(&self, event_id: &str) -> bool {
        self.with(|room| room.events.contains_key(event_id))
    }

    /// What an honest peer answers to this join.
    pub fn send_join_answer(&self, join: &Value) -> Value {
        self.with(|room| room.send_join_answer(self.peer.name(), join))
    }

    /// The id of a state event.
    pub fn state(&self, kind: &str, state_key: &str) -> Option<String> {
        self.with(|room| room.state.get(&(kind.to_owned(), state_key.to_owned())).cloned())
    }

    /// What the next event follows.
    pub fn heads(&self) -> BTreeSet<String> {
        self.with(|room| room.heads.clone())
    }

    pub fn depth(&self) -> u64 {
        self.with(|room| room.depth)
    }

    /// Makes a state event, takes it in and sends it.
    pub async fn set_state(
        &self,
        server: &TestServer,
        localpart: &str,
        kind: &str,
        state_key: &str,
        content: &Value,
    ) -> PeerEvent {
        let event = self.seal(&self.draft(localpart, kind, Some(state_key), content));
        self.append(&event);
        self.send(server, &[&event]).await;
        event
    }

    /// Makes a message, takes it in and sends it.
    pub async fn say(&self, server: &TestServer, localpart: &str, body: &str) -> PeerEvent {
        let event = self.seal(&self.message(localpart, body));
        self.append(&event);
        self.send(server, &[&event]).await;
        event
    }

    /// Sends events, which the server is to take, valid or not: an error is about the transaction as a whole.
    pub async fn send(&self, server: &TestServer, events: &[&PeerEvent]) -> Value {
        let answer = self.peer.send(server, events, &[]).await;
        answer.expect("a transaction is taken")
    }
}

/// What holds for rooms of a version.
pub fn rules_of(version: &str) -> RoomVersionRules {
    let version = RoomVersionId::try_from(version).expect("a room version");
    version.rules().expect("a room version of the specification")
}
