//! The endpoints by which users ask their own server for tokens (MSC4195).

use axum::{Json, Router, extract::State, routing::post};
use echorift_web::{Body, LimitKind, MatrixError, Session};
use ruma::{OwnedRoomId, OwnedServerName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::CallsApi;
use crate::{CallError, SeatClaim, authorisation::MemberParts};

/// Where the proposal has them until it is accepted, and where then.
const PREFIXES: [&str; 2] = [
    "/_matrix/client/unstable/io.element.msc4195",
    "/_matrix/client/v1",
];

pub(super) fn routes() -> Router<CallsApi> {
    PREFIXES.iter().fold(Router::new(), |router, prefix| {
        router
            .route(&format!("{prefix}/rtc/livekit/get_token"), post(get_token))
            .route(
                &format!("{prefix}/rtc/livekit/delegate_delayed_leave"),
                post(delegate_delayed_leave),
            )
    })
}

#[derive(Deserialize)]
struct TokenRequest {
    url: String,
    /// Whose SFU it is; this server's if left out.
    server_name: Option<OwnedServerName>,
    room_id: OwnedRoomId,
    slot_id: String,
    #[serde(flatten)]
    member: MemberParts,
}

#[derive(Deserialize)]
struct DelegationRequest {
    url: String,
    room_id: OwnedRoomId,
    slot_id: String,
    #[serde(flatten)]
    member: MemberParts,
    delay_id: String,
}

/// `POST …/rtc/livekit/get_token` (MSC4195). `url` is added to what the draft demands, because older readers want it.
async fn get_token(
    State(api): State<CallsApi>,
    session: Session,
    Body(request): Body<TokenRequest>,
) -> Result<Json<Value>, MatrixError> {
    api.calls.limits().check_session(LimitKind::Calls, &session)?;
    let own = api.calls.server_name();
    let server = request.server_name.as_deref().unwrap_or(own);
    let claim = claim(request.room_id, request.slot_id, request.member, &session)?;
    let at = (server, request.url.as_str());
    let jwt = api.calls.token_of_session(&session.user_id, at, &claim).await?;
    Ok(Json(json!({ "url": request.url, "jwt": jwt })))
}

/// `POST …/rtc/livekit/delegate_delayed_leave` (MSC4195).
async fn delegate_delayed_leave(
    State(api): State<CallsApi>,
    session: Session,
    Body(request): Body<DelegationRequest>,
) -> Result<Json<Value>, MatrixError> {
    api.calls.limits().check_session(LimitKind::Calls, &session)?;
    let claim = claim(request.room_id, request.slot_id, request.member, &session)?;
    let delay = request.delay_id.into();
    api.calls
        .delegate_at(&request.url, &session.user_id, &claim, &delay)
        .await?;
    Ok(Json(json!({})))
}

/// What is claimed, as far as it is the session's own.
fn claim(
    room_id: OwnedRoomId,
    slot_id: String,
    member: MemberParts,
    session: &Session,
) -> Result<SeatClaim, CallError> {
    if slot_id.is_empty() {
        return Err(CallError::Incomplete("a `slot_id`"));
    }
    let member = member.into_claim()?;
    if member
        .device_id()
        .is_some_and(|device_id| session.device_id != *device_id)
    {
        return Err(CallError::Forbidden);
    }
    Ok(SeatClaim {
        room_id,
        slot_id,
        member,
    })
}
