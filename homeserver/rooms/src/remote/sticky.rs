//! Sticky events from before this server's time in a room (MSC4354 § Federation behaviour).
//!
//! A server that comes in is sent what sticks at the time. That is connected to nothing that is known here: it would take
//! the room's past into the timeline as if it were new, or become one more end of its history. So it is kept apart, as an
//! outlier, until somebody reads that far back; readers only hear that it sticks.

use std::sync::Arc;

use echorift_events::Pdu;
use echorift_storage::Change;
use ruma::{EventId, events::TimelineEventType};

use super::receive::{MissingAncestors, Reception};
use crate::{Outcome, Room, RoomError, Rooms, State, batch::Batch, room::Standing, sticky::expiry};

impl Rooms {
    /// Whether the event sticks, if it was received just now.
    pub fn sticks_now(&self, pdu: &Pdu) -> bool {
        expiry(pdu, self.clock().now()).is_some()
    }

    /// Takes a sticky event into the room that no known part of its history is built upon, apart from the timeline. `also`
    /// is written in the same commit. Only what authorises it can be missing.
    ///
    /// It is judged by its own `auth_events` and by the room's current state: one that only the latter does not allow is
    /// withheld. Errors: `BadRequest` for what is not of this room.
    pub async fn receive_sticky(
        &self,
        room: &Arc<Room>,
        pdu: Pdu,
        also: impl FnOnce(&mut Change),
    ) -> Result<Reception, RoomError> {
        if pdu.room_id != room.id || pdu.event_type == TimelineEventType::RoomCreate {
            return Err(RoomError::BadRequest(
                "This event cannot follow others in this room.".to_owned(),
            ));
        }
        let mut guard = room.head.lock().await;
        let head = self.current_head(room, &guard).await?;
        let ids: Vec<&EventId> = [&pdu.event_id]
            .into_iter()
            .chain(&pdu.auth_events)
            .map(|id| &**id)
            .collect();
        let known = self.known_events(&ids).await?;
        let standing = known.get(&pdu.event_id).cloned();
        if let Some(event) = standing
            .as_ref()
            .filter(|event| event.outcome != Outcome::Outlier)
        {
            return Ok(Reception::Known(Arc::clone(event)));
        }
        let auth_events = pdu.auth_events.iter().filter(|id| !known.contains_key(*id));
        let auth_events: Vec<_> = auth_events.cloned().collect();
        if !auth_events.is_empty() {
            return Ok(Reception::Missing(MissingAncestors {
                auth_events,
                ..MissingAncestors::default()
            }));
        }
        let mut batch = Batch::new(self, (room.number, &room.rules, Some(&room.id)), head);
        batch.is_partial = room.standing() == Standing::Partial;
        let event_id = pdu.event_id.clone();
        let event = match standing {
            Some(event) => event,
            None => {
                let outliers = self.make_outliers((room.number, &room.rules), vec![pdu]).await?;
                for event in outliers.made() {
                    self.hold(event);
                }
                batch.change = outliers.change;
                let made = outliers.known.get(&event_id).cloned();
                made.ok_or_else(|| RoomError::UnknownEvent(event_id.clone()))?
            }
        };
        if event.outcome == Outcome::Outlier && !batch.is_redacted_already(&event).await? {
            batch.stick_old(&event).await?;
        }
        also(&mut batch.change);
        let (head, _, commit) = batch.submit(room).await;
        *guard = Some(head);
        Ok(Reception::Taken(event, commit))
    }

    /// Lets in what was withheld and is allowed, after the room's state became known by other ways than its events.
    pub(super) async fn judge_withheld_again(&self, room: &Arc<Room>) -> Result<(), RoomError> {
        if room.sticky.withheld(self.clock().now()).is_empty() {
            return Ok(());
        }
        let mut guard = room.head.lock().await;
        let head = self.current_head(room, &guard).await?;
        let mut batch = Batch::new(self, (room.number, &room.rules, Some(&room.id)), head);
        batch.began_with = State::default();
        batch.admit_withheld(room).await?;
        if batch.sticky.is_empty() {
            return Ok(());
        }
        let (head, _, commit) = batch.submit(room).await;
        *guard = Some(head);
        drop(guard);
        Ok(commit.done().await?)
    }
}
