//! Gaps in rooms' timelines: what was said while this server was not in a room that it came back to.
//!
//! A gap is opened by the join that brings the server back ([`Rooms::import`]), with positions of its own between those of
//! the old timeline and that of the join. Readers stop at it. What belongs there is asked of other servers when somebody
//! reads that far, and put in downwards from the upper edge ([`Rooms::prepend`]), until what comes next is known from before.

use std::sync::Arc;

use echorift_storage::{Change, Position, Timestamp};
use parking_lot::RwLock;

use crate::{Order, Room, RoomError, Rooms, TimelineToken, store};

/// How many events have a place in a gap: more than anybody reads back through. A gap that is full is closed.
pub(crate) const GAP_POSITIONS: usize = 1 << 20;
/// How many gaps of a room are kept open; beyond that what is missing in the lowest is not looked for any more.
const OPEN_MAX: usize = 64;
/// After how many tries in vain readers are let on to what is below the gap.
const TRIES_MAX: u32 = 5;
/// Tries within this time of each other count as one: clients ask again at once, and a restart of the other server takes a
/// while.
const TRY_MS: i64 = 10_000;
/// After this time others are asked once more.
const TRY_AGAIN_MS: i64 = 600_000;

/// A part of a room's timeline that is missing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryGap {
    /// What is missing stands after this position, which also names the gap within its room.
    pub lower: Position,
    /// What is missing stands before this position. It comes down as the gap is filled.
    pub upper: Position,
}

impl HistoryGap {
    /// The gap below the event at `upper`, which opens it.
    pub(crate) fn below(upper: Position) -> Self {
        let positions = i64::try_from(GAP_POSITIONS).unwrap_or(i64::MAX);
        Self {
            lower: Position(upper.0.saturating_sub(positions).saturating_sub(1)),
            upper,
        }
    }

    /// Where somebody who reads in this order has come to when the gap is met.
    pub fn edge(self, order: Order) -> TimelineToken {
        match order {
            Order::NewestFirst => TimelineToken::before(self.upper),
            Order::OldestFirst => TimelineToken(self.lower),
        }
    }

    /// Where somebody who reads in this order goes on behind the gap.
    pub fn beyond(self, order: Order) -> TimelineToken {
        match order {
            Order::NewestFirst => TimelineToken(self.lower),
            Order::OldestFirst => TimelineToken::before(self.upper),
        }
    }

    /// For how many events there is still a place.
    pub(crate) fn free_positions(self) -> usize {
        let free = self.upper.0.saturating_sub(self.lower.0).saturating_sub(1);
        usize::try_from(free).unwrap_or(0)
    }
}

/// Which part of a room's history is asked of other servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryPart {
    /// What came before everything that is known.
    Beginning,
    /// What belongs into the gap with this lower position.
    Gap(Position),
}

/// The open gaps of a room in memory.
#[derive(Default)]
pub(crate) struct RoomGaps(RwLock<Vec<OpenGap>>);

struct OpenGap {
    gap: HistoryGap,
    /// How often others were asked in vain, and when that was last counted.
    failures: u32,
    failed_at: Timestamp,
}

impl RoomGaps {
    /// `gaps`: the lowest first.
    pub fn new(gaps: impl IntoIterator<Item = HistoryGap>) -> Self {
        let open = gaps.into_iter().map(OpenGap::new);
        Self(RwLock::new(open.collect()))
    }

    pub fn find(&self, lower: Position) -> Option<HistoryGap> {
        let open = self.0.read();
        open.iter().map(|open| open.gap).find(|gap| gap.lower == lower)
    }

    /// Which positions a part of the known timeline has that ends downwards in this missing part; `None` if nothing is
    /// missing there any more. After the first, up to the second.
    pub fn known_above(&self, part: HistoryPart) -> Option<(Position, Position)> {
        let open = self.0.read();
        let (from, above) = match part {
            HistoryPart::Beginning => (Position(i64::MIN), open.first()),
            HistoryPart::Gap(lower) => {
                let index = open.iter().position(|open| open.gap.lower == lower)?;
                let gap = open.get(index)?.gap;
                (
                    TimelineToken::before(gap.upper).0,
                    open.get(index.saturating_add(1)),
                )
            }
        };
        Some((from, above.map_or(Position(i64::MAX), |above| above.gap.lower)))
    }

    /// The gap that has to go when another is opened.
    pub fn surplus(&self) -> Option<Position> {
        let open = self.0.read();
        let first = open.first().filter(|_| open.len() >= OPEN_MAX);
        first.map(|first| first.gap.lower)
    }

    /// Adds a gap above all others.
    pub fn open(&self, gap: HistoryGap) {
        self.0.write().push(OpenGap::new(gap));
    }

    /// All from `upper` on is here.
    pub fn move_edge(&self, lower: Position, upper: Position) {
        let mut all = self.0.write();
        if let Some(open) = all.iter_mut().find(|open| open.gap.lower == lower) {
            *open = OpenGap::new(HistoryGap { lower, upper });
        }
    }

    pub fn close(&self, lower: Position) {
        self.0.write().retain(|open| open.gap.lower != lower);
    }

    /// Whether others are to be asked about the gap at all, or were asked in vain so often of late that readers go on
    /// without.
    pub fn is_worth_asking(&self, lower: Position, now: Timestamp) -> bool {
        let open = self.0.read();
        let open = open.iter().find(|open| open.gap.lower == lower);
        open.is_some_and(|open| open.failures < TRIES_MAX || open.failed_at.plus_ms(TRY_AGAIN_MS) <= now)
    }

    /// Notes that others were asked in vain; whether that was often enough for readers to go on without.
    pub fn has_failed(&self, lower: Position, now: Timestamp) -> bool {
        let mut all = self.0.write();
        let Some(open) = all.iter_mut().find(|open| open.gap.lower == lower) else {
            return true;
        };
        if open.failures == 0 || open.failed_at.plus_ms(TRY_MS) <= now {
            open.failures = open.failures.saturating_add(1);
            open.failed_at = now;
        }
        open.failures >= TRIES_MAX
    }

    /// Notes that nobody has what is missing.
    pub fn is_given_up(&self, lower: Position, now: Timestamp) {
        let mut all = self.0.write();
        if let Some(open) = all.iter_mut().find(|open| open.gap.lower == lower) {
            open.failures = TRIES_MAX;
            open.failed_at = now;
        }
    }
}

impl OpenGap {
    fn new(gap: HistoryGap) -> Self {
        Self {
            gap,
            failures: 0,
            failed_at: Timestamp(0),
        }
    }
}

impl Room {
    /// The first gap that somebody meets who reads the timeline from this place on, in this order.
    pub fn gap_from(&self, from: Position, order: Order) -> Option<HistoryGap> {
        let open = self.gaps.0.read();
        let mut gaps = open.iter().map(|open| open.gap);
        match order {
            Order::NewestFirst => gaps.rfind(|gap| gap.lower < from),
            Order::OldestFirst => gaps.find(|gap| from < gap.beyond(order).0),
        }
    }
}

impl Rooms {
    /// Closes a gap whose upper edge is built upon known events only, or that cannot be filled any more.
    pub async fn close_gap(&self, room: &Arc<Room>, lower: Position) -> Result<(), RoomError> {
        let mut change = Change::new();
        store::gaps::close(&mut change, room.number, lower);
        let held = Arc::clone(room);
        change.on_commit(move |_| held.gaps.close(lower));
        Ok(self.database().writer().commit(change).await?)
    }
}

#[cfg(test)]
mod tests;
