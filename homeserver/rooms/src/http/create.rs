use axum::{Router, extract::State};
use echorift_web::{LimitKind, MatrixError, Routes as _, Ruma, Session};
use ruma::api::client::room::create_room;

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
    api.limits.check(LimitKind::Rooms, session.user_id.as_str())?;
    let room = api
        .rooms
        .create_room(&api.accounts, &session.user_id, request)
        .await?;
    Ok(Ruma(create_room::v3::Response {
        room_id: room.id.clone(),
    }))
}
