use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use echorift_web::{MatrixError, Ruma, Session};
use http::HeaderValue;
use ruma::api::client::{authenticated_media, media};
use ruma::{ServerName, UInt, media as wishes};

use super::serve::{Asked, Served};
use crate::Media;
use crate::thumbnails::{Form, Method};

/// What a request wishes for.
struct Wish<'a> {
    server_name: &'a ServerName,
    media_id: &'a str,
    method: Option<&'a wishes::Method>,
    width: UInt,
    height: UInt,
    is_animated: bool,
    wait: Duration,
}

/// `GET /_matrix/client/v1/media/thumbnail/{serverName}/{mediaId}` (CS API § Thumbnails).
pub(super) async fn thumbnail(
    State(repository): State<Media>,
    _: Session,
    asked: Asked,
    Ruma(request): Ruma<authenticated_media::get_content_thumbnail::v1::Request>,
) -> Result<Response, MatrixError> {
    let wish = Wish {
        server_name: &request.server_name,
        media_id: &request.media_id,
        method: request.method.as_ref(),
        width: request.width,
        height: request.height,
        is_animated: request.animated.unwrap_or(false),
        wait: request.timeout_ms,
    };
    repository.answer_thumbnail(&asked, &wish).await
}

/// `GET /_matrix/media/v3/thumbnail/{serverName}/{mediaId}`: only of what was uploaded before the freeze.
#[expect(deprecated, reason = "older clients still ask there")]
pub(super) async fn thumbnail_openly(
    State(repository): State<Media>,
    mut asked: Asked,
    Ruma(request): Ruma<media::get_content_thumbnail::v3::Request>,
) -> Result<Response, MatrixError> {
    asked.openly = true;
    let wish = Wish {
        server_name: &request.server_name,
        media_id: &request.media_id,
        method: request.method.as_ref(),
        width: request.width,
        height: request.height,
        is_animated: request.animated.unwrap_or(false),
        wait: request.timeout_ms,
    };
    repository.answer_thumbnail(&asked, &wish).await
}

impl Media {
    async fn answer_thumbnail(&self, asked: &Asked, wish: &Wish<'_>) -> Result<Response, MatrixError> {
        let form = wish.form()?;
        self.check_is_ours(wish.server_name)?;
        let stored = self.load_for(asked, wish.media_id, wish.wait).await?;
        let made = self.thumbnail(&stored.content, form).await?;
        let name = match made.content_type.as_str() {
            "image/jpeg" => "inline; filename=\"thumbnail.jpg\"",
            "image/gif" => "inline; filename=\"thumbnail.gif\"",
            "image/webp" => "inline; filename=\"thumbnail.webp\"",
            _ => "inline; filename=\"thumbnail.png\"",
        };
        let served = Served {
            content: made.content,
            content_type: made.content_type,
            disposition: HeaderValue::from_static(name),
        };
        Ok(self.serve(asked, served).await?)
    }
}

impl Wish<'_> {
    /// Errors: `M_INVALID_PARAM` for sizes without extent and unknown methods.
    fn form(&self) -> Result<Form, MatrixError> {
        let side = |length: UInt| match u32::try_from(u64::from(length)) {
            Ok(0) => Err(MatrixError::invalid_param(
                "A thumbnail has a width and a height.",
            )),
            // Larger than any image.
            length => Ok(length.unwrap_or(u32::MAX)),
        };
        let method = match self.method {
            None | Some(wishes::Method::Scale) => Method::Scale,
            Some(wishes::Method::Crop) => Method::Crop,
            Some(_) => return Err(MatrixError::invalid_param("The method is crop or scale.")),
        };
        Ok(Form::serving(
            method,
            side(self.width)?,
            side(self.height)?,
            self.is_animated,
        ))
    }
}
