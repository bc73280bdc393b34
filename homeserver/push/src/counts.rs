//! How many unread events of a room would notify its reader (CS API § Receiving notifications).

use std::{collections::BTreeMap, sync::Arc};

use echorift_accounts::Accounts;
use echorift_events::{PowerLevels, creators_of};
use echorift_rooms::{Event, Order, ReceiptKey, ReceiptKind, Room, RoomError, Rooms, View};
use echorift_storage::{Position, RoomNumber, SnapshotNumber, UserNumber};
use imbl::OrdMap;
use quick_cache::sync::Cache;
use ruma::{
    Int, OwnedUserId, UInt, UserId,
    power_levels::NotificationPowerLevels,
    push::{PushConditionPowerLevelsCtx, Ruleset},
    room_version_rules::RoomPowerLevelsRules,
};

use crate::facts::{Facts, FactsCache, Reader, RoomFacts, Verdict};

/// How many pairs of reader and room have their counts in memory.
const CACHED: usize = 200_000;
/// How many rooms' power levels are kept in the form that the rules want.
const CACHED_ROOMS: usize = 10_000;
/// How many unread notifications of a room are told apart. Nobody reads a badge above this; clients show "999+".
const COUNTED_MAX: usize = 1_000;
/// How many events are looked at to count a room that was not counted since the server started.
const RECOUNTED: usize = 200;

/// Unread notifications, and how many of them are highlighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnreadCounts {
    pub notifications: u32,
    pub highlights: u32,
}

/// The counts of one room for one reader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoomCounts {
    /// Outside of threads.
    pub main: UnreadCounts,
    /// By the thread's root; only threads with something unread.
    pub threads: BTreeMap<Arc<str>, UnreadCounts>,
}

impl RoomCounts {
    fn add(&mut self, event: &UnreadEvent) {
        let place = match &event.thread {
            None => &mut self.main,
            Some(thread) => self.threads.entry(Arc::clone(thread)).or_default(),
        };
        place.notifications += 1;
        place.highlights += u32::from(event.highlights);
    }

    /// All of them together, for clients that do not ask for threads.
    pub fn total(&self) -> UnreadCounts {
        self.threads.values().fold(self.main, |sum, thread| UnreadCounts {
            notifications: sum.notifications + thread.notifications,
            highlights: sum.highlights + thread.highlights,
        })
    }
}

/// Counts unread notifications. Cheap to clone.
#[derive(Clone)]
pub struct Unread(Arc<Inner>);

struct Inner {
    rooms: Rooms,
    accounts: Accounts,
    facts: FactsCache,
    /// What the rules look at in a room, with the state that it was read from.
    room_facts: Cache<RoomNumber, (SnapshotNumber, Arc<RoomFacts>)>,
    counted: Cache<(UserNumber, RoomNumber), Arc<tokio::sync::Mutex<Counted>>>,
}

/// What was counted so far for one reader of one room.
#[derive(Default)]
struct Counted {
    /// Everything up to here was looked at.
    up_to: Position,
    /// The unread events that notify, oldest first.
    unread: Vec<UnreadEvent>,
    /// What `unread` adds up to, unless it is stale: summing up a thousand of them for every new one would be most of
    /// the work in a busy room.
    totals: RoomCounts,
    is_stale: bool,
    /// The reader's own view of the room's receipts, and the receipts that it was made from.
    read: Read,
    receipts: OrdMap<ReceiptKey, echorift_rooms::Receipt>,
}

struct UnreadEvent {
    position: Position,
    thread: Option<Arc<str>>,
    highlights: bool,
}

/// How far a reader has read.
#[derive(Default)]
struct Read {
    everywhere: Position,
    main: Position,
    threads: BTreeMap<Arc<str>, Position>,
}

