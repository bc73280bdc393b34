//! What a batch does with sticky events (MSC4354).

use std::sync::Arc;

use echorift_events::{Pdu, auth_types_for, authorise};
use echorift_storage::{EventNumber, Position, Record, RecordIndex};
use ruma::{
    EventId, OwnedEventId,
    events::{StateEventType, TimelineEventType},
};

use super::{Batch, Placed, find_in};
use crate::{
    RoomError,
    event::{Event, Outcome},
    room::Room,
    state::State,
    sticky::{Sticky, expiry},
    store,
};

/// What a batch changes about the sticky events of its room.
#[derive(Default)]
pub(crate) struct StickyChanges {
    /// Those that begin to stick, with where readers hear of them, or withheld ones.
    begun: Vec<(Sticky, Option<RecordIndex>)>,
    ended: Vec<EventNumber>,
}

impl StickyChanges {
    pub fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.ended.is_empty()
    }

    /// Follows the commit. `first` is the position of its first record.
    pub fn publish(self, room: &Room, first: Position) {
        for (sticky, record) in self.begun {
            room.sticky
                .put(sticky, record.map(|record| record.position(first)));
        }
        for event in self.ended {
            room.sticky.end(event);
        }
    }
}

impl Batch<'_> {
    /// Keeps the event among the room's sticky ones, if it is one and has not expired: from `record` on, or withheld.
    pub fn stick(&mut self, event: &Event, record: Option<RecordIndex>) {
        let now = self.rooms.clock().now();
        let Some(expires) = expiry(&event.pdu, now) else {
            return;
        };
        let (room, ..) = self.room;
        // It was told of before it had a place in the history.
        if self
            .rooms
            .loaded(room)
            .is_some_and(|room| room.sticky.tells(event.number))
        {
            return;
        }
        let sticky = Sticky {
            event: event.number,
            sender: event.sender,
            expires,
        };
        self.begin_to_stick(sticky, record);
    }

    fn begin_to_stick(&mut self, sticky: Sticky, record: Option<RecordIndex>) {
        let (number, ..) = self.room;
        store::sticky::put(&mut self.change, number, &sticky, record);
        self.sticky.begun.push((sticky, record));
        let now = self.rooms.clock().now();
        let room = self.rooms.loaded(number).filter(|_| record.is_some());
        if let Some(victim) = room.and_then(|room| room.sticky.one_too_many(now)) {
            metrics::counter!("echorift_rooms_sticky_events_ended_early_total").increment(1);
            store::sticky::end(&mut self.change, number, &victim);
            self.sticky.ended.push(victim.event);
        }
    }

    /// Ends the stickiness of an event that is being redacted.
    pub fn unstick(&mut self, event: &Event) {
        if event.pdu.sticky_duration_ms.is_none() {
            return;
        }
        let (room, ..) = self.room;
        let sticky = Sticky {
            event: event.number,
            sender: event.sender,
            expires: echorift_storage::Timestamp(0),
        };
        store::sticky::end(&mut self.change, room, &sticky);
        self.sticky.ended.push(event.number);
    }

    /// Ends the stickiness of an event that is not part of the room's history yet; what is left of the redaction is done
    /// when it is.
    pub(super) async fn unstick_outlier(
        &mut self,
        redaction: &Pdu,
        target: &EventId,
    ) -> Result<(), RoomError> {
        let known = self.rooms.known_events(&[target]).await?.into_values().next();
        if let Some(event) = known.filter(|event| event.room == self.room_number())
            && self.may_redact(redaction, &event).await?
        {
            self.unstick(&event);
        }
        Ok(())
    }

    /// Lets withheld sticky events in that what the batch has made of the room's state allows: the check that
    /// soft-failed them is made again when what it stood on changes (MSC4354 § Proposal).
    pub async fn admit_withheld(&mut self, room: &Room) -> Result<(), RoomError> {
        if self.began_with.snapshot == self.head.state.snapshot {
            return Ok(());
        }
        let withheld = room.sticky.withheld(self.rooms.clock().now());
        if withheld.is_empty() {
            return Ok(());
        }
        let numbers: Vec<EventNumber> = withheld.iter().map(|sticky| sticky.event).collect();
        for event in self.rooms.events(&numbers).await? {
            let sticky = withheld.iter().find(|sticky| sticky.event == event.number);
            if let Some(sticky) = sticky.filter(|_| !self.head.admitted.contains(&event.number))
                && self.has_become_allowed(&event).await?
            {
                self.admit(&event, *sticky).await?;
            }
        }
        Ok(())
    }

    /// Keeps an event that has its place in the room's older history, or will have, among the sticky ones. Readers hear of
    /// it now, if the room's state allows it.
    pub async fn stick_old(&mut self, event: &Event) -> Result<(), RoomError> {
        let (number, ..) = self.room;
        let room = self.rooms.loaded(number);
        let is_known = room.is_some_and(|room| room.sticky.knows(event.number))
            || self.head.admitted.contains(&event.number);
        if is_known || expiry(&event.pdu, self.rooms.clock().now()).is_none() {
            return Ok(());
        }
        let record = match self.is_allowed(event).await? {
            true => Some(self.change.record(Record::Sticky { room: number })),
            false => None,
        };
        if record.is_some() {
            self.note_admission(event.number);
        }
        self.stick(event, record);
        Ok(())
    }

    /// Whether a redaction of the event has come before it.
    pub async fn is_redacted_already(&self, event: &Event) -> Result<bool, RoomError> {
        for redaction in self.waiting_redactions(&event.pdu.event_id).await? {
            if self.may_redact(&redaction.pdu, event).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the room's state allows the event, by other events than when the batch began.
    async fn has_become_allowed(&self, event: &Event) -> Result<bool, RoomError> {
        let Some(keys) = self.keys_of(event) else {
            return Ok(false);
        };
        let standing = |state: &State, (event_type, state_key): &(StateEventType, String)| {
            state.get(&event_type.to_string(), state_key)
        };
        let has_changed = |key| standing(&self.began_with, key) != standing(&self.head.state, key);
        if keys.iter().any(has_changed) {
            return self.is_allowed(event).await;
        }
        Ok(false)
    }

    /// Whether the room's state allows the event, as for soft failure (SS API § Soft failure).
    async fn is_allowed(&self, event: &Event) -> Result<bool, RoomError> {
        let Some(mut keys) = self.keys_of(event) else {
            return Ok(false);
        };
        // From version 12 on the create event is not among them.
        keys.push((StateEventType::RoomCreate, String::new()));
        let mut authority = self.state_events(&keys).await?;
        if self.is_partial {
            // Whose membership is not told yet is what the event itself says.
            let named = self.rooms.known_events(&ids(&event.pdu.auth_events)).await?;
            let is_untold = |event: &Arc<Event>| {
                let state_key = event.pdu.state_key.as_deref().unwrap_or_default();
                event.pdu.event_type == TimelineEventType::RoomMember
                    && self.head.state.get("m.room.member", state_key).is_none()
            };
            authority.extend(named.into_values().filter(is_untold));
        }
        let find =
            |event_type: &StateEventType, state_key: &str| find_in(authority.iter(), event_type, state_key);
        Ok(authorise(&event.pdu, self.rules(), find).is_ok())
    }

    /// What authorises the event: types and state keys. `None` if it could not even be told.
    fn keys_of(&self, event: &Event) -> Option<Vec<(StateEventType, String)>> {
        let pdu = &event.pdu;
        let state_key = pdu.state_key.as_deref();
        auth_types_for(
            &pdu.event_type,
            &pdu.sender,
            state_key,
            &pdu.content,
            self.rules(),
        )
        .ok()
    }

    /// Remembers until its commit that the event was let in.
    fn note_admission(&mut self, event: EventNumber) {
        let (number, ..) = self.room;
        if let Some(room) = self.rooms.loaded(number) {
            let is_under_way = |known: &EventNumber| !room.sticky.tells(*known);
            self.head.admitted = self.head.admitted.iter().copied().filter(is_under_way).collect();
        }
        self.head.admitted.insert(event);
    }

    async fn admit(&mut self, event: &Arc<Event>, sticky: Sticky) -> Result<(), RoomError> {
        self.note_admission(event.number);
        metrics::counter!("echorift_rooms_sticky_events_admitted_total").increment(1);
        if event.outcome != Outcome::SoftFailed {
            // It is part of the room's older history, or will be: readers only hear of it.
            let (room, ..) = self.room;
            let record = self.change.record(Record::Sticky { room });
            self.begin_to_stick(sticky, Some(record));
            return Ok(());
        }
        let known = self.rooms.known_events(&ids(&event.pdu.auth_events)).await?;
        let auth = event.pdu.auth_events.iter().filter_map(|id| known.get(id));
        let placed = Placed {
            auth: auth.map(|event| event.number).collect(),
            before: self.rooms.stored_state_before(event).await?,
            pdu: (*event.pdu).clone(),
            outcome: Outcome::Accepted,
            is_ours: false,
            transaction: None,
            delay_id: event.delay_id.clone(),
            number: Some(event.number),
            is_late: true,
            // It does so below, until the time that was found when it came.
            may_stick: false,
        };
        let placed = self.place(placed).await?;
        let record = self.appended.last().and_then(|last| last.record);
        self.begin_to_stick(sticky, record);
        tracing::info!(event_id = %placed.pdu.event_id, "a soft-failed sticky event is allowed now");
        Ok(())
    }
}

fn ids(ids: &[OwnedEventId]) -> Vec<&EventId> {
    ids.iter().map(|id| &**id).collect()
}
