//! About which rooms a server is answered.

use std::sync::Arc;

use echorift_rooms::{Room, RoomError, Standing};
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
}
