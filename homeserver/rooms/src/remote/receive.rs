//! Appending an event of another server (SS API § Checks performed on receipt of a PDU, steps 4 to 6).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use echorift_events::{Pdu, Verdict, check_auth_events, judge};
use echorift_storage::{Change, Commit, EventNumber, SnapshotNumber};
use ruma::{
    EventId, OwnedEventId,
    events::{StateEventType, TimelineEventType},
};

use crate::{
    DelayId, Event, Outcome, Room, RoomError, Rooms, State,
    batch::{Batch, Placed, find_in},
    event::Transaction,
    room::Standing,
};

/// What became of a received event.
pub enum Reception {
    /// It was here before.
    Known(Arc<Event>),
    /// It is queued to be written; acknowledge it after the commit.
    Taken(Arc<Event>, Commit),
    /// These of its parents or of what authorises it are not here: fetch them and come again.
    Missing(MissingAncestors),
}

/// An event on its way into a room, its format, hash and signatures checked.
#[derive(Debug, Clone)]
pub struct Received {
    pub pdu: Pdu,
    /// The state before it, if its parents cannot be had.
    pub told: Option<ToldState>,
    /// Whether this server tells others of it.
    pub is_ours: bool,
    /// Whether the room's policy server does not recommend it: then it is soft-failed at best.
    pub is_refused: bool,
    /// The request that made it, if it was one of ours.
    pub transaction: Option<Transaction>,
    /// The delayed event that it was, if it was one of ours (MSC4140).
    pub delay_id: Option<DelayId>,
}

impl Received {
    /// An event that others know of already.
    pub fn foreign(pdu: Pdu) -> Self {
        Self {
            pdu,
            told: None,
            is_ours: false,
            is_refused: false,
            transaction: None,
            delay_id: None,
        }
    }

    /// An event that this server has made or let in, and tells others of.
    pub fn ours(pdu: Pdu) -> Self {
        Self {
            is_ours: true,
            ..Self::foreign(pdu)
        }
    }

    #[must_use]
    pub fn with_state(mut self, told: Option<ToldState>) -> Self {
        self.told = told;
        self
    }
}

/// What has to be fetched before an event can be judged.
#[derive(Debug, Default)]
pub struct MissingAncestors {
    pub prev_events: Vec<OwnedEventId>,
    pub auth_events: Vec<OwnedEventId>,
}

/// The state before an event, as another server tells it because its parents cannot be had.
#[derive(Debug, Clone)]
pub struct ToldState(pub(crate) State);

impl Rooms {
    /// Appends an event upon its parents, and judges it. `also` is written in the same commit.
    ///
    /// Errors: `BadRequest` for a create event, and for what is not of this room.
    pub async fn receive(
        &self,
        room: &Arc<Room>,
        received: Received,
        also: impl FnOnce(&mut Change),
    ) -> Result<Reception, RoomError> {
        let Received {
            pdu,
            told,
            is_ours,
            is_refused,
            transaction,
            delay_id,
        } = received;
        if pdu.room_id != room.id || pdu.event_type == TimelineEventType::RoomCreate {
            return Err(RoomError::BadRequest(
                "This event cannot follow others in this room.".to_owned(),
            ));
        }
        let mut guard = room.head.lock().await;
        let head = self.current_head(room, &guard).await?;
        let wanted: Vec<&EventId> = [&pdu.event_id]
            .into_iter()
            .chain(&pdu.prev_events)
            .chain(&pdu.auth_events)
            .map(|id| &**id)
            .collect();
        let known = self.known_events(&wanted).await?;
        let standing = known.get(&pdu.event_id);
        if let Some(event) = standing.filter(|event| event.outcome != Outcome::Outlier) {
            return Ok(Reception::Known(Arc::clone(event)));
        }
        let number = standing.map(|event| event.number);
        let missing = missing_ancestors(&pdu, &known, told.is_some());
        if !missing.prev_events.is_empty() || !missing.auth_events.is_empty() {
            return Ok(Reception::Missing(missing));
        }

        let mut batch = Batch::new(self, (room.number, &room.rules, Some(&room.id)), head);
        batch.is_partial = room.standing() == Standing::Partial;
        let before = self.state_before(&mut batch, &pdu, &known, told).await?;
        let auth = authority(&pdu, &known);
        let current = batch.head.state.clone();
        let verdict = self.judge_by(&batch, &pdu, &auth, &before, &current).await?;
        let outcome = match &verdict {
            Verdict::Accepted if is_refused => Outcome::SoftFailed,
            Verdict::Accepted => Outcome::Accepted,
            Verdict::SoftFailed(_) => Outcome::SoftFailed,
            Verdict::Rejected(_) => Outcome::Rejected,
        };
        if outcome != Outcome::Accepted {
            tracing::info!(event_id = %pdu.event_id, room_id = %room.id, %verdict, "an event was not accepted");
        }
        let event_id = pdu.event_id.clone();
        let placed = Placed {
            pdu,
            before,
            outcome,
            auth: auth.iter().map(|event| event.number).collect(),
            is_ours,
            transaction,
            delay_id,
            number,
            is_late: false,
            // What the room's policy server does not recommend does not stick (MSC4354 § Proposal); nor is an event of ours
            // let in later, whose sender is told that it was refused.
            may_stick: outcome == Outcome::Accepted || !(is_refused || is_ours),
        };
        let event = batch.place(placed).await?;
        if outcome == Outcome::Accepted {
            batch.apply_waiting_redactions(&event_id).await?;
        }
        batch.admit_withheld(room).await?;
        also(&mut batch.change);
        let (head, _, commit) = batch.submit(room).await;
        *guard = Some(head);
        Ok(Reception::Taken(event, commit))
    }

