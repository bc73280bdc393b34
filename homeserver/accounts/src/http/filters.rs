use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use echorift_web::{Body, InPath, MatrixError, Ruma, Session};
use http::header;
use ruma::{
    OwnedUserId,
    api::client::filter::{FilterDefinition, get_filter},
};
use serde_json::{Value, json};

use super::own;
use crate::Accounts;

/// `POST /_matrix/client/v3/user/{userId}/filter` (CS API § Filtering). The body is kept as it is, with fields that
/// this server does not know.
pub(crate) async fn save(
    State(accounts): State<Accounts>,
    session: Session,
    InPath(user_id): InPath<String>,
    Body(definition): Body<Value>,
) -> Result<Json<Value>, MatrixError> {
    let user_id =
        OwnedUserId::try_from(user_id).map_err(|_| MatrixError::invalid_param("This is no user ID."))?;
    let user = own(&session, &user_id)?;
    if let Err(error) = serde_json::from_value::<FilterDefinition>(definition.clone()) {
        return Err(MatrixError::bad_json(format!("This is no filter: {error}.")));
    }
    let filter_id = accounts.save_filter(user, &definition).await?;
    Ok(Json(json!({ "filter_id": filter_id })))
}

/// `GET /_matrix/client/v3/user/{userId}/filter/{filterId}` (CS API § Filtering).
pub(crate) async fn get(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<get_filter::v3::Request>,
) -> Result<Response, MatrixError> {
    let user = own(&session, &request.user_id)?;
    let definition = accounts.filter_json(user, &request.filter_id).await?;
    let definition = definition.ok_or_else(|| MatrixError::not_found("There is no such filter."))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], definition).into_response())
}
