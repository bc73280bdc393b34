use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use echorift_web::{MatrixError, Ruma, Session};
use ruma::ServerName;
use ruma::api::client::{authenticated_media, media};

use super::disposition::disposition;
use super::serve::{Asked, Served};
use crate::{Media, MediaError};

/// `GET /_matrix/client/v1/media/download/{serverName}/{mediaId}` (CS API § Content repository).
pub(super) async fn download(
    State(repository): State<Media>,
    _: Session,
    asked: Asked,
    Ruma(request): Ruma<authenticated_media::get_content::v1::Request>,
) -> Result<Response, MatrixError> {
    let (media_id, wait) = (&request.media_id, request.timeout_ms);
    repository
        .answer(&asked, &request.server_name, media_id, wait, None)
        .await
}

/// `GET /_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName}`: under another name.
pub(super) async fn download_as(
    State(repository): State<Media>,
    _: Session,
    asked: Asked,
    Ruma(request): Ruma<authenticated_media::get_content_as_filename::v1::Request>,
) -> Result<Response, MatrixError> {
    let (media_id, wait, name) = (&request.media_id, request.timeout_ms, Some(&*request.filename));
    repository
        .answer(&asked, &request.server_name, media_id, wait, name)
        .await
}

/// `GET /_matrix/media/v3/download/{serverName}/{mediaId}`: only what was uploaded before the freeze.
#[expect(deprecated, reason = "older clients still ask there")]
pub(super) async fn download_openly(
    State(repository): State<Media>,
    mut asked: Asked,
    Ruma(request): Ruma<media::get_content::v3::Request>,
) -> Result<Response, MatrixError> {
    asked.openly = true;
    let (media_id, wait) = (&request.media_id, request.timeout_ms);
    repository
        .answer(&asked, &request.server_name, media_id, wait, None)
        .await
}

/// `GET /_matrix/media/v3/download/{serverName}/{mediaId}/{fileName}`: only what was uploaded before the freeze.
#[expect(deprecated, reason = "older clients still ask there")]
pub(super) async fn download_as_openly(
    State(repository): State<Media>,
    mut asked: Asked,
    Ruma(request): Ruma<media::get_content_as_filename::v3::Request>,
) -> Result<Response, MatrixError> {
    asked.openly = true;
    let (media_id, wait, name) = (&request.media_id, request.timeout_ms, Some(&*request.filename));
    repository
        .answer(&asked, &request.server_name, media_id, wait, name)
        .await
}

impl Media {
    async fn answer(
        &self,
        asked: &Asked,
        server_name: &ServerName,
        media_id: &str,
        wait: Duration,
        name: Option<&str>,
    ) -> Result<Response, MatrixError> {
        self.check_is_ours(server_name)?;
        let stored = self.load_for(asked, media_id, wait).await?;
        let name = name.or(stored.description.file_name.as_deref());
        let served = Served {
            disposition: disposition(&stored.description.content_type, name),
            content: stored.content,
            content_type: stored.description.content_type,
        };
        Ok(self.serve(asked, served).await?)
    }

    /// Media that this request may see. Who comes without a token is not told more than that there is nothing.
    pub(super) async fn load_for(
        &self,
        asked: &Asked,
        media_id: &str,
        wait: Duration,
    ) -> Result<crate::store::media::Stored, MediaError> {
        if !asked.openly {
            return self.load(media_id, wait).await;
        }
        // Nothing is waited for unless it will be public when it comes.
        let is_frozen = !self.0.options.unauthenticated_downloads;
        let wait = if is_frozen { Duration::ZERO } else { wait };
        match self.load(media_id, wait).await {
            Ok(stored) if stored.is_public => Ok(stored),
            Ok(_) => Err(MediaError::NotFound),
            Err(MediaError::NotYetUploaded) if is_frozen => Err(MediaError::NotFound),
            Err(error) => Err(error),
        }
    }
}
