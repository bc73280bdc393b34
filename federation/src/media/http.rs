use axum::{Router, extract::State, response::Response};
use echorift_media::ThumbnailRequest;
use echorift_web::{MatrixError, Routes as _};
use ruma::{
    ServerName,
    api::federation::authenticated_media::{get_content, get_content_thumbnail},
};

use super::multipart;
use crate::{Federation, Signed, policy::Crossing};

pub(super) fn routes() -> Router<Federation> {
    Router::new()
        .ruma::<get_content::v1::Request, _, _>(download)
        .ruma::<get_content_thumbnail::v1::Request, _, _>(thumbnail)
}

/// `GET /_matrix/federation/v1/media/download/{mediaId}` (SS API § Content Repository).
async fn download(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_content::v1::Request>,
) -> Result<Response, MatrixError> {
    check_crossing(&federation, &origin)?;
    let media = federation.media();
    let file = media
        .file_for_server(&request.media_id, request.timeout_ms)
        .await?;
    Ok(multipart::answer(file))
}

/// `GET /_matrix/federation/v1/media/thumbnail/{mediaId}` (SS API § Content Repository).
async fn thumbnail(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_content_thumbnail::v1::Request>,
) -> Result<Response, MatrixError> {
    check_crossing(&federation, &origin)?;
    let wanted = ThumbnailRequest {
        method: request.method,
        width: request.width,
        height: request.height,
        is_animated: request.animated.unwrap_or(false),
    };
    let media = federation.media();
    let file = media
        .thumbnail_for_server(&request.media_id, &wanted, request.timeout_ms)
        .await?;
    Ok(multipart::answer(file))
}

/// Errors: `M_FORBIDDEN` if the operator's policy keeps media from this server.
fn check_crossing(federation: &Federation, origin: &ServerName) -> Result<(), MatrixError> {
    if federation.policy().allows(origin, Crossing::Media) {
        return Ok(());
    }
    Err(MatrixError::forbidden("Your server gets no media of this one."))
}