impl Read {
    fn of(user: UserNumber, receipts: &OrdMap<ReceiptKey, echorift_rooms::Receipt>) -> Self {
        let mut read = Self::default();
        let from = ReceiptKey {
            user,
            kind: ReceiptKind::Public,
            thread: "".into(),
        };
        for (key, receipt) in receipts.range(from..).take_while(|(key, _)| key.user == user) {
            let place = match &*key.thread {
                "" => &mut read.everywhere,
                "main" => &mut read.main,
                _ => read.threads.entry(Arc::clone(&key.thread)).or_default(),
            };
            *place = receipt.read_position.max(*place);
        }
        read
    }

    /// Whether the reader has seen this event.
    fn covers(&self, event: &UnreadEvent) -> bool {
        let in_its_thread = match &event.thread {
            None => self.main,
            Some(thread) => self.threads.get(thread).copied().unwrap_or_default(),
        };
        event.position <= self.everywhere.max(in_its_thread)
    }
}

impl Unread {
    pub fn new(rooms: &Rooms, accounts: &Accounts) -> Self {
        let (rooms, accounts) = (rooms.clone(), accounts.clone());
        let (room_facts, counted) = (Cache::new(CACHED_ROOMS), Cache::new(CACHED));
        Self(Arc::new(Inner {
            rooms,
            accounts,
            facts: FactsCache::new(),
            room_facts,
            counted,
        }))
    }

    /// The reader's counts in a room, events up to `to` included. `joined` is the position of the reader's join: what
    /// was before does not count.
    ///
    /// Looks only at what came since it was last asked; the first time at the latest 200 events after the reader's
    /// receipt.
    pub async fn counts(
        &self,
        (user, user_id): (UserNumber, &UserId),
        room: &Arc<Room>,
        joined: Position,
        to: Position,
    ) -> Result<RoomCounts, RoomError> {
        let key = (user, room.number);
        let counted = match self.0.counted.get(&key) {
            Some(counted) => counted,
            None => self
                .0
                .counted
                .get_or_insert_with::<_, std::convert::Infallible>(&key, || Ok(Arc::default()))
                .unwrap_or_default(),
        };
        let mut counted = counted.lock().await;
        let receipts = room.receipts().all();
        if !counted.receipts.ptr_eq(&receipts) {
            counted.read = Read::of(user, &receipts);
            counted.receipts = receipts;
            let Counted { unread, read, .. } = &mut *counted;
            unread.retain(|event| !read.covers(event));
            counted.is_stale = true;
        }
        let counted = &mut *counted;
        let is_first = counted.up_to == Position::default();
        let from = if is_first {
            counted.read.everywhere.max(joined)
        } else {
            counted.up_to
        };
        if to > from {
            let limit = if is_first { RECOUNTED } else { COUNTED_MAX };
            let events = self
                .0
                .rooms
                .timeline(room, (from, to), Order::NewestFirst, limit)
                .await?;
            self.count((user, user_id), room, &events, counted).await?;
        }
        counted.up_to = counted.up_to.max(to);
        let excess = counted.unread.len().saturating_sub(COUNTED_MAX);
        if excess > 0 {
            counted.unread.drain(..excess);
            counted.is_stale = true;
        }
        if std::mem::take(&mut counted.is_stale) {
            counted.totals = sum(&counted.unread);
        }
        Ok(counted.totals.clone())
    }

    async fn count(
        &self,
        (user, user_id): (UserNumber, &UserId),
        room: &Arc<Room>,
        newest_first: &[Arc<Event>],
        counted: &mut Counted,
    ) -> Result<(), RoomError> {
        let view = room.view();
        let room_facts = self.room_facts(room, &view).await?;
        let mut own: Option<OwnReader> = None;
        for event in newest_first.iter().rev() {
            let facts = self.0.facts.of(event, room, &room_facts).await;
            if event.sender == user {
                // Who answers has read (CS API § Receipts): the thread that the event belongs to, up to here.
                counted.unread.retain(|unread| unread.thread != facts.thread);
                counted.is_stale = true;
                continue;
            }
            let own = match &mut own {
                Some(own) => own,
                None => own.insert(self.reader(user, user_id, &view).await?),
            };
            let verdict = own.judge(&facts, room, &room_facts).await;
            let unread = UnreadEvent {
                position: event.position(),
                thread: facts.thread.clone(),
                highlights: verdict.highlights,
            };
            if verdict.notifies && !counted.read.covers(&unread) {
                counted.totals.add(&unread);
                counted.unread.push(unread);
            }
        }
        Ok(())
    }

