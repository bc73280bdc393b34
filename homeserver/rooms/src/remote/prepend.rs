//! History from when this server was not in a room: before its time there, and in gaps between two times (SS API §
//! Backfilling and retrieving missing events).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use echorift_events::Pdu;
use echorift_storage::{EventNumber, Position, SnapshotNumber};
use ruma::{EventId, OwnedEventId, events::TimelineEventType};

use super::{order::in_history_order, receive::ToldState};
use crate::{
    Event, HistoryPart, Outcome, Room, RoomError, Rooms, State,
    batch::Batch,
    event::{EventParts, Relation},
    store,
};

impl Rooms {
    /// Adds events to a missing part of the room's timeline, right before what is known above it; how many became part of it.
    ///
    /// Their signatures and hashes were checked, and what authorises them is here or among them. `told` has the states
    /// before those of [`Rooms::in_need_of_state`]; events without it, and those built upon them, are left out.
    pub async fn prepend(
        &self,
        room: &Arc<Room>,
        part: HistoryPart,
        pdus: Vec<Pdu>,
        mut told: HashMap<OwnedEventId, ToldState>,
    ) -> Result<usize, RoomError> {
        let mut guard = room.head.lock().await;
        let upper = match self.upper_place(room, part, pdus.len()).await? {
            Some(upper) => upper,
            None => return Ok(0),
        };
        let head = self.current_head(room, &guard).await?;
        let ids: Vec<&EventId> = pdus
            .iter()
            .flat_map(|pdu| {
                pdu.prev_events
                    .iter()
                    .chain(&pdu.auth_events)
                    .chain([&pdu.event_id])
            })
            .map(|id| &**id)
            .collect();
        let mut known = self.known_events(&ids).await?;
        let users: Vec<&str> = pdus.iter().map(|pdu| pdu.sender.as_str()).collect();
        self.users().intern_all(&users).await?;

        let mut batch = Batch::new(self, (room.number, &room.rules, Some(&room.id)), head);
        let mut made: Vec<Arc<Event>> = Vec::new();
        let mut settled: HashSet<EventNumber> = HashSet::new();
        for pdu in in_history_order(pdus) {
            let standing = known.get(&pdu.event_id);
            if pdu.room_id != room.id || standing.is_some_and(|event| event.outcome != Outcome::Outlier) {
                continue;
            }
            let number = standing.map(|event| event.number);
            let Some(before) = self
                .state_before_old(&mut batch, &pdu, &known, &made, told.remove(&pdu.event_id))
                .await?
            else {
                continue;
            };
            settled.extend(number);
            let event = self.place_old(&mut batch, pdu, number, before, &known).await?;
            known.insert(event.pdu.event_id.clone(), Arc::clone(&event));
            made.push(event);
        }
        let accepted: Vec<&Arc<Event>> = made
            .iter()
            .filter(|event| event.outcome == Outcome::Accepted)
            .collect();
        let count = i64::try_from(accepted.len()).unwrap_or(i64::MAX);
        let edge = Position(upper.0.saturating_sub(count));
        let mut next = edge.0;
        let mut places: HashMap<EventNumber, Position> = HashMap::new();
        for event in &accepted {
            places.insert(event.number, Position(next));
            next = next.saturating_add(1);
        }
        self.write_old(&mut batch, &made, &settled, &places);
        for event in &accepted {
            batch.stick_old(event).await?;
        }
        let redacted = self.redact_old(&mut batch, &made, &places).await?;
        let ids: Vec<&EventId> = made.iter().map(|event| &*event.pdu.event_id).collect();
        let related = store::events::related_among(self.database(), &ids).await?;
        if let HistoryPart::Gap(lower) = part {
            store::gaps::move_edge(&mut batch.change, room.number, lower, edge);
        }
        let accepted = accepted.len();
        let (head, commit) = {
            let Batch {
                head,
                mut change,
                sticky,
                ..
            } = batch;
            change.chain(&head.chain);
            let (rooms, held, kept) = (self.clone(), Arc::clone(room), made.clone());
            change.on_commit(move |first| {
                sticky.publish(&held, first);
                for event in &kept {
                    if let Some(position) = places.get(&event.number) {
                        event.set_position(*position);
                    }
                    if related.contains(&event.pdu.event_id) {
                        event.set_has_relations();
                    }
                    if rooms
                        .0
                        .events
                        .get(&event.number)
                        .is_none_or(|cached| cached.redacted_by.is_none())
                    {
                        rooms.hold(event);
                    }
                }
                for event in redacted {
                    held.replace(&event);
                    rooms.0.events.insert(event.number, event);
                }
                for relation in kept.iter().filter_map(|event| event.relation.as_ref()) {
                    rooms.note_relation(relation);
                }
                match part {
                    HistoryPart::Beginning => held.has_grown_backwards(),
                    HistoryPart::Gap(lower) => {
                        held.has_grown_below(upper);
                        held.gaps.move_edge(lower, edge);
                    }
                }
                rooms.0.visibilities.remove(&held.number);
            });
            (head, self.database().writer().submit(change).await)
        };
        *guard = Some(head);
        commit.done().await?;
        Ok(accepted)
    }

