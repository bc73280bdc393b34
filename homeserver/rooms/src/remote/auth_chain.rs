//! Why events were allowed (SS API § Authorization rules).

use std::{collections::HashSet, sync::Arc};

use echorift_storage::{EventNumber, StorageError};
use ruma::{EventId, OwnedEventId};

use crate::{Event, Rooms, store};

impl Rooms {
    /// The events that these were authorised by, and those that authorised them in turn, each once and in no order.
    /// The events themselves are among them only if they authorise another. One or two queries for each generation.
    pub async fn auth_chain(&self, of: &[EventNumber]) -> Result<Vec<Arc<Event>>, StorageError> {
        let mut seen: HashSet<OwnedEventId> = HashSet::new();
        let mut chain = Vec::new();
        let mut generation = self.events(of).await?;
        while !generation.is_empty() {
            let mut parents: Vec<OwnedEventId> = Vec::new();
            for id in generation.iter().flat_map(|event| &event.pdu.auth_events) {
                if seen.insert(id.clone()) {
                    parents.push(id.clone());
                }
            }
            let parents: Vec<&EventId> = parents.iter().map(|id| &**id).collect();
            generation = self.events(&self.numbers_of(&parents).await?).await?;
            chain.extend(generation.iter().cloned());
        }
        Ok(chain)
    }

    /// The numbers of those of these events that are stored or about to be, in no order. One query at most.
    pub(crate) async fn numbers_of(&self, ids: &[&EventId]) -> Result<Vec<EventNumber>, StorageError> {
        let mut numbers = Vec::with_capacity(ids.len());
        let mut unknown = Vec::new();
        for id in ids {
            match self.0.event_ids.get(*id) {
                Some(number) => numbers.push(number),
                None => unknown.push(*id),
            }
        }
        if !unknown.is_empty() {
            numbers.extend(
                store::events::numbers_of(self.database(), &unknown)
                    .await?
                    .into_values(),
            );
        }
        Ok(numbers)
    }
}
