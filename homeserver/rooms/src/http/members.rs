use std::collections::BTreeMap;

use axum::{Json, Router, extract::State};
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::{
    OwnedUserId,
    api::client::membership::{get_member_events, joined_members},
};
use serde::Serialize;

use super::{JsonText, RoomsApi};
use crate::{JoinedMember, MembersRequest, TimelineToken};

pub(super) fn routes() -> Router<RoomsApi> {
    Router::new()
        .ruma::<get_member_events::v3::Request, _, _>(members)
        .ruma::<joined_members::v3::Request, _, _>(list_joined)
}

/// `GET /_matrix/client/v3/rooms/{roomId}/members` (CS API § Getting events for a room).
async fn members(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_member_events::v3::Request>,
) -> Result<JsonText, MatrixError> {
    let room = api.rooms.room(&request.room_id).await?;
    api.rooms.wait_for_members(&room).await;
    let wanted = MembersRequest {
        at: TimelineToken::parse_optional(request.at.as_deref())?,
        membership: request.membership,
        not_membership: request.not_membership,
    };
    let events = api
        .rooms
        .members(&room, &api.reader(&session).await?, &wanted)
        .await?;
    let chunk = JsonText::list(events.iter().map(|event| api.rooms.present_plain_json(event)));
    Ok(chunk.into_field("chunk"))
}

#[derive(Serialize)]
struct JoinedMembers {
    joined: BTreeMap<OwnedUserId, JoinedMember>,
}

/// `GET /_matrix/client/v3/rooms/{roomId}/joined_members` (CS API § Getting events for a room).
async fn list_joined(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<joined_members::v3::Request>,
) -> Result<Json<JoinedMembers>, MatrixError> {
    let room = api.rooms.room(&request.room_id).await?;
    api.rooms.wait_for_members(&room).await;
    let joined = api.rooms.joined_members(&room, &session.user_id).await?;
    Ok(Json(JoinedMembers { joined }))
}
