//! What application services bring with them, on a server that has none yet.

use axum::{Json, Router};
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::api::client::{
    appservice::{request_ping, set_room_visibility},
    thirdparty::{
        get_location_for_protocol, get_location_for_room_alias, get_protocol, get_protocols,
        get_user_for_protocol, get_user_for_user_id,
    },
};
use serde_json::{Value, json};

/// The server adds the token verifier as an extension.
pub(crate) fn routes() -> Router {
    Router::new()
        .ruma::<get_protocols::v3::Request, _, _>(protocols)
        .ruma::<get_protocol::v3::Request, _, _>(nothing_found::<get_protocol::v3::Request>)
        .ruma::<get_location_for_protocol::v3::Request, _, _>(
            nothing_found::<get_location_for_protocol::v3::Request>,
        )
        .ruma::<get_location_for_room_alias::v3::Request, _, _>(
            nothing_found::<get_location_for_room_alias::v3::Request>,
        )
        .ruma::<get_user_for_protocol::v3::Request, _, _>(nothing_found::<get_user_for_protocol::v3::Request>)
        .ruma::<get_user_for_user_id::v3::Request, _, _>(nothing_found::<get_user_for_user_id::v3::Request>)
        .ruma::<set_room_visibility::v3::Request, _, _>(
            no_application_service::<set_room_visibility::v3::Request>,
        )
        .ruma::<request_ping::v1::Request, _, _>(no_application_service::<request_ping::v1::Request>)
}

/// `GET /_matrix/client/v3/thirdparty/protocols` (CS API § Third-party networks).
async fn protocols(_: Session) -> Json<Value> {
    Json(json!({}))
}

/// Protocols, places and people of third-party networks (CS API § Third-party networks).
async fn nothing_found<Request>(_: Session, _: Ruma<Request>) -> MatrixError
where
    Request: ruma::api::IncomingRequest,
{
    MatrixError::not_found("No third-party network can be reached from here.")
}

/// What only an application service may do: nobody's token is one's.
async fn no_application_service<Request>(_: Session, _: Ruma<Request>) -> MatrixError
where
    Request: ruma::api::IncomingRequest,
{
    MatrixError::forbidden("This access token is not an application service's.")
}
