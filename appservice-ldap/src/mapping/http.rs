//! What members of a room are told of the directory's part in it, so that nobody wonders who brought whom.

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing};
use echorift_rooms::{Room, Rooms};
use echorift_storage::UserNumber;
use echorift_web::{InPath, MatrixError, Session};
use ruma::{OwnedRoomId, OwnedUserId, RoomId};
use serde::Serialize;

use super::{job::GroupSync, store};
use crate::mirror::Dn;

/// The endpoints of `docs/directory.md` § What members see.
pub fn router(rooms: Rooms, syncs: Vec<GroupSync>) -> Router {
    Router::new()
        .route("/_echorift/v1/rooms/{room_id}/directory", routing::get(of_room))
        .route(
            "/_echorift/v1/rooms/{room_id}/directory/{user_id}",
            routing::get(of_member),
        )
        .with_state(Shown { rooms, syncs })
}

#[derive(Clone)]
struct Shown {
    rooms: Rooms,
    syncs: Vec<GroupSync>,
}

/// The directory's part in a room.
#[derive(Serialize)]
struct RoomPart {
    groups: Vec<GroupPart>,
}

/// Whom a group has brought into a room, or given a level there.
#[derive(Serialize)]
struct GroupPart {
    name: String,
    people: i64,
}

/// What the directory did about somebody in a room.
#[derive(Default, Serialize)]
struct MemberPart {
    /// It brought them in, and takes them out again.
    is_member: bool,
    /// The power level that it gave them.
    #[serde(skip_serializing_if = "Option::is_none")]
    power_level: Option<i64>,
    /// The name of the group for which it did so.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

/// `GET /_echorift/v1/rooms/{roomId}/directory`. Errors: `M_FORBIDDEN` for who is not in the room.
async fn of_room(
    State(shown): State<Shown>,
    session: Session,
    InPath(room_id): InPath<OwnedRoomId>,
) -> Result<Json<RoomPart>, MatrixError> {
    let room = shown.joined_room(&session, &room_id).await?;
    let groups = store::groups_of_room(shown.rooms.database(), room.number).await;
    let groups = groups.map_err(MatrixError::internal)?.into_iter();
    let groups = groups.map(|(group, people)| GroupPart {
        name: shown.name_of(&group),
        people,
    });
    Ok(Json(RoomPart {
        groups: groups.collect(),
    }))
}

/// `GET /_echorift/v1/rooms/{roomId}/directory/{userId}`. Errors: `M_FORBIDDEN` for who is not in the room.
async fn of_member(
    State(shown): State<Shown>,
    session: Session,
    InPath((room_id, user_id)): InPath<(OwnedRoomId, OwnedUserId)>,
) -> Result<Json<MemberPart>, MatrixError> {
    let room = shown.joined_room(&session, &room_id).await?;
    let number = shown.rooms.users().find(user_id.as_str()).await;
    let Some(number) = number.map_err(MatrixError::internal)? else {
        return Ok(Json(MemberPart::default()));
    };
    let mark = store::of_member(shown.rooms.database(), room.number, UserNumber(number)).await;
    let part = mark.map_err(MatrixError::internal)?.map(|mark| MemberPart {
        is_member: mark.is_member,
        power_level: mark.level,
        group: Some(shown.name_of(&mark.group)),
    });
    Ok(Json(part.unwrap_or_default()))
}

impl Shown {
    async fn joined_room(&self, session: &Session, room_id: &RoomId) -> Result<Arc<Room>, MatrixError> {
        let room = self.rooms.room(room_id).await?;
        self.rooms.check_joined(&room, &session.user_id).await?;
        Ok(room)
    }

    /// What people call a group: as the directory spells it, if it was read since the server started.
    fn name_of(&self, group: &Dn) -> String {
        let read = self.syncs.iter().find_map(|sync| sync.group_name(group));
        read.unwrap_or_else(|| group.short_name())
    }
}