    /// The ends of the room's history: what its next event is built upon.
    pub async fn forward_extremities(&self, room: &Room) -> Result<Vec<OwnedEventId>, RoomError> {
        let guard = room.head.lock().await;
        let head = self.current_head(room, &guard).await?;
        Ok(head.extremities.into_iter().map(|end| end.event_id).collect())
    }

    /// Those of these events that are here in any form. One query at most, and no event is read.
    pub async fn held_ids(&self, ids: &[&EventId]) -> Result<HashSet<OwnedEventId>, RoomError> {
        let (held, unknown): (Vec<&EventId>, Vec<&EventId>) =
            ids.iter().partition(|id| self.0.event_ids.get(**id).is_some());
        let mut found: HashSet<OwnedEventId> = held.into_iter().map(ToOwned::to_owned).collect();
        if !unknown.is_empty() {
            found.extend(
                crate::store::events::numbers_of(self.database(), &unknown)
                    .await?
                    .into_keys(),
            );
        }
        Ok(found)
    }

    /// Forgets an event whose commit failed.
    pub fn let_go(&self, event: &Event) {
        self.0.event_ids.remove(&event.pdu.event_id);
        self.0.events.remove(&event.number);
    }

    /// A state that another server told as a list of events, all of which are here: those that were rejected, or are no
    /// state events of this room, are left out.
    pub async fn told_state(&self, room: &Room, ids: &[OwnedEventId]) -> Result<ToldState, RoomError> {
        let ids: Vec<&EventId> = ids.iter().map(|id| &**id).collect();
        let mut state = State::default();
        for event in self.known_events(&ids).await?.into_values() {
            let is_usable = event.room == room.number && event.outcome != Outcome::Rejected;
            if let Some(state_key) = event.pdu.state_key.as_deref().filter(|_| is_usable) {
                state.insert(event.pdu.type_name(), state_key, event.number);
            }
        }
        Ok(ToldState(state))
    }

    /// The state before the event: told, or what the states after its parents resolve to.
    async fn state_before(
        &self,
        batch: &mut Batch<'_>,
        pdu: &Pdu,
        known: &HashMap<OwnedEventId, Arc<Event>>,
        told: Option<ToldState>,
    ) -> Result<State, RoomError> {
        let parents = pdu.prev_events.iter().filter_map(|id| known.get(id));
        let parents: Vec<&Arc<Event>> = parents
            .filter(|parent| parent.outcome != Outcome::Outlier)
            .collect();
        if let (Some(ToldState(mut state)), true) = (told, parents.len() < pdu.prev_events.len()) {
            batch.store_state(&mut state, &State::default(), &[], &[]).await?;
            return Ok(state);
        }
        let mut snapshots: Vec<SnapshotNumber> = parents.iter().map(|parent| parent.snapshot).collect();
        snapshots.sort_unstable();
        snapshots.dedup();
        match snapshots.as_slice() {
            [one] if *one == batch.head.state.snapshot => Ok(batch.head.state.clone()),
            [one] => Ok(self.state(*one).await?),
            several => batch.resolve(several).await,
        }
    }

