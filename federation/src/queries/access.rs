//! About which rooms a server is answered.

use std::sync::Arc;

use echorift_events::Pdu;
use echorift_rooms::{Event, Room, RoomError, Standing};
use echorift_web::MatrixError;
use ruma::{RoomId, ServerName};

use crate::{Federation, policy::Crossing};

impl Federation {
    /// A room that the asking server is in.
    ///
    /// Errors: `M_FORBIDDEN`, whether the room does not exist, the server is not in it, its access list keeps the server
    /// out, or the operator's policy does: who is not in a room does not learn of it.
    pub(crate) async fn room_for(&self, origin: &ServerName, id: &RoomId) -> Result<Arc<Room>, MatrixError> {
        let refused = || MatrixError::forbidden("Your server is not in this room.");
        if !self.policy().allows(origin, Crossing::Room(id)) {
            return Err(refused());
        }
        let rooms = self.rooms();
        let room = match rooms.room(id).await {
            Ok(room) => room,
            Err(RoomError::UnknownRoom(_)) => return Err(refused()),
            Err(error) => return Err(error.into()),
        };
        if room.standing() == Standing::Outside || !rooms.is_server_in(&room, origin) {
            return Err(refused());
        }
        if rooms.is_denied(&room, origin).await.map_err(RoomError::from)? {
            return Err(MatrixError::forbidden(
                "The room's access list keeps your server out.",
            ));
        }
        Ok(room)
    }

    /// The events as a server in the room gets them: redacted where neither the room's history visibility nor the
    /// operator's policy shows their content.
    pub(crate) async fn shown_to(
        &self,
        origin: &ServerName,
        room: &Room,
        events: &[Arc<Event>],
    ) -> Result<Vec<Arc<Pdu>>, RoomError> {
        let mut pdus = self.rooms().for_server(room, origin, events).await?;
        for pdu in &mut pdus {
            if !self.may_cross(origin, Crossing::Event(&room.id, &pdu.event_type)) {
                *pdu = Arc::new(pdu.redacted(&room.rules)?);
            }
        }
        Ok(pdus)
    }

    /// As [`crate::Policy::allows`], of one among many: counts no refusals.
    pub(crate) fn may_cross(&self, server: &ServerName, crossing: Crossing<'_>) -> bool {
        !self
            .policy()
            .allowed(vec![server.to_owned()], crossing)
            .is_empty()
    }
}
