//! The endpoints of clients that are about application services.

mod ping;
mod third_party;

use axum::{Router, extract::State};
use echorift_rooms::RoomError;
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::api::client::{appservice::set_room_visibility, room::Visibility};

use crate::{AppServices, queries::instance_id};

/// No name of a network is longer: it is a key of the database.
const NETWORK_BYTES_MAX: usize = 255;

pub(crate) fn router() -> Router<AppServices> {
    Router::new()
        .merge(ping::routes())
        .merge(third_party::routes())
        .ruma::<set_room_visibility::v3::Request, _, _>(set_visibility)
}

/// `PUT /_matrix/client/v3/directory/list/appservice/{networkId}/{roomId}` (AS API § Published room directories).
async fn set_visibility(
    State(services): State<AppServices>,
    session: Session,
    Ruma(request): Ruma<set_room_visibility::v3::Request>,
) -> Result<Ruma<set_room_visibility::v3::Response>, MatrixError> {
    let service = session
        .service
        .ok_or_else(|| MatrixError::forbidden("This access token is not an application service's."))?;
    if request.network_id.len() > NETWORK_BYTES_MAX {
        return Err(MatrixError::invalid_param(
            "The name of the network is longer than 255 bytes.",
        ));
    }
    let is_listed = match request.visibility {
        Visibility::Public => true,
        Visibility::Private => false,
        other => {
            let message = format!("There is no visibility {:?}.", other.as_str());
            return Err(MatrixError::invalid_param(message));
        }
    };
    let rooms = &services.parts().rooms;
    let room = rooms.room(&request.room_id).await.map_err(|error| match error {
        RoomError::UnknownRoom(_) => MatrixError::not_found("The room is not known here."),
        error => error.into(),
    })?;
    let network = instance_id(&service.id, &request.network_id);
    rooms
        .set_listed(&network, &room, is_listed)
        .await
        .map_err(MatrixError::internal)?;
    Ok(Ruma(set_room_visibility::v3::Response::new()))
}
