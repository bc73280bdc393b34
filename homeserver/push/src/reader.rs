use std::sync::Arc;

use echorift_accounts::{Accounts, GlobalAccountData};
use echorift_events::{PowerLevels, creators_of};
use echorift_rooms::{Event, IgnoredUsers, Room, RoomError, Rooms, Subscription, View};
use echorift_storage::{Position, RoomNumber, SnapshotNumber, UserNumber};
use quick_cache::sync::Cache;
use ruma::{
    EventId, Int, OwnedUserId, UInt, UserId,
    power_levels::NotificationPowerLevels,
    push::{PushConditionPowerLevelsCtx, Ruleset},
    room_version_rules::RoomPowerLevelsRules,
};

use crate::{
    facts::{Facts, FactsCache, Reader, RoomFacts, Verdict},
    rules::{DATA_TYPE, rules_in},
};

/// How many rooms' power levels are kept in the form that the rules want.
const CACHED_ROOMS: usize = 10_000;
/// Of how many users with rules of their own these are kept ready.
const CACHED_RULES: usize = 20_000;

/// Judges events by the rules of their readers. What is the same for many is looked at once.
pub(crate) struct Judges {
    rooms: Rooms,
    accounts: Accounts,
    facts: FactsCache,
    /// What the rules look at in a room, with the state that it was read from.
    room_facts: Cache<RoomNumber, (SnapshotNumber, Arc<RoomFacts>)>,
    /// Rules that somebody has changed, with the position of the account data that they were read from.
    rules: Cache<UserNumber, (Position, Arc<Ruleset>)>,
}

/// The judge of one reader's events in one room.
pub(crate) struct Judge {
    user: UserNumber,
    user_id: OwnedUserId,
    display_name: String,
    /// `None` for the default rules.
    rules: Option<Arc<Ruleset>>,
    ignored: IgnoredUsers,
}

impl Judges {
    pub fn new(rooms: &Rooms, accounts: &Accounts) -> Self {
        Self {
            rooms: rooms.clone(),
            accounts: accounts.clone(),
            facts: FactsCache::new(),
            room_facts: Cache::new(CACHED_ROOMS),
            rules: Cache::new(CACHED_RULES),
        }
    }

    /// What is known of an event before its reader is.
    pub async fn facts(
        &self,
        event: &Event,
        room: &Room,
        room_facts: &RoomFacts,
    ) -> Result<Arc<Facts>, RoomError> {
        self.facts.of(event, (&self.rooms, room), room_facts).await
    }

    /// The room as it is now, as far as rules look at it.
    pub async fn room_facts(&self, room: &Room, view: &View) -> Result<Arc<RoomFacts>, RoomError> {
        if let Some((snapshot, facts)) = self.room_facts.get(&room.number)
            && snapshot == view.state.snapshot
        {
            return Ok(facts);
        }
        let standing = self
            .rooms
            .state_events(&view.state, &["m.room.create", "m.room.power_levels"])
            .await?;
        let creators = standing
            .get("m.room.create")
            .map(|create| creators_of(&create.pdu, &room.rules))
            .unwrap_or_default();
        let levels = standing
            .get("m.room.power_levels")
            .map(|event| &*event.pdu.content);
        let levels = PowerLevels::new(levels, &creators, &room.rules);
        let facts = Arc::new(RoomFacts {
            member_count: UInt::try_from(view.members.joined.len()).unwrap_or(UInt::MAX),
            power_levels: push_power_levels(&levels, creators, room),
        });
        self.room_facts
            .insert(room.number, (view.state.snapshot, Arc::clone(&facts)));
        Ok(facts)
    }

    /// The judge of a reader's events in the room of this view.
    pub async fn judge(&self, user: UserNumber, user_id: &UserId, view: &View) -> Result<Judge, RoomError> {
        #[derive(serde::Deserialize)]
        struct Member {
            displayname: Option<String>,
        }
        let unreadable = |error: echorift_accounts::AccountError| RoomError::BadRequest(error.to_string());
        let data = self
            .accounts
            .global_account_data(user)
            .await
            .map_err(unreadable)?;
        let ignored = IgnoredUsers::of(&self.accounts, user).await.map_err(unreadable)?;
        let member = match view.state.get("m.room.member", user_id.as_str()) {
            Some(number) => self.rooms.event(number).await?.pdu.content_as::<Member>().ok(),
            None => None,
        };
        Ok(Judge {
            user,
            user_id: user_id.to_owned(),
            display_name: member.and_then(|member| member.displayname).unwrap_or_default(),
            rules: self.rules(user, user_id, &data),
            ignored,
        })
    }

    fn rules(&self, user: UserNumber, user_id: &UserId, data: &GlobalAccountData) -> Option<Arc<Ruleset>> {
        let datum = data.get(DATA_TYPE)?;
        if let Some((position, rules)) = self.rules.get(&user)
            && position == datum.position
        {
            return Some(rules);
        }
        let rules = Arc::new(rules_in(data, user_id)?);
        self.rules.insert(user, (datum.position, Arc::clone(&rules)));
        Some(rules)
    }

    /// What the judge's reader is to hear of an event: nothing of their own events and of those whom they ignore.
    pub async fn verdict(
        &self,
        judge: &Judge,
        (event, facts): (&Event, &Facts),
        room: &Room,
        room_facts: &RoomFacts,
    ) -> Result<Verdict, RoomError> {
        if event.sender == judge.user || judge.ignored.contains(&event.pdu.sender) {
            return Ok(Verdict::default());
        }
        let is_subscribed = self.is_subscribed(judge.user, room, facts).await?;
        let defaults;
        let rules = match &judge.rules {
            Some(rules) => rules.as_ref(),
            None if facts.concerns(&judge.user_id, &judge.display_name) || is_subscribed.is_some() => {
                defaults = echorift_accounts::default_push_rules(&judge.user_id);
                &defaults
            }
            None => return Ok(facts.neutral.clone()),
        };
        let reader = Reader {
            user_id: &judge.user_id,
            display_name: &judge.display_name,
            rules,
            is_subscribed,
        };
        Ok(facts.evaluate(room, room_facts, &reader).await)
    }

    /// Whether the user follows the event's thread. `None` for events outside of threads, and for users who never
    /// followed any: their clients know nothing of it, and the rule that silences other threads would silence all.
    async fn is_subscribed(
        &self,
        user: UserNumber,
        room: &Room,
        facts: &Facts,
    ) -> Result<Option<bool>, RoomError> {
        let Some(root) = facts.thread.as_deref().and_then(|root| EventId::parse(root).ok()) else {
            return Ok(None);
        };
        let threads = self.rooms.threads_of(user).await?;
        if threads.is_empty() {
            return Ok(None);
        }
        let known = threads.get(&(room.number, root));
        Ok(Some(
            known.is_some_and(|known| known.subscription != Subscription::Ended),
        ))
    }
}

fn push_power_levels(
    levels: &PowerLevels,
    creators: Vec<OwnedUserId>,
    room: &Room,
) -> Option<PushConditionPowerLevelsCtx> {
    let users = levels
        .users()
        .iter()
        .map(|(user, level)| Some((user.clone(), Int::try_from(*level).ok()?)));
    let mut notifications = NotificationPowerLevels::new();
    notifications.room = Int::try_from(levels.notifications_room()).ok()?;
    let rules = RoomPowerLevelsRules::new(&room.rules.authorization, creators);
    let default = Int::try_from(levels.users_default()).ok()?;
    Some(PushConditionPowerLevelsCtx::new(
        users.collect::<Option<_>>()?,
        default,
        notifications,
        rules,
    ))
}
