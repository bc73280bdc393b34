//! The one door through which every event of ours enters a room.

use std::sync::{Arc, atomic::Ordering};

use echorift_events::{
    Draft, Pdu, PowerLevels, RoomVersionRules, auth_types_for, authorise, canonical_json, creators_of,
    rules_for, seal,
};
use echorift_storage::{
    Change, Commit, EventNumber, Position, Record, RoomNumber, SnapshotNumber, StorageError, Timestamp,
    UserNumber,
};
use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedUserId, RoomVersionId, UInt, UserId,
    events::{StateEventType, TimelineEventType, room::member::MembershipState},
};
use serde_json::value::RawValue;

use crate::{
    RoomError, Rooms,
    event::{Event, EventParts, Outcome, Relation, Transaction},
    receipts::RoomReceipts,
    room::{Extremity, Head, Members, Room},
    state::{CHAIN_LENGTH_MAX, State},
    store::{self, memberships::UserMembership},
};

/// What somebody wants to append to a room.
#[derive(Debug, Clone)]
pub struct EventDraft {
    pub sender: OwnedUserId,
    pub event_type: TimelineEventType,
    pub state_key: Option<String>,
    pub content: Box<RawValue>,
    /// The target of a redaction.
    pub redacts: Option<OwnedEventId>,
    pub transaction: Option<Transaction>,
    /// Now, if `None`.
    pub origin_server_ts: Option<Timestamp>,
}

impl EventDraft {
    pub fn message(sender: &UserId, event_type: TimelineEventType, content: Box<RawValue>) -> Self {
        Self {
            sender: sender.to_owned(),
            event_type,
            state_key: None,
            content,
            redacts: None,
            transaction: None,
            origin_server_ts: None,
        }
    }

    pub fn state(
        sender: &UserId,
        event_type: StateEventType,
        state_key: &str,
        content: Box<RawValue>,
    ) -> Self {
        let event_type = TimelineEventType::from(event_type);
        Self {
            state_key: Some(state_key.to_owned()),
            ..Self::message(sender, event_type, content)
        }
    }

    #[must_use]
    pub fn with_transaction(mut self, transaction: Option<Transaction>) -> Self {
        self.transaction = transaction;
        self
    }
}

/// Several events that are built upon each other and committed as one.
struct Batch<'a> {
    rooms: &'a Rooms,
    room: (RoomNumber, &'a RoomVersionRules, Option<&'a ruma::RoomId>),
    head: Head,
    change: Change,
    appended: Vec<Appended>,
    /// For each draft the event that it became, or that stood there already.
    events: Vec<Arc<Event>>,
}

/// What becomes visible by one event of a batch.
struct Appended {
    event: Arc<Event>,
    state: State,
    members: Members,
    membership: Option<(UserNumber, MembershipState)>,
    /// The event that was redacted, as it was and as it is.
    redacted: Option<(Arc<Event>, Arc<Event>)>,
}

impl Rooms {
    /// Appends one event, and returns after its commit.
    ///
    /// A state event that would change nothing is not appended: the one that stands is returned.
    /// Errors: `Refused` by the authorisation rules, `Event` if it is too large or malformed.
    pub async fn append(&self, room: &Arc<Room>, draft: EventDraft) -> Result<Arc<Event>, RoomError> {
        let events = self.append_all(room, vec![draft]).await?;
        events
            .into_iter()
            .next()
            .ok_or_else(|| StorageError::corrupt("append", "no event").into())
    }

    /// Appends several events in order, all or none of them, and returns after the commit.
    pub async fn append_all(
        &self,
        room: &Arc<Room>,
        drafts: Vec<EventDraft>,
    ) -> Result<Vec<Arc<Event>>, RoomError> {
        self.append_with(room, drafts, |_| {}).await
    }

    /// As [`Rooms::append_all`], in one commit with what `also` writes. If no draft changes anything, that is not
    /// written either.
    pub(crate) async fn append_with(
        &self,
        room: &Arc<Room>,
        drafts: Vec<EventDraft>,
        also: impl FnOnce(&mut Change),
    ) -> Result<Vec<Arc<Event>>, RoomError> {
        let (events, commit) = {
            let mut guard = room.head.lock().await;
            let head = match guard.as_ref() {
                Some(head) if !head.chain.is_broken() => head.clone(),
                _ => self.reload_head(room).await?,
            };
            let mut batch = Batch::new(self, (room.number, &room.rules, Some(&room.id)), head);
            for draft in drafts {
                batch.push(draft).await?;
            }
            if batch.appended.is_empty() {
                return Ok(batch.events);
            }
            also(&mut batch.change);
            let (head, events, commit) = batch.submit(room).await;
            *guard = Some(head);
            (events, commit)
        };
        commit.done().await?;
        Ok(events)
    }

