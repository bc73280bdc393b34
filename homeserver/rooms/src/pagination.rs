//! Pages of a room's timeline (CS API § Getting events for a room).

use std::{collections::BTreeSet, sync::Arc};

use echorift_storage::{EventNumber, Position};

use crate::{
    Access, Backfilled, Event, EventMatcher, HistoryGap, HistoryPart, Order, Reader, Room, RoomError, Rooms,
    State, TimelineToken,
};

/// The most events of one page.
pub const PAGE_MAX: usize = 1_000;
/// So many events are looked at for one page when few of them match; the client continues from there.
const SCANNED_MAX: usize = 2_000;
/// How often other servers are asked for one page, and for how many events each time.
const BACKFILLS_MAX: usize = 3;
const BACKFILLED: usize = 100;
/// With a filter at least so many are looked at together.
const FILTERED_BATCH: usize = 100;

/// Which part of a timeline is wanted.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    /// Where to start; at the end that the reader may see first, if `None`.
    pub from: Option<TimelineToken>,
    pub to: Option<TimelineToken>,
    pub order: Order,
    /// At most [`PAGE_MAX`] count.
    pub limit: usize,
}

/// A part of a timeline, in the order asked for.
#[derive(Debug)]
pub struct TimelinePage {
    pub start: TimelineToken,
    /// Where to continue; `None` if there is nothing further.
    pub end: Option<TimelineToken>,
    /// The gap that ends the page: it is all that there is up to the gap.
    pub gap: Option<HistoryGap>,
    pub events: Vec<Arc<Event>>,
}

/// How a reader goes on at a gap.
enum Crossing {
    /// It was filled a bit, or closed.
    Filled,
    /// Others cannot be asked now: the next try may succeed.
    Stay,
    /// Nobody has what is missing, or nobody could be asked for too long.
    Pass,
}

impl Rooms {
    /// The next events that the reader may and wants to see. May be short, or even empty, and still have an `end`: at the
    /// latest where a gap is met.
    pub async fn page(
        &self,
        room: &Room,
        reader: &Reader,
        access: Access,
        request: PageRequest,
        matcher: &EventMatcher,
    ) -> Result<TimelinePage, RoomError> {
        let start = match (request.from, request.order) {
            (Some(from), _) => from,
            (None, Order::OldestFirst) => TimelineToken(Position(i64::MIN)),
            (None, Order::NewestFirst) => TimelineToken(self.newest_for(room, access).await?),
        };
        let limit = request.limit.clamp(1, PAGE_MAX);
        let gap = gap_in(room, start, request);
        let stop = match (gap, request.order) {
            (Some(gap), order) => gap.edge(order).0,
            (None, Order::NewestFirst) => request.to.map_or(Position(i64::MIN), |to| to.0),
            (None, Order::OldestFirst) => request.to.map_or(Position(i64::MAX), |to| to.0),
        };
        let mut cursor = start;
        let mut events: Vec<Arc<Event>> = Vec::with_capacity(limit.min(FILTERED_BATCH));
        let mut scanned = 0;
        while events.len() < limit && scanned < SCANNED_MAX {
            let range = match request.order {
                Order::NewestFirst => (stop, cursor.0),
                Order::OldestFirst => (cursor.0, stop),
            };
            let mut batch = limit - events.len();
            if !matcher.matches_all() {
                batch = batch.max(FILTERED_BATCH);
            }
            let found = self.timeline(room, range, request.order, batch).await?;
            let is_last = found.len() < batch;
            scanned += found.len();
            let beyond = found.last().map(|last| after(last, request.order));
            let visible = self.visible(room, reader, found).await?;
            let visible = self.retain_related(room, visible, matcher).await?;
            let mut wanted = visible
                .into_iter()
                .filter(|event| matcher.matches(event) && !reader.ignored.hides(event));
            events.extend(wanted.by_ref().take(limit - events.len()));
            if wanted.next().is_some() {
                // The page is full before the batch is used up.
                cursor = events.last().map_or(cursor, |last| after(last, request.order));
                break;
            }
            cursor = beyond.unwrap_or(cursor);
            if is_last {
                let end = gap.map(|_| match request.order {
                    Order::NewestFirst => TimelineToken(cursor.0.min(stop)),
                    Order::OldestFirst => TimelineToken(cursor.0.max(stop)),
                });
                return Ok(TimelinePage {
                    start,
                    end,
                    gap,
                    events,
                });
            }
        }
        Ok(TimelinePage {
            start,
            end: Some(cursor),
            gap: None,
            events,
        })
    }

