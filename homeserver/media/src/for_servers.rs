//! Our media for other servers (SS API § Content Repository).

use std::time::Duration;

use http::HeaderValue;
use ruma::UInt;
use ruma::media::Method;

use crate::blobs::BlobStream;
use crate::http::disposition::disposition;
use crate::http::thumbnail::{Wish, named_thumbnail};
use crate::store::Content;
use crate::{Media, MediaError};

/// A file of ours on its way to another server.
pub struct OutgoingFile {
    pub content_type: String,
    pub disposition: HeaderValue,
    pub size: u64,
    /// Read only as fast as it is taken.
    pub body: BlobStream,
}

/// Which thumbnail another server asks for.
#[derive(Debug, Clone)]
pub struct ThumbnailRequest {
    pub method: Option<Method>,
    pub width: UInt,
    pub height: UInt,
    pub is_animated: bool,
}

impl Media {
    /// Media of this server, for another one. Errors: `NotFound`, `NotYetUploaded`.
    pub async fn file_for_server(&self, media_id: &str, wait: Duration) -> Result<OutgoingFile, MediaError> {
        let stored = self.load(media_id, wait).await?;
        let description = stored.description;
        let disposition = disposition(&description.content_type, description.file_name.as_deref());
        self.outgoing(stored.content, description.content_type, disposition)
            .await
    }

    /// A thumbnail of media of this server, for another one.
    ///
    /// Errors: `NotFound`, `NotYetUploaded`, `BadThumbnail`, `NoThumbnail`, `TooLargeForThumbnail`.
    pub async fn thumbnail_for_server(
        &self,
        media_id: &str,
        request: &ThumbnailRequest,
        wait: Duration,
    ) -> Result<OutgoingFile, MediaError> {
        let form = Wish {
            method: request.method.as_ref(),
            width: request.width,
            height: request.height,
            is_animated: request.is_animated,
        }
        .form()?;
        let stored = self.load(media_id, wait).await?;
        let made = self.thumbnail(&stored.content, form).await?;
        let disposition = HeaderValue::from_static(named_thumbnail(&made.content_type));
        self.outgoing(made.content, made.content_type, disposition).await
    }

    async fn outgoing(
        &self,
        content: Content,
        content_type: String,
        disposition: HeaderValue,
    ) -> Result<OutgoingFile, MediaError> {
        metrics::counter!("echorift_media_sent_bytes_total").increment(content.size);
        Ok(OutgoingFile {
            content_type,
            disposition,
            size: content.size,
            body: self.read(&content, 0..content.size).await?,
        })
    }
}
