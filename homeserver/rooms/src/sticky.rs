//! Sticky events (MSC4354): for as long as it sticks, an event reaches everybody who is in its room, wherever it stands in
//! the timeline.
//!
//! The database holds what sticks and until when; every loaded room has it in memory. An event becomes sticky in the commit
//! that makes it part of the room, and its place in the log is where readers hear of it. One that the room's state does
//! not allow is *withheld*, and let in with the first change of the state that allows it (`batch::sticky`).

use std::{collections::HashMap, sync::Arc, time::Duration};

use echorift_events::Pdu;
use echorift_storage::{EventNumber, Position, RoomNumber, StorageError, Timestamp, UserNumber};
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::{Event, Room, RoomError, Rooms, store};

/// How many sticky events a user of ours may have in a room at a time: who refreshes one each minute has sixty. More are
/// refused, because what others send in such numbers may lose its stickiness early (`ROOM_MAX`).
const OWN_MAX: usize = 1_000;
/// How many sticky events a room has at a time; some 40 bytes each. With more, who has the most loses the oldest: it stays
/// in the timeline as any event does.
const ROOM_MAX: usize = 10_000;
/// How many withheld events a room remembers; the oldest make place.
const WITHHELD_MAX: usize = 200;
/// How often what has ended is removed from database and memory. Nobody is shown it in between.
const SWEEP: Duration = Duration::from_secs(60);
/// How many rows are removed in one commit.
const SWEPT_AT_ONCE: i64 = 2_000;

/// An event that sticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sticky {
    pub event: EventNumber,
    pub sender: UserNumber,
    pub expires: Timestamp,
}

/// A sticky event of which readers hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StickyEvent {
    pub event: EventNumber,
    /// From where in the log on readers hear of it. Mostly where the event stands itself; later for one that was withheld.
    pub position: Position,
    expires: Timestamp,
    sender: UserNumber,
}

impl StickyEvent {
    fn new(sticky: Sticky, position: Position) -> Self {
        Self {
            event: sticky.event,
            position,
            expires: sticky.expires,
            sender: sticky.sender,
        }
    }
}

/// Until when an event sticks that was received at a time, if it does so at all (MSC4354 § Proposal).
pub(crate) fn expiry(pdu: &Pdu, received: Timestamp) -> Option<Timestamp> {
    let duration_ms = i64::from(pdu.sticky_duration_ms?.get());
    // A time in the future does not make it stick for longer.
    let start = i64::from(pdu.origin_server_ts.get()).min(received.0);
    Some(Timestamp(start.saturating_add(duration_ms))).filter(|expires| *expires > received)
}

/// What sticks to a loaded room. Nearly always nothing, which takes no memory.
#[derive(Default)]
pub(crate) struct RoomSticky(RwLock<Lists>);

#[derive(Default)]
struct Lists {
    /// In the order of their positions.
    told: Vec<StickyEvent>,
    withheld: Vec<Sticky>,
}

impl Lists {
    fn withhold(&mut self, sticky: Sticky) {
        self.withheld.push(sticky);
        let excess = self.withheld.len().saturating_sub(WITHHELD_MAX);
        self.withheld.drain(..excess);
    }
}

impl RoomSticky {
    /// From stored rows.
    pub fn new(rows: impl IntoIterator<Item = (Sticky, Option<Position>)>) -> Self {
        let mut lists = Lists::default();
        for (row, position) in rows {
            match position {
                Some(position) => lists.told.push(StickyEvent::new(row, position)),
                None => lists.withhold(row),
            }
        }
        lists.told.sort_unstable_by_key(|known| known.position);
        Self(RwLock::new(lists))
    }

    /// Takes an event that readers hear of from a position on, or that is withheld.
    pub fn put(&self, sticky: Sticky, position: Option<Position>) {
        let mut lists = self.0.write();
        if lists.told.iter().any(|known| known.event == sticky.event) {
            return;
        }
        lists.withheld.retain(|known| known.event != sticky.event);
        let Some(position) = position else {
            lists.withhold(sticky);
            return;
        };
        let place = lists.told.partition_point(|known| known.position <= position);
        lists.told.insert(place, StickyEvent::new(sticky, position));
    }

    /// Whether readers hear of the event.
    pub fn tells(&self, event: EventNumber) -> bool {
        self.0.read().told.iter().any(|known| known.event == event)
    }

    /// Whether readers hear of the event, or it is withheld.
    pub fn knows(&self, event: EventNumber) -> bool {
        self.tells(event) || self.0.read().withheld.iter().any(|known| known.event == event)
    }

    /// Ends an event's stickiness.
    pub fn end(&self, event: EventNumber) {
        let mut lists = self.0.write();
        lists.told.retain(|known| known.event != event);
        lists.withheld.retain(|known| known.event != event);
    }

    /// Forgets what has ended.
    fn sweep(&self, now: Timestamp) {
        let mut lists = self.0.write();
        lists.told.retain(|known| known.expires > now);
        lists.withheld.retain(|known| known.expires > now);
        lists.told.shrink_to_fit();
        lists.withheld.shrink_to_fit();
    }

