//! The latest events of a room, as both kinds of sync tell them.

use std::sync::Arc;

use echorift_rooms::{Event, EventMatcher, Order, Outcome, Reader, Room, RoomError};
use echorift_storage::Position;
use ruma::events::TimelineEventType;

use crate::Syncs;

/// How many events are looked at to fill the timeline of one room through a filter.
const SCANNED_MAX: usize = 1_000;

/// A room's part of the answer, before it is written out.
pub(crate) struct Timeline {
    /// Oldest first.
    pub events: Vec<Arc<Event>>,
    /// Whether events between the token and these were left out.
    pub limited: bool,
    /// Every event of the room since the token, oldest first; `None` if there are too many.
    pub all: Option<Vec<Arc<Event>>>,
    /// Right before the first of `events`.
    pub start: Position,
}

/// Which events of a timeline a client wants to have.
#[derive(Clone, Copy)]
pub(crate) struct WantedEvents<'a> {
    pub reader: &'a Reader,
    pub matcher: &'a EventMatcher,
    pub limit: usize,
}

impl Timeline {
    /// Without events, at a place.
    pub fn empty(at: Position) -> Self {
        Self {
            events: Vec::new(),
            limited: false,
            all: None,
            start: at,
        }
    }
}

impl Syncs {
    /// The latest events of a room after `after` (all of them, for `None`) up to `to`, as they are wanted. Where the room's
    /// timeline has a gap, only those above it.
    pub(crate) async fn read_timeline(
        &self,
        wanted: WantedEvents<'_>,
        room: &Room,
        after: Option<Position>,
        to: Position,
    ) -> Result<Timeline, RoomError> {
        let WantedEvents {
            reader,
            matcher,
            limit,
        } = wanted;
        let from = after.unwrap_or(Position(i64::MIN));
        let gap = room.gap_from(to, Order::NewestFirst);
        let edge = gap.map(|gap| gap.edge(Order::NewestFirst).0);
        let edge = edge.filter(|edge| from < *edge);
        let from = edge.unwrap_or(from);
        let (mut found, mut scanned) = (Vec::new(), Vec::new());
        let mut upper = to;
        let mut is_exhausted = false;
        let mut page_size = limit.saturating_add(1);
        while !is_exhausted && found.len() <= limit && scanned.len() < SCANNED_MAX {
            let page = self
                .rooms()
                .timeline(room, (from, upper), Order::NewestFirst, page_size)
                .await?;
            is_exhausted = page.len() < page_size;
            if let Some(oldest) = page.last() {
                upper = Position(oldest.position().0.saturating_sub(1));
            }
            scanned.extend(page.iter().cloned());
            let visible = self.rooms().visible(room, reader, page).await?;
            let visible = self.rooms().retain_related(room, visible, matcher).await?;
            let is_wanted = |event: &Arc<Event>| matcher.matches(event) && !reader.ignored.hides(event);
            found.extend(visible.into_iter().filter(is_wanted));
            // A second page is read only where the filter throws most away.
            page_size = 100;
        }
        // Where the known timeline does not reach back to the room's creation, other servers have what is before it.
        let oldest = scanned
            .iter()
            .rev()
            .find(|event| event.outcome == Outcome::Accepted);
        let begins_elsewhere = after.is_none()
            && oldest.is_some_and(|event| event.pdu.event_type != TimelineEventType::RoomCreate);
        let limited = found.len() > limit || !is_exhausted || begins_elsewhere || edge.is_some();
        found.truncate(limit);
        found.reverse();
        scanned.reverse();
        let start = match (found.first(), limited) {
            (Some(first), _) => Position(first.position().0.saturating_sub(1)),
            (None, true) => to,
            (None, false) => after.unwrap_or(to),
        };
        Ok(Timeline {
            events: found,
            limited,
            all: (is_exhausted && edge.is_none()).then_some(scanned),
            start,
        })
    }

    /// The event by which the reader left is for the reader to see, whatever the room's history visibility.
    pub(crate) async fn add_own_departure(
        &self,
        matcher: &EventMatcher,
        room: &Room,
        at: Position,
        timeline: &mut Timeline,
    ) -> Result<(), RoomError> {
        if timeline.events.last().is_some_and(|event| event.position() == at) {
            return Ok(());
        }
        let before = Position(at.0.saturating_sub(1));
        let own = self
            .rooms()
            .timeline(room, (before, at), Order::OldestFirst, 1)
            .await?;
        timeline
            .events
            .extend(own.into_iter().filter(|event| matcher.matches(event)));
        Ok(())
    }
}
