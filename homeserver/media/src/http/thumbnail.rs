use axum::extract::State;
use axum::response::Response;
use echorift_web::{MatrixError, Ruma, Session};
use http::HeaderValue;
use ruma::api::client::{authenticated_media, media};
use ruma::{UInt, media as wishes};

use super::download::Wanted;
use super::serve::{Asked, Served};
use crate::thumbnails::{Form, Method};
use crate::{Media, MediaError};

/// Which thumbnail a request wishes for.
pub(crate) struct Wish<'a> {
    pub(crate) method: Option<&'a wishes::Method>,
    pub(crate) width: UInt,
    pub(crate) height: UInt,
    pub(crate) is_animated: bool,
}

/// `GET /_matrix/client/v1/media/thumbnail/{serverName}/{mediaId}` (CS API § Thumbnails).
pub(super) async fn thumbnail(
    State(repository): State<Media>,
    _: Session,
    asked: Asked,
    Ruma(request): Ruma<authenticated_media::get_content_thumbnail::v1::Request>,
) -> Result<Response, MatrixError> {
    let wanted = Wanted {
        server_name: &request.server_name,
        media_id: &request.media_id,
        wait: request.timeout_ms,
        may_ask: true,
    };
    let wish = Wish {
        method: request.method.as_ref(),
        width: request.width,
        height: request.height,
        is_animated: request.animated.unwrap_or(false),
    };
    repository.answer_thumbnail(&asked, wanted, &wish).await
}

/// `GET /_matrix/media/v3/thumbnail/{serverName}/{mediaId}`: only of what was uploaded before the freeze.
#[expect(deprecated, reason = "older clients still ask there")]
pub(super) async fn thumbnail_openly(
    State(repository): State<Media>,
    mut asked: Asked,
    Ruma(request): Ruma<media::get_content_thumbnail::v3::Request>,
) -> Result<Response, MatrixError> {
    asked.openly = true;
    let wanted = Wanted {
        server_name: &request.server_name,
        media_id: &request.media_id,
        wait: request.timeout_ms,
        may_ask: request.allow_remote,
    };
    let wish = Wish {
        method: request.method.as_ref(),
        width: request.width,
        height: request.height,
        is_animated: request.animated.unwrap_or(false),
    };
    repository.answer_thumbnail(&asked, wanted, &wish).await
}

impl Media {
    async fn answer_thumbnail(
        &self,
        asked: &Asked,
        wanted: Wanted<'_>,
        wish: &Wish<'_>,
    ) -> Result<Response, MatrixError> {
        let form = wish.form()?;
        let stored = self.load_for(asked, wanted).await?;
        let made = self.thumbnail(&stored.content, form).await?;
        let served = Served {
            disposition: HeaderValue::from_static(named_thumbnail(&made.content_type)),
            content: made.content,
            content_type: made.content_type,
        };
        Ok(self.serve(asked, served).await?)
    }
}

/// `Content-Disposition` of a thumbnail.
pub(crate) fn named_thumbnail(content_type: &str) -> &'static str {
    match content_type {
        "image/jpeg" => "inline; filename=\"thumbnail.jpg\"",
        "image/gif" => "inline; filename=\"thumbnail.gif\"",
        "image/webp" => "inline; filename=\"thumbnail.webp\"",
        _ => "inline; filename=\"thumbnail.png\"",
    }
}

impl Wish<'_> {
    /// Errors: `BadThumbnail` for sizes without extent and unknown methods.
    pub(crate) fn form(&self) -> Result<Form, MediaError> {
        let side = |length: UInt| match u32::try_from(u64::from(length)) {
            Ok(0) => Err(MediaError::BadThumbnail("A thumbnail has a width and a height.")),
            // Larger than any image.
            length => Ok(length.unwrap_or(u32::MAX)),
        };
        let method = match self.method {
            None | Some(wishes::Method::Scale) => Method::Scale,
            Some(wishes::Method::Crop) => Method::Crop,
            Some(_) => return Err(MediaError::BadThumbnail("The method is crop or scale.")),
        };
        Ok(Form::serving(
            method,
            side(self.width)?,
            side(self.height)?,
            self.is_animated,
        ))
    }
}
