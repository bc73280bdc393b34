use axum::{Router, extract::State};
use echorift_web::{LimitKind, MatrixError, Routes as _, Ruma, Session};
use ruma::{RoomAliasId, api::client::room::create_room};

use super::RoomsApi;

pub(super) fn routes() -> Router<RoomsApi> {
    Router::new().ruma::<create_room::v3::Request, _, _>(create_room)
}

/// `POST /_matrix/client/v3/createRoom` (CS API § Creation).
async fn create_room(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<create_room::v3::Request>,
) -> Result<Ruma<create_room::v3::Response>, MatrixError> {
    api.check_may_act(&session)?;
    api.limits.check_session(LimitKind::Rooms, &session)?;
    if let Some(localpart) = &request.room_alias_name
        && let Ok(alias) = RoomAliasId::parse(format!("#{localpart}:{}", api.rooms.server_name()))
    {
        api.check_alias(&session, &alias)?;
    }
    let room = api
        .rooms
        .create_room(&api.accounts, &session.user_id, request)
        .await?;
    Ok(Ruma(create_room::v3::Response {
        room_id: room.id.clone(),
    }))
}
