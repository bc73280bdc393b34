//! The one door through which every event of ours enters a room.

use std::sync::{Arc, atomic::Ordering};

use echorift_events::{Draft, Pdu, authorise, rules_for, seal};
use echorift_storage::{Change, RoomNumber, StorageError, Timestamp};
use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedUserId, RoomId, RoomVersionId, UInt, UserId,
    events::{StateEventType, TimelineEventType, room::member::MembershipState, sticky::StickyDurationMs},
};
use serde_json::value::RawValue;

use crate::{
    DelayId, RoomError, Rooms,
    batch::Batch,
    event::{Event, Outcome, Transaction},
    receipts::RoomReceipts,
    remote::{Received, Reception},
    room::{Head, Room},
    store,
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
    /// How long it is to stick (MSC4354), if at all.
    pub sticky_duration_ms: Option<StickyDurationMs>,
    pub transaction: Option<Transaction>,
    /// The delayed event that this was until now (MSC4140).
    pub delay_id: Option<DelayId>,
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
            sticky_duration_ms: None,
            transaction: None,
            delay_id: None,
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

    /// The same, as a sticky event if there is a duration.
    #[must_use]
    pub fn sticking_for(mut self, duration_ms: Option<StickyDurationMs>) -> Self {
        self.sticky_duration_ms = duration_ms;
        self
    }

    /// The same, as if sent at that time.
    #[must_use]
    pub fn dated(mut self, origin_server_ts: Option<Timestamp>) -> Self {
        self.origin_server_ts = origin_server_ts;
        self
    }

    #[must_use]
    pub fn with_transaction(mut self, transaction: Option<Transaction>) -> Self {
        self.transaction = transaction;
        self
    }
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
        self.append_with(room, drafts, |_, _| {}).await
    }

    /// As [`Rooms::append_all`], in one commit with what `also` writes, which is told the ID of the last event. If no
    /// draft changes anything, that is not written either.
    pub(crate) async fn append_with(
        &self,
        room: &Arc<Room>,
        drafts: Vec<EventDraft>,
        also: impl FnOnce(&mut Change, &EventId),
    ) -> Result<Vec<Arc<Event>>, RoomError> {
        for draft in drafts.iter().filter(|draft| draft.sticky_duration_ms.is_some()) {
            self.check_sticky(room, self.user_number(&draft.sender).await?)?;
        }
        if room.view().state.get("m.room.policy", "").is_some() && self.peers().is_ok() {
            return self.append_recommended(room, drafts, also).await;
        }
        let (events, commit) = {
            let mut guard = room.head.lock().await;
            let head = self.current_head(room, &guard).await?;
            let mut batch = Batch::new(self, (room.number, &room.rules, Some(&room.id)), head);
            for draft in drafts {
                batch.push(draft).await?;
            }
            if batch.appended.is_empty() {
                return Ok(batch.events);
            }
            let last_id = batch.events.last().map(|event| event.pdu.event_id.clone());
            batch.admit_withheld(room).await?;
            if let Some(event_id) = last_id {
                also(&mut batch.change, &event_id);
            }
            let (head, events, commit) = batch.submit(room).await;
            *guard = Some(head);
            (events, commit)
        };
        commit.done().await?;
        Ok(events)
    }

    /// As [`Rooms::append_with`], where a policy server has to sign each event first. It is asked without the room's lock,
    /// so that what others send meanwhile comes between. Each event is a commit; what `also` writes goes with the last.
    async fn append_recommended(
        &self,
        room: &Arc<Room>,
        drafts: Vec<EventDraft>,
        also: impl FnOnce(&mut Change, &EventId),
    ) -> Result<Vec<Arc<Event>>, RoomError> {
        let peers = self.peers()?;
        let mut events = Vec::with_capacity(drafts.len());
        let last = drafts.len().saturating_sub(1);
        let mut also = Some(also);
        for (index, draft) in drafts.into_iter().enumerate() {
            let (transaction, delay_id) = (draft.transaction.clone(), draft.delay_id.clone());
            let also = also.take_if(|_| index == last);
            let proposed = self.propose(room, draft).await?;
            let received = Received {
                transaction,
                delay_id,
                ..Received::ours(peers.recommend(room, proposed).await?)
            };
            let event_id = received.pdu.event_id.clone();
            let write = |change: &mut Change| {
                if let Some(also) = also {
                    also(change, &event_id);
                }
            };
            match self.receive(room, received, write).await? {
                Reception::Known(event) => events.push(event),
                Reception::Taken(event, commit) => {
                    commit.done().await?;
                    if event.outcome != Outcome::Accepted {
                        return Err(RoomError::Forbidden(
                            "The room has changed meanwhile, and does not allow this any more.".to_owned(),
                        ));
                    }
                    events.push(event);
                }
                Reception::Missing(_) => {
                    return Err(StorageError::corrupt("events", "the room's ends are missing").into());
                }
            }
        }
        Ok(events)
    }

    /// Builds and signs an event upon the room's head, as [`Rooms::append`] would, and appends nothing: for who has to
    /// sign it too (SS API § Joining Rooms, § Inviting to a room).
    ///
    /// Errors: `Refused` by the authorisation rules.
    pub async fn propose(&self, room: &Arc<Room>, draft: EventDraft) -> Result<Pdu, RoomError> {
        let guard = room.head.lock().await;
        let head = self.current_head(room, &guard).await?;
        let batch = Batch::new(self, (room.number, &room.rules, Some(&room.id)), head);
        Ok(batch.build(draft).await?.0)
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
        also: impl FnOnce(&mut Change, RoomNumber, &RoomId),
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
            sticky_duration_ms: create.sticky_duration_ms,
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
        also(&mut batch.change, number, &room_id);
        batch
            .push_pdu(pdu, Vec::new(), (create.transaction, None))
            .await?;
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

    pub(crate) fn timestamp(&self, wanted: Option<Timestamp>) -> MilliSecondsSinceUnixEpoch {
        let now = wanted.unwrap_or_else(|| self.clock().now());
        MilliSecondsSinceUnixEpoch(UInt::try_from(now.0).unwrap_or_default())
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
