//! What somebody outside of a room may learn of it (CS API § Room previews).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use echorift_storage::{EventNumber, StorageError, UserNumber};
use ruma::{
    OwnedMxcUri, OwnedRoomAliasId, OwnedRoomId, OwnedServerName, RoomAliasId, RoomOrAliasId, UInt,
    events::room::member::MembershipState,
    room::{JoinRuleSummary, RestrictedSummary, RoomSummary, RoomType},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Event, JoinRules, Room, RoomError, Rooms, RoomsOfUser};

/// The state events that a summary is made of; all have an empty state key.
const TYPES: [&str; 9] = [
    "m.room.create",
    "m.room.join_rules",
    "m.room.history_visibility",
    "m.room.guest_access",
    "m.room.name",
    "m.room.topic",
    "m.room.avatar",
    "m.room.canonical_alias",
    "m.room.encryption",
];

/// How many servers are asked for the summary of one room.
const ASKED_MAX: usize = 5;

/// A room and its summary.
#[derive(Clone)]
pub struct SummarisedRoom {
    pub room: Arc<Room>,
    pub summary: RoomSummary,
    pub join_rules: JoinRules,
}

/// Who looks at summaries.
pub struct Onlooker {
    has_account: bool,
    /// Empty for somebody without an account.
    memberships: Arc<RoomsOfUser>,
    joined: HashSet<OwnedRoomId>,
}

impl Onlooker {
    /// The user's membership in a room.
    pub fn membership(&self, room: &Room) -> Option<&MembershipState> {
        self.memberships.get(&room.number).map(|mine| &mine.membership)
    }

    /// Whether the room may be shown: to who is in it or could be, and to everyone if it may be knocked on or read by
    /// the world (CS API § GET …/hierarchy).
    pub fn may_see(&self, room: &SummarisedRoom) -> bool {
        let rules = &room.join_rules;
        let is_open = rules.join_rule == "public" || rules.is_knockable();
        match self.membership(&room.room) {
            Some(MembershipState::Join | MembershipState::Invite) => true,
            Some(MembershipState::Ban) => room.summary.world_readable,
            _ => {
                let is_allowed = || {
                    rules
                        .allowed_rooms()
                        .iter()
                        .any(|allowed| self.joined.contains(allowed))
                };
                room.summary.world_readable || is_open || is_allowed()
            }
        }
    }
}

impl Onlooker {
    /// As [`Onlooker::may_see`], of a room that nobody here is in, as another server tells of it. `known` is what is
    /// stored of it: it holds the user's invite, if there is one.
    pub(crate) fn may_see_peer_room(&self, known: Option<&Room>, summary: &RoomSummary) -> bool {
        let is_open = summary.world_readable
            || matches!(
                summary.join_rule,
                JoinRuleSummary::Public | JoinRuleSummary::Knock | JoinRuleSummary::KnockRestricted(_)
            );
        match known.and_then(|room| self.membership(room)) {
            Some(MembershipState::Join | MembershipState::Invite) => true,
            Some(MembershipState::Ban) => summary.world_readable,
            _ => {
                let allowed = match &summary.join_rule {
                    JoinRuleSummary::Restricted(restricted) => &*restricted.allowed_room_ids,
                    _ => &[],
                };
                is_open || allowed.iter().any(|allowed| self.joined.contains(allowed))
            }
        }
    }
}

impl Rooms {
    /// Somebody with an account here, or without (`None`).
    pub async fn onlooker(&self, user: Option<UserNumber>) -> Result<Onlooker, StorageError> {
        let Some(user) = user else {
            return Ok(Onlooker {
                has_account: false,
                memberships: Arc::default(),
                joined: HashSet::new(),
            });
        };
        let memberships = self.rooms_of(user).await?;
        let joined = self.joined_rooms(user).await?.into_iter().collect();
        Ok(Onlooker {
            has_account: true,
            memberships,
            joined,
        })
    }

    /// A room's summary. Errors: `NotFound` also for rooms that the onlooker may not see.
    pub async fn summary(&self, room: &Arc<Room>, onlooker: &Onlooker) -> Result<SummarisedRoom, RoomError> {
        let summary = self.summaries(std::slice::from_ref(room)).await?.pop();
        let summary = summary.filter(|summary| onlooker.may_see(summary));
        summary.ok_or_else(no_such_room)
    }

