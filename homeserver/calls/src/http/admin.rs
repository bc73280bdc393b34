//! What administrators see of calls: EchoRift's own, described in docs/call-access.md.

use axum::{Json, Router, extract::State, routing::get};
use echorift_web::{MatrixError, Session};
use serde_json::{Value, json};

use super::{CallsApi, moderation::shown};
use crate::overview::{CallOverview, SfuOverview};

pub(super) fn routes() -> Router<CallsApi> {
    Router::new().route("/_echorift/admin/v1/calls", get(calls))
}

/// `GET /_echorift/admin/v1/calls`: every call that runs now, with who is in it.
async fn calls(State(api): State<CallsApi>, session: Session) -> Result<Json<Value>, MatrixError> {
    if !session.is_admin {
        return Err(MatrixError::forbidden(
            "Only administrators of this server see its calls.",
        ));
    }
    let overview = api.calls.overview().await?;
    let sfus: Vec<Value> = overview.sfus.iter().map(sfu).collect();
    Ok(Json(
        json!({ "sfus": sfus, "tokens": overview.tokens, "departures": overview.departures }),
    ))
}

fn sfu(sfu: &SfuOverview) -> Value {
    let calls: Vec<Value> = sfu.calls.iter().map(call).collect();
    json!({
        "name": sfu.name,
        "region": sfu.region,
        "url": sfu.url,
        "is_up": sfu.problem.is_none(),
        "problem": sfu.problem,
        "calls": calls,
    })
}

fn call(call: &CallOverview) -> Value {
    let participants: Vec<Value> = call.participants.iter().map(shown).collect();
    json!({ "room_id": call.room_id, "livekit_room": call.livekit_room, "participants": participants })
}
