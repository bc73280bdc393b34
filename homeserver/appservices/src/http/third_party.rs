//! Third-party networks (CS API § Third-party networks): what services say of them.

use std::collections::BTreeMap;

use axum::{Json, Router, extract::State};
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::api::client::thirdparty::{
    get_location_for_protocol, get_location_for_room_alias, get_protocol, get_protocols,
    get_user_for_protocol, get_user_for_user_id,
};
use serde_json::Value;

use crate::AppServices;

pub(super) fn routes() -> Router<AppServices> {
    Router::new()
        .ruma::<get_protocols::v3::Request, _, _>(protocols)
        .ruma::<get_protocol::v3::Request, _, _>(protocol)
        .ruma::<get_location_for_protocol::v3::Request, _, _>(locations)
        .ruma::<get_location_for_room_alias::v3::Request, _, _>(locations_of_alias)
        .ruma::<get_user_for_protocol::v3::Request, _, _>(users)
        .ruma::<get_user_for_user_id::v3::Request, _, _>(users_of_user)
}

/// `GET /_matrix/client/v3/thirdparty/protocols`.
async fn protocols(State(services): State<AppServices>, _: Session) -> Json<Value> {
    Json(Value::Object(
        services.queries(&services.registry()).protocols().await,
    ))
}

/// `GET /_matrix/client/v3/thirdparty/protocol/{protocol}`.
async fn protocol(
    State(services): State<AppServices>,
    _: Session,
    Ruma(request): Ruma<get_protocol::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let found = services
        .queries(&services.registry())
        .protocol(&request.protocol)
        .await;
    found.map(Json).ok_or_else(nothing)
}

/// `GET /_matrix/client/v3/thirdparty/location/{protocol}`.
async fn locations(
    State(services): State<AppServices>,
    _: Session,
    Ruma(request): Ruma<get_location_for_protocol::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    search(&services, "location", (&request.protocol, &request.fields)).await
}

/// `GET /_matrix/client/v3/thirdparty/user/{protocol}`.
async fn users(
    State(services): State<AppServices>,
    _: Session,
    Ruma(request): Ruma<get_user_for_protocol::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    search(&services, "user", (&request.protocol, &request.fields)).await
}

/// `GET /_matrix/client/v3/thirdparty/location`.
async fn locations_of_alias(
    State(services): State<AppServices>,
    _: Session,
    Ruma(request): Ruma<get_location_for_room_alias::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let alias = ("alias", request.alias.as_str());
    found(
        services
            .queries(&services.registry())
            .reverse("location", alias)
            .await,
    )
}

/// `GET /_matrix/client/v3/thirdparty/user`.
async fn users_of_user(
    State(services): State<AppServices>,
    _: Session,
    Ruma(request): Ruma<get_user_for_user_id::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let user = ("userid", request.userid.as_str());
    found(services.queries(&services.registry()).reverse("user", user).await)
}

async fn search(
    services: &AppServices,
    kind: &str,
    (network, fields): (&str, &BTreeMap<String, String>),
) -> Result<Json<Value>, MatrixError> {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    found(
        services
            .queries(&services.registry())
            .search(kind, network, &fields)
            .await,
    )
}

fn found(entries: Vec<Value>) -> Result<Json<Value>, MatrixError> {
    if entries.is_empty() {
        return Err(nothing());
    }
    Ok(Json(Value::Array(entries)))
}

fn nothing() -> MatrixError {
    MatrixError::not_found("No third-party network that is reached from here has this.")
}
