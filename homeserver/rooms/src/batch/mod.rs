//! Several events that are built upon each other and committed as one: the inner side of the one door.

mod history;
mod members;
mod redactions;
mod sticky;

use std::sync::Arc;

use echorift_events::{Draft, Pdu, RoomVersionRules, auth_types_for, authorise, canonical_json, seal};
use echorift_storage::{Change, Commit, EventNumber, Position, Record, RecordIndex, RoomNumber, UserNumber};
use ruma::{
    OwnedEventId, RoomId, UserId,
    events::{StateEventType, TimelineEventType, room::member::MembershipState},
};

use self::{redactions::redacts, sticky::StickyChanges};
use crate::{
    DelayId, EventDraft, RoomError, Rooms,
    event::{Event, EventParts, Outcome, Relation, Transaction},
    gaps::{GAP_POSITIONS, HistoryGap},
    room::{Head, Members, Room},
    state::State,
    store::{self, memberships::UserMembership},
};

/// How many forward extremities an event of ours names as its parents, the deepest ones.
const PREV_EVENTS_NAMED: usize = 20;

/// Several events that are built upon each other and committed as one.
pub(crate) struct Batch<'a> {
    rooms: &'a Rooms,
    room: (RoomNumber, &'a RoomVersionRules, Option<&'a RoomId>),
    pub head: Head,
    /// The room's state before the batch.
    pub began_with: State,
    pub change: Change,
    pub appended: Vec<Appended>,
    /// For each draft the event that it became, or that stood there already.
    pub events: Vec<Arc<Event>>,
    /// Whether the room's members are not all told yet.
    pub is_partial: bool,
    pub sticky: StickyChanges,
    /// The event below which a gap is opened.
    gap_below: Option<RecordIndex>,
}

/// An event that has passed the rules, and where it stands.
pub(crate) struct Placed {
    pub pdu: Pdu,
    /// The state before it, which is stored.
    pub before: State,
    pub outcome: Outcome,
    /// Its `auth_events`.
    pub auth: Vec<EventNumber>,
    pub is_ours: bool,
    pub transaction: Option<Transaction>,
    pub delay_id: Option<DelayId>,
    /// Its number, if it is stored as an outlier.
    pub number: Option<EventNumber>,
    /// Whether it was soft-failed before: then others may be built upon it already, and it moves no ends.
    pub is_late: bool,
    /// Whether it may be a sticky event, if it says so.
    pub may_stick: bool,
}

/// What becomes visible by one event of a batch.
pub(crate) struct Appended {
    pub event: Arc<Event>,
    /// Where it stands in the log; `None` for events outside of the timeline.
    record: Option<RecordIndex>,
    state: State,
    members: Members,
    memberships: Vec<NewMembership>,
    /// Events that were redacted, as they were and as they are.
    redacted: Vec<(Arc<Event>, Arc<Event>)>,
}

struct NewMembership {
    user: UserNumber,
    membership: MembershipState,
    event: EventNumber,
}

impl<'a> Batch<'a> {
    pub fn new(
        rooms: &'a Rooms,
        room: (RoomNumber, &'a RoomVersionRules, Option<&'a RoomId>),
        head: Head,
    ) -> Self {
        Self {
            rooms,
            room,
            began_with: head.state.clone(),
            head,
            change: Change::new(),
            appended: Vec::new(),
            events: Vec::new(),
            is_partial: false,
            sticky: StickyChanges::default(),
            gap_below: None,
        }
    }

    /// Builds, signs and checks one event upon the head.
    pub async fn push(&mut self, draft: EventDraft) -> Result<(), RoomError> {
        if let Some(standing) = self.find_same(&draft).await? {
            self.events.push(standing);
            return Ok(());
        }
        let request = (draft.transaction.clone(), draft.delay_id.clone());
        let (pdu, auth) = self.build(draft).await?;
        self.push_pdu(pdu, auth, request).await
    }

