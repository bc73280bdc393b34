//! Pages of a room's timeline (CS API § Getting events for a room).

use std::{collections::BTreeSet, sync::Arc};

use echorift_storage::{EventNumber, Position};

use crate::{Access, Event, EventMatcher, Order, Reader, Room, RoomError, Rooms, State, TimelineToken};

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
    pub events: Vec<Arc<Event>>,
}

impl Rooms {
    /// The next events that the reader may and wants to see. May be short, or even empty, and still have an `end`.
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
        let mut cursor = start;
        let mut events: Vec<Arc<Event>> = Vec::with_capacity(limit.min(FILTERED_BATCH));
        let mut scanned = 0;
        while events.len() < limit && scanned < SCANNED_MAX {
            let range = match request.order {
                Order::NewestFirst => (request.to.map_or(Position(i64::MIN), |to| to.0), cursor.0),
                Order::OldestFirst => (cursor.0, request.to.map_or(Position(i64::MAX), |to| to.0)),
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
                return Ok(TimelinePage {
                    start,
                    end: None,
                    events,
                });
            }
        }
        Ok(TimelinePage {
            start,
            end: Some(cursor),
            events,
        })
    }

    /// As [`Rooms::page`], with history from before this server's time fetched from other servers where the page would
    /// end for want of it.
    pub async fn page_of_all(
        &self,
        room: &Arc<Room>,
        reader: &Reader,
        access: Access,
        request: PageRequest,
        matcher: &EventMatcher,
    ) -> Result<TimelinePage, RoomError> {
        for _ in 0..BACKFILLS_MAX {
            let page = self.page(room, reader, access, request, matcher).await?;
            if page.end.is_some() || request.order == Order::OldestFirst || !self.lacks_history(room).await? {
                return Ok(page);
            }
            let Ok(peers) = self.peers() else { return Ok(page) };
            if peers.backfill(room, BACKFILLED).await? == 0 {
                return Ok(page);
            }
        }
        self.page(room, reader, access, request, matcher).await
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

/// The place beyond an event in the direction of reading.
fn after(event: &Event, order: Order) -> TimelineToken {
    match order {
        Order::NewestFirst => TimelineToken::before(event.position()),
        Order::OldestFirst => TimelineToken(event.position()),
    }
}

#[cfg(test)]
mod tests;
