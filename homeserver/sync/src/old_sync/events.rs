use std::{sync::Arc, time::Duration};

use echorift_rooms::{Event, Order, Reader, Room, RoomError, TimelineToken};
use echorift_storage::{Position, RoomNumber};
use echorift_web::{MatrixError, Session};
use ruma::{EventId, RoomId, events::room::member::MembershipState};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::{Changes, SyncToken, Syncs};

/// How long a request may wait.
const TIMEOUT_MAX: Duration = Duration::from_secs(120);
/// The most events of one answer; the client asks on from its end.
const EVENTS_MAX: usize = 200;

/// A part of the stream of events.
#[derive(Debug, Serialize)]
pub(super) struct EventStream {
    start: String,
    end: String,
    chunk: Vec<Box<RawValue>>,
}

/// The events after a place, and up to where that is all of them.
struct Found {
    events: Vec<(Arc<Room>, Arc<Event>)>,
    up_to: Position,
}

impl Syncs {
    /// Waits for events after `from` (now, if `None`) in the reader's rooms, or in one room that they may see.
    ///
    /// Errors: `NotJoined` for a room that the reader may not see.
    pub(super) async fn event_stream(
        &self,
        session: &Session,
        from: Option<TimelineToken>,
        room: Option<&RoomId>,
        timeout: Duration,
    ) -> Result<EventStream, MatrixError> {
        let reader = &Reader::of_session(session, self.accounts()).await?;
        let deadline = Instant::now() + timeout.min(TIMEOUT_MAX);
        let room = match room {
            Some(id) => Some(self.rooms().room(id).await?),
            None => None,
        };
        let start = from.map_or_else(|| self.now().position, |token| token.0);
        let feed = self.feeds().of(reader.user);
        let mut log = self.database().log().watch();
        let mut stopping = self.stopping();
        loop {
            // Before looking, so that nothing that happens in between is missed.
            let mut changed = std::pin::pin!(feed.changed());
            changed.as_mut().enable();
            self.accounts().check_still_valid(session)?;
            let now = *log.borrow_and_update();
            let start = start.min(now);
            let found = match &room {
                Some(room) => self.news_of_room(reader, room, start, now).await?,
                None => {
                    let since = SyncToken {
                        position: start,
                        ephemeral: 0,
                    };
                    self.news_of_rooms(reader, feed.since(since), start, now).await?
                }
            };
            let is_over = Instant::now() >= deadline || *stopping.borrow();
            if !found.events.is_empty() || is_over {
                return self.write_stream(reader, start, found).await;
            }
            tokio::select! {
                () = changed => {}
                // The feed hears of the reader's own rooms only.
                _ = log.changed(), if room.is_some() => {}
                () = tokio::time::sleep_until(deadline) => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
        }
    }

    async fn news_of_room(
        &self,
        reader: &Reader,
        room: &Arc<Room>,
        after: Position,
        to: Position,
    ) -> Result<Found, RoomError> {
        // Whoever has lost sight of the room is told so rather than left waiting.
        self.rooms().access(room, reader).await?;
        if room.view().position <= after {
            return Ok(Found {
                events: Vec::new(),
                up_to: to,
            });
        }
        let page = self
            .rooms()
            .timeline(room, (after, to), Order::OldestFirst, EVENTS_MAX)
            .await?;
        let last = page.last().map(|last| last.position());
        let up_to = last.filter(|_| page.len() == EVENTS_MAX).unwrap_or(to);
        let mut visible = self.rooms().visible(room, reader, page).await?;
        visible.retain(|event| !reader.ignored.hides(event));
        Ok(Found {
            events: visible
                .into_iter()
                .map(|event| (Arc::clone(room), event))
                .collect(),
            up_to,
        })
    }

    async fn news_of_rooms(
        &self,
        reader: &Reader,
        changes: Changes,
        after: Position,
        to: Position,
    ) -> Result<Found, RoomError> {
        let memberships = self.rooms().rooms_of(reader.user).await?;
        let candidates: Vec<RoomNumber> = match changes {
            Changes::Nothing => Vec::new(),
            Changes::In(rooms) => rooms,
            Changes::Unknown => memberships.keys().copied().collect(),
        };
        let mut found = Found {
            events: Vec::new(),
            up_to: to,
        };
        for room in self.rooms().load(&candidates).await? {
            let Some(mine) = memberships.get(&room.number) else {
                continue;
            };
            if mine.membership == MembershipState::Join {
                let news = self.news_of_room(reader, &room, after, to).await?;
                found.up_to = found.up_to.min(news.up_to);
                found.events.extend(news.events);
            } else if mine.position > after && mine.position <= to && !mine.is_forgotten {
                // Of a room that the reader is not in: what made it so.
                let own = self.rooms().event(mine.event).await?;
                let is_invite = mine.membership == MembershipState::Invite;
                if !is_invite || !self.is_unwelcome(reader, &own.pdu.sender).await? {
                    found.events.push((room, own));
                }
            }
        }
        found.events.sort_by_key(|(_, event)| event.position());
        found.events.truncate(EVENTS_MAX);
        if found.events.len() == EVENTS_MAX
            && let Some((_, last)) = found.events.last()
        {
            found.up_to = found.up_to.min(last.position());
        }
        let up_to = found.up_to;
        found.events.retain(|(_, event)| event.position() <= up_to);
        Ok(found)
    }

    async fn write_stream(
        &self,
        reader: &Reader,
        start: Position,
        found: Found,
    ) -> Result<EventStream, MatrixError> {
        let token = |position| SyncToken {
            position,
            ephemeral: 0,
        };
        let mut chunk = Vec::with_capacity(found.events.len());
        // Neighbours of one room are written together.
        for events in found
            .events
            .chunk_by(|(one, _), (other, _)| one.number == other.number)
        {
            let Some((room, _)) = events.first() else { continue };
            let events: Vec<Arc<Event>> = events.iter().map(|(_, event)| Arc::clone(event)).collect();
            chunk.extend(self.rooms().present(room, &events, reader).await?);
        }
        Ok(EventStream {
            start: token(start).to_string(),
            end: token(found.up_to).to_string(),
            chunk,
        })
    }

    /// An event of any room that the reader may see it in. Errors: `UnknownEvent`.
    pub(super) async fn event_of_any_room(
        &self,
        reader: &Reader,
        id: &EventId,
    ) -> Result<Box<RawValue>, RoomError> {
        let unknown = || RoomError::UnknownEvent(id.to_owned());
        let room = self.rooms().room_of_event(id).await?.ok_or_else(unknown)?;
        let event = self.rooms().visible_event(&room, reader, id).await?;
        self.rooms().present_one(&room, &event, reader).await
    }
}
