//! Threads (CS API § Threading).

use std::{collections::HashMap, sync::Arc};

use echorift_storage::Position;
use ruma::{EventId, OwnedEventId};

use crate::{
    Event, Reader, Relation, Room, RoomError, Rooms, TimelineToken,
    store::{self, relations::Among},
};

/// How far an event may be from the message of a thread that it belongs to by its relations (CS API § Threaded read
/// receipts).
const HOPS_MAX: usize = 3;
/// The most threads of one page.
const PAGE_MAX: usize = 100;

impl Rooms {
    /// The roots of the room's threads, by their latest messages before `from`, the latest first; and where to
    /// continue.
    ///
    /// The roots by ignored users come redacted (`threads_list.yaml`). Errors: `NotJoined`.
    pub async fn threads(
        &self,
        room: &Room,
        reader: &Reader,
        only_participated: bool,
        from: Option<TimelineToken>,
        limit: usize,
    ) -> Result<(Vec<Arc<Event>>, Option<TimelineToken>), RoomError> {
        let access = self.access(room, reader).await?;
        let limit = limit.clamp(1, PAGE_MAX);
        let ignored = self.numbers_of_ignored(reader).await?;
        let among = Among {
            room: room.number,
            until: access.until(),
            ignored,
        };
        let before = from.map_or(Position(i64::MAX), |from| from.0);
        let participant = only_participated.then_some(reader.user);
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX);
        let stored = store::relations::threads(self.database(), &among, before, participant, wanted).await?;
        let next = stored
            .last()
            .filter(|_| stored.len() == limit)
            .map(|thread| TimelineToken(thread.last));
        let ids: Vec<&EventId> = stored.iter().map(|thread| &*thread.root).collect();
        let roots = self
            .visible(room, reader, self.events_by_ids(room, &ids).await?)
            .await?;
        let hidden = |root: Arc<Event>| {
            if !reader.ignored.hides(&root) {
                return Ok(root);
            }
            let redacted = root.pdu.redacted(&room.rules)?;
            Ok(Arc::new(root.without_content(Arc::new(redacted))))
        };
        let roots: Result<Vec<Arc<Event>>, RoomError> = roots.into_iter().map(hidden).collect();
        Ok((roots?, next))
    }

    /// The root of the thread that an event belongs to; `None` for events of the main timeline (CS API § Threaded read
    /// receipts).
    pub async fn thread_of(&self, room: &Room, event: &Event) -> Result<Option<OwnedEventId>, RoomError> {
        let is_thread = |relation: &Relation| relation.rel_type == "m.thread";
        let found = self.find_relation(room, event, is_thread).await?;
        Ok(found.map(|relation| relation.event_id))
    }

    /// Whether an event relates to `root`, by relations of whatever kind: so far a receipt in a thread may reach (CS API
    /// § Receipts).
    pub(crate) async fn is_related(
        &self,
        room: &Room,
        event: &Event,
        root: &EventId,
    ) -> Result<bool, RoomError> {
        let is_root = |relation: &Relation| relation.event_id == root;
        Ok(self.find_relation(room, event, is_root).await?.is_some())
    }

    /// The first relation that is wanted, of the event or of what it relates to, and so on.
    async fn find_relation(
        &self,
        room: &Room,
        event: &Event,
        is_wanted: impl Fn(&Relation) -> bool,
    ) -> Result<Option<Relation>, RoomError> {
        let mut relation = event.relation.clone();
        for _ in 0..HOPS_MAX {
            let Some(found) = relation else { return Ok(None) };
            if is_wanted(&found) {
                return Ok(Some(found));
            }
            relation = match self.event_by_id(room, &found.event_id).await {
                Ok(parent) => parent.relation.clone(),
                Err(RoomError::UnknownEvent(_)) => None,
                Err(error) => return Err(error),
            };
        }
        Ok(None)
    }

    /// These events of a room, in their order; unknown ones are left out. Two queries at most.
    async fn events_by_ids(&self, room: &Room, ids: &[&EventId]) -> Result<Vec<Arc<Event>>, RoomError> {
        let numbers = store::events::numbers_of(self.database(), ids).await?;
        let wanted: Vec<_> = ids.iter().filter_map(|id| numbers.get(*id).copied()).collect();
        let events = self.events(&wanted).await?;
        let mut by_id: HashMap<OwnedEventId, Arc<Event>> = events
            .into_iter()
            .map(|event| (event.pdu.event_id.clone(), event))
            .collect();
        let of_room = |event: &Arc<Event>| event.room == room.number;
        Ok(ids
            .iter()
            .filter_map(|id| by_id.remove(*id))
            .filter(of_room)
            .collect())
    }
}
