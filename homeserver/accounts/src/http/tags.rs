use axum::{Json, extract::State};
use echorift_web::{MatrixError, Ruma, Session};
use ruma::api::client::tag::{create_tag, delete_tag, get_tags};
use serde_json::{Value, json};

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
        None => serde_json::Map::new(),
    };
    Ok(Json(json!({ "tags": tags })))
}

/// `PUT /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}` (CS API § Room Tagging).
pub(crate) async fn set(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<create_tag::v3::Request>,
) -> Result<Ruma<create_tag::v3::Response>, MatrixError> {
    let user = own(&session, &request.user_id)?;
    let room = accounts.intern_room(user, &request.room_id).await?;
    let info = serde_json::to_value(&request.tag_info).map_err(MatrixError::internal)?;
    accounts.set_tag(user, room, request.tag, info).await?;
    Ok(Ruma(create_tag::v3::Response::new()))
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
