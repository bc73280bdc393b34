//! Rooms for the tests of this crate: real events, signed by the users' servers and kept in memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "literals read better without ampersands"
)]

use std::{collections::HashMap, sync::Arc};

use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, RoomId, RoomVersionId, ServerName, UInt,
    UserId, events::StateEventType, signatures,
};
use serde_json::{Value, json};

use crate::{
    Draft, EventIdSet, Pdu, RoomVersionRules, SigningKey, StateMap, auth_chain, auth_types_for, authorise,
    rules_for, seal,
};

/// The user `@name:one` for names in lower case, `@name:two` for others, in lower case.
pub(crate) fn user(name: &str) -> String {
    let server = if name.chars().all(|letter| letter.is_ascii_lowercase()) {
        "one"
    } else {
        "two"
    };
    format!("@{}:{server}", name.to_lowercase())
}

pub(crate) fn key(server: &str) -> SigningKey {
    SigningKey::from_seed(<&ServerName>::try_from(server).unwrap(), "1", &[7; 32]).unwrap()
}

/// The rules of the version of this number.
pub(crate) fn rules(version: u8) -> RoomVersionRules {
    rules_for(&RoomVersionId::try_from(version.to_string()).unwrap()).unwrap()
}

/// What a test says about an event; the room adds the rest.
pub(crate) struct Say<'a> {
    pub(crate) sender: &'a str,
    pub(crate) event_type: &'a str,
    pub(crate) state_key: Option<&'a str>,
    pub(crate) content: Value,
}

/// A fork of a room's history: where it stands and what the state is there.
#[derive(Debug, Clone)]
pub(crate) struct Fork {
    pub(crate) heads: Vec<OwnedEventId>,
    pub(crate) depth: u64,
    pub(crate) state: StateMap,
}

/// A room and all its events.
#[derive(Debug, Clone)]
pub(crate) struct TestRoom {
    pub(crate) version: u8,
    pub(crate) rules: RoomVersionRules,
    pub(crate) room_id: Option<OwnedRoomId>,
    pub(crate) events: HashMap<OwnedEventId, Arc<Pdu>>,
    pub(crate) now: u32,
}

impl TestRoom {
    /// A room that holds nothing but its create event and `@alice:one`, its creator.
    pub(crate) fn bare(version: u8) -> (Self, Fork) {
        Self::created_with(version, json!({}))
    }

    /// The same, with more in the content of the create event.
    pub(crate) fn created_with(version: u8, more: Value) -> (Self, Fork) {
        let room_id = (version < 12).then(|| RoomId::parse("!room:one").unwrap());
        let mut room = Self {
            version,
            rules: rules(version),
            room_id,
            events: HashMap::new(),
            now: 1_000,
        };
        let mut fork = Fork {
            heads: Vec::new(),
            depth: 0,
            state: StateMap::new(),
        };
        let mut content = json!({ "room_version": version.to_string() });
        if version < 11 {
            content["creator"] = json!(user("alice"));
        }
        content
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let create = room.add(
            &mut fork,
            Say {
                sender: "alice",
                event_type: "m.room.create",
                state_key: Some(""),
                content,
            },
        );
        room.room_id = Some(create.room_id.clone());
        room.member(&mut fork, "alice", "alice", "join");
        (room, fork)
    }

    /// A public room in which `alice` has level 100 (or is the creator), `bob` 50, and both are joined, with `Carol`
    /// of the other server.
    pub(crate) fn public(version: u8) -> (Self, Fork) {
        let (mut room, mut fork) = Self::bare(version);
        let mut users = json!({ user("bob"): 50 });
        if version < 12 {
            users[user("alice")] = json!(100);
        }
        room.state(
            &mut fork,
            "alice",
            "m.room.power_levels",
            json!({ "users": users }),
        );
        room.state(
            &mut fork,
            "alice",
            "m.room.join_rules",
            json!({ "join_rule": "public" }),
        );
        room.member(&mut fork, "bob", "bob", "join");
        room.member(&mut fork, "Carol", "Carol", "join");
        (room, fork)
    }

    /// Builds an event upon the fork, without judging or keeping it.
    pub(crate) fn build(&self, fork: &Fork, say: Say<'_>) -> Pdu {
        self.seal(self.draft(fork, say))
    }

    fn seal(&self, draft: Draft) -> Pdu {
        let key = key(draft.sender.server_name().as_str());
        seal(draft, &self.rules, &key).unwrap()
    }

