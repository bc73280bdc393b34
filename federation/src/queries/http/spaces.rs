use axum::{Router, extract::State};
use echorift_rooms::ServerHierarchy;
use echorift_web::{MatrixError, Routes as _, Ruma};
use ruma::{
    RoomId,
    api::federation::space::{SpaceHierarchyParentSummary, get_hierarchy},
    serde::Raw,
};
use serde_json::value::to_raw_value;

use crate::{Federation, Signed, policy::Crossing};

pub(super) fn routes() -> Router<Federation> {
    Router::new().ruma::<get_hierarchy::v1::Request, _, _>(hierarchy)
}

/// `GET /_matrix/federation/v1/hierarchy/{roomId}` (SS API § Spaces).
async fn hierarchy(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_hierarchy::v1::Request>,
) -> Result<Ruma<get_hierarchy::v1::Response>, MatrixError> {
    let is_allowed = |room: &RoomId| federation.may_cross(&origin, Crossing::Room(room));
    if !is_allowed(&request.room_id) {
        return Err(MatrixError::not_found(
            "There is no such room, or your users may not see it.",
        ));
    }
    let found = federation
        .rooms()
        .hierarchy_for_server(&request.room_id, &origin, request.suggested_only)
        .await?;
    let ServerHierarchy {
        room,
        mut children,
        inaccessible,
    } = found;
    children.retain(|child| is_allowed(&child.room_id));
    let children_state = room
        .children
        .iter()
        .map(|event| to_raw_value(event).map(Raw::from_json));
    let children_state = children_state
        .collect::<Result<_, _>>()
        .map_err(MatrixError::internal)?;
    Ok(Ruma(get_hierarchy::v1::Response {
        children,
        inaccessible_children: inaccessible,
        room: SpaceHierarchyParentSummary {
            summary: room.summary,
            children_state,
        },
    }))
}
