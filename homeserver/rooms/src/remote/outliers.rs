//! Events that are kept only because they authorise others (SS API § Checks performed on receipt of a PDU).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use echorift_events::{Pdu, RoomVersionRules, authorise, check_auth_events};
use echorift_storage::{Change, EventNumber, RoomNumber, SnapshotNumber};
use ruma::{EventId, OwnedEventId};

use super::order::in_auth_order;
use crate::{
    Event, Outcome, Room, RoomError, Rooms,
    batch::find_in,
    event::{EventParts, Relation},
    store,
};

/// Outliers that are made and not yet written.
pub(super) struct Outliers {
    pub change: Change,
    /// What is known now: the new ones, and those before them.
    pub known: HashMap<OwnedEventId, Arc<Event>>,
    made: Vec<Arc<Event>>,
}

impl Rooms {
    /// Keeps these events, whose signatures and hashes were checked, and what the rules say of them by their own
    /// `auth_events`. Those that name events that are neither here nor among them are left out.
    pub async fn admit_outliers(&self, room: &Arc<Room>, pdus: Vec<Pdu>) -> Result<(), RoomError> {
        // Under the room's lock, so that no event gets two numbers.
        let _guard = room.head.lock().await;
        let outliers = self.make_outliers((room.number, &room.rules), pdus).await?;
        if outliers.made.is_empty() {
            return Ok(());
        }
        for event in &outliers.made {
            self.hold(event);
        }
        self.database().writer().commit(outliers.change).await?;
        Ok(())
    }

    /// Judges events by their `auth_events`, oldest first. The caller holds the room.
    pub(super) async fn make_outliers(
        &self,
        (room, rules): (RoomNumber, &RoomVersionRules),
        pdus: Vec<Pdu>,
    ) -> Result<Outliers, RoomError> {
        let ids: HashSet<&EventId> = pdus
            .iter()
            .flat_map(|pdu| pdu.auth_events.iter().chain([&pdu.event_id]))
            .map(|id| &**id)
            .collect();
        // From version 12 on nothing names the create event, and everything stands on it.
        let creates: HashSet<OwnedEventId> = pdus.iter().filter_map(create_id).collect();
        let ids: Vec<&EventId> = ids.into_iter().chain(creates.iter().map(|id| &**id)).collect();
        let known = self.known_events(&ids).await?;
        let users: Vec<&str> = pdus.iter().map(|pdu| pdu.sender.as_str()).collect();
        self.users().intern_all(&users).await?;

        let mut outliers = Outliers {
            change: Change::new(),
            known,
            made: Vec::new(),
        };
        for pdu in in_auth_order(pdus) {
            if outliers.known.contains_key(&pdu.event_id) {
                continue;
            }
            let auth: Option<Vec<Arc<Event>>> = pdu
                .auth_events
                .iter()
                .map(|id| outliers.known.get(id).cloned())
                .collect();
            let Some(auth) = auth else {
                tracing::debug!(event_id = %pdu.event_id, "an event was left out: what authorises it is not here");
                continue;
            };
            let number = EventNumber(self.0.event_numbers.next().await?);
            let sender = self.user_number(&pdu.sender).await?;
            let outcome = match judge_by_auth_events(&pdu, rules, &auth, &outliers.known) {
                Ok(()) => Outcome::Outlier,
                Err(refusal) => {
                    tracing::info!(event_id = %pdu.event_id, %refusal, "an event was rejected");
                    Outcome::Rejected
                }
            };
            let pdu = Arc::new(pdu.with_rejected(outcome == Outcome::Rejected));
            let parts = EventParts {
                number,
                room,
                sender,
                snapshot: SnapshotNumber(0),
                room_snapshot: SnapshotNumber(0),
                outcome,
                relation: Relation::of(&pdu),
                pdu,
                transaction: None,
                delay_id: None,
                replaces: None,
                redacted_by: None,
                has_relations: false,
            };
            let event = Arc::new(Event::new(parts, None));
            let auth: Vec<EventNumber> = auth.iter().map(|event| event.number).collect();
            let standing = store::events::Standing {
                is_ours: false,
                auth: &auth,
            };
            store::events::insert_outside(&mut outliers.change, &event, &standing);
            self.remember_auth(number, &auth);
            outliers
                .known
                .insert(event.pdu.event_id.clone(), Arc::clone(&event));
            outliers.made.push(event);
        }
        Ok(outliers)
    }

    /// Keeps an event in memory that is about to be written.
    pub(super) fn hold(&self, event: &Arc<Event>) {
        self.0.event_ids.insert(event.pdu.event_id.clone(), event.number);
        self.0.events.insert(event.number, Arc::clone(event));
    }
}

impl Outliers {
    pub fn made(&self) -> &[Arc<Event>] {
        &self.made
    }
}

/// Whether an event is allowed by the state that its `auth_events` make up (step 4).
fn judge_by_auth_events(
    pdu: &Pdu,
    rules: &RoomVersionRules,
    auth: &[Arc<Event>],
    known: &HashMap<OwnedEventId, Arc<Event>>,
) -> Result<(), echorift_events::AuthRefusal> {
    let create = create_id(pdu).and_then(|id| known.get(&id)).cloned();
    let fetch = |id: &EventId| {
        let found = auth.iter().chain(&create).find(|event| event.pdu.event_id == id);
        found.map(|event| Arc::clone(&event.pdu))
    };
    check_auth_events(pdu, rules, fetch)?;
    authorise(pdu, rules, |event_type, state_key| {
        find_in(auth.iter().chain(&create), event_type, state_key)
    })
}

/// The create event of an event's room, where the room is named after it.
fn create_id(pdu: &Pdu) -> Option<OwnedEventId> {
    EventId::parse(format!("${}", pdu.room_id.as_str().trim_start_matches('!'))).ok()
}