    /// Builds and signs an event upon the head, if the rules allow it; with the numbers of its `auth_events`.
    pub async fn build(&self, draft: EventDraft) -> Result<(Pdu, Vec<EventNumber>), RoomError> {
        let (_, rules, room_id) = self.room;
        let sender = draft.sender;
        let auth_types = auth_types_for(
            &draft.event_type,
            &sender,
            draft.state_key.as_deref(),
            &draft.content,
            rules,
        )?;
        let authority = self.state_events(&auth_types).await?;
        let sealed = Draft {
            room_id: room_id.map(ToOwned::to_owned),
            sender,
            event_type: draft.event_type,
            state_key: draft.state_key,
            content: draft.content,
            redacts: draft.redacts,
            sticky_duration_ms: draft.sticky_duration_ms,
            origin_server_ts: self.rooms.timestamp(draft.origin_server_ts),
            prev_events: self.prev_events(),
            auth_events: authority.iter().map(|event| event.pdu.event_id.clone()).collect(),
            depth: self.head.depth,
        };
        let pdu = seal(sealed, rules, &self.rooms.options().signing_key)?;
        let create = self
            .state_events(&[(StateEventType::RoomCreate, String::new())])
            .await?;
        let find = |event_type: &StateEventType, state_key: &str| {
            find_in(authority.iter().chain(&create), event_type, state_key)
        };
        authorise(&pdu, rules, find)?;
        Ok((pdu, authority.iter().map(|event| event.number).collect()))
    }

    /// The forward extremities as the parents of the next event.
    pub fn prev_events(&self) -> Vec<OwnedEventId> {
        // The latest stand last.
        let newest = self.head.extremities.iter().rev().take(PREV_EVENTS_NAMED);
        newest.map(|extremity| extremity.event_id.clone()).collect()
    }

    /// The events that stand in the head's state under these keys.
    pub async fn state_events(
        &self,
        keys: &[(StateEventType, String)],
    ) -> Result<Vec<Arc<Event>>, RoomError> {
        let standing = |(event_type, state_key): &(StateEventType, String)| {
            self.head.state.get(&event_type.to_string(), state_key)
        };
        self.events_of(keys.iter().filter_map(standing)).await
    }

    /// Events by their numbers, those of this very batch included, which are only here yet.
    async fn events_of(
        &self,
        numbers: impl IntoIterator<Item = EventNumber>,
    ) -> Result<Vec<Arc<Event>>, RoomError> {
        let mut found = Vec::new();
        let mut elsewhere = Vec::new();
        for number in numbers {
            match self
                .appended
                .iter()
                .find(|appended| appended.event.number == number)
            {
                Some(appended) => found.push(Arc::clone(&appended.event)),
                None => elsewhere.push(number),
            }
        }
        found.extend(self.rooms.events(&elsewhere).await?);
        Ok(found)
    }

    /// The standing state event that `draft` would only repeat.
    async fn find_same(&self, draft: &EventDraft) -> Result<Option<Arc<Event>>, RoomError> {
        let Some(state_key) = &draft.state_key else {
            return Ok(None);
        };
        let key = (
            StateEventType::from(draft.event_type.to_string()),
            state_key.clone(),
        );
        let Some(standing) = self.state_events(&[key]).await?.pop() else {
            return Ok(None);
        };
        // What is to stick is sent again, for the one that stands may stick no longer.
        if draft.sticky_duration_ms.is_some() {
            return Ok(None);
        }
        let is_same = standing.pdu.sender == draft.sender
            && standing.redacted_by.is_none()
            && canonical_json(draft.content.get())? == standing.pdu.content.get();
        Ok(is_same.then_some(standing))
    }

    /// Takes an event of ours that has passed the rules into the batch.
    pub async fn push_pdu(
        &mut self,
        pdu: Pdu,
        auth: Vec<EventNumber>,
        (transaction, delay_id): (Option<Transaction>, Option<DelayId>),
    ) -> Result<(), RoomError> {
        let target = self.redaction_target(&pdu).await?;
        if let Some(target_id) = redacts(&pdu) {
            let target = target
                .as_ref()
                .ok_or_else(|| RoomError::UnknownEvent(target_id.clone()))?;
            if !self.may_redact(&pdu, target).await? {
                return Err(RoomError::Forbidden(
                    "You may not remove this message.".to_owned(),
                ));
            }
        }
        let placed = Placed {
            pdu,
            before: self.head.state.clone(),
            outcome: Outcome::Accepted,
            auth,
            is_ours: true,
            transaction,
            delay_id,
            number: None,
            is_late: false,
            may_stick: true,
        };
        let event = self.place(placed).await?;
        self.events.push(event);
        Ok(())
    }

