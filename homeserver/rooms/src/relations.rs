//! What relates to an event: the aggregations that go with it, and the pages of its children (CS API § Forming
//! relationships between events).

use std::{collections::HashMap, sync::Arc};

use echorift_storage::{EventNumber, UserNumber};
use ruma::{OwnedEventId, UserId, events::TimelineEventType};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Event, Reader, Relation, Room, RoomError, Rooms,
    store::relations::{self, Related},
};

/// How many references an aggregation lists. They are meant for a handful of events (verification requests, polls).
const REFERENCES_MAX: i64 = 100;

/// What is bundled with one event (CS API § Aggregations of child events).
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    /// The latest valid edit.
    pub replace: Option<Arc<Event>>,
    pub thread: Option<Thread>,
    pub references: Vec<OwnedEventId>,
}

/// The summary of a thread, for its root.
#[derive(Debug)]
pub(crate) struct Thread {
    pub latest: Arc<Event>,
    pub count: i64,
    /// Whether the reader has sent the root or a message of the thread.
    pub has_participated: bool,
}

impl Rooms {
    /// The aggregations of those of these events that have any, as far as the reader may see the children. One query
    /// if nothing is to be bundled, one more for each kind of relation otherwise.
    pub(crate) async fn bundles<'a>(
        &self,
        room: &Room,
        events: impl Iterator<Item = &'a Arc<Event>>,
        reader: &Reader,
    ) -> Result<HashMap<EventNumber, Bundle>, RoomError> {
        // State events get no aggregations (CS API § Aggregations of child events, warning).
        let parents: HashMap<OwnedEventId, &Arc<Event>> = events
            .filter(|event| event.has_relations() && !event.pdu.is_state())
            .map(|event| (event.pdu.event_id.clone(), event))
            .collect();
        if parents.is_empty() {
            return Ok(HashMap::new());
        }
        let Some(access) = self.find_access(room, reader).await? else {
            return Ok(HashMap::new());
        };
        let among = relations::Among {
            room: room.number,
            until: access.until(),
            ignored: self.numbers_of_ignored(reader).await?,
        };
        let ids: Vec<&OwnedEventId> = parents.keys().collect();
        let related = relations::summaries(self.database(), &ids, reader.user, &among).await?;
        let mut gathered = Gathered::default();
        gathered.edits(self, &parents, &related, &among).await?;
        gathered.threads(self, &parents, &related, &among, reader).await?;
        gathered.references(self, &parents, &related, &among).await?;
        gathered.keep_visible(self, room, reader).await
    }

    /// Tells the target of a relation, if it is in memory, that it has one.
    pub(crate) fn note_relation(&self, relation: &Relation) {
        if let Some(target) = self.0.event_ids.get(&relation.event_id)
            && let Some(target) = self.0.events.get(&target)
        {
            target.set_has_relations();
        }
    }

    /// The numbers of the users whom the reader ignores; those who never did anything here have none.
    pub(crate) async fn numbers_of_ignored(&self, reader: &Reader) -> Result<Vec<UserNumber>, RoomError> {
        if reader.ignored.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<&str> = reader.ignored.iter().map(UserId::as_str).collect();
        let numbers = self.users().find_all(&ids).await?;
        Ok(numbers.into_iter().map(UserNumber).collect())
    }
}

/// The bundles as they come together.
#[derive(Default)]
struct Gathered(HashMap<EventNumber, Bundle>);

type Parents<'a> = HashMap<OwnedEventId, &'a Arc<Event>>;

impl Gathered {
    async fn edits(
        &mut self,
        rooms: &Rooms,
        parents: &Parents<'_>,
        related: &[Related],
        among: &relations::Among,
    ) -> Result<(), RoomError> {
        let edited = related.iter().filter(|related| related.rel_type == "m.replace");
        let edited = edited.filter(|related| {
            parents
                .get(&related.parent)
                .is_some_and(|parent| is_editable(parent))
        });
        let edited: Vec<&OwnedEventId> = edited.map(|related| &related.parent).collect();
        if edited.is_empty() {
            return Ok(());
        }
        let latest = relations::latest_edits(rooms.database(), &edited, among).await?;
        for edit in rooms.events(&latest).await? {
            let parent = edit
                .relation
                .as_ref()
                .and_then(|relation| parents.get(&relation.event_id));
            if let Some(parent) = parent
                && is_valid_edit(parent, &edit)
            {
                self.0.entry(parent.number).or_default().replace = Some(edit);
            }
        }
        Ok(())
    }

