//! Thumbnails: made when they are first asked for, kept beside their sources, made once however many ask at once.

mod form;
mod geometry;
mod render;
mod source;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use image::ImageFormat;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::blobs::read_whole;
use crate::ids::ContentHash;
use crate::merge::Merge;
use crate::options::ThumbnailOptions;
use crate::store::thumbnails::Made;
use crate::store::{self, Content};
use crate::{Media, MediaError};

pub(crate) use self::form::{Form, Method};
use self::render::{Rendered, render};
pub(crate) use self::source::{Source, inline_type, sniff};

/// So much of a content tells what it is.
const HEAD_BYTES: u64 = 32;
/// Forms kept of one image; after that only those of the short list are made.
const FORMS_MAX: i64 = 40;

/// What is being made at this moment.
pub(crate) struct Thumbnails {
    options: ThumbnailOptions,
    /// Unpacked images are large: only a few at a time.
    permits: Arc<Semaphore>,
    running: Merge<(ContentHash, Form), Made>,
}

impl Thumbnails {
    pub(crate) fn new(options: ThumbnailOptions) -> Self {
        Self {
            options,
            permits: Arc::new(Semaphore::new(options.at_a_time)),
            running: Merge::new(),
        }
    }
}

impl Media {
    /// The thumbnail of an image.
    ///
    /// Errors: `NoThumbnail` for what is no image that we read, `TooLargeForThumbnail`.
    pub(crate) async fn thumbnail(&self, source: &Content, form: Form) -> Result<Made, MediaError> {
        if let Some(made) = store::thumbnails::find(&self.0.database, &source.hash, form).await? {
            return Ok(made);
        }
        let (media, of) = (self.clone(), source.clone());
        let work = async move { media.make_thumbnail(of, form).await };
        self.0
            .thumbnails
            .running
            .run((source.hash.clone(), form), work)
            .await
    }

    async fn make_thumbnail(&self, source: Content, mut form: Form) -> Result<Made, MediaError> {
        let database = &self.0.database;
        let options = self.0.thumbnails.options;
        let head = 0..source.size.min(HEAD_BYTES);
        let head = read_whole(&*self.0.blobs, source.key.clone(), head).await?;
        let Some(format) = sniff(&head) else {
            return Err(MediaError::NoThumbnail("it is no image".to_owned()));
        };
        if source.size > options.source_bytes_max {
            return Err(MediaError::TooLargeForThumbnail);
        }
        if store::thumbnails::count(database, &source.hash).await? >= FORMS_MAX {
            form = form.common();
        }
        // Another may have made it since the caller looked.
        if let Some(made) = store::thumbnails::find(database, &source.hash, form).await? {
            return Ok(made);
        }
        let permit = Arc::clone(&self.0.thumbnails.permits).acquire_owned().await;
        let bytes = read_whole(&*self.0.blobs, source.key.clone(), 0..source.size).await?;
        let rendered = spawn_blocking(move || {
            // Held to the end of the work, also when nobody waits for it any more.
            let _permit = permit;
            render(&bytes, format, form, options.source_pixels_max)
        });
        // A decoder that panics has met something that is no image.
        let rendered = rendered
            .await
            .unwrap_or_else(|error| Err(MediaError::NoThumbnail(error.to_string())))?;
        metrics::counter!("echorift_media_thumbnails_made_total").increment(1);
        self.keep_thumbnail(source, form, rendered).await
    }

    async fn keep_thumbnail(
        &self,
        source: Content,
        form: Form,
        rendered: Rendered,
    ) -> Result<Made, MediaError> {
        match rendered {
            Rendered::Source(content_type) => {
                let hash = source.hash.clone();
                let noted: Result<(), MediaError> = self
                    .0
                    .database
                    .writer()
                    .transact(move |tx| {
                        Box::pin(async move {
                            Ok(store::thumbnails::insert(tx, &hash, form, &hash, content_type).await?)
                        })
                    })
                    .await;
                noted?;
                Ok(Made {
                    content: source,
                    content_type: content_type.to_owned(),
                })
            }
            Rendered::Image { bytes, content_type } => {
                let staged = self.0.staging.receive_bytes(Bytes::from(bytes)).await?;
                let (of, hash) = (source.hash.clone(), staged.hash.clone());
                self.with_content(staged, move |tx| {
                    let (of, hash) = (of.clone(), hash.clone());
                    Box::pin(async move {
                        Ok(store::thumbnails::insert(tx, &of, form, &hash, content_type).await?)
                    })
                })
                .await?;
                let made = store::thumbnails::find(&self.0.database, &source.hash, form).await?;
                made.ok_or_else(|| MediaError::Lost(source.key.to_string()))
            }
        }
    }
}

/// What an image says of itself, without unpacking it: its format and how large it is shown.
pub(crate) fn measure(bytes: &[u8], pixels_max: u64) -> Option<(ImageFormat, u32, u32)> {
    let format = sniff(bytes)?;
    let (width, height) = Source::open(bytes, format, pixels_max).ok()?.shown_size();
    Some((format, width, height))
}