    fn draft(&self, fork: &Fork, say: Say<'_>) -> Draft {
        let sender = UserId::parse(user(say.sender)).unwrap();
        let content = serde_json::value::to_raw_value(&say.content).unwrap();
        let event_type = say.event_type.into();
        let auth_types =
            auth_types_for(&event_type, &sender, say.state_key, &content, &self.rules).unwrap_or_default();
        let auth_events = auth_types
            .iter()
            .filter_map(|key| fork.state.get(key).cloned())
            .collect();
        Draft {
            room_id: self.room_id.clone(),
            sender,
            event_type,
            state_key: say.state_key.map(str::to_owned),
            content,
            redacts: None,
            sticky_duration_ms: None,
            origin_server_ts: MilliSecondsSinceUnixEpoch(UInt::from(self.now)),
            prev_events: fork.heads.clone(),
            auth_events,
            depth: fork.depth + 1,
        }
    }

    /// A redaction of the target, for spam.
    pub(crate) fn redaction(&self, fork: &Fork, sender: &str, target: &str) -> Pdu {
        let content = json!({ "reason": "spam" });
        let say = Say {
            sender,
            event_type: "m.room.redaction",
            state_key: None,
            content,
        };
        self.seal(Draft {
            redacts: Some(EventId::parse(target).unwrap()),
            ..self.draft(fork, say)
        })
    }

    /// Whether the fork's state allows the event.
    pub(crate) fn allows(&self, fork: &Fork, event: &Pdu) -> bool {
        authorise(event, &self.rules, |event_type, state_key| {
            self.at(&fork.state, event_type, state_key)
        })
        .is_ok()
    }

    /// Whether the fork's state allows what is said.
    pub(crate) fn allows_saying(&self, fork: &Fork, say: Say<'_>) -> bool {
        self.allows(fork, &self.build(fork, say))
    }

    pub(crate) fn at(
        &self,
        state: &StateMap,
        event_type: &StateEventType,
        state_key: &str,
    ) -> Option<Arc<Pdu>> {
        state
            .get(&(event_type.clone(), state_key.to_owned()))
            .and_then(|event_id| self.fetch(event_id))
    }

    pub(crate) fn fetch(&self, event_id: &EventId) -> Option<Arc<Pdu>> {
        self.events.get(event_id).cloned()
    }

    /// Keeps the event and moves the fork past it.
    pub(crate) fn keep(&mut self, fork: &mut Fork, event: Pdu) -> Arc<Pdu> {
        let event = Arc::new(event);
        self.events.insert(event.event_id.clone(), event.clone());
        fork.heads = vec![event.event_id.clone()];
        fork.depth += 1;
        if let Some((event_type, state_key)) = event.state_key_pair() {
            fork.state
                .insert((event_type, state_key.to_owned()), event.event_id.clone());
        }
        event
    }

    /// Adds an event that must be allowed.
    pub(crate) fn add(&mut self, fork: &mut Fork, say: Say<'_>) -> Arc<Pdu> {
        self.now += 1;
        let event = self.build(fork, say);
        let verdict = authorise(&event, &self.rules, |event_type, key| {
            self.at(&fork.state, event_type, key)
        });
        assert_eq!(verdict, Ok(()), "version {}: {}", self.version, event.json());
        self.keep(fork, event)
    }

    /// Adds an event if the fork allows it.
    pub(crate) fn try_add(&mut self, fork: &mut Fork, say: Say<'_>) {
        let event = self.build(fork, say);
        if self.allows(fork, &event) {
            self.keep(fork, event);
        }
    }

    pub(crate) fn state(
        &mut self,
        fork: &mut Fork,
        sender: &str,
        event_type: &str,
        content: Value,
    ) -> Arc<Pdu> {
        self.add(
            fork,
            Say {
                sender,
                event_type,
                state_key: Some(""),
                content,
            },
        )
    }

    pub(crate) fn member(
        &mut self,
        fork: &mut Fork,
        sender: &str,
        target: &str,
        membership: &str,
    ) -> Arc<Pdu> {
        let target = user(target);
        let content = json!({ "membership": membership });
        self.add(
            fork,
            Say {
                sender,
                event_type: "m.room.member",
                state_key: Some(&target),
                content,
            },
        )
    }

    /// The auth chain of each state.
    pub(crate) fn auth_chains(&self, states: &[StateMap]) -> Vec<EventIdSet> {
        states
            .iter()
            .map(|state| auth_chain(state.values().cloned(), |id| self.fetch(id)).unwrap())
            .collect()
    }
}

/// The `third_party_invite` of a member event, signed by an identity server whose key is [`identity_public_key`].
pub(crate) fn third_party_invite(mxid: &str, token: &str) -> Value {
    let signed = json!({ "mxid": mxid, "token": token });
    let mut signed = serde_json::from_value(signed).unwrap();
    signatures::sign_json("identity", &key("identity"), &mut signed).unwrap();
    json!({ "display_name": "…", "signed": signed })
}

/// The public half of the identity server's key.
pub(crate) fn identity_public_key() -> String {
    key("identity").public_key()
}
