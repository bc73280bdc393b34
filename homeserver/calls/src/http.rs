use axum::{Json, Router, extract::State};
use echorift_storage::Clock;
use echorift_web::{Routes as _, Session};
use ruma::api::client::voip::get_turn_server_info;
use serde_json::{Value, json};

use crate::{DelayedEvents, TurnOptions, delayed};

/// What the endpoints work with.
#[derive(Clone)]
pub struct CallsApi {
    /// `None` where the operator runs no TURN server.
    pub turn: Option<TurnOptions>,
    pub clock: Clock,
    pub delayed_events: DelayedEvents,
}

/// All endpoints of this crate. The server adds the token verifier as an extension.
pub fn router(api: CallsApi) -> Router {
    let delayed_events = delayed::routes().with_state(api.delayed_events.clone());
    Router::new()
        .ruma::<get_turn_server_info::v3::Request, _, _>(turn_server)
        .with_state(api)
        .merge(delayed_events)
}

/// `GET /_matrix/client/v3/voip/turnServer` (CS API § Voice over IP). Without a TURN server the answer is an empty
/// object, which clients take for "call without one"; an empty list of URIs would make browsers refuse the call.
async fn turn_server(State(api): State<CallsApi>, session: Session) -> Json<Value> {
    let Some(turn) = &api.turn else {
        return Json(json!({}));
    };
    let credentials = turn.credentials(&session.user_id, api.clock.now());
    Json(json!({
        "username": credentials.username,
        "password": credentials.password,
        "uris": turn.uris,
        "ttl": turn.lifetime.as_secs(),
    }))
}
