//! Sticky events that are connected to nothing known here (MSC4354 § Federation behaviour): what other servers send of
//! theirs when this one comes into a room, and what stands behind a gap.

use std::{collections::HashMap, sync::Arc};

use echorift_events::Pdu;
use echorift_rooms::{Reception, Room};
use ruma::{
    EventId, OwnedEventId, ServerName, UInt, api::federation::event::get_missing_events,
    events::TimelineEventType,
};

use super::{
    ancestors::GAP_STEP,
    store::{self, StagedEvent},
    worker::Progress,
};
use crate::{Federation, FederationError};

impl Federation {
    /// Whether an event whose parents are missing is a sticky one that is not built upon what is known of the room's
    /// history: it is no deeper than all ends of that, and one step back from it leads to nothing known. Nobody is asked
    /// about other events.
    pub(super) async fn is_sticky_from_before(
        &self,
        room: &Arc<Room>,
        origin: &ServerName,
        pdu: &Pdu,
    ) -> Result<bool, FederationError> {
        if !self.rooms().sticks_now(pdu) {
            return Ok(false);
        }
        let ends = self.rooms().forward_extremities(room).await?;
        let ids: Vec<&EventId> = ends.iter().map(|id| &**id).collect();
        let known = self.rooms().known_events(&ids).await?;
        let shallowest = known.values().map(|event| event.pdu.depth).min();
        if shallowest.is_none_or(|depth| pdu.depth > depth) {
            return Ok(false);
        }
        let request = get_missing_events::v1::Request {
            room_id: room.id.clone(),
            limit: UInt::from(GAP_STEP),
            min_depth: UInt::MIN,
            earliest_events: ends,
            latest_events: vec![pdu.event_id.clone()],
        };
        let answer = match self.client().send(origin, request).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::info!(%origin, event_id = %pdu.event_id, %error, "what a sticky event is built upon was not told");
                return Ok(false);
            }
        };
        // Only where they lead to is looked at: nothing is believed of them.
        let limit = usize::try_from(GAP_STEP).unwrap_or(usize::MAX);
        let parsed = answer.events.iter().take(limit);
        let parsed = parsed.filter_map(|text| Pdu::receive(text.get(), &room.rules).ok());
        let found: HashMap<OwnedEventId, Pdu> = parsed
            .filter(|found| found.room_id == room.id)
            .map(|found| (found.event_id.clone(), found))
            .collect();
        let leads_to_the_beginning = found
            .values()
            .any(|found| found.event_type == TimelineEventType::RoomCreate);
        Ok(leads_to_the_beginning || !self.ends_of(&found, pdu).await?.is_empty())
    }

    /// Takes such an event, with what authorises it fetched from other servers.
    pub(super) async fn keep_sticky(
        &self,
        room: &Arc<Room>,
        event: &StagedEvent,
        pdu: &Pdu,
    ) -> Result<Progress, FederationError> {
        // Once before and once after what authorises it was fetched.
        for _ in 0..2 {
            let unstage = |change: &mut echorift_storage::Change| store::unstage(change, event.number);
            let missing = match self.rooms().receive_sticky(room, pdu.clone(), unstage).await? {
                Reception::Known(_) => return Ok(Progress::Dropped),
                Reception::Taken(event, commit) => return Ok(Progress::Taken(event, commit)),
                Reception::Missing(missing) => missing,
            };
            if self
                .fetch_missing(room, &event.origin, pdu, &missing)
                .await?
                .is_none()
            {
                break;
            }
        }
        Ok(Progress::Deferred)
    }
}
