//! Images of strangers: looked at before they are unpacked.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{
    AnimationDecoder, DynamicImage, Frames, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
};

use super::geometry::Size;
use crate::MediaError;

/// Longest side of an image that is unpacked.
const SIDE_MAX: u32 = 65_535;
/// What a decoder may take beside the pixels themselves.
const DECODER_BYTES: u64 = 64 << 20;

/// The format of an image by its first bytes, whatever it is said to be; `None` if it is not one that we read.
pub(crate) fn sniff(head: &[u8]) -> Option<ImageFormat> {
    image::guess_format(head).ok().filter(|format| {
        matches!(
            format,
            ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Gif | ImageFormat::WebP | ImageFormat::Bmp
        )
    })
}

/// The type under which an image of this format may be shown in place (CS API § Serving inline content).
pub(crate) fn inline_type(format: ImageFormat) -> Option<&'static str> {
    match format {
        ImageFormat::Jpeg => Some("image/jpeg"),
        ImageFormat::Png => Some("image/png"),
        ImageFormat::Gif => Some("image/gif"),
        ImageFormat::WebP => Some("image/webp"),
        _ => None,
    }
}

/// An image whose head has been read and found to be of a bearable size.
pub(crate) struct Source<'a> {
    bytes: &'a [u8],
    pub(super) format: ImageFormat,
    limits: Limits,
    /// As it lies in the file.
    pub(super) size: Size,
    pub(super) orientation: Orientation,
}

impl<'a> Source<'a> {
    /// Errors: `TooLargeForThumbnail` for more than `pixels_max`, `NoThumbnail` if the head cannot be read.
    pub(crate) fn open(bytes: &'a [u8], format: ImageFormat, pixels_max: u64) -> Result<Self, MediaError> {
        let mut limits = Limits::default();
        limits.max_image_width = Some(SIDE_MAX);
        limits.max_image_height = Some(SIDE_MAX);
        limits.max_alloc = Some(pixels_max.saturating_mul(4).saturating_add(DECODER_BYTES));
        let mut decoder = decoder(bytes, format, &limits)?;
        let (width, height) = decoder.dimensions();
        let size = Size { width, height };
        // Images of 16 bits a channel take twice the room.
        let bytes_max = pixels_max.saturating_mul(4);
        if size.pixels() > pixels_max || decoder.total_bytes() > bytes_max {
            return Err(MediaError::TooLargeForThumbnail);
        }
        if size.pixels() == 0 {
            return Err(MediaError::NoThumbnail("the image is empty".to_owned()));
        }
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        Ok(Self {
            bytes,
            format,
            limits,
            size,
            orientation,
        })
    }

    /// As it is to be seen.
    pub(crate) fn shown_size(&self) -> (u32, u32) {
        let size = if self.lies_on_its_side() {
            self.size.turned()
        } else {
            self.size
        };
        (size.width, size.height)
    }

    /// Whether width and height change places when it is shown.
    pub(super) fn lies_on_its_side(&self) -> bool {
        matches!(
            self.orientation,
            Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH
        )
    }

    /// The image, the first one of an animation, as it lies in the file.
    pub(super) fn unpack(&self) -> Result<DynamicImage, MediaError> {
        DynamicImage::from_decoder(decoder(self.bytes, self.format, &self.limits)?).map_err(refuse)
    }

    /// Every picture of the animation in full, if it is one.
    pub(super) fn frames(&self) -> Result<Option<Frames<'a>>, MediaError> {
        let bytes = Cursor::new(self.bytes);
        Ok(match self.format {
            ImageFormat::Gif => {
                let mut decoder = GifDecoder::new(bytes).map_err(refuse)?;
                decoder.set_limits(self.limits.clone()).map_err(refuse)?;
                Some(decoder.into_frames())
            }
            ImageFormat::WebP => {
                let mut decoder = WebPDecoder::new(bytes).map_err(refuse)?;
                decoder.set_limits(self.limits.clone()).map_err(refuse)?;
                decoder.has_animation().then(|| decoder.into_frames())
            }
            ImageFormat::Png => {
                let decoder = PngDecoder::with_limits(bytes, self.limits.clone()).map_err(refuse)?;
                if decoder.is_apng().map_err(refuse)? {
                    Some(decoder.apng().map_err(refuse)?.into_frames())
                } else {
                    None
                }
            }
            _ => None,
        })
    }

    /// Whether it moves: two pictures are enough to tell.
    pub(super) fn is_animated(&self) -> Result<bool, MediaError> {
        Ok(match self.frames()? {
            Some(frames) => frames.take(2).filter(Result::is_ok).count() > 1,
            None => false,
        })
    }
}

fn decoder<'a>(
    bytes: &'a [u8],
    format: ImageFormat,
    limits: &Limits,
) -> Result<impl ImageDecoder + 'a, MediaError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    reader.into_decoder().map_err(refuse)
}

pub(super) fn refuse(error: ImageError) -> MediaError {
    match error {
        ImageError::Limits(_) => MediaError::TooLargeForThumbnail,
        error => MediaError::NoThumbnail(error.to_string()),
    }
}
