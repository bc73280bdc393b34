use axum::{Router, extract::State};
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::api::client::{
    alias::{create_alias, delete_alias, get_alias},
    room::aliases,
};

use super::RoomsApi;
use crate::RoomError;

pub(super) fn routes() -> Router<RoomsApi> {
    Router::new()
        .ruma::<create_alias::v3::Request, _, _>(put)
        .ruma::<get_alias::v3::Request, _, _>(get)
        .ruma::<delete_alias::v3::Request, _, _>(delete)
        .ruma::<aliases::v3::Request, _, _>(list)
}

/// `PUT /_matrix/client/v3/directory/room/{roomAlias}` (CS API § Room aliases).
async fn put(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<create_alias::v3::Request>,
) -> Result<Ruma<create_alias::v3::Response>, MatrixError> {
    api.check_may_act(&session)?;
    let alias = &request.room_alias;
    api.check_alias(&session, alias)?;
    let room = api.rooms.room(&request.room_id).await?;
    match api.rooms.create_alias(alias, &room, &session.user_id).await {
        Ok(()) => Ok(Ruma(create_alias::v3::Response {})),
        // The page gives this endpoint other answers than making a room has.
        Err(RoomError::AliasTaken(alias)) => {
            let taken = MatrixError::unknown(format!("The alias {alias} is taken."));
            Err(taken.with_status(axum::http::StatusCode::CONFLICT))
        }
        Err(RoomError::RemoteAlias(alias)) => Err(MatrixError::invalid_param(format!(
            "{alias} is not an alias of this server."
        ))),
        Err(error) => Err(error.into()),
    }
}

/// `GET /_matrix/client/v3/directory/room/{roomAlias}` (CS API § Room aliases). Needs no account.
async fn get(
    State(api): State<RoomsApi>,
    Ruma(request): Ruma<get_alias::v3::Request>,
) -> Result<Ruma<get_alias::v3::Response>, MatrixError> {
    let (room_id, servers) = api.rooms.resolve_alias(&request.room_alias).await?;
    Ok(Ruma(get_alias::v3::Response { room_id, servers }))
}

/// `DELETE /_matrix/client/v3/directory/room/{roomAlias}` (CS API § Room aliases).
async fn delete(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<delete_alias::v3::Request>,
) -> Result<Ruma<delete_alias::v3::Response>, MatrixError> {
    api.check_may_act(&session)?;
    api.check_alias(&session, &request.room_alias)?;
    // What is in a service's namespace is the service's, whatever its users may do in the room.
    let is_master = session.is_admin || session.service.is_some();
    api.rooms
        .delete_alias(&request.room_alias, &session.user_id, is_master)
        .await?;
    Ok(Ruma(delete_alias::v3::Response {}))
}

/// `GET /_matrix/client/v3/rooms/{roomId}/aliases` (CS API § Room aliases).
async fn list(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<aliases::v3::Request>,
) -> Result<Ruma<aliases::v3::Response>, MatrixError> {
    let room = api.rooms.room(&request.room_id).await?;
    let aliases = api.rooms.aliases_seen_by(&room, &session.user_id).await?;
    Ok(Ruma(aliases::v3::Response { aliases }))
}
