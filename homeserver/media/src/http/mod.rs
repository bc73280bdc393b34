//! The endpoints of the content repository, with and without a token.

pub(crate) mod disposition;
mod download;
mod previews;
mod range;
mod refusals;
mod serve;
pub(crate) mod thumbnail;
mod upload;

use axum::Router;
use axum::routing::{post, put};
use echorift_storage::UserNumber;
use echorift_web::{LimitKind, MatrixError, Routes as _, Session};
use ruma::ServerName;
use ruma::api::client::{authenticated_media, media};

use crate::{Media, MediaError};

pub(crate) fn router(repository: Media) -> Router {
    let open = open_routes();
    Router::new()
        // Bodies flow through these, so they do not read requests in ruma's types.
        .route("/_matrix/media/v3/upload", post(upload::upload))
        .route("/_matrix/media/r0/upload", post(upload::upload))
        .route(
            "/_matrix/media/v3/upload/{server_name}/{media_id}",
            put(upload::upload_pending),
        )
        .ruma::<media::create_mxc_uri::v1::Request, _, _>(upload::create)
        .ruma::<authenticated_media::get_content::v1::Request, _, _>(download::download)
        .ruma::<authenticated_media::get_content_as_filename::v1::Request, _, _>(download::download_as)
        .ruma::<authenticated_media::get_content_thumbnail::v1::Request, _, _>(thumbnail::thumbnail)
        .ruma::<authenticated_media::get_media_config::v1::Request, _, _>(upload::config)
        .ruma::<authenticated_media::get_media_preview::v1::Request, _, _>(previews::preview)
        .merge(open)
        .with_state(repository)
}

/// What came before version 1.11.
#[expect(deprecated, reason = "older clients still ask there")]
fn open_routes() -> Router<Media> {
    Router::new()
        .ruma::<media::get_content::v3::Request, _, _>(download::download_openly)
        .ruma::<media::get_content_as_filename::v3::Request, _, _>(download::download_as_openly)
        .ruma::<media::get_content_thumbnail::v3::Request, _, _>(thumbnail::thumbnail_openly)
        .ruma::<media::get_media_config::v3::Request, _, _>(upload::config_before_v1_11)
        .ruma::<media::get_media_preview::v3::Request, _, _>(previews::preview_before_v1_11)
}

impl Media {
    /// Errors: `M_USER_SUSPENDED`, `M_LIMIT_EXCEEDED`.
    fn check_may_add(&self, session: &Session) -> Result<UserNumber, MatrixError> {
        let user = UserNumber(session.user_number);
        if self.0.accounts.is_suspended(user) {
            return Err(MatrixError::user_suspended(
                "You cannot upload anything while suspended.",
            ));
        }
        self.check_rate(session)?;
        Ok(user)
    }

    fn check_rate(&self, session: &Session) -> Result<(), MatrixError> {
        self.0.limits.check_session(LimitKind::Media, session)
    }

    /// Nobody uploads for another server.
    fn check_is_ours(&self, server_name: &ServerName) -> Result<(), MediaError> {
        if *server_name == *self.0.options.server_name {
            Ok(())
        } else {
            Err(MediaError::NotFound)
        }
    }
}
