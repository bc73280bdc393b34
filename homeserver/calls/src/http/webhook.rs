use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    routing::post,
};
use echorift_web::MatrixError;

use super::CallsApi;
use crate::CallError;

/// Where SFUs tell who came and went; the managed one is told of it by its configuration.
pub const WEBHOOK_PATH: &str = "/livekit/jwt/sfu_webhook";
/// A webhook describes a room and a participant with their tracks.
const BODY_BYTES_MAX: usize = 256 * 1024;

pub(super) fn routes() -> Router<CallsApi> {
    Router::new()
        .route(WEBHOOK_PATH, post(webhook))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

/// `POST /livekit/jwt/sfu_webhook`. The token stands in `Authorization` by itself, without a scheme.
async fn webhook(
    State(api): State<CallsApi>,
    headers: HeaderMap,
    body: String,
) -> Result<StatusCode, MatrixError> {
    let authorization = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let authorization = authorization.ok_or(CallError::ForgedWebhook)?;
    api.calls.take_webhook(&body, authorization).await?;
    Ok(StatusCode::OK)
}
