//! What somebody was or would have been notified about (CS API § Listing Notifications): found in the timelines of
//! their rooms by the rules that they have now, so that nothing is kept for it.

use std::{collections::HashMap, sync::Arc};

use echorift_rooms::{Event, Reader, Room};
use echorift_storage::{Position, RoomNumber};
use ruma::push::Action;
use serde_json::value::RawValue;

use crate::{delivery::Push, error::PushError, store};

/// How many events are looked at for one page, and how many at a time. A page that comes out shorter says where to go
/// on.
const LOOKED_AT_MAX: usize = 2_000;
const LOOKED_AT_ONCE: i64 = 200;
/// The notifications of a page.
pub(crate) const PAGE: usize = 20;
pub(crate) const PAGE_MAX: usize = 200;

/// What page is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotificationsRequest {
    /// Events before this place in the log; the latest if absent.
    pub before: Option<Position>,
    pub limit: usize,
    pub only_highlights: bool,
}

/// One event that notifies its reader.
pub(crate) struct Notified {
    pub room: Arc<Room>,
    pub event: Box<RawValue>,
    pub ts: i64,
    pub actions: Arc<[Action]>,
    pub is_read: bool,
}

impl Push {
    /// A page of notifications, latest first, and where the next one starts; `None` at the end.
    pub(crate) async fn notifications(
        &self,
        reader: &Reader,
        request: NotificationsRequest,
    ) -> Result<(Vec<Notified>, Option<Position>), PushError> {
        let mut before = request.before.unwrap_or(Position(i64::MAX));
        let mut found = Vec::new();
        let mut looked_at = 0;
        while looked_at < LOOKED_AT_MAX {
            let logged =
                store::log::latest_of_user(&self.0.database, reader.user, before, LOOKED_AT_ONCE).await?;
            let is_last = i64::try_from(logged.len()).unwrap_or(0) < LOOKED_AT_ONCE;
            looked_at += logged.len();
            let numbers: Vec<_> = logged.iter().map(|logged| logged.event).collect();
            let mut rooms: Vec<RoomNumber> = logged.iter().map(|logged| logged.room).collect();
            rooms.sort_unstable();
            rooms.dedup();
            let rooms = self.0.rooms.load(&rooms).await?;
            let rooms: HashMap<RoomNumber, Arc<Room>> =
                rooms.into_iter().map(|room| (room.number, room)).collect();
            for event in self.0.rooms.events(&numbers).await? {
                before = event.position();
                let Some(room) = rooms.get(&event.room) else {
                    continue;
                };
                if let Some(notified) = self
                    .notified(reader, room, event, request.only_highlights)
                    .await?
                {
                    found.push(notified);
                }
                if found.len() >= request.limit {
                    return Ok((found, Some(before)));
                }
            }
            if is_last {
                return Ok((found, None));
            }
        }
        Ok((found, Some(before)))
    }

    async fn notified(
        &self,
        reader: &Reader,
        room: &Arc<Room>,
        event: Arc<Event>,
        only_highlights: bool,
    ) -> Result<Option<Notified>, PushError> {
        let judged = self
            .0
            .unread
            .judge((reader.user, &reader.user_id), room, &event)
            .await?;
        let verdict = judged.verdict;
        if !verdict.notifies() || (only_highlights && !verdict.highlights()) {
            return Ok(None);
        }
        let Some(event) = self.0.rooms.visible(room, reader, vec![event]).await?.pop() else {
            return Ok(None);
        };
        let shown = self.0.rooms.present_one(room, &event, reader).await?;
        Ok(Some(Notified {
            room: Arc::clone(room),
            event: shown,
            ts: i64::from(event.pdu.origin_server_ts.0),
            actions: verdict.actions,
            is_read: judged.is_read,
        }))
    }
}
