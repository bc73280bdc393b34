//! What redactions do to the events that they are about (rooms § Handling redactions).

use std::sync::Arc;

use echorift_events::{Pdu, PowerLevels, creators_of};
use echorift_storage::{EventNumber, Position};
use ruma::{
    EventId, OwnedEventId,
    events::{StateEventType, TimelineEventType},
};

use super::Batch;
use crate::{
    RoomError,
    event::{Event, Outcome},
    store,
};

impl Batch<'_> {
    /// What an accepted event redacts: its target, if it is a redaction that takes effect, and itself, if its redaction
    /// came first (rooms § Handling redactions). A redaction whose target is not here yet waits for it.
    pub(super) async fn redact(
        &mut self,
        pdu: &Pdu,
        number: EventNumber,
    ) -> Result<Vec<(Arc<Event>, Arc<Event>)>, RoomError> {
        let (room, rules, _) = self.room;
        let Some(target_id) = redacts(pdu) else {
            return Ok(Vec::new());
        };
        let Some(target) = self.redaction_target(pdu).await? else {
            store::events::await_target(&mut self.change, target_id, number, room);
            self.unstick_outlier(pdu, target_id).await?;
            return Ok(Vec::new());
        };
        if target.redacted_by.is_some() || !self.may_redact(pdu, &target).await? {
            return Ok(Vec::new());
        }
        let redacted = Arc::new(target.redacted(Arc::new(target.pdu.redacted(rules)?), number));
        Ok(vec![(target, redacted)])
    }

    /// The redactions that came before this event.
    pub async fn waiting_redactions(&self, event_id: &EventId) -> Result<Vec<Arc<Event>>, RoomError> {
        let (room, ..) = self.room;
        let waiting = store::events::waiting_redactions(self.rooms.database(), room, event_id).await?;
        Ok(self.rooms.events(&waiting).await?)
    }

    /// Redacts the event that was placed last, if that is allowed; whether it was.
    pub async fn redact_last(&mut self, redaction: &Event) -> Result<bool, RoomError> {
        let (_, rules, _) = self.room;
        let Some(target) = self.appended.last().map(|last| Arc::clone(&last.event)) else {
            return Ok(false);
        };
        if !self.may_redact(&redaction.pdu, &target).await? {
            return Ok(false);
        }
        let redacted = Arc::new(target.redacted(Arc::new(target.pdu.redacted(rules)?), redaction.number));
        store::events::redact(&mut self.change, &redacted, redaction.number);
        self.unstick(&target);
        if let Some(last) = self.appended.last_mut() {
            last.redacted.push((target, redacted));
        }
        Ok(true)
    }

    /// Redacts an event that is being written at `place`, if that is allowed.
    pub async fn redact_event(
        &mut self,
        redaction: &Event,
        target: &Arc<Event>,
        place: Option<Position>,
    ) -> Result<(), RoomError> {
        let Some(redacted) = self.redact_known(redaction, target).await? else {
            return Ok(());
        };
        if let Some(place) = place {
            redacted.set_position(place);
        }
        self.rooms.0.events.insert(redacted.number, redacted);
        Ok(())
    }

    /// Redacts an event that is here, if that is allowed; its redacted form, which readers get after the commit.
    pub async fn redact_known(
        &mut self,
        redaction: &Event,
        target: &Arc<Event>,
    ) -> Result<Option<Arc<Event>>, RoomError> {
        let (_, rules, _) = self.room;
        if !self.may_redact(&redaction.pdu, target).await? {
            return Ok(None);
        }
        let redacted = Arc::new(target.redacted(Arc::new(target.pdu.redacted(rules)?), redaction.number));
        store::events::redact(&mut self.change, &redacted, redaction.number);
        self.unstick(target);
        Ok(Some(redacted))
    }

    /// The event that a redaction is about, if it is here and of this room.
    pub(super) async fn redaction_target(&self, pdu: &Pdu) -> Result<Option<Arc<Event>>, RoomError> {
        let Some(id) = redacts(pdu) else { return Ok(None) };
        let (_, _, room_id) = self.room;
        let known = self.rooms.known_events(&[id]).await?;
        let target = known.into_values().next();
        Ok(target.filter(|event| Some(&*event.pdu.room_id) == room_id && event.outcome != Outcome::Outlier))
    }

    /// The authorisation rules let every member send redactions; whether one takes effect is decided here.
    pub async fn may_redact(&self, redaction: &Pdu, target: &Event) -> Result<bool, RoomError> {
        let (_, rules, _) = self.room;
        let keys = [
            (StateEventType::RoomPowerLevels, String::new()),
            (StateEventType::RoomCreate, String::new()),
        ];
        let state = self.state_events(&keys).await?;
        let of = |event_type: TimelineEventType| {
            state.iter().find(move |event| event.pdu.event_type == event_type)
        };
        let creators = of(TimelineEventType::RoomCreate).map(|create| creators_of(&create.pdu, rules));
        let creators = creators.unwrap_or_default();
        let levels = of(TimelineEventType::RoomPowerLevels).map(|event| &*event.pdu.content);
        let power = PowerLevels::new(levels, &creators, rules);
        Ok(power.can_redact(&redaction.sender, &target.pdu.sender))
    }
}

/// The target of a redaction event.
pub(super) fn redacts(pdu: &Pdu) -> Option<&OwnedEventId> {
    pdu.redacts
        .as_ref()
        .filter(|_| pdu.event_type == TimelineEventType::RoomRedaction)
}