    /// The place before which the next `count` events of the part go; `None` if nothing is missing there any more, or there
    /// are no places left, and the gap is closed.
    async fn upper_place(
        &self,
        room: &Arc<Room>,
        part: HistoryPart,
        count: usize,
    ) -> Result<Option<Position>, RoomError> {
        let HistoryPart::Gap(lower) = part else {
            let oldest = store::events::oldest_position(self.database(), room.number).await?;
            return Ok(Some(oldest.min(Position(0))));
        };
        let Some(gap) = room.gaps.find(lower) else {
            return Ok(None);
        };
        if count > gap.free_positions() {
            tracing::info!(room_id = %room.id, "a gap in the history is larger than its places, and is not filled further");
            self.close_gap(room, lower).await?;
            return Ok(None);
        }
        Ok(Some(gap.upper))
    }

    async fn state_before_old(
        &self,
        batch: &mut Batch<'_>,
        pdu: &Pdu,
        known: &HashMap<OwnedEventId, Arc<Event>>,
        made: &[Arc<Event>],
        told: Option<ToldState>,
    ) -> Result<Option<State>, RoomError> {
        if pdu.event_type == TimelineEventType::RoomCreate {
            return Ok(Some(State::default()));
        }
        if let Some(ToldState(mut state)) = told {
            batch.store_state(&mut state, &State::default(), &[], &[]).await?;
            return Ok(Some(state));
        }
        let parents: Option<Vec<&Arc<Event>>> = pdu
            .prev_events
            .iter()
            .map(|id| known.get(id).filter(|event| event.outcome != Outcome::Outlier))
            .collect();
        let Some(parents) = parents else { return Ok(None) };
        if !pdu.auth_events.iter().all(|id| known.contains_key(id)) {
            return Ok(None);
        }
        let mut snapshots: Vec<SnapshotNumber> = parents.iter().map(|parent| parent.snapshot).collect();
        snapshots.sort_unstable();
        snapshots.dedup();
        Ok(match snapshots.as_slice() {
            [] => None,
            [one] => Some(self.state(*one).await?),
            several => Some(batch.resolve_with(several, made).await?),
        })
    }

    async fn place_old(
        &self,
        batch: &mut Batch<'_>,
        pdu: Pdu,
        number: Option<EventNumber>,
        before: State,
        known: &HashMap<OwnedEventId, Arc<Event>>,
    ) -> Result<Arc<Event>, RoomError> {
        let auth: Vec<Arc<Event>> = pdu
            .auth_events
            .iter()
            .filter_map(|id| known.get(id))
            .cloned()
            .collect();
        let outcome = match self.judge_by(batch, &pdu, &auth, &before, &before).await? {
            echorift_events::Verdict::Rejected(refusal) => {
                tracing::info!(event_id = %pdu.event_id, %refusal, "an event was rejected");
                Outcome::Rejected
            }
            _ => Outcome::Accepted,
        };
        let number = match number {
            Some(number) => number,
            None => EventNumber(self.0.event_numbers.next().await?),
        };
        let sender = self.user_number(&pdu.sender).await?;
        let mut after = before;
        let mut replaces = None;
        if let Some(state_key) = pdu.state_key.as_deref().filter(|_| outcome == Outcome::Accepted) {
            let parent = after.clone();
            replaces = after.get(pdu.type_name(), state_key);
            after.insert(pdu.type_name(), state_key, number);
            batch.store_state(&mut after, &parent, &[number], &[]).await?;
        }
        let numbers: Vec<EventNumber> = auth.iter().map(|event| event.number).collect();
        self.remember_auth(number, &numbers);
        let pdu = Arc::new(pdu.with_rejected(outcome == Outcome::Rejected));
        let parts = EventParts {
            number,
            room: batch.room_number(),
            sender,
            snapshot: after.snapshot,
            room_snapshot: after.snapshot,
            outcome,
            relation: Relation::of(&pdu),
            pdu,
            transaction: None,
            delay_id: None,
            replaces,
            redacted_by: None,
            has_relations: false,
        };
        Ok(Arc::new(Event::new(parts, None)))
    }

