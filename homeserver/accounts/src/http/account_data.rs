use axum::{Json, extract::State};
use echorift_storage::{RoomNumber, UserNumber};
use echorift_web::{MatrixError, Ruma, Session};
use http::StatusCode;
use ruma::{
    RoomId,
    api::client::config::{
        get_global_account_data, get_room_account_data, set_global_account_data, set_room_account_data,
    },
};
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

use super::own;
use crate::{AccountError, Accounts, default_push_rules, push_rules_content};

const PUSH_RULES: &str = "m.push_rules";
/// Types that have endpoints of their own.
const SERVER_CONTROLLED: [&str; 2] = ["m.fully_read", PUSH_RULES];

/// `GET /_matrix/client/v3/user/{userId}/account_data/{type}` (CS API § Client config).
pub(crate) async fn get_global(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<get_global_account_data::v3::Request>,
) -> Result<Json<std::sync::Arc<RawValue>>, MatrixError> {
    let user = own(&session, &request.user_id)?;
    let data_type = request.event_type.to_string();
    let data = accounts.global_account_data(user).await?;
    match data.get(data_type.as_str()) {
        Some(datum) => Ok(Json(datum.content.clone())),
        None if data_type == PUSH_RULES => {
            let rules = push_rules_content(&default_push_rules(&session.user_id));
            let rules = rules.and_then(|rules| to_raw_value(&rules));
            Ok(Json(rules.map_err(MatrixError::internal)?.into()))
        }
        None => Err(not_found()),
    }
}

/// `PUT /_matrix/client/v3/user/{userId}/account_data/{type}` (CS API § Client config).
pub(crate) async fn set_global(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<set_global_account_data::v3::Request>,
) -> Result<Ruma<set_global_account_data::v3::Response>, MatrixError> {
    let user = own(&session, &request.user_id)?;
    let data_type = request.event_type.to_string();
    judge(&data_type, request.data.json())?;
    accounts
        .set_global_account_data(user, &data_type, request.data.into_json())
        .await?;
    Ok(Ruma(set_global_account_data::v3::Response::new()))
}

/// `GET /_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}` (CS API § Client config).
pub(crate) async fn get_for_room(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<get_room_account_data::v3::Request>,
) -> Result<Json<std::sync::Arc<RawValue>>, MatrixError> {
    let user = own(&session, &request.user_id)?;
    let room = accounts
        .find_room(&request.room_id)
        .await?
        .ok_or_else(not_found)?;
    let rooms = accounts.room_account_data(user).await?;
    let datum = rooms
        .get(&room)
        .and_then(|data| data.get(request.event_type.to_string().as_str()));
    Ok(Json(datum.ok_or_else(not_found)?.content.clone()))
}

/// `PUT /_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}` (CS API § Client config).
pub(crate) async fn set_for_room(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<set_room_account_data::v3::Request>,
) -> Result<Ruma<set_room_account_data::v3::Response>, MatrixError> {
    let user = own(&session, &request.user_id)?;
    let data_type = request.event_type.to_string();
    judge(&data_type, request.data.json())?;
    let room = accounts.intern_room(user, &request.room_id).await?;
    accounts
        .set_room_account_data(user, room, &data_type, request.data.into_json())
        .await?;
    Ok(Ruma(set_room_account_data::v3::Response::new()))
}

impl Accounts {
    /// The number of a room that is known here.
    pub(super) async fn find_room(&self, room: &RoomId) -> Result<Option<RoomNumber>, AccountError> {
        Ok(self.0.rooms.find(room.as_str()).await?.map(RoomNumber))
    }

    /// The number of a room, known or not: clients may keep data for rooms that they have not joined yet.
    pub(super) async fn intern_room(
        &self,
        user: UserNumber,
        room: &RoomId,
    ) -> Result<RoomNumber, AccountError> {
        if let Some(known) = self.find_room(room).await? {
            return Ok(known);
        }
        self.judge_new_room(user).await?;
        Ok(RoomNumber(self.0.rooms.intern(room.as_str()).await?))
    }
}

fn judge(data_type: &str, content: &RawValue) -> Result<(), MatrixError> {
    if SERVER_CONTROLLED.contains(&data_type) {
        let message = format!("{data_type} has an endpoint of its own.");
        return Err(MatrixError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "M_BAD_JSON",
            message,
        ));
    }
    // Read once, so that nothing is stored that cannot be read again (nesting without end).
    serde_json::from_str::<Map<String, Value>>(content.get())
        .map(drop)
        .map_err(|error| MatrixError::bad_json(format!("The body is not a JSON object: {error}.")))
}

fn not_found() -> MatrixError {
    MatrixError::not_found("There is no account data of this type.")
}