    /// The summary of a room that somebody names, here or from the servers that are in it, and the onlooker's membership.
    /// Other servers are asked only for those who have an account here.
    ///
    /// Errors: `NotFound` also for rooms that the onlooker may not see, and what asking meets.
    pub async fn summary_of(
        &self,
        name: &RoomOrAliasId,
        via: &[OwnedServerName],
        onlooker: &Onlooker,
    ) -> Result<(RoomSummary, Option<MembershipState>), RoomError> {
        let (id, mut via) = match <&RoomAliasId>::try_from(name) {
            Ok(alias) if !onlooker.has_account => (self.room_by_alias(alias).await?.id.clone(), Vec::new()),
            _ => self.locate(name, via).await?,
        };
        via.truncate(ASKED_MAX);
        let known = match self.room(&id).await {
            Ok(room) => Some(room),
            Err(RoomError::UnknownRoom(_)) => None,
            Err(error) => return Err(error),
        };
        let membership = known
            .as_deref()
            .and_then(|room| onlooker.membership(room))
            .cloned();
        let is_asked = onlooker.has_account && known.as_deref().is_none_or(|room| !self.is_followed(room));
        if is_asked && let Some(told) = self.peer_room(&id, &via, false).await? {
            if !onlooker.may_see_peer_room(known.as_deref(), &told.summary) {
                return Err(no_such_room());
            }
            return Ok((told.summary.clone(), membership));
        }
        let room = known.ok_or_else(no_such_room)?;
        Ok((self.summary(&room, onlooker).await?.summary, membership))
    }

    /// The summaries of these rooms, in their order. One query at most.
    pub async fn summaries(&self, rooms: &[Arc<Room>]) -> Result<Vec<SummarisedRoom>, StorageError> {
        let views: Vec<_> = rooms.iter().map(|room| room.view()).collect();
        let numbers = views.iter().flat_map(|view| {
            TYPES
                .iter()
                .filter_map(|event_type| view.state.get(event_type, ""))
        });
        let numbers: Vec<EventNumber> = numbers.collect();
        let events: HashMap<EventNumber, Arc<Event>> = self
            .events(&numbers)
            .await?
            .into_iter()
            .map(|event| (event.number, event))
            .collect();
        let summaries = rooms.iter().zip(views).map(|(room, view)| {
            let find = |event_type: &str| {
                view.state
                    .get(event_type, "")
                    .and_then(|number| events.get(&number))
            };
            summarise(room, view.members.joined.len(), find)
        });
        Ok(summaries.collect())
    }
}

fn no_such_room() -> RoomError {
    RoomError::NotFound("There is no such room, or you may not see it.".to_owned())
}

fn summarise<'a>(
    room: &Arc<Room>,
    joined: usize,
    find: impl Fn(&str) -> Option<&'a Arc<Event>>,
) -> SummarisedRoom {
    #[derive(Deserialize)]
    struct Create {
        #[serde(rename = "type")]
        room_type: Option<RoomType>,
    }
    let text = |event_type: &str, key: &str| {
        let content: serde_json::Value = content_of(find(event_type))?;
        content
            .get(key)?
            .as_str()
            .filter(|text| !text.is_empty())
            .map(ToOwned::to_owned)
    };
    let alias = text("m.room.canonical_alias", "alias");
    let alias: Option<OwnedRoomAliasId> = alias.and_then(|alias| RoomAliasId::parse(alias).ok());
    let join_rules: JoinRules = content_of(find("m.room.join_rules")).unwrap_or_default();
    let summary = RoomSummary {
        room_id: room.id.clone(),
        canonical_alias: alias,
        name: text("m.room.name", "name"),
        topic: text("m.room.topic", "topic"),
        avatar_url: text("m.room.avatar", "url").map(OwnedMxcUri::from),
        room_type: content_of::<Create>(find("m.room.create")).and_then(|create| create.room_type),
        num_joined_members: UInt::try_from(joined).unwrap_or_default(),
        join_rule: join_rule_summary(&join_rules),
        world_readable: text("m.room.history_visibility", "history_visibility").as_deref()
            == Some("world_readable"),
        guest_can_join: text("m.room.guest_access", "guest_access").as_deref() == Some("can_join"),
        encryption: text("m.room.encryption", "algorithm").map(Into::into),
        room_version: Some(room.version.clone()),
    };
    SummarisedRoom {
        room: Arc::clone(room),
        summary,
        join_rules,
    }
}

fn content_of<T: DeserializeOwned>(event: Option<&Arc<Event>>) -> Option<T> {
    event.and_then(|event| event.pdu.content_as().ok())
}

fn join_rule_summary(rules: &JoinRules) -> JoinRuleSummary {
    let restricted = || RestrictedSummary {
        allowed_room_ids: rules.allowed_rooms(),
    };
    match rules.join_rule.as_str() {
        "public" => JoinRuleSummary::Public,
        "knock" => JoinRuleSummary::Knock,
        "private" => JoinRuleSummary::Private,
        "restricted" => JoinRuleSummary::Restricted(restricted()),
        "knock_restricted" => JoinRuleSummary::KnockRestricted(restricted()),
        // Rules that we do not know let nobody in who is not invited.
        _ => JoinRuleSummary::Invite,
    }
}