    /// Makes a room from its create event and what follows it, in one commit, with what else `also` adds to it.
    ///
    /// Errors: `UnsupportedVersion`, and those of [`Rooms::append`].
    pub async fn create(
        &self,
        version: &RoomVersionId,
        create: EventDraft,
        then: Vec<EventDraft>,
        is_published: bool,
        also: impl FnOnce(&mut Change, RoomNumber),
    ) -> Result<(Arc<Room>, Vec<Arc<Event>>), RoomError> {
        let rules = rules_for(version).ok_or_else(|| RoomError::UnsupportedVersion(version.clone()))?;
        let mut random = [0_u8; 18];
        rand::fill(&mut random);
        let room_id = if rules.event_format.require_room_create_room_id {
            let opaque = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, random);
            let id = format!("!{opaque}:{}", self.server_name());
            Some(ruma::RoomId::parse(id).map_err(|error| RoomError::BadRequest(error.to_string()))?)
        } else {
            None
        };
        let draft = Draft {
            room_id,
            sender: create.sender.clone(),
            event_type: create.event_type.clone(),
            state_key: create.state_key.clone(),
            content: create.content.clone(),
            redacts: None,
            origin_server_ts: self.timestamp(Some(self.creation_time(create.origin_server_ts))),
            prev_events: Vec::new(),
            auth_events: Vec::new(),
            depth: 1,
        };
        let pdu = seal(draft, &rules, &self.options().signing_key)?;
        authorise(&pdu, &rules, |_, _| None)?;
        let room_id = pdu.room_id.clone();
        let number = RoomNumber(self.0.names.intern(room_id.as_str()).await?);
        let mut batch = Batch::new(self, (number, &rules, Some(&room_id)), Head::empty());
        store::heads::insert_room(
            &mut batch.change,
            number,
            version,
            self.clock().now(),
            is_published,
        );
        also(&mut batch.change, number);
        batch.push_pdu(pdu, create.transaction).await?;
        for draft in then {
            batch.push(draft).await.map_err(|error| match error {
                RoomError::Refused(refusal) => RoomError::BadInitialState(refusal.to_string()),
                error => error,
            })?;
        }
        let empty = Head::empty();
        let room = Room::new(
            (number, room_id.clone()),
            (version.clone(), rules.clone()),
            empty,
            Vec::new(),
            true,
            RoomReceipts::default(),
        );
        let room = self.adopt(room);
        let (head, events, commit) = batch.submit(&room).await;
        *room.head.lock().await = Some(head);
        commit.done().await?;
        Ok((room, events))
    }

    /// When a room is made: later than every room before it. From version 12 on the create event names the room, and
    /// two alike of one moment would be the same room.
    fn creation_time(&self, wanted: Option<Timestamp>) -> Timestamp {
        let wanted = wanted.unwrap_or_else(|| self.clock().now());
        let after = |last: i64| wanted.0.max(last.saturating_add(1));
        let last = self
            .0
            .last_creation
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(after(last)));
        Timestamp(after(last.unwrap_or_else(|last| last)))
    }

    fn timestamp(&self, wanted: Option<Timestamp>) -> MilliSecondsSinceUnixEpoch {
        let now = wanted.unwrap_or_else(|| self.clock().now());
        MilliSecondsSinceUnixEpoch(UInt::try_from(now.0).unwrap_or_default())
    }
}

impl Head {
    fn empty() -> Self {
        Self {
            extremities: Vec::new(),
            depth: 1,
            state: State::default(),
            members: Members::default(),
            chain: echorift_storage::Chain::new(),
        }
    }
}