    /// What the rules say of an event by its `auth_events`, by the state before it and by the current state.
    pub(super) async fn judge_by(
        &self,
        batch: &Batch<'_>,
        pdu: &Pdu,
        auth: &[Arc<Event>],
        before: &State,
        current: &State,
    ) -> Result<Verdict, RoomError> {
        let rules = batch.rules();
        let by_id = |id: &EventId| find_by_id(auth, id);
        // From version 12 on the create event is not among them, and is looked up by the room's ID.
        let create = batch
            .state_events(&[(StateEventType::RoomCreate, String::new())])
            .await?;
        let fetch = |id: &EventId| by_id(id).or_else(|| find_by_id(&create, id));
        if let Err(refusal) = check_auth_events(pdu, rules, fetch) {
            return Ok(Verdict::Rejected(refusal));
        }
        let keys = echorift_events::auth_types_for(
            &pdu.event_type,
            &pdu.sender,
            pdu.state_key.as_deref(),
            &pdu.content,
            rules,
        );
        let keys = match keys {
            Ok(keys) => keys,
            Err(error) => return Ok(Verdict::Rejected(error.to_string().into())),
        };
        let in_state = async |state: &State| -> Result<Vec<Arc<Event>>, RoomError> {
            let numbers: Vec<EventNumber> = keys
                .iter()
                .filter_map(|(event_type, state_key)| state.get(&event_type.to_string(), state_key))
                .collect();
            let mut events = self.events(&numbers).await?;
            events.extend(create.iter().cloned());
            if batch.is_partial {
                // Whose membership is not told yet is what the event itself says.
                let is_untold = |event: &&Arc<Event>| {
                    let key = event.pdu.state_key.as_deref().unwrap_or_default();
                    event.pdu.event_type == TimelineEventType::RoomMember
                        && state.get("m.room.member", key).is_none()
                };
                events.extend(auth.iter().filter(is_untold).cloned());
            }
            Ok(events)
        };
        let before = in_state(before).await?;
        let current = in_state(current).await?;
        Ok(judge(
            pdu,
            rules,
            |event_type, state_key| find_in(auth.iter().chain(&create), event_type, state_key),
            |event_type, state_key| find_in(before.iter(), event_type, state_key),
            |event_type, state_key| find_in(current.iter(), event_type, state_key),
        ))
    }
}

impl Batch<'_> {
    /// Redacts the event that was just placed, if its redaction came before it.
    async fn apply_waiting_redactions(&mut self, event_id: &EventId) -> Result<(), RoomError> {
        let waiting = self.waiting_redactions(event_id).await?;
        for redaction in waiting {
            if self.redact_last(&redaction).await? {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// What authorises the event, in its own order.
fn authority(pdu: &Pdu, known: &HashMap<OwnedEventId, Arc<Event>>) -> Vec<Arc<Event>> {
    let found = pdu.auth_events.iter().filter_map(|id| known.get(id));
    found.cloned().collect()
}

fn find_by_id(events: &[Arc<Event>], id: &EventId) -> Option<Arc<Pdu>> {
    let found = events.iter().find(|event| event.pdu.event_id == id);
    found.map(|event| Arc::clone(&event.pdu))
}

fn missing_ancestors(
    pdu: &Pdu,
    known: &HashMap<OwnedEventId, Arc<Event>>,
    has_told_state: bool,
) -> MissingAncestors {
    // What is kept only because it authorises others has no state after it.
    let has_state = |id: &&OwnedEventId| {
        known
            .get(*id)
            .is_some_and(|event| event.outcome != Outcome::Outlier)
    };
    let prev_events = pdu
        .prev_events
        .iter()
        .filter(|id| !has_told_state && !has_state(id));
    let auth_events = pdu.auth_events.iter().filter(|id| !known.contains_key(*id));
    MissingAncestors {
        prev_events: prev_events.cloned().collect(),
        auth_events: auth_events.cloned().collect(),
    }
}
