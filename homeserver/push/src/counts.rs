//! How many unread events of a room would notify its reader (CS API § Receiving notifications).

use std::{collections::BTreeMap, sync::Arc};

use echorift_accounts::Accounts;
use echorift_rooms::{Event, Order, Receipt, ReceiptKey, Room, RoomError, Rooms};
use echorift_storage::{EventNumber, Position, RoomNumber, UserNumber};
use imbl::OrdMap;
use quick_cache::sync::Cache;
use ruma::{UserId, events::TimelineEventType};

use crate::{facts::Verdict, read::Read, reader::Judges};

/// How many pairs of reader and room have their counts in memory.
const CACHED: usize = 200_000;
/// How many unread notifications of a room are told apart. Nobody reads a badge above this; clients show "999+".
const COUNTED_MAX: usize = 1_000;
/// How many events are read in one go to count a room that was not counted since the server started, and how often: a
/// room that somebody has not read for longer is counted from there on.
const RECOUNTED: usize = 200;
const PORTIONS_MAX: usize = 5;

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
    judges: Judges,
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
    receipts: OrdMap<ReceiptKey, Receipt>,
}

struct UnreadEvent {
    number: EventNumber,
    position: Position,
    thread: Option<Arc<str>>,
    highlights: bool,
}

/// One event, and what its reader's rules say of it.
pub(crate) struct Judged {
    pub verdict: Verdict,
    /// Whether a receipt of the reader covers it.
    pub is_read: bool,
}

impl Unread {
    pub fn new(rooms: &Rooms, accounts: &Accounts) -> Self {
        Self(Arc::new(Inner {
            rooms: rooms.clone(),
            judges: Judges::new(rooms, accounts),
            counted: Cache::new(CACHED),
        }))
    }

    /// The reader's counts in a room, events up to `to` included. `joined` is the position of the reader's membership
    /// event: what was before the reader joined does not count.
    ///
    /// Looks only at what came since it was last asked; the first time at what came after the reader's receipt.
    pub async fn counts(
        &self,
        reader: (UserNumber, &UserId),
        room: &Arc<Room>,
        joined: Position,
        to: Position,
    ) -> Result<RoomCounts, RoomError> {
        let counted = self.counted(reader.0, room.number);
        let mut counted = counted.lock().await;
        self.catch_up(reader, room, joined, to, &mut counted).await?;
        Ok(counted.totals.clone())
    }

    /// The unread events that notify and came after `after`, oldest first.
    pub(crate) async fn unread_events(
        &self,
        reader: (UserNumber, &UserId),
        room: &Arc<Room>,
        (after, to): (Position, Position),
    ) -> Result<Vec<EventNumber>, RoomError> {
        let counted = self.counted(reader.0, room.number);
        let mut counted = counted.lock().await;
        self.catch_up(reader, room, Position::default(), to, &mut counted)
            .await?;
        let events = counted.unread.iter().filter(|event| event.position > after);
        Ok(events.map(|event| event.number).collect())
    }

    /// What the reader's rules say of one event of the room, and whether it was read.
    pub(crate) async fn judge(
        &self,
        (user, user_id): (UserNumber, &UserId),
        room: &Room,
        event: &Event,
    ) -> Result<Judged, RoomError> {
        let (view, judges) = (room.view(), &self.0.judges);
        let room_facts = judges.room_facts(room, &view).await?;
        let facts = judges.facts(event, room, &room_facts).await?;
        let judge = judges.judge(user, user_id, &view).await?;
        let verdict = judges.verdict(&judge, (event, &facts), room, &room_facts).await?;
        let read = Read::of(user, &room.receipts().all());
        Ok(Judged {
            verdict,
            is_read: read.covers(event.position(), facts.thread.as_deref()),
        })
    }

    fn counted(&self, user: UserNumber, room: RoomNumber) -> Arc<tokio::sync::Mutex<Counted>> {
        let key = (user, room);
        if let Some(counted) = self.0.counted.get(&key) {
            return counted;
        }
        self.0
            .counted
            .get_or_insert_with::<_, std::convert::Infallible>(&key, || Ok(Arc::default()))
            .unwrap_or_default()
    }

