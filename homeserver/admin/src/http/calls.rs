//! Calls that run now.

use axum::{Json, extract::State};
use echorift_calls::{CallError, CallOverview, Participant, SfuOverview, Source};
use echorift_rooms::RoomError;
use echorift_web::{InPath, MatrixError};
use ruma::OwnedRoomId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::ReasonBody;
use crate::{
    Admin,
    administrator::{Administrator, Deed},
    extract::Told,
};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(end))
}

/// All calls, by SFU in the order of preference.
#[derive(Serialize, ToSchema)]
struct Calls {
    sfus: Vec<Sfu>,
    /// How many tokens are good for something, whether their holders are in a call or not.
    tokens: usize,
    /// How many people have left it to this server to say that they have left.
    departures: usize,
}

#[derive(Serialize, ToSchema)]
struct Sfu {
    name: String,
    region: Option<String>,
    url: String,
    is_up: bool,
    /// Why nothing is known of its calls.
    problem: Option<String>,
    calls: Vec<Call>,
}

#[derive(Serialize, ToSchema)]
struct Call {
    room_id: String,
    /// The room's name, for people.
    name: Option<String>,
    livekit_room: String,
    participants: Vec<InCall>,
}

#[derive(Serialize, ToSchema)]
struct InCall {
    user_id: String,
    device_id: Option<String>,
    sfu: String,
    identity: String,
    joined_ts: i64,
    tracks: Vec<Track>,
}

#[derive(Serialize, ToSchema)]
struct Track {
    /// `camera`, `microphone`, `screen_share` or `screen_share_audio`.
    #[schema(value_type = String)]
    source: Source,
    muted: bool,
}

/// Every call that runs now, with who is in it.
#[utoipa::path(get, path = "/calls", tag = "calls", responses((status = 200, body = Calls)))]
async fn list(State(admin): State<Admin>, _: Administrator) -> Result<Json<Calls>, MatrixError> {
    let overview = admin.calls().overview().await?;
    let calls = overview.sfus.iter().flat_map(|sfu| &sfu.calls);
    let ids: Vec<OwnedRoomId> = calls.map(|call| call.room_id.clone()).collect();
    let numbers = admin.rooms().room_numbers(&ids).await.map_err(RoomError::from)?;
    let named = admin.room_names(numbers.into_iter()).await?.into_values();
    let names: std::collections::HashMap<String, Option<String>> = named.collect();
    let name_of = |room_id: &str| names.get(room_id).cloned().flatten();
    let sfus = overview.sfus.into_iter().map(|sfu| shown(sfu, &name_of));
    Ok(Json(Calls {
        sfus: sfus.collect(),
        tokens: overview.tokens,
        departures: overview.departures,
    }))
}

fn shown(sfu: SfuOverview, name_of: &impl Fn(&str) -> Option<String>) -> Sfu {
    let calls = sfu.calls.into_iter().map(|call: CallOverview| Call {
        name: name_of(call.room_id.as_str()),
        room_id: call.room_id.to_string(),
        livekit_room: call.livekit_room,
        participants: call.participants.into_iter().map(participant).collect(),
    });
    Sfu {
        is_up: sfu.problem.is_none(),
        calls: calls.collect(),
        name: sfu.name,
        region: sfu.region,
        url: sfu.url,
        problem: sfu.problem,
    }
}

fn participant(participant: Participant) -> InCall {
    let tracks = participant.tracks.into_iter();
    InCall {
        user_id: participant.user_id.to_string(),
        device_id: participant.device_id.map(|device_id| device_id.to_string()),
        sfu: participant.seat.sfu,
        identity: participant.seat.identity,
        joined_ts: participant.joined_ts,
        tracks: tracks.map(|(source, muted)| Track { source, muted }).collect(),
    }
}

/// What came of ending a call.
#[derive(Serialize, ToSchema)]
struct Ended {
    /// How many tokens are good for nothing any more.
    tokens: usize,
}

/// Ends the calls of a room: everybody is put out. They may come back, for their rights in the room are as they were.
#[utoipa::path(post, path = "/calls/{room_id}/end", tag = "calls", params(("room_id" = String, Path)),
    request_body = Option<ReasonBody>, responses((status = 200, body = Ended)))]
async fn end(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(room_id): InPath<OwnedRoomId>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<Ended>, MatrixError> {
    if !admin.calls().is_on() {
        return Err(CallError::Off.into());
    }
    let deed = Deed::new("call.end", &room_id, body.reason);
    let remember = administrator.audit(&admin, deed).await?;
    match admin.calls().end_calls(&room_id, remember).await {
        Ok(tokens) => Ok(Json(Ended { tokens })),
        Err(CallError::Forbidden) => Err(MatrixError::not_found("This server knows no such room.")),
        Err(error) => Err(error.into()),
    }
}
