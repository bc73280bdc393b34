//! Who is let near a room.

use std::sync::Arc;

use echorift_rooms::{Room, RoomError, Standing};
use echorift_web::MatrixError;
use http::StatusCode;
use ruma::{RoomId, ServerName, UserId};

use crate::{Federation, policy::Crossing};

impl Federation {
    /// A room that this server is in, for another server that brings a user of its own to it.
    ///
    /// Errors: `M_FORBIDDEN` if the operator's policy or the room's access list keeps the server out, or the user is not
    /// its own; `M_NOT_FOUND` for rooms that this server is not in.
    pub(super) async fn room_to_enter(
        &self,
        origin: &ServerName,
        room_id: &RoomId,
        user: &UserId,
    ) -> Result<Arc<Room>, MatrixError> {
        if user.server_name() != origin {
            return Err(MatrixError::forbidden("This user is not of your server."));
        }
        self.room_near(origin, room_id).await
    }

    /// A room that this server is in, for another server.
    pub(super) async fn room_near(
        &self,
        origin: &ServerName,
        room_id: &RoomId,
    ) -> Result<Arc<Room>, MatrixError> {
        if !self.policy().allows(origin, Crossing::Room(room_id)) {
            return Err(MatrixError::forbidden("Your server is kept out of this room."));
        }
        let room = match self.rooms().room(room_id).await {
            Ok(room) if self.rooms().is_in(&room) => room,
            Ok(_) | Err(RoomError::UnknownRoom(_)) => return Err(MatrixError::not_found("Unknown room.")),
            Err(error) => return Err(error.into()),
        };
        let is_denied = self.rooms().is_denied(&room, origin).await;
        if is_denied.map_err(RoomError::from)? {
            return Err(MatrixError::forbidden(
                "The room's access list keeps your server out.",
            ));
        }
        Ok(room)
    }
}

/// What a server is told that cannot take part in a room of this version.
pub(super) fn incompatible(version: &str) -> MatrixError {
    let message = format!("The room has version {version}, which not both of the servers speak.");
    MatrixError::new(StatusCode::BAD_REQUEST, "M_INCOMPATIBLE_ROOM_VERSION", message)
        .with("room_version", version.into())
}

/// Errors: `M_UNABLE_TO_GRANT_JOIN`, which sends the other server to another one, while this one does not know the
/// room's members.
pub(super) fn check_complete(room: &Room) -> Result<(), MatrixError> {
    match room.standing() {
        Standing::Partial => Err(unable_to_grant("This server is only just joining the room.")),
        Standing::Resident | Standing::Outside => Ok(()),
    }
}

/// A refusal of the room engine in the words of the server-server API.
pub(super) fn refusal(error: RoomError) -> MatrixError {
    match error {
        RoomError::CannotAuthoriseJoin(_) => {
            unable_to_grant("Nobody of this server may invite to the room: ask another one.")
        }
        error => error.into(),
    }
}

fn unable_to_grant(message: &'static str) -> MatrixError {
    MatrixError::new(StatusCode::BAD_REQUEST, "M_UNABLE_TO_GRANT_JOIN", message)
}
