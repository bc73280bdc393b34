use axum::{Router, extract::State};
use echorift_web::{LimitKind, MatrixError, Routes as _, Ruma, Session};
use ruma::api::client::room::upgrade_room;

use super::RoomsApi;
use crate::UpgradeRequest;

pub(super) fn routes() -> Router<RoomsApi> {
    Router::new().ruma::<upgrade_room::v3::Request, _, _>(upgrade)
}

/// `POST /_matrix/client/v3/rooms/{roomId}/upgrade` (CS API § Room upgrades).
async fn upgrade(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<upgrade_room::v3::Request>,
) -> Result<Ruma<upgrade_room::v3::Response>, MatrixError> {
    api.check_may_act(&session)?;
    api.limits.check_session(LimitKind::Rooms, &session)?;
    let room = api.rooms.room(&request.room_id).await?;
    let how = UpgradeRequest {
        version: request.new_version,
        additional_creators: request.additional_creators,
    };
    let new = api
        .rooms
        .upgrade(&api.accounts, &room, &session.user_id, how)
        .await?;
    Ok(Ruma(upgrade_room::v3::Response {
        replacement_room: new.id.clone(),
    }))
}
