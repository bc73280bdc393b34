//! Auth chains: the events that authorise events, down to the room's creation.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use echorift_storage::{EventNumber, StorageError};
use ruma::EventId;

use crate::{Event, Rooms, store};

impl Rooms {
    /// The events reachable from these by `auth_events`, without these unless they authorise each other.
    pub async fn auth_chain(&self, events: &[EventNumber]) -> Result<Vec<Arc<Event>>, StorageError> {
        let chain = self.auth_chain_numbers(events).await?;
        let mut chain: Vec<EventNumber> = chain.into_iter().collect();
        chain.sort_unstable();
        self.events(&chain).await
    }

    /// As [`Rooms::auth_chain`], as numbers. From memory where the edges are known; one query for all that are not.
    pub(crate) async fn auth_chain_numbers(
        &self,
        events: &[EventNumber],
    ) -> Result<HashSet<EventNumber>, StorageError> {
        let mut chain = HashSet::new();
        let mut to_visit: Vec<EventNumber> = events.to_vec();
        let mut unknown = Vec::new();
        // What was just read, in case the cache is smaller than the chain.
        let mut read: HashMap<EventNumber, Arc<[EventNumber]>> = HashMap::new();
        loop {
            while let Some(event) = to_visit.pop() {
                match read.get(&event).cloned().or_else(|| self.0.auth.get(&event)) {
                    Some(auth) => to_visit.extend(auth.iter().filter(|number| chain.insert(**number))),
                    None => unknown.push(event),
                }
            }
            if unknown.is_empty() {
                return Ok(chain);
            }
            read.extend(self.load_auth(&unknown).await?);
            for event in &unknown {
                // An event that is not stored authorises nothing, and ends the walk.
                read.entry(*event).or_insert_with(|| Arc::from([]));
            }
            to_visit.append(&mut unknown);
        }
    }

    /// Remembers what authorises an event.
    pub(crate) fn remember_auth(&self, event: EventNumber, auth: &[EventNumber]) {
        self.0.auth.insert(event, Arc::from(auth));
    }

    async fn load_auth(
        &self,
        events: &[EventNumber],
    ) -> Result<HashMap<EventNumber, Arc<[EventNumber]>>, StorageError> {
        let mut found = HashMap::new();
        for (event, auth) in store::events::auth_of(self.database(), events).await? {
            self.remember_auth(event, &auth);
            found.insert(event, Arc::from(auth));
        }
        let missing: Vec<EventNumber> = events
            .iter()
            .copied()
            .filter(|event| !found.contains_key(event))
            .collect();
        if !missing.is_empty() {
            self.load_old_auth(&missing, &mut found).await?;
        }
        Ok(found)
    }

    /// For events that were stored before it was written down what authorises them: from the events themselves.
    async fn load_old_auth(
        &self,
        events: &[EventNumber],
        found: &mut HashMap<EventNumber, Arc<[EventNumber]>>,
    ) -> Result<(), StorageError> {
        let events = self.events(events).await?;
        let ids: Vec<&EventId> = events
            .iter()
            .flat_map(|event| event.pdu.auth_events.iter().map(|id| &**id))
            .collect();
        let numbers = store::events::numbers_of(self.database(), &ids).await?;
        for event in &events {
            let auth: Vec<EventNumber> = event
                .pdu
                .auth_events
                .iter()
                .filter_map(|id| numbers.get(id).copied())
                .collect();
            self.remember_auth(event.number, &auth);
            found.insert(event.number, Arc::from(auth));
        }
        Ok(())
    }
}
