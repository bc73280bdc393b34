use axum::Json;
use axum::extract::State;
use echorift_web::{MatrixError, Ruma, Session};
use http::{HeaderMap, header};
use ruma::api::client::{authenticated_media, media};
use serde_json::Value;

use crate::Media;

/// `GET /_matrix/client/v1/media/preview_url` (CS API § Content repository). Of the times that a page was seen, only the
/// latest is kept, whatever `ts` says.
pub(super) async fn preview(
    State(repository): State<Media>,
    session: Session,
    headers: HeaderMap,
    Ruma(request): Ruma<authenticated_media::get_media_preview::v1::Request>,
) -> Result<Json<Value>, MatrixError> {
    repository.answer_preview(&session, &headers, &request.url).await
}

/// `GET /_matrix/media/v3/preview_url`, as it was before version 1.11.
#[expect(deprecated, reason = "older clients still ask there")]
pub(super) async fn preview_before_v1_11(
    State(repository): State<Media>,
    session: Session,
    headers: HeaderMap,
    Ruma(request): Ruma<media::get_media_preview::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    repository.answer_preview(&session, &headers, &request.url).await
}

impl Media {
    async fn answer_preview(
        &self,
        session: &Session,
        headers: &HeaderMap,
        url: &str,
    ) -> Result<Json<Value>, MatrixError> {
        self.check_rate(session)?;
        let languages = headers.get(header::ACCEPT_LANGUAGE);
        let languages = languages.and_then(|languages| languages.to_str().ok());
        let properties = self.preview(url, languages).await?;
        Ok(Json(Value::Object(properties)))
    }
}
