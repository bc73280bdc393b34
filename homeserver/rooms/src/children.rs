//! Pages of an event's children (CS API § Relationships API).

use std::sync::Arc;

use echorift_storage::Position;
use ruma::EventId;

use crate::{
    Event, Order, Reader, Room, RoomError, Rooms, TimelineToken,
    store::{self, relations::ChildrenOf},
};

/// The most events of one page.
const PAGE_MAX: usize = 500;
/// How many relations are followed with `recurse`.
const DEPTH_MAX: i64 = 3;

/// Which children of an event are wanted.
#[derive(Debug, Clone, Copy)]
pub struct ChildrenRequest<'a> {
    pub parent: &'a EventId,
    pub rel_type: Option<&'a str>,
    pub event_type: Option<&'a str>,
    pub from: Option<TimelineToken>,
    pub to: Option<TimelineToken>,
    pub order: Order,
    pub limit: usize,
    /// Children's children as well.
    pub recurse: bool,
}

/// Some children of an event.
#[derive(Debug)]
pub struct ChildrenPage {
    pub events: Vec<Arc<Event>>,
    pub next: Option<TimelineToken>,
    pub previous: Option<TimelineToken>,
    /// How many relations were followed, if more than one might have been.
    pub depth: Option<i64>,
}

impl Rooms {
    /// Events that relate to an event. Errors: `UnknownEvent` if the reader may not see that event.
    pub async fn children(
        &self,
        room: &Room,
        reader: &Reader,
        request: ChildrenRequest<'_>,
    ) -> Result<ChildrenPage, RoomError> {
        self.visible_event(room, reader, request.parent).await?;
        let range = match request.order {
            Order::NewestFirst => (request.to, request.from),
            Order::OldestFirst => (request.from, request.to),
        };
        let after = range.0.map_or(Position(i64::MIN), |token| token.0);
        let to = range.1.map_or(Position(i64::MAX), |token| token.0);
        let limit = request.limit.clamp(1, PAGE_MAX);
        let wanted = ChildrenOf {
            room: room.number,
            parent: request.parent,
            rel_type: request.rel_type,
            event_type: request.event_type,
            depth: if request.recurse { DEPTH_MAX } else { 1 },
        };
        let rows = i64::try_from(limit).unwrap_or(i64::MAX);
        let found =
            store::relations::children(self.database(), &wanted, (after, to), request.order, rows).await?;
        let depth = request
            .recurse
            .then(|| found.iter().map(|(_, depth)| *depth).max().unwrap_or(1));
        let numbers: Vec<_> = found.iter().map(|(number, _)| *number).collect();
        let events = self.events(&numbers).await?;
        let next = events
            .last()
            .filter(|_| found.len() == limit)
            .map(|last| match request.order {
                Order::NewestFirst => TimelineToken::before(last.position()),
                Order::OldestFirst => TimelineToken(last.position()),
            });
        let mut events = self.visible(room, reader, events).await?;
        events.retain(|event| !reader.ignored.hides(event));
        Ok(ChildrenPage {
            events,
            next,
            previous: request.from,
            depth,
        })
    }
}