    /// Takes an event into the batch, and moves the head if the event is accepted.
    pub async fn place(&mut self, placed: Placed) -> Result<Arc<Event>, RoomError> {
        let (rooms, (room, ..)) = (self.rooms, self.room);
        let Placed {
            pdu,
            before,
            outcome,
            auth,
            is_ours,
            transaction,
            delay_id,
            number,
            is_late,
            may_stick,
        } = placed;
        let is_accepted = outcome == Outcome::Accepted;
        let is_known = number.is_some();
        let number = match number {
            Some(number) => number,
            None => EventNumber(rooms.0.event_numbers.next().await?),
        };
        let redacted = match is_accepted {
            true => self.redact(&pdu, number).await?,
            false => Vec::new(),
        };
        let sender = rooms.user_number(&pdu.sender).await?;
        let mut after = before;
        let mut replaces = None;
        if let Some(state_key) = pdu.state_key.as_deref().filter(|_| outcome != Outcome::Rejected) {
            let parent = after.clone();
            replaces = after.get(&pdu.event_type.to_string(), state_key);
            after.insert(&pdu.event_type.to_string(), state_key, number);
            self.store_state(&mut after, &parent, &[number], &[]).await?;
        }
        let pdu = Arc::new(pdu.with_rejected(outcome == Outcome::Rejected));
        let was = self.head.state.clone();
        rooms.remember_auth(number, &auth);
        let mut parts = EventParts {
            number,
            room,
            sender,
            snapshot: after.snapshot,
            room_snapshot: after.snapshot,
            outcome,
            relation: Relation::of(&pdu),
            pdu: Arc::clone(&pdu),
            transaction,
            delay_id,
            replaces,
            redacted_by: None,
            has_relations: false,
        };
        if is_accepted && !is_late {
            self.move_head(&parts, &after).await?;
        }
        parts.room_snapshot = self.head.state.snapshot;
        let event = Arc::new(Event::new(parts, None));

        let memberships = self.follow_members(&was, &event).await?;
        let about = pdu
            .state_key
            .as_deref()
            .filter(|_| pdu.event_type == TimelineEventType::RoomMember);
        let about = match about.and_then(|user| UserId::parse(user).ok()) {
            Some(user) => Some(rooms.user_number(&user).await?),
            None => None,
        };
        let record = is_accepted.then(|| {
            self.change.record(Record::Event {
                room,
                event: number,
                sender,
                member: about,
                is_ours,
            })
        });
        let standing = store::events::Standing { is_ours, auth: &auth };
        match (record, is_known) {
            (Some(record), false) => store::events::insert(&mut self.change, &event, &standing, record),
            (Some(record), true) => store::events::settle_at(&mut self.change, &event, &standing, record),
            (None, false) => store::events::insert_outside(&mut self.change, &event, &standing),
            (None, true) => store::events::settle_outside(&mut self.change, &event, &standing),
        }
        if let Some(record) = record {
            for NewMembership {
                user,
                membership,
                event,
            } in &memberships
            {
                store::memberships::put(&mut self.change, room, *user, membership, *event, record);
                if Some(*user) != about {
                    self.change.record(Record::Membership { room, user: *user });
                }
            }
        }
        if may_stick && outcome != Outcome::Rejected {
            self.stick(&event, record);
        }
        for (target, redacted) in &redacted {
            let by = redacted.redacted_by.unwrap_or(number);
            store::events::redact(&mut self.change, redacted, by);
            self.unstick(target);
        }
        self.appended.push(Appended {
            event: Arc::clone(&event),
            record,
            state: self.head.state.clone(),
            members: self.head.members.clone(),
            memberships,
            redacted,
        });
        Ok(event)
    }

    /// Takes an accepted event into the batch, and leaves a gap below it for what it is built upon and is not here.
    pub async fn place_above_gap(&mut self, placed: Placed) -> Result<Arc<Event>, RoomError> {
        let (room, ..) = self.room;
        self.change.leave_positions(GAP_POSITIONS);
        let event = self.place(placed).await?;
        self.gap_below = self.appended.last().and_then(|last| last.record);
        if let Some(record) = self.gap_below {
            store::gaps::open(&mut self.change, room, record);
        }
        Ok(event)
    }

