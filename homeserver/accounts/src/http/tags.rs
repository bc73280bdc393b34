use axum::{Json, extract::State};
use echorift_web::{Body, InPath, MatrixError, Ruma, Session};
use ruma::{
    OwnedRoomId, OwnedUserId,
    api::client::tag::{delete_tag, get_tags},
    events::tag::TagInfo,
};
use serde_json::{Map, Value, json};

use super::own;
use crate::Accounts;

/// `GET /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags` (CS API § Room Tagging).
pub(crate) async fn list(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<get_tags::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let user = own(&session, &request.user_id)?;
    let tags = match accounts.find_room(&request.room_id).await? {
        Some(room) => accounts.tags(user, room).await?,
        None => Map::new(),
    };
    Ok(Json(json!({ "tags": tags })))
}

/// `PUT /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}` (CS API § Room Tagging).
pub(crate) async fn set(
    State(accounts): State<Accounts>,
    session: Session,
    InPath((user_id, room_id, tag)): InPath<(String, String, String)>,
    Body(info): Body<Map<String, Value>>,
) -> Result<Json<Value>, MatrixError> {
    let user_id =
        OwnedUserId::try_from(user_id).map_err(|_| MatrixError::invalid_param("This is no user ID."))?;
    let room_id =
        OwnedRoomId::try_from(room_id).map_err(|_| MatrixError::invalid_param("This is no room ID."))?;
    let user = own(&session, &user_id)?;
    // Kept as it is, with fields that this server does not know.
    let info = Value::Object(info);
    if let Err(error) = serde_json::from_value::<TagInfo>(info.clone()) {
        return Err(MatrixError::bad_json(format!("This is no tag: {error}.")));
    }
    let room = accounts.intern_room(user, &room_id).await?;
    accounts.set_tag(user, room, tag, info).await?;
    Ok(Json(json!({})))
}

/// `DELETE /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}` (CS API § Room Tagging).
pub(crate) async fn remove(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<delete_tag::v3::Request>,
) -> Result<Ruma<delete_tag::v3::Response>, MatrixError> {
    let user = own(&session, &request.user_id)?;
    if let Some(room) = accounts.find_room(&request.room_id).await? {
        accounts.remove_tag(user, room, request.tag).await?;
    }
    Ok(Ruma(delete_tag::v3::Response::new()))
}