    async fn catch_up(
        &self,
        reader: (UserNumber, &UserId),
        room: &Arc<Room>,
        joined: Position,
        to: Position,
        counted: &mut Counted,
    ) -> Result<(), RoomError> {
        let receipts = room.receipts().all();
        if !counted.receipts.ptr_eq(&receipts) {
            counted.read = Read::of(reader.0, &receipts);
            counted.receipts = receipts;
            let Counted { unread, read, .. } = &mut *counted;
            unread.retain(|event| !read.covers(event.position, event.thread.as_deref()));
            counted.is_stale = true;
        }
        let is_first = counted.up_to == Position::default();
        if is_first {
            self.recount(reader, room, joined, to, counted).await?;
        } else if to > counted.up_to {
            let span = (counted.up_to, to);
            let events = self
                .0
                .rooms
                .timeline(room, span, Order::NewestFirst, COUNTED_MAX)
                .await?;
            self.count(reader, room, &events, counted).await?;
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
        Ok(())
    }

    /// Counts a room from the reader's receipt on. Backwards and in portions, so that a busy room that was read a
    /// moment ago costs one portion in memory.
    async fn recount(
        &self,
        reader: (UserNumber, &UserId),
        room: &Arc<Room>,
        joined: Position,
        to: Position,
        counted: &mut Counted,
    ) -> Result<(), RoomError> {
        // A changed name is a new membership event, and no new beginning.
        let joined = self.0.rooms.joined_since(room, reader.0).await?.unwrap_or(joined);
        let from = counted.read.everywhere.max(joined);
        let mut portions = Vec::new();
        let mut end = to;
        while end > from && portions.len() < PORTIONS_MAX {
            let span = (from, end);
            let events = self
                .0
                .rooms
                .timeline(room, span, Order::NewestFirst, RECOUNTED)
                .await?;
            let oldest = events.last().filter(|_| events.len() == RECOUNTED);
            end = oldest.map_or(from, |event| Position(event.position().0.saturating_sub(1)));
            portions.push(events);
        }
        while let Some(events) = portions.pop() {
            self.count(reader, room, &events, counted).await?;
        }
        Ok(())
    }

    async fn count(
        &self,
        (user, user_id): (UserNumber, &UserId),
        room: &Arc<Room>,
        newest_first: &[Arc<Event>],
        counted: &mut Counted,
    ) -> Result<(), RoomError> {
        let (view, judges) = (room.view(), &self.0.judges);
        let room_facts = judges.room_facts(room, &view).await?;
        let mut judge = None;
        for event in newest_first.iter().rev() {
            let facts = judges.facts(event, room, &room_facts).await?;
            if event.sender == user {
                // Who answers has read (CS API § Receipts): the thread that the event belongs to, up to here. A new
                // name or picture comes into all rooms by itself and answers nobody.
                if event.pdu.event_type != TimelineEventType::RoomMember {
                    counted.unread.retain(|unread| unread.thread != facts.thread);
                    counted.is_stale = true;
                }
                continue;
            }
            let judge = match &mut judge {
                Some(judge) => judge,
                None => judge.insert(judges.judge(user, user_id, &view).await?),
            };
            let verdict = judges.verdict(judge, (event, &facts), room, &room_facts).await?;
            let is_read = counted.read.covers(event.position(), facts.thread.as_deref());
            if verdict.notifies() && !is_read {
                let unread = UnreadEvent {
                    number: event.number,
                    position: event.position(),
                    thread: facts.thread.clone(),
                    highlights: verdict.highlights(),
                };
                counted.totals.add(&unread);
                counted.unread.push(unread);
            }
        }
        Ok(())
    }
}

fn sum(unread: &[UnreadEvent]) -> RoomCounts {
    let mut counts = RoomCounts::default();
    for event in unread {
        counts.add(event);
    }
    counts
}
