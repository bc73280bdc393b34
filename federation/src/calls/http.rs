use axum::{
    Json, Router,
    extract::{Request, State},
    routing::post,
};
use echorift_calls::{MemberParts, SeatClaim};
use echorift_web::{MatrixError, parse_body, read_body};
use ruma::{OwnedRoomId, OwnedUserId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::TOKEN_PATH;
use crate::{Federation, origin::admit, policy::Crossing};

pub(crate) fn routes() -> Router<Federation> {
    Router::new()
        .route(TOKEN_PATH, post(get_token))
        .route("/_matrix/federation/v1/rtc/livekit/get_token", post(get_token))
}

/// `member` in the words of the published packages or of the newest draft, which ruma's type alone does not take.
#[derive(Deserialize)]
struct TokenRequest {
    user_id: OwnedUserId,
    url: String,
    room_id: OwnedRoomId,
    slot_id: String,
    #[serde(flatten)]
    member: MemberParts,
}

/// `POST /_matrix/federation/unstable/io.element.msc4195/rtc/livekit/get_token` (MSC4195): a user of the asking server wants
/// to listen to who sends by our SFU.
async fn get_token(
    State(federation): State<Federation>,
    request: Request,
) -> Result<Json<Value>, MatrixError> {
    let (parts, body) = read_body(request, &federation).await?;
    let origin = admit(&federation, &parts, &body).await?;
    let asked: TokenRequest = parse_body(&body)?;
    if !federation.policy().allows(&origin, Crossing::Calls) {
        return Err(MatrixError::forbidden(
            "There are no calls between your server and this one.",
        ));
    }
    federation.room_for(&origin, &asked.room_id).await?;
    let claim = SeatClaim {
        room_id: asked.room_id,
        slot_id: asked.slot_id,
        member: asked.member.into_claim()?,
    };
    let calls = federation.calls();
    let jwt = calls
        .token_for_peer(&origin, &asked.user_id, &asked.url, &claim)
        .await?;
    Ok(Json(json!({ "jwt": jwt })))
}
