//! What the push rules say of an event, as far as it is the same for all readers.

use std::{collections::HashSet, sync::Arc};

use echorift_accounts::default_push_rules;
use echorift_rooms::{Event, Room, RoomError, Rooms};
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

/// How many relations are followed to find the thread that an event belongs to (CS API § Marking notifications as
/// read recommends three).
const HOPS_MAX: usize = 3;

/// What a reader's rules say of an event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict {
    /// The actions of the rule that matched; none if none did.
    pub actions: Arc<[Action]>,
}

impl Verdict {
    pub fn notifies(&self) -> bool {
        self.actions.iter().any(Action::should_notify)
    }

    pub fn highlights(&self) -> bool {
        self.actions.iter().any(Action::is_highlight)
    }
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
}

#[derive(Deserialize)]
struct Mentions {
    #[serde(default)]
    user_ids: Vec<OwnedUserId>,
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
    /// Whether they follow the event's thread; `None` if it is in none, or they follow no threads at all (MSC4306).
    pub is_subscribed: Option<bool>,
}

/// The facts of the events of late.
pub(crate) struct FactsCache(Cache<EventNumber, Arc<Facts>>);

impl FactsCache {
    pub fn new() -> Self {
        Self(Cache::new(CACHED))
    }

    pub async fn of(
        &self,
        event: &Event,
        (rooms, room): (&Rooms, &Room),
        room_facts: &RoomFacts,
    ) -> Result<Arc<Facts>, RoomError> {
        if let Some(facts) = self.0.get(&event.number) {
            return Ok(facts);
        }
        let thread = thread_of(event, rooms, room).await?;
        let facts = Arc::new(Facts::of(event, thread, room, room_facts).await);
        self.0.insert(event.number, Arc::clone(&facts));
        Ok(facts)
    }
}

impl Facts {
    async fn of(event: &Event, thread: Option<Arc<str>>, room: &Room, room_facts: &RoomFacts) -> Self {
        let pdu = &event.pdu;
        let content: Option<Content> = pdu.content_as().ok();
        let json = Raw::from_json_string(pdu.client_json(None))
            .unwrap_or_else(|_| Raw::from_json(pdu.content.clone()));
        let (mut mentioned, mut body) = (HashSet::new(), None);
        if let Some(content) = content {
            match content.mentions {
                Some(mentions) => mentioned.extend(mentions.user_ids),
                None => body = content.body.map(|body| body.to_lowercase()),
            }
        }
        let is_member = pdu.event_type == TimelineEventType::RoomMember;
        // A user whom no event can be about: what is left is the same for all.
        let nobody = user_id!("@nobody:invalid");
        let mut rules = default_push_rules(nobody);
        // The rules for a user's name in the text: what they say of real readers is found by `concerns`.
        rules.content.clear();
        let reader = Reader {
            user_id: nobody,
            display_name: "",
            rules: &rules,
            is_subscribed: None,
        };
        let mut facts = Self {
            neutral: Verdict::default(),
            thread,
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
        if let Some(subscribed) = reader.is_subscribed {
            context =
                context.with_has_thread_subscription_fn(move |_| Box::pin(std::future::ready(subscribed)));
        }
        Verdict {
            actions: reader.rules.get_actions(&self.json, &context).await.into(),
        }
    }
}

/// The root of the thread that an event belongs to, by its own relation or by that of what it relates to: a reaction to
/// a message in a thread is in the thread.
async fn thread_of(event: &Event, rooms: &Rooms, room: &Room) -> Result<Option<Arc<str>>, RoomError> {
    let mut relation = event.relation.clone();
    for _ in 0..HOPS_MAX {
        let Some(current) = relation else { break };
        if current.rel_type == "m.thread" {
            return Ok(Some(current.event_id.as_str().into()));
        }
        relation = match rooms.event_by_id(room, &current.event_id).await {
            Ok(target) => target.relation.clone(),
            Err(RoomError::UnknownEvent(_)) => None,
            Err(error) => return Err(error),
        };
    }
    Ok(None)
}