    fn write_old(
        &self,
        batch: &mut Batch<'_>,
        made: &[Arc<Event>],
        settled: &HashSet<EventNumber>,
        places: &HashMap<EventNumber, Position>,
    ) {
        for event in made {
            let auth = self.0.auth.get(&event.number);
            let standing = store::events::Standing {
                is_ours: false,
                auth: auth.as_deref().unwrap_or_default(),
            };
            let change = &mut batch.change;
            match (places.get(&event.number), settled.contains(&event.number)) {
                (Some(place), false) => store::events::insert_before(change, event, &standing, *place),
                (Some(place), true) => store::events::settle_before(change, event, &standing, *place),
                (None, false) => store::events::insert_outside(change, event, &standing),
                (None, true) => store::events::settle_outside(change, event, &standing),
            }
        }
    }

    /// Redactions that came before what they redact, because history is read backwards; and those in a gap of what is
    /// known from before it, whose redacted forms are returned.
    async fn redact_old(
        &self,
        batch: &mut Batch<'_>,
        made: &[Arc<Event>],
        places: &HashMap<EventNumber, Position>,
    ) -> Result<Vec<Arc<Event>>, RoomError> {
        let targets: Vec<&EventId> = made.iter().map(|event| &*event.pdu.event_id).collect();
        let room = batch.room_number();
        let mut waiting = store::events::waiting_for(self.database(), room, &targets).await?;
        let among = made
            .iter()
            .filter_map(|event| Some((event.pdu.redacts.clone()?, event.number)));
        waiting.extend(among.filter(|(_, number)| places.contains_key(number)));
        let numbers: Vec<EventNumber> = waiting.iter().map(|(_, number)| *number).collect();
        let mut redactions = self.events(&numbers).await?;
        redactions.extend(made.iter().cloned());
        for (target, number) in waiting {
            let redaction = redactions.iter().find(|event| event.number == number);
            let target = made.iter().find(|event| event.pdu.event_id == target);
            if let (Some(redaction), Some(target)) = (redaction, target) {
                let place = places.get(&target.number).copied();
                batch.redact_event(redaction, target, place).await?;
            }
        }
        let made_ids: HashSet<&EventId> = made.iter().map(|event| &*event.pdu.event_id).collect();
        let elsewhere: Vec<(&Arc<Event>, &EventId)> = made
            .iter()
            .filter(|event| {
                event.pdu.event_type == TimelineEventType::RoomRedaction && places.contains_key(&event.number)
            })
            .filter_map(|event| Some((event, event.pdu.redacts.as_deref()?)))
            .filter(|(_, target)| !made_ids.contains(target))
            .collect();
        let targets: Vec<&EventId> = elsewhere.iter().map(|(_, target)| *target).collect();
        let known = self.known_events(&targets).await?;
        let mut redacted = Vec::new();
        for (redaction, target) in elsewhere {
            let known = known
                .get(target)
                .filter(|event| event.room == room && event.outcome != Outcome::Outlier);
            match known {
                Some(known) if known.redacted_by.is_none() => {
                    redacted.extend(batch.redact_known(redaction, known).await?);
                }
                Some(_) => {}
                None => store::events::await_target(&mut batch.change, target, redaction.number, room),
            }
        }
        Ok(redacted)
    }
}
