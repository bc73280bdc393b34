use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    routing::get,
};
use echorift_rooms::Rooms;
use echorift_web::{ClientAddress, MatrixError, Session, outbound::IpRanges};
use ruma::{OwnedRoomId, RoomId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{MediaLimits, MediaPolicy};

/// The state event, with an empty state key, by which a room lowers the policy for its calls.
const ROOM_POLICY: &str = "org.echorift.call.media_policy";

/// What the endpoint works with.
#[derive(Clone)]
pub struct MediaPolicyApi {
    pub rooms: Rooms,
    pub policy: Arc<MediaPolicy>,
    pub networks: Arc<Vec<NetworkLimits>>,
}

/// Limits for whoever comes from one of these addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkLimits {
    pub ranges: Vec<IpRanges>,
    pub limits: MediaLimits,
}

pub fn router(api: MediaPolicyApi) -> Router {
    Router::new()
        .route("/_echorift/client/v1/rtc/policy", get(media_policy))
        .with_state(api)
}

#[derive(Deserialize)]
struct Asked {
    room_id: Option<OwnedRoomId>,
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    policy: MediaPolicy,
    /// What is served first where not everything gets through.
    priority: [&'static str; 3],
    /// Who has lowered the server's own policy: `network`, `room`.
    limited_by: Vec<&'static str>,
}

/// `GET /_echorift/client/v1/rtc/policy?room_id=`: the policy for the caller, from where they are, in that room if one is
/// named. Own endpoint: docs/calls.md § Media policy.
async fn media_policy(
    State(api): State<MediaPolicyApi>,
    session: Session,
    client: ClientAddress,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Answer>, MatrixError> {
    let Query(asked) = asked.map_err(|_| MatrixError::invalid_param("room_id is not a room's id."))?;
    let mut limited_by = Vec::new();
    let mut policy = MediaPolicy::clone(&api.policy);
    let mut lower = |limits: &MediaLimits, who: &'static str| {
        let lowered = policy.limited(limits);
        if lowered != policy {
            policy = lowered;
            limited_by.push(who);
        }
    };
    if let Some(address) = client.0 {
        let is_inside = |network: &&NetworkLimits| network.ranges.iter().any(|range| range.contains(address));
        for network in api.networks.iter().filter(is_inside) {
            lower(&network.limits, "network");
        }
    }
    if let Some(room_id) = asked.room_id {
        lower(
            &limits_of_room(&api.rooms, &room_id, &session.user_id).await?,
            "room",
        );
    }
    limited_by.dedup();
    Ok(Json(Answer {
        policy,
        priority: ["audio", "screen_share", "video"],
        limited_by,
    }))
}

/// Errors: 403 for those who are not in the room.
async fn limits_of_room(
    rooms: &Rooms,
    room_id: &RoomId,
    user_id: &UserId,
) -> Result<MediaLimits, MatrixError> {
    let room = rooms.room(room_id).await?;
    rooms.check_joined(&room, user_id).await?;
    let state = room.view().state.clone();
    let content: Option<Value> = rooms
        .state_content(&state, ROOM_POLICY)
        .await
        .map_err(MatrixError::internal)?;
    Ok(content.as_ref().map(MediaLimits::of_content).unwrap_or_default())
}
