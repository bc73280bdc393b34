//! Filtering events by what relates to them (CS API § Filtering, `related_by_senders` and `related_by_rel_types`).

use std::{collections::HashSet, sync::Arc};

use echorift_storage::{StorageError, UserNumber};
use ruma::{OwnedEventId, OwnedUserId};
use serde::Deserialize;

use crate::{Event, EventMatcher, Room, Rooms, store};

/// The fields of a room event filter that ruma's type does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct RelationFilter {
    #[serde(default)]
    related_by_senders: Option<Vec<OwnedUserId>>,
    #[serde(default)]
    related_by_rel_types: Option<Vec<String>>,
}

impl RelationFilter {
    /// Whether every event passes.
    pub fn matches_all(&self) -> bool {
        self.related_by_senders.is_none() && self.related_by_rel_types.is_none()
    }
}

impl Rooms {
    /// Leaves out those of a room's events to which nothing relates as the filter wants it. With both conditions one
    /// event must meet both. One query at most, and none for most filters.
    pub async fn retain_related(
        &self,
        room: &Room,
        mut events: Vec<Arc<Event>>,
        matcher: &EventMatcher,
    ) -> Result<Vec<Arc<Event>>, StorageError> {
        let filter = matcher.relations();
        if filter.matches_all() {
            return Ok(events);
        }
        events.retain(|event| event.has_relations());
        if events.is_empty() {
            return Ok(events);
        }
        let senders = match &filter.related_by_senders {
            Some(senders) => {
                let names: Vec<&str> = senders.iter().map(|user| user.as_str()).collect();
                let numbers = self.users().find_all(&names).await?;
                Some(numbers.into_iter().map(UserNumber).collect::<Vec<_>>())
            }
            None => None,
        };
        let parents: Vec<&OwnedEventId> = events.iter().map(|event| &event.pdu.event_id).collect();
        let children = store::relations::ChildrenBy {
            senders: senders.as_deref(),
            rel_types: filter.related_by_rel_types.as_deref(),
        };
        let related = store::relations::related(self.database(), room.number, &parents, &children).await?;
        let related: HashSet<OwnedEventId> = related.into_iter().collect();
        events.retain(|event| related.contains(&event.pdu.event_id));
        Ok(events)
    }
}
