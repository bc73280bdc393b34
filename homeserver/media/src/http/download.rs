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
    let wanted = Wanted {
        server_name: &request.server_name,
        media_id: &request.media_id,
        wait: request.timeout_ms,
        may_ask: true,
    };
    repository.answer(&asked, wanted, None).await
}

/// `GET /_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName}`: under another name.
pub(super) async fn download_as(
    State(repository): State<Media>,
    _: Session,
    asked: Asked,
    Ruma(request): Ruma<authenticated_media::get_content_as_filename::v1::Request>,
) -> Result<Response, MatrixError> {
    let wanted = Wanted {
        server_name: &request.server_name,
        media_id: &request.media_id,
        wait: request.timeout_ms,
        may_ask: true,
    };
    repository.answer(&asked, wanted, Some(&request.filename)).await
}

/// `GET /_matrix/media/v3/download/{serverName}/{mediaId}`: only what was uploaded before the freeze.
#[expect(deprecated, reason = "older clients still ask there")]
pub(super) async fn download_openly(
    State(repository): State<Media>,
    mut asked: Asked,
    Ruma(request): Ruma<media::get_content::v3::Request>,
) -> Result<Response, MatrixError> {
    asked.openly = true;
    let wanted = Wanted {
        server_name: &request.server_name,
        media_id: &request.media_id,
        wait: request.timeout_ms,
        may_ask: request.allow_remote,
    };
    repository.answer(&asked, wanted, None).await
}

/// `GET /_matrix/media/v3/download/{serverName}/{mediaId}/{fileName}`: only what was uploaded before the freeze.
#[expect(deprecated, reason = "older clients still ask there")]
pub(super) async fn download_as_openly(
    State(repository): State<Media>,
    mut asked: Asked,
    Ruma(request): Ruma<media::get_content_as_filename::v3::Request>,
) -> Result<Response, MatrixError> {
    asked.openly = true;
    let wanted = Wanted {
        server_name: &request.server_name,
        media_id: &request.media_id,
        wait: request.timeout_ms,
        may_ask: request.allow_remote,
    };
    repository.answer(&asked, wanted, Some(&request.filename)).await
}

/// Which media is wanted, and what may be done to have it.
pub(super) struct Wanted<'a> {
    pub(super) server_name: &'a ServerName,
    pub(super) media_id: &'a str,
    /// For its upload.
    pub(super) wait: Duration,
    /// Whether another server may be asked for it.
    pub(super) may_ask: bool,
}

impl Media {
    async fn answer(
        &self,
        asked: &Asked,
        wanted: Wanted<'_>,
        name: Option<&str>,
    ) -> Result<Response, MatrixError> {
        let stored = self.load_for(asked, wanted).await?;
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
        wanted: Wanted<'_>,
    ) -> Result<crate::store::media::Stored, MediaError> {
        if !asked.openly {
            return self.load_any(&wanted, wanted.wait).await;
        }
        // Nothing is waited or asked for unless it will be public when it comes.
        let is_frozen = !self.0.options.unauthenticated_downloads;
        let wait = if is_frozen { Duration::ZERO } else { wanted.wait };
        let wanted = Wanted {
            may_ask: wanted.may_ask && !is_frozen,
            ..wanted
        };
        match self.load_any(&wanted, wait).await {
            Ok(stored) if stored.is_public => Ok(stored),
            Ok(_) => Err(MediaError::NotFound),
            Err(MediaError::NotYetUploaded) if is_frozen => Err(MediaError::NotFound),
            Err(error) => Err(error),
        }
    }

    async fn load_any(
        &self,
        wanted: &Wanted<'_>,
        wait: Duration,
    ) -> Result<crate::store::media::Stored, MediaError> {
        if *wanted.server_name == *self.0.options.server_name {
            self.load(wanted.media_id, wait).await
        } else {
            self.load_remote(wanted.server_name, wanted.media_id, wait, wanted.may_ask)
                .await
        }
    }
}
