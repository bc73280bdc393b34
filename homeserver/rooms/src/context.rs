//! The events around an event (CS API § Event context).

use std::sync::Arc;

use echorift_storage::{EventNumber, Position};
use ruma::EventId;

use crate::{Event, EventMatcher, Order, Reader, Room, RoomError, Rooms, TimelineToken};

/// The most events on either side.
const SIDE_MAX: usize = 100;

/// An event, its neighbours, and the room's state at the last of them.
#[derive(Debug)]
pub struct EventContext {
    /// The nearest first.
    pub before: Vec<Arc<Event>>,
    pub event: Arc<Event>,
    pub after: Vec<Arc<Event>>,
    pub state: Vec<Arc<Event>>,
    /// To read on backwards from.
    pub start: TimelineToken,
    /// To read on forwards from.
    pub end: TimelineToken,
}

/// How much of the surroundings is wanted.
#[derive(Debug)]
pub struct ContextRequest<'a> {
    /// Neighbours on both sides together.
    pub limit: usize,
    pub matcher: &'a EventMatcher,
    /// Of the members only those who sent one of the events.
    pub lazy_members: bool,
}

impl Rooms {
    /// An event of the room that the reader may see. Errors: `UnknownEvent`, also for events that they may not see,
    /// whatever the reason.
    pub async fn visible_event(
        &self,
        room: &Room,
        reader: &Reader,
        id: &EventId,
    ) -> Result<Arc<Event>, RoomError> {
        let event = self.event_by_id(room, id).await?;
        let visible = self.visible(room, reader, vec![event]).await?.pop();
        visible.ok_or_else(|| RoomError::UnknownEvent(id.to_owned()))
    }

    /// The surroundings of an event. Errors: `UnknownEvent`.
    pub async fn context(
        &self,
        room: &Room,
        reader: &Reader,
        id: &EventId,
        request: ContextRequest<'_>,
    ) -> Result<EventContext, RoomError> {
        let event = self.visible_event(room, reader, id).await?;
        let place = event.position();
        // What is beyond a gap does not surround the event.
        let edge = |order| room.gap_from(place, order).map(|gap| gap.edge(order).0);
        let lowest = edge(Order::NewestFirst).unwrap_or(Position(i64::MIN));
        let highest = edge(Order::OldestFirst).unwrap_or(Position(i64::MAX));
        let earlier = (lowest, TimelineToken::before(place).0);
        let later = (place, highest);
        let (limit_before, limit_after) = (request.limit / 2, request.limit - request.limit / 2);
        let before = self
            .timeline(room, earlier, Order::NewestFirst, limit_before.min(SIDE_MAX))
            .await?;
        let after = self
            .timeline(room, later, Order::OldestFirst, limit_after.min(SIDE_MAX))
            .await?;
        let start = TimelineToken::before(before.last().map_or(place, |first| first.position()));
        let end = TimelineToken(after.last().map_or(place, |last| last.position()));
        let is_wanted = |event: &Arc<Event>| request.matcher.matches(event) && !reader.ignored.hides(event);
        let mut before = self.visible(room, reader, before).await?;
        before.retain(is_wanted);
        let before = self.retain_related(room, before, request.matcher).await?;
        let mut after = self.visible(room, reader, after).await?;
        after.retain(is_wanted);
        let after = self.retain_related(room, after, request.matcher).await?;

        let state = self.state_after(room, after.last().unwrap_or(&event)).await?;
        let senders: Vec<Arc<Event>> = before.iter().chain(&after).chain([&event]).cloned().collect();
        let mut state_events = if request.lazy_members {
            let others = state
                .iter()
                .filter(|(event_type, ..)| *event_type != "m.room.member");
            let others: Vec<EventNumber> = others.map(|(_, _, number)| number).collect();
            let mut found = self.events(&others).await?;
            found.extend(self.members_of_senders(&state, &senders).await?);
            found
        } else {
            let all: Vec<EventNumber> = state.events().collect();
            self.events(&all).await?
        };
        state_events.retain(|event| request.matcher.matches(event));
        Ok(EventContext {
            before,
            event,
            after,
            state: state_events,
            start,
            end,
        })
    }
}