    fn told(&self, now: Timestamp) -> Vec<StickyEvent> {
        let lists = self.0.read();
        lists
            .told
            .iter()
            .filter(|known| known.expires > now)
            .copied()
            .collect()
    }

    /// The withheld ones that have not ended.
    pub fn withheld(&self, now: Timestamp) -> Vec<Sticky> {
        let lists = self.0.read();
        lists
            .withheld
            .iter()
            .filter(|known| known.expires > now)
            .copied()
            .collect()
    }

    /// The event that has to go for one more.
    pub fn one_too_many(&self, now: Timestamp) -> Option<Sticky> {
        let lists = self.0.read();
        if lists.told.len() < ROOM_MAX {
            return None;
        }
        let mut counts: HashMap<UserNumber, usize> = HashMap::new();
        for known in lists.told.iter().filter(|known| known.expires > now) {
            *counts.entry(known.sender).or_default() += 1;
        }
        if counts.values().sum::<usize>() < ROOM_MAX {
            return None;
        }
        let (most, _) = counts.into_iter().max_by_key(|(user, count)| (*count, *user))?;
        let oldest = lists.told.iter().find(|known| known.sender == most)?;
        Some(Sticky {
            event: oldest.event,
            sender: oldest.sender,
            expires: oldest.expires,
        })
    }

    /// Until when the event sticks; `None` if it does not.
    fn expiry_of(&self, event: &Event, now: Timestamp) -> Option<Timestamp> {
        let lists = self.0.read();
        let position = event.position();
        let place = lists.told.partition_point(|known| known.position < position);
        let is_it = |known: &&StickyEvent| known.event == event.number;
        // It stands elsewhere only if it was let in late.
        let found = lists.told.get(place).filter(is_it);
        let found = found.or_else(|| lists.told.iter().find(is_it))?;
        Some(found.expires).filter(|expires| *expires > now)
    }
}

impl Room {
    /// Whether anything sticks to the room, or did until a moment ago.
    pub fn has_sticky_events(&self) -> bool {
        !self.sticky.0.read().told.is_empty()
    }

    /// The room's sticky events that have not expired at `now`, in the order of their positions.
    pub fn sticky_events(&self, now: Timestamp) -> Vec<StickyEvent> {
        self.sticky.told(now)
    }
}

impl Rooms {
    /// For how many milliseconds the event is still sticky; `None` if it is not.
    pub(crate) fn sticky_ttl_ms(&self, event: &Event, now: Timestamp) -> Option<i64> {
        event.pdu.sticky_duration_ms?;
        let expires = self.loaded(event.room)?.sticky.expiry_of(event, now)?;
        Some(expires.0.saturating_sub(now.0))
    }

    /// The rooms that the user is joined to and that have sticky events now.
    pub async fn rooms_with_sticky_events(&self, user: UserNumber) -> Result<Vec<RoomNumber>, StorageError> {
        store::sticky::rooms_of_user(self.database(), user, self.clock().now()).await
    }

    /// Errors: `TooManySticky` if the user, who is one of ours, has as many sticky events in the room as one may have.
    pub(crate) fn check_sticky(&self, room: &Room, sender: UserNumber) -> Result<(), RoomError> {
        let now = self.clock().now();
        let own = room.sticky.told(now).into_iter();
        let own: Vec<Timestamp> = own
            .filter(|known| known.sender == sender)
            .map(|known| known.expires)
            .collect();
        match own.iter().min() {
            Some(first) if own.len() >= OWN_MAX => {
                let wait_ms = u64::try_from(first.0.saturating_sub(now.0)).unwrap_or(0);
                Err(RoomError::TooManySticky {
                    retry_after: Duration::from_millis(wait_ms),
                })
            }
            _ => Ok(()),
        }
    }

    /// Removes sticky events that have ended, now and then, until `stopping` turns true.
    pub fn sweep_sticky_events(&self, mut stopping: watch::Receiver<bool>) {
        let rooms = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(SWEEP) => {}
                    // An error is the end of whoever could have said so.
                    _ = stopping.wait_for(|stop| *stop) => return,
                }
                if let Err(error) = rooms.remove_ended_stickiness().await {
                    tracing::warn!(%error, "events that are not sticky any more could not be removed");
                }
            }
        });
    }

    pub(crate) async fn remove_ended_stickiness(&self) -> Result<(), StorageError> {
        let now = self.clock().now();
        if !store::sticky::has_ended(self.database(), now).await? {
            return Ok(());
        }
        loop {
            let (removed, of_rooms) =
                store::sticky::remove_ended(self.database(), now, SWEPT_AT_ONCE).await?;
            for room in of_rooms {
                // Not `loaded`, which would count as a use of the room.
                let slot = self.0.slots.get(&room).map(|slot| Arc::clone(&slot));
                if let Some(room) = slot.and_then(|slot| slot.room.read().upgrade()) {
                    room.sticky.sweep(now);
                }
            }
            if i64::try_from(removed).unwrap_or(i64::MAX) < SWEPT_AT_ONCE {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