    async fn threads(
        &mut self,
        rooms: &Rooms,
        parents: &Parents<'_>,
        related: &[Related],
        among: &relations::Among,
        reader: &Reader,
    ) -> Result<(), RoomError> {
        let threads: HashMap<&OwnedEventId, &Related> = related
            .iter()
            .filter(|related| related.rel_type == "m.thread")
            .map(|related| (&related.parent, related))
            .collect();
        if threads.is_empty() {
            return Ok(());
        }
        let places: Vec<_> = threads.values().map(|related| related.last).collect();
        let latest = relations::at(rooms.database(), among.room, &places).await?;
        for latest in rooms.events(&latest).await? {
            let Some(root) = latest.relation.as_ref().map(|relation| &relation.event_id) else {
                continue;
            };
            let (Some(parent), Some(related)) = (parents.get(root), threads.get(root)) else {
                continue;
            };
            let has_participated = related.has_sent || parent.sender == reader.user;
            let thread = Thread {
                latest,
                count: related.count,
                has_participated,
            };
            self.0.entry(parent.number).or_default().thread = Some(thread);
        }
        Ok(())
    }

    async fn references(
        &mut self,
        rooms: &Rooms,
        parents: &Parents<'_>,
        related: &[Related],
        among: &relations::Among,
    ) -> Result<(), RoomError> {
        let referenced = related.iter().filter(|related| related.rel_type == "m.reference");
        let referenced: Vec<&OwnedEventId> = referenced.map(|related| &related.parent).collect();
        if referenced.is_empty() {
            return Ok(());
        }
        for (parent, child) in
            relations::references(rooms.database(), &referenced, among, REFERENCES_MAX).await?
        {
            if let Some(parent) = parents.get(&parent) {
                self.0.entry(parent.number).or_default().references.push(child);
            }
        }
        Ok(())
    }

    /// Takes out the children that the history visibility hides. The count of a thread stays approximate.
    async fn keep_visible(
        mut self,
        rooms: &Rooms,
        room: &Room,
        reader: &Reader,
    ) -> Result<HashMap<EventNumber, Bundle>, RoomError> {
        let children = self.0.values().flat_map(|bundle| {
            bundle
                .replace
                .iter()
                .chain(bundle.thread.as_ref().map(|thread| &thread.latest))
                .cloned()
        });
        let children: Vec<Arc<Event>> = children.collect();
        let visible = rooms.visible(room, reader, children).await?;
        let is_visible = |event: &Arc<Event>| visible.iter().any(|visible| visible.number == event.number);
        for bundle in self.0.values_mut() {
            bundle.replace.take_if(|edit| !is_visible(edit));
            bundle.thread.take_if(|thread| !is_visible(&thread.latest));
        }
        Ok(self.0)
    }
}

/// Whether edits of the event count at all. One that was redacted has none any more.
fn is_editable(event: &Event) -> bool {
    let is_edit = event
        .relation
        .as_ref()
        .is_some_and(|relation| relation.rel_type == "m.replace");
    event.redacted_by.is_none() && !event.pdu.is_state() && !is_edit
}

/// CS API § Validity of replacement events. Encrypted ones hold their new content where only clients see it.
pub(crate) fn is_valid_edit(original: &Event, edit: &Event) -> bool {
    #[derive(Deserialize)]
    struct Content<'a> {
        #[serde(rename = "m.new_content", borrow)]
        new_content: Option<&'a RawValue>,
    }
    let has_new_content = || {
        edit.pdu.event_type == TimelineEventType::RoomEncrypted
            || serde_json::from_str::<Content<'_>>(edit.pdu.content.get())
                .is_ok_and(|content| content.new_content.is_some())
    };
    is_editable(original)
        && original.room == edit.room
        && original.sender == edit.sender
        && original.pdu.event_type == edit.pdu.event_type
        && !edit.pdu.is_state()
        && has_new_content()
}