    /// Takes a member event of a room into the batch that this server is not in: it is told and built upon by nothing.
    pub async fn place_outside(&mut self, pdu: Pdu) -> Result<(), RoomError> {
        let (rooms, (room, ..)) = (self.rooms, self.room);
        let number = EventNumber(rooms.0.event_numbers.next().await?);
        let sender = rooms.user_number(&pdu.sender).await?;
        let was = self.head.state.clone();
        let mut after = was.clone();
        let state_key = pdu.state_key.as_deref().unwrap_or_default();
        let replaces = after.get("m.room.member", state_key);
        after.insert("m.room.member", state_key, number);
        self.store_state(&mut after, &was, &[number], &[]).await?;
        self.head.state = after;
        let user = UserId::parse(state_key).map_err(|error| RoomError::BadRequest(error.to_string()))?;
        let user = rooms.user_number(&user).await?;
        let parts = EventParts {
            number,
            room,
            sender,
            snapshot: self.head.state.snapshot,
            room_snapshot: self.head.state.snapshot,
            outcome: Outcome::Outlier,
            relation: None,
            pdu: Arc::new(pdu),
            transaction: None,
            delay_id: None,
            replaces,
            redacted_by: None,
            has_relations: false,
        };
        let event = Arc::new(Event::new(parts, None));
        let memberships = self.follow_members(&was, &event).await?;
        let record = self.change.record(Record::Event {
            room,
            event: number,
            sender,
            member: Some(user),
            is_ours: false,
        });
        let standing = store::events::Standing {
            is_ours: false,
            auth: &[],
        };
        store::events::insert(&mut self.change, &event, &standing, record);
        self.appended.push(Appended {
            event,
            record: Some(record),
            state: self.head.state.clone(),
            members: self.head.members.clone(),
            memberships: Vec::new(),
            redacted: Vec::new(),
        });
        let memberships = memberships.into_iter();
        self.adopt_members(memberships.map(|new| (new.user, new.membership, new.event)));
        Ok(())
    }

    pub fn rules(&self) -> &'a RoomVersionRules {
        self.room.1
    }

    pub fn room_number(&self) -> RoomNumber {
        self.room.0
    }

    /// Queues the batch. The caller still holds the room's head, so that queue order is room order.
    pub async fn submit(mut self, room: &Arc<Room>) -> (Head, Vec<Arc<Event>>, Commit) {
        let extremities = self.head.extremities.iter().map(|extremity| extremity.number);
        let snapshot = self.head.state.snapshot;
        store::heads::put(
            &mut self.change,
            room.number,
            extremities,
            self.head.depth,
            snapshot,
        );
        self.change.chain(&self.head.chain);
        for appended in &self.appended {
            let event = &appended.event;
            self.rooms
                .0
                .event_ids
                .insert(event.pdu.event_id.clone(), event.number);
            self.rooms.0.events.insert(event.number, Arc::clone(event));
        }
        let (rooms, published_in) = (self.rooms.clone(), Arc::clone(room));
        let appended = std::mem::take(&mut self.appended);
        let sticky = std::mem::take(&mut self.sticky);
        let gap_below = self.gap_below;
        self.change.on_commit(move |first| {
            if let Some(record) = gap_below {
                published_in.gaps.open(HistoryGap::below(record.position(first)));
            }
            sticky.publish(&published_in, first);
            publish(&rooms, &published_in, first, appended);
        });
        let commit = self.rooms.database().writer().submit(self.change).await;
        (self.head, self.events, commit)
    }
}

/// The event among these that stands under the key.
pub(crate) fn find_in<'e>(
    mut events: impl Iterator<Item = &'e Arc<Event>>,
    event_type: &StateEventType,
    state_key: &str,
) -> Option<Arc<Pdu>> {
    let event_type = TimelineEventType::from(event_type.to_string());
    let is_it = |event: &&Arc<Event>| {
        event.pdu.state_key.as_deref() == Some(state_key) && event.pdu.event_type == event_type
    };
    events.find(is_it).map(|event| Arc::clone(&event.pdu))
}

/// Makes committed events visible in memory. Runs in log order.
fn publish(rooms: &Rooms, room: &Arc<Room>, first: Position, appended: Vec<Appended>) {
    for appended in appended {
        let Appended {
            event,
            record,
            state,
            members,
            memberships,
            redacted,
        } = appended;
        let Some(record) = record else { continue };
        let position = record.position(first);
        event.set_position(position);
        for NewMembership {
            user,
            membership,
            event,
        } in memberships
        {
            let membership = UserMembership {
                membership,
                event,
                position,
                is_forgotten: false,
            };
            rooms.0.user_rooms.put(user, room.number, membership);
        }
        if let Some(relation) = &event.relation {
            rooms.note_relation(relation);
        }
        if event.pdu.event_type == TimelineEventType::RoomHistoryVisibility {
            // It may be one that the room's state does not come to.
            rooms.0.visibilities.remove(&room.number);
        }
        room.publish(event, state, members);
        for (target, redacted) in redacted {
            // The target may have been under way itself when its redaction was built.
            redacted.set_position(target.position());
            room.replace(&redacted);
            rooms.0.events.insert(redacted.number, redacted);
        }
    }
}