    async fn room_facts(&self, room: &Room, view: &View) -> Result<Arc<RoomFacts>, RoomError> {
        if let Some((snapshot, facts)) = self.0.room_facts.get(&room.number)
            && snapshot == view.state.snapshot
        {
            return Ok(facts);
        }
        let standing = |event_type: &str| view.state.get(event_type, "");
        let numbers: Vec<_> = ["m.room.create", "m.room.power_levels"]
            .into_iter()
            .filter_map(standing)
            .collect();
        let events = self.0.rooms.events(&numbers).await?;
        let find = |event_type: &str| {
            events
                .iter()
                .find(|event| event.pdu.event_type.to_string() == event_type)
        };
        let creators = find("m.room.create")
            .map(|create| creators_of(&create.pdu, &room.rules))
            .unwrap_or_default();
        let levels = find("m.room.power_levels").map(|event| &*event.pdu.content);
        let levels = PowerLevels::new(levels, &creators, &room.rules);
        let facts = Arc::new(RoomFacts {
            member_count: UInt::try_from(view.members.joined.len()).unwrap_or(UInt::MAX),
            power_levels: push_power_levels(&levels, creators, room),
        });
        self.0
            .room_facts
            .insert(room.number, (view.state.snapshot, Arc::clone(&facts)));
        Ok(facts)
    }

    async fn reader(&self, user: UserNumber, user_id: &UserId, view: &View) -> Result<OwnReader, RoomError> {
        #[derive(serde::Deserialize)]
        struct Member {
            displayname: Option<String>,
        }
        #[derive(serde::Deserialize)]
        struct PushRules {
            global: Ruleset,
        }
        let stored = self.0.accounts.global_account_data(user).await;
        let stored = stored.map_err(|error| RoomError::BadRequest(error.to_string()))?;
        let rules = stored
            .get("m.push_rules")
            .and_then(|data| serde_json::from_str::<PushRules>(data.content.get()).ok());
        let member = match view.state.get("m.room.member", user_id.as_str()) {
            Some(number) => self.0.rooms.event(number).await?.pdu.content_as::<Member>().ok(),
            None => None,
        };
        Ok(OwnReader {
            user_id: user_id.to_owned(),
            display_name: member.and_then(|member| member.displayname).unwrap_or_default(),
            rules: rules.map(|rules| rules.global),
        })
    }
}

/// A reader with the rules that are not everyone's.
struct OwnReader {
    user_id: OwnedUserId,
    display_name: String,
    /// `None` for the default rules.
    rules: Option<Ruleset>,
}

impl OwnReader {
    async fn judge(&self, facts: &Facts, room: &Room, room_facts: &RoomFacts) -> Verdict {
        let defaults;
        let rules = match &self.rules {
            Some(rules) => rules,
            None if facts.concerns(&self.user_id, &self.display_name) => {
                defaults = Ruleset::server_default(&self.user_id);
                &defaults
            }
            None => return facts.neutral,
        };
        let reader = Reader {
            user_id: &self.user_id,
            display_name: &self.display_name,
            rules,
        };
        facts.evaluate(room, room_facts, &reader).await
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

fn sum(unread: &[UnreadEvent]) -> RoomCounts {
    let mut counts = RoomCounts::default();
    for event in unread {
        counts.add(event);
    }
    counts
}
