use axum::{Json, Router, extract::State};
use echorift_web::{Routes as _, Session};
use ruma::api::client::voip::get_turn_server_info;
use serde_json::{Value, json};

use super::CallsApi;

pub(super) fn routes() -> Router<CallsApi> {
    Router::new().ruma::<get_turn_server_info::v3::Request, _, _>(turn_server)
}

/// `GET /_matrix/client/v3/voip/turnServer` (CS API § Voice over IP). Without a TURN server the answer is an empty
/// object, which clients take for "call without one"; an empty list of URIs would make browsers refuse the call.
async fn turn_server(State(api): State<CallsApi>, session: Session) -> Json<Value> {
    let Some(turn) = &api.turn else {
        return Json(json!({}));
    };
    let credentials = turn.credentials(&session.user_id, api.calls.now());
    Json(json!({
        "username": credentials.username,
        "password": credentials.password,
        "uris": turn.uris,
        "ttl": turn.lifetime.as_secs(),
    }))
}