impl<'a> Batch<'a> {
    fn new(
        rooms: &'a Rooms,
        room: (RoomNumber, &'a RoomVersionRules, Option<&'a ruma::RoomId>),
        head: Head,
    ) -> Self {
        Self {
            rooms,
            room,
            head,
            change: Change::new(),
            appended: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Builds, signs and checks one event upon the head.
    async fn push(&mut self, draft: EventDraft) -> Result<(), RoomError> {
        if let Some(standing) = self.find_same(&draft).await? {
            self.events.push(standing);
            return Ok(());
        }
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
            origin_server_ts: self.rooms.timestamp(draft.origin_server_ts),
            prev_events: self
                .head
                .extremities
                .iter()
                .map(|extremity| extremity.event_id.clone())
                .collect(),
            auth_events: authority.iter().map(|event| event.pdu.event_id.clone()).collect(),
            depth: self.head.depth,
        };
        let pdu = seal(sealed, rules, &self.rooms.options().signing_key)?;
        let create = self
            .state_events(&[(StateEventType::RoomCreate, String::new())])
            .await?;
        let find = |event_type: &StateEventType, state_key: &str| {
            let is_it = |event: &&Arc<Event>| {
                event.pdu.state_key.as_deref() == Some(state_key)
                    && event.pdu.event_type == TimelineEventType::from(event_type.to_string())
            };
            authority
                .iter()
                .chain(&create)
                .find(is_it)
                .map(|event| Arc::clone(&event.pdu))
        };
        authorise(&pdu, rules, find)?;
        self.push_pdu(pdu, draft.transaction).await
    }

    /// The events that stand in the head's state under these keys.
    async fn state_events(&self, keys: &[(StateEventType, String)]) -> Result<Vec<Arc<Event>>, RoomError> {
        let standing = |(event_type, state_key): &(StateEventType, String)| {
            self.head.state.get(&event_type.to_string(), state_key)
        };
        let mut found = Vec::with_capacity(keys.len());
        let mut elsewhere = Vec::new();
        for number in keys.iter().filter_map(standing) {
            // Events of this very batch are only here yet.
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
        let is_same = standing.pdu.sender == draft.sender
            && standing.redacted_by.is_none()
            && canonical_json(draft.content.get())? == standing.pdu.content.get();
        Ok(is_same.then_some(standing))
    }

    /// Takes an event that has passed the rules into the batch.
    async fn push_pdu(&mut self, pdu: Pdu, transaction: Option<Transaction>) -> Result<(), RoomError> {
        let rooms = self.rooms;
        let (room, ..) = self.room;
        let redacted = self.redact(&pdu).await?;
        let number = EventNumber(rooms.0.event_numbers.next().await?);
        let sender = rooms.user_number(&pdu.sender).await?;
        let mut membership = None;
        let mut replaces = None;
        if let Some(state_key) = &pdu.state_key {
            let parent = self.head.state.snapshot;
            replaces = self.head.state.get(&pdu.event_type.to_string(), state_key);
            self.head
                .state
                .insert(&pdu.event_type.to_string(), state_key, number);
            self.head.state.snapshot = SnapshotNumber(rooms.0.snapshot_numbers.next().await?);
            self.head.state.chain_length += 1;
            if parent == SnapshotNumber(0) || self.head.state.chain_length > CHAIN_LENGTH_MAX {
                self.head.state.chain_length = 0;
                store::snapshots::insert_full(&mut self.change, room, &self.head.state);
            } else {
                store::snapshots::insert_delta(&mut self.change, room, &self.head.state, parent, number);
            }
            rooms.remember_state(&self.head.state);
            if pdu.event_type == TimelineEventType::RoomMember {
                let user_id = UserId::parse(state_key.as_str())
                    .map_err(|error| RoomError::BadRequest(error.to_string()))?;
                let user = rooms.user_number(&user_id).await?;
                let new = membership_of(&pdu)?;
                self.head
                    .members
                    .put(user, &user_id, rooms.is_local(&user_id), &new);
                membership = Some((user, new));
            }
        }
        let event = Event::new(
            EventParts {
                number,
                room,
                sender,
                snapshot: self.head.state.snapshot,
                outcome: Outcome::Accepted,
                relation: Relation::of(&pdu),
                pdu: Arc::new(pdu),
                transaction,
                replaces,
                redacted_by: None,
                has_relations: false,
            },
            None,
        );
        let event = Arc::new(event);
        self.head.extremities = vec![Extremity {
            number,
            event_id: event.pdu.event_id.clone(),
        }];
        self.head.depth = event.pdu.depth.saturating_add(1);

        let member = membership.as_ref().map(|(user, _)| *user);
        let record = self.change.record(Record::Event {
            room,
            event: number,
            member,
        });
        store::events::insert(&mut self.change, &event, record);
        if let Some((user, membership)) = &membership {
            store::memberships::put(&mut self.change, room, *user, membership, number, record);
        }
        let redacted = match redacted {
            Some((target, pdu)) => {
                let redacted = Arc::new(target.redacted(pdu, number));
                store::events::redact(&mut self.change, &redacted, number);
                Some((target, redacted))
            }
            None => None,
        };
        self.events.push(Arc::clone(&event));
        self.appended.push(Appended {
            event,
            state: self.head.state.clone(),
            members: self.head.members.clone(),
            membership,
            redacted,
        });
        Ok(())
    }

    /// What a redaction does to its target. The authorisation rules let every member send redactions; whether one
    /// takes effect is decided here (rooms § Handling redactions).
    async fn redact(&self, pdu: &Pdu) -> Result<Option<(Arc<Event>, Arc<Pdu>)>, RoomError> {
        let (_, rules, room_id) = self.room;
        let Some(target_id) = pdu
            .redacts
            .as_ref()
            .filter(|_| pdu.event_type == TimelineEventType::RoomRedaction)
        else {
            return Ok(None);
        };
        let target = self.find_target(target_id, room_id).await?;
        let target = target.ok_or_else(|| RoomError::UnknownEvent(target_id.clone()))?;
        let keys = [
            (StateEventType::RoomPowerLevels, String::new()),
            (StateEventType::RoomCreate, String::new()),
        ];
        let state = self.state_events(&keys).await?;
        let levels = state
            .iter()
            .find(|event| event.pdu.event_type == TimelineEventType::RoomPowerLevels);
        let create = state
            .iter()
            .find(|event| event.pdu.event_type == TimelineEventType::RoomCreate);
        let creators = create
            .map(|create| creators_of(&create.pdu, rules))
            .unwrap_or_default();
        let power = PowerLevels::new(levels.map(|event| &*event.pdu.content), &creators, rules);
        if !power.can_redact(&pdu.sender, &target.pdu.sender) {
            return Err(RoomError::Forbidden(
                "You may not remove this message.".to_owned(),
            ));
        }
        let redacted = target.pdu.redacted(rules)?;
        Ok(Some((target, Arc::new(redacted))))
    }

    async fn find_target(
        &self,
        id: &EventId,
        room_id: Option<&ruma::RoomId>,
    ) -> Result<Option<Arc<Event>>, RoomError> {
        let number = match self.rooms.0.event_ids.get(id) {
            Some(number) => Some(number),
            None => store::events::numbers_of(self.rooms.database(), &[id])
                .await?
                .remove(id),
        };
        let Some(number) = number else { return Ok(None) };
        let event = self.rooms.events(&[number]).await?.pop();
        Ok(event.filter(|event| Some(&*event.pdu.room_id) == room_id))
    }

    /// Queues the batch. The caller still holds the room's head, so that queue order is room order.
    async fn submit(mut self, room: &Arc<Room>) -> (Head, Vec<Arc<Event>>, Commit) {
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
        self.change
            .on_commit(move |first| publish(&rooms, &published_in, first, appended));
        let commit = self.rooms.database().writer().submit(self.change).await;
        (self.head, self.events, commit)
    }
}

/// Makes committed events visible in memory. Runs in log order.
fn publish(rooms: &Rooms, room: &Arc<Room>, first: Position, appended: Vec<Appended>) {
    for (offset, appended) in (0..).zip(appended) {
        let Appended {
            event,
            state,
            members,
            membership,
            redacted,
        } = appended;
        let position = Position(first.0.saturating_add(offset));
        event.set_position(position);
        if let Some((user, membership)) = membership {
            let membership = UserMembership {
                membership,
                event: event.number,
                position,
                is_forgotten: false,
            };
            rooms.0.user_rooms.put(user, room.number, membership);
        }
        if let Some((target, redacted)) = redacted {
            // The target may have been under way itself when its redaction was built.
            redacted.set_position(target.position());
            room.replace(&redacted);
            rooms.0.events.insert(redacted.number, redacted);
        }
        if let Some(relation) = &event.relation
            && let Some(target) = rooms.0.event_ids.get(&relation.event_id)
            && let Some(target) = rooms.0.events.get(&target)
        {
            target.set_has_relations();
        }
        room.publish(event, state, members);
    }
}

/// The membership in a member event's content. Errors: `BadRequest` if there is none.
pub(crate) fn membership_of(pdu: &Pdu) -> Result<MembershipState, RoomError> {
    #[derive(serde::Deserialize)]
    struct Content {
        membership: MembershipState,
    }
    let content: Result<Content, _> = pdu.content_as();
    content
        .map(|content| content.membership)
        .map_err(|error| RoomError::BadRequest(error.to_string()))
}
