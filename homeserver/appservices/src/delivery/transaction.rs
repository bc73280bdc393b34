//! What a service is told next.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use echorift_rooms::{Event, Outcome};
use echorift_storage::{EventNumber, Position, StorageError, UserNumber};

use super::{Delivery, rest::Rest};
use crate::{pages::PageEvent, store::StoredTransaction};

/// How many events a transaction has at most.
const EVENTS_MAX: usize = 100;
/// How large its events are together at most; one alone may be larger.
const EVENTS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How many pages of the log are looked at for one transaction.
const PAGES_MAX: usize = 20;

/// What follows after a position.
pub(super) enum Next {
    /// This is to be told.
    Transaction(StoredTransaction),
    /// Nothing of interest up to `to`, where the log ends for now.
    Nothing { to: Position },
}

/// A transaction that is being put together.
pub(crate) struct Draft {
    /// Where it begins.
    pub after: Position,
    /// Everything of interest up to here is in it.
    pub to: Position,
    pub events: Vec<PageEvent>,
    /// The service's users who have got messages to their devices.
    pub recipients: BTreeSet<UserNumber>,
    /// Whose devices have changed.
    pub changed: BTreeSet<UserNumber>,
}

impl Draft {
    /// Ends it earlier: what is behind `to` comes with the next.
    pub fn cut(&mut self, to: Position) {
        self.to = self.to.min(to);
        let to = self.to;
        self.events.retain(|event| event.position <= to);
    }
}

impl Delivery {
    /// What comes after `position`.
    pub(super) async fn next(&self, position: Position) -> Result<Next, StorageError> {
        let mut after = position;
        loop {
            let (mut draft, is_end) = self.collect(after).await?;
            let events = self.load_events(&mut draft).await?;
            let rest = match self.service.registration.wants_encryption {
                true => self.encryption_of(&mut draft, &events).await?,
                false => Rest::default(),
            };
            let numbers: Vec<EventNumber> = draft
                .events
                .iter()
                .filter(|event| events.contains_key(&event.event))
                .map(|event| event.event)
                .collect();
            if !numbers.is_empty() || !rest.is_empty() {
                return Ok(Next::Transaction(StoredTransaction {
                    to: draft.to,
                    events: numbers,
                    rest: rest.write()?,
                }));
            }
            if is_end {
                return Ok(Next::Nothing { to: draft.to });
            }
            after = draft.to;
        }
    }

    /// Takes what concerns the service out of the log, and whether the log ends there for now.
    async fn collect(&self, after: Position) -> Result<(Draft, bool), StorageError> {
        let mut draft = Draft {
            after,
            to: after,
            events: Vec::new(),
            recipients: BTreeSet::new(),
            changed: BTreeSet::new(),
        };
        let index = self.index();
        for _ in 0..PAGES_MAX {
            let page = self.shared.pages.after(draft.to).await?;
            if page.to <= draft.to {
                return Ok((draft, true));
            }
            let concerned = page.events.iter().filter(|event| event.services.contains(index));
            draft.events.extend(concerned.cloned());
            let of_service = page
                .messages
                .iter()
                .filter(|(_, services)| services.contains(index));
            draft.recipients.extend(of_service.map(|(user, _)| *user));
            let of_service = page
                .devices
                .iter()
                .filter(|(_, services)| services.contains(index));
            draft.changed.extend(of_service.map(|(user, _)| *user));
            draft.to = page.to;
            if let Some(last) = draft.events.get(EVENTS_MAX - 1).map(|event| event.position)
                && draft.events.len() > EVENTS_MAX
            {
                draft.cut(last);
            }
            if draft.events.len() >= EVENTS_MAX {
                return Ok((draft, false));
            }
        }
        Ok((draft, false))
    }

    /// The events of the draft, which is cut where they become too large. Those that nobody is shown are left out.
    async fn load_events(&self, draft: &mut Draft) -> Result<HashMap<EventNumber, Arc<Event>>, StorageError> {
        let numbers: Vec<EventNumber> = draft.events.iter().map(|event| event.event).collect();
        let mut loaded = HashMap::new();
        let mut bytes = 0_usize;
        for event in self.shared.rooms.events(&numbers).await? {
            let size = event.pdu.client_json_open().len();
            bytes = bytes.saturating_add(size);
            if bytes > EVENTS_BYTES_MAX && !loaded.is_empty() {
                draft.cut(Position(event.position().0.saturating_sub(1)));
                break;
            }
            // Of the outliers only invites and the like from outside have a place in the log: those to whom they are sent
            // are told by nothing else.
            if matches!(event.outcome, Outcome::Accepted | Outcome::Outlier) {
                loaded.insert(event.number, event);
            }
        }
        Ok(loaded)
    }
}