    /// As [`Rooms::page`], with history fetched from other servers: that from before this server's time where the page
    /// would end for want of it, and what is missing in a gap where the page would begin there. A page that ends where it
    /// began, with nothing in it, is one that waits at a gap for other servers to be there again.
    pub async fn page_of_all(
        &self,
        room: &Arc<Room>,
        reader: &Reader,
        access: Access,
        request: PageRequest,
        matcher: &EventMatcher,
    ) -> Result<TimelinePage, RoomError> {
        let (mut request, mut first_start) = (request, None);
        let mut asked = 0;
        loop {
            let page = self.page(room, reader, access, request, matcher).await?;
            let page = TimelinePage {
                start: *first_start.get_or_insert(page.start),
                ..page
            };
            match (page.gap, page.end) {
                (Some(gap), end) if page.events.is_empty() => {
                    match self.cross(room, gap, &mut asked).await? {
                        Crossing::Filled => request.from = end,
                        Crossing::Stay => return Ok(page),
                        Crossing::Pass => request.from = Some(gap.beyond(request.order)),
                    }
                }
                (None, None) if request.order == Order::NewestFirst => {
                    let Some(peers) = self.peers().ok().filter(|_| asked < BACKFILLS_MAX) else {
                        return Ok(page);
                    };
                    asked += 1;
                    let beginning = HistoryPart::Beginning;
                    if !self.lacks_history(room).await?
                        || peers.backfill(room, beginning, BACKFILLED).await? != Backfilled::Grown
                    {
                        return Ok(page);
                    }
                }
                _ => return Ok(page),
            }
        }
    }

    /// Asks other servers for a bit of what is missing in a gap that a reader has come to.
    async fn cross(
        &self,
        room: &Arc<Room>,
        gap: HistoryGap,
        asked: &mut usize,
    ) -> Result<Crossing, RoomError> {
        let now = self.clock().now();
        let Ok(peers) = self.peers() else {
            return Ok(Crossing::Pass);
        };
        if !self.is_in(room) || !room.gaps.is_worth_asking(gap.lower, now) {
            return Ok(Crossing::Pass);
        }
        if *asked >= BACKFILLS_MAX {
            return Ok(Crossing::Stay);
        }
        *asked = asked.saturating_add(1);
        Ok(
            match peers
                .backfill(room, HistoryPart::Gap(gap.lower), BACKFILLED)
                .await?
            {
                Backfilled::Grown => Crossing::Filled,
                Backfilled::Nothing => {
                    room.gaps.is_given_up(gap.lower, now);
                    Crossing::Pass
                }
                Backfilled::Unreachable if room.gaps.has_failed(gap.lower, now) => Crossing::Pass,
                Backfilled::Unreachable => Crossing::Stay,
            },
        )
    }

    /// The position of the newest event that somebody with this access might see.
    async fn newest_for(&self, room: &Room, access: Access) -> Result<Position, RoomError> {
        let newest = room.view().position;
        if newest > access.until() && self.is_closed_to_others(room).await? {
            return Ok(access.until());
        }
        Ok(newest)
    }

    /// The state after an event.
    pub(crate) async fn state_after(&self, room: &Room, event: &Event) -> Result<State, RoomError> {
        let view = room.view();
        if view.state.snapshot == event.snapshot {
            return Ok(view.state.clone());
        }
        Ok(self.state(event.snapshot).await?)
    }

    /// The member events of those who sent the events of a page, as they stood at the latest of these.
    pub async fn members_for(&self, room: &Room, page: &TimelinePage) -> Result<Vec<Arc<Event>>, RoomError> {
        let Some(latest) = page.events.iter().max_by_key(|event| event.position()) else {
            return Ok(Vec::new());
        };
        let state = self.state_after(room, latest).await?;
        self.members_of_senders(&state, &page.events).await
    }

    /// The member events, in this state, of those who sent the events (CS API § Lazy-loading room members).
    pub(crate) async fn members_of_senders(
        &self,
        state: &State,
        events: &[Arc<Event>],
    ) -> Result<Vec<Arc<Event>>, RoomError> {
        let senders: BTreeSet<&str> = events.iter().map(|event| event.pdu.sender.as_str()).collect();
        let members: Vec<EventNumber> = senders
            .into_iter()
            .filter_map(|sender| state.get("m.room.member", sender))
            .collect();
        Ok(self.events(&members).await?)
    }
}

/// The gap that is met on the way that is asked for.
fn gap_in(room: &Room, start: TimelineToken, request: PageRequest) -> Option<HistoryGap> {
    let gap = room.gap_from(start.0, request.order)?;
    let edge = gap.edge(request.order).0;
    let is_on_the_way = match request.order {
        Order::NewestFirst => request.to.is_none_or(|to| to.0 < edge),
        Order::OldestFirst => request.to.is_none_or(|to| edge < to.0),
    };
    is_on_the_way.then_some(gap)
}

/// The place beyond an event in the direction of reading.
fn after(event: &Event, order: Order) -> TimelineToken {
    match order {
        Order::NewestFirst => TimelineToken::before(event.position()),
        Order::OldestFirst => TimelineToken(event.position()),
    }
}

#[cfg(test)]
mod tests;
