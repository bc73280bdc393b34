//! What the push rules say of an event, as far as it is the same for all readers.

use std::{collections::HashSet, sync::Arc};

use echorift_rooms::{Event, Room};
use echorift_storage::EventNumber;
use quick_cache::sync::Cache;
use ruma::{
    OwnedUserId, UInt, UserId,
    events::{AnySyncTimelineEvent, TimelineEventType},
    push::{Action, PushConditionPowerLevelsCtx, PushConditionRoomCtx, Ruleset},
    serde::Raw,
    user_id,
};
use serde::Deserialize;

/// How many events' facts are kept: those of the rooms that are busy now.
const CACHED: usize = 20_000;

/// How an event counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Verdict {
    pub notifies: bool,
    pub highlights: bool,
}

/// What is known of an event before its reader is.
pub(crate) struct Facts {
    /// The verdict for a reader whom nothing in the event is about.
    pub neutral: Verdict,
    /// The thread that the event belongs to (CS API § Threading).
    pub thread: Option<Arc<str>>,
    mentioned: HashSet<OwnedUserId>,
    /// The lower-case body, of events that do not say whom they mention.
    body: Option<String>,
    member: Option<String>,
    json: Raw<AnySyncTimelineEvent>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(rename = "m.mentions")]
    mentions: Option<Mentions>,
    body: Option<String>,
    #[serde(rename = "m.relates_to")]
    relates_to: Option<RelatesTo>,
}

#[derive(Deserialize)]
struct Mentions {
    #[serde(default)]
    user_ids: Vec<OwnedUserId>,
}

#[derive(Deserialize)]
struct RelatesTo {
    rel_type: Option<String>,
    event_id: Option<String>,
}

/// The room, as far as the rules look at it.
pub(crate) struct RoomFacts {
    pub member_count: UInt,
    pub power_levels: Option<PushConditionPowerLevelsCtx>,
}

/// Who counts.
pub(crate) struct Reader<'a> {
    pub user_id: &'a UserId,
    pub display_name: &'a str,
    pub rules: &'a Ruleset,
}

/// The facts of the events of late.
pub(crate) struct FactsCache(Cache<EventNumber, Arc<Facts>>);

impl FactsCache {
    pub fn new() -> Self {
        Self(Cache::new(CACHED))
    }

    pub async fn of(&self, event: &Event, room: &Room, room_facts: &RoomFacts) -> Arc<Facts> {
        if let Some(facts) = self.0.get(&event.number) {
            return facts;
        }
        let facts = Arc::new(Facts::of(event, room, room_facts).await);
        self.0.insert(event.number, Arc::clone(&facts));
        facts
    }
}

impl Facts {
    async fn of(event: &Event, room: &Room, room_facts: &RoomFacts) -> Self {
        let pdu = &event.pdu;
        let content: Option<Content> = pdu.content_as().ok();
        let json = Raw::from_json_string(pdu.client_json(None))
            .unwrap_or_else(|_| Raw::from_json(pdu.content.clone()));
        let (mut mentioned, mut body, mut thread) = (HashSet::new(), None, None);
        if let Some(content) = content {
            match content.mentions {
                Some(mentions) => mentioned.extend(mentions.user_ids),
                None => body = content.body.map(|body| body.to_lowercase()),
            }
            thread = content
                .relates_to
                .filter(|relation| relation.rel_type.as_deref() == Some("m.thread"));
        }
        let is_member = pdu.event_type == TimelineEventType::RoomMember;
        // A user whom no event can be about: what is left is the same for all.
        let nobody = user_id!("@nobody:invalid");
        let mut rules = Ruleset::server_default(nobody);
        // The rules for a user's name in the text: what they say of real readers is found by `concerns`.
        rules.content.clear();
        let reader = Reader {
            user_id: nobody,
            display_name: "",
            rules: &rules,
        };
        let mut facts = Self {
            neutral: Verdict::default(),
            thread: thread.and_then(|relation| relation.event_id).map(Arc::from),
            mentioned,
            body,
            member: pdu.state_key.clone().filter(|_| is_member),
            json,
        };
        facts.neutral = facts.evaluate(room, room_facts, &reader).await;
        facts
    }

    /// Whether the event could be about this user, by mention, by name or by membership; if not, the neutral verdict
    /// holds for everyone with the default rules.
    pub fn concerns(&self, user_id: &UserId, display_name: &str) -> bool {
        let is_named = |body: &String| {
            let names = [display_name, user_id.localpart()];
            names
                .into_iter()
                .any(|name| !name.is_empty() && body.contains(&name.to_lowercase()))
        };
        self.mentioned.contains(user_id)
            || self.member.as_deref() == Some(user_id.as_str())
            || self.body.as_ref().is_some_and(is_named)
    }

    /// What the reader's rules say.
    pub async fn evaluate(&self, room: &Room, room_facts: &RoomFacts, reader: &Reader<'_>) -> Verdict {
        let mut context = PushConditionRoomCtx::new(
            room.id.clone(),
            room_facts.member_count,
            reader.user_id.to_owned(),
            reader.display_name.to_owned(),
        );
        context.power_levels.clone_from(&room_facts.power_levels);
        let actions = reader.rules.get_actions(&self.json, &context).await;
        Verdict {
            notifies: actions.iter().any(Action::should_notify),
            highlights: actions.iter().any(Action::is_highlight),
        }
    }
}
