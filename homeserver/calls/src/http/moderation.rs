//! What moderators do in calls, for which Matrix has no endpoints: EchoRift's own, described in docs/call-access.md.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use echorift_web::{Body, InPath, MatrixError, Session};
use ruma::{OwnedRoomId, OwnedUserId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::CallsApi;
use crate::{Source, rights::Participant};

pub(super) fn routes() -> Router<CallsApi> {
    const BASE: &str = "/_echorift/client/v1/rooms/{room_id}/call/participants";
    Router::new()
        .route(BASE, get(participants))
        .route(&format!("{BASE}/{{user_id}}/mute"), post(mute))
        .route(&format!("{BASE}/{{user_id}}/remove"), post(remove))
}

#[derive(Deserialize)]
struct MuteRequest {
    /// All kinds if left out.
    sources: Option<Vec<Source>>,
}

/// `GET …/call/participants`: who is in the room's calls on this server's SFUs, for its members.
async fn participants(
    State(api): State<CallsApi>,
    session: Session,
    InPath(room_id): InPath<OwnedRoomId>,
) -> Result<Json<Value>, MatrixError> {
    let participants = api.calls.participants(&room_id, &session.user_id).await?;
    let participants: Vec<Value> = participants.iter().map(shown).collect();
    Ok(Json(json!({ "participants": participants })))
}

/// `POST …/call/participants/{userId}/mute`: for who may kick them, and for themselves.
async fn mute(
    State(api): State<CallsApi>,
    session: Session,
    InPath((room_id, user_id)): InPath<(OwnedRoomId, OwnedUserId)>,
    Body(request): Body<MuteRequest>,
) -> Result<Json<Value>, MatrixError> {
    let sources = request.sources.unwrap_or_else(|| Source::ALL.to_vec());
    let muted = api
        .calls
        .mute(&room_id, &session.user_id, &user_id, &sources)
        .await?;
    Ok(Json(json!({ "muted_tracks": muted })))
}

/// `POST …/call/participants/{userId}/remove`: for who may kick them, and for themselves.
async fn remove(
    State(api): State<CallsApi>,
    session: Session,
    InPath((room_id, user_id)): InPath<(OwnedRoomId, OwnedUserId)>,
) -> Result<Json<Value>, MatrixError> {
    api.calls.put_out(&room_id, &session.user_id, &user_id).await?;
    Ok(Json(json!({})))
}

/// One participant, as members see them.
fn shown(participant: &Participant) -> Value {
    let tracks = participant.tracks.iter();
    let tracks: Vec<Value> = tracks
        .map(|(source, is_muted)| json!({ "source": source, "muted": is_muted }))
        .collect();
    json!({
        "user_id": participant.user_id,
        "device_id": participant.device_id,
        "sfu": participant.seat.sfu,
        "identity": participant.seat.identity,
        "joined_ts": participant.joined_ts,
        "tracks": tracks,
    })
}
