//! From an image to its thumbnail. Everything here computes, so it runs off the async threads.

use image::codecs::gif::{GifEncoder, Repeat};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, Frame, ImageFormat};

use super::form::Form;
use super::geometry::{Plan, Size};
use super::source::{Source, inline_type, refuse};
use crate::MediaError;

const JPEG_QUALITY: u8 = 82;
/// Longer animations get a thumbnail that stands still.
const FRAMES_MAX: u64 = 300;
/// All frames of an animation together may be unpacked to so many times what one image may.
const ANIMATION_PIXELS_FACTOR: u64 = 4;
/// Choosing colours for animations costs more than the rest, so the pixels of their thumbnails are bounded, too.
const ANIMATED_RESULT_PIXELS_MAX: u64 = 40_000_000;
/// From 1, the best colours, to 30, the quickest.
const COLOUR_SPEED: i32 = 20;

/// What came of it.
#[derive(Debug)]
pub(super) enum Rendered {
    /// The image is its own thumbnail, under this type.
    Source(&'static str),
    Image {
        bytes: Vec<u8>,
        content_type: &'static str,
    },
}

/// Errors: `NoThumbnail` for what is no image, `TooLargeForThumbnail`.
pub(super) fn render(
    bytes: &[u8],
    format: ImageFormat,
    form: Form,
    pixels_max: u64,
) -> Result<Rendered, MediaError> {
    let source = Source::open(bytes, format, pixels_max)?;
    let (width, height) = source.shown_size();
    let shown = Size { width, height };
    let plan = Plan::of(shown, form);
    let moves = source.is_animated()?;
    if plan.keeps(shown)
        && form.is_animated >= moves
        && let Some(content_type) = inline_type(source.format)
    {
        return Ok(Rendered::Source(content_type));
    }
    if form.is_animated
        && moves
        && let Some(bytes) = render_moving(&source, plan, pixels_max)?
    {
        let content_type = "image/gif";
        return Ok(Rendered::Image { bytes, content_type });
    }
    render_still(&source, plan)
}

fn render_still(source: &Source<'_>, plan: Plan) -> Result<Rendered, MediaError> {
    let image = source.unpack()?;
    // Turned when it is small. A plan for what is seen fits what lies in the file after turning it, too.
    let plan = if source.lies_on_its_side() {
        plan.turned()
    } else {
        plan
    };
    let mut image = shrink(image, plan);
    if source.orientation != Orientation::NoTransforms {
        image.apply_orientation(source.orientation);
    }
    let mut bytes = Vec::new();
    let content_type = if is_opaque(&image) {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
        image.to_rgb8().write_with_encoder(encoder).map_err(refuse)?;
        "image/jpeg"
    } else {
        let encoder = PngEncoder::new(&mut bytes);
        image.to_rgba8().write_with_encoder(encoder).map_err(refuse)?;
        "image/png"
    };
    Ok(Rendered::Image { bytes, content_type })
}

/// `None` if the animation is more than it is worth, or breaks off: its first frame will do then.
fn render_moving(source: &Source<'_>, plan: Plan, pixels_max: u64) -> Result<Option<Vec<u8>>, MediaError> {
    let Some(frames) = source.frames()? else {
        return Ok(None);
    };
    let mut left = pixels_max.saturating_mul(ANIMATION_PIXELS_FACTOR) / source.size.pixels().max(1);
    left = left
        .min(ANIMATED_RESULT_PIXELS_MAX / plan.result.pixels().max(1))
        .min(FRAMES_MAX);
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, COLOUR_SPEED);
    encoder.set_repeat(Repeat::Infinite).map_err(refuse)?;
    for frame in frames {
        let (Ok(frame), Some(fewer)) = (frame, left.checked_sub(1)) else {
            return Ok(None);
        };
        left = fewer;
        let delay = frame.delay();
        let picture = shrink(DynamicImage::ImageRgba8(frame.into_buffer()), plan).into_rgba8();
        encoder
            .encode_frame(Frame::from_parts(picture, 0, 0, delay))
            .map_err(refuse)?;
    }
    drop(encoder);
    Ok(Some(bytes))
}

fn shrink(image: DynamicImage, plan: Plan) -> DynamicImage {
    let Plan { part, result } = plan;
    let left = image.width().saturating_sub(part.width) / 2;
    let top = image.height().saturating_sub(part.height) / 2;
    let is_whole = image.width() == part.width && image.height() == part.height;
    let mut image = if is_whole {
        image
    } else {
        image.crop_imm(left, top, part.width, part.height)
    };
    // Averaging is quick and does most of the way; the filter keeps edges sharp on the rest.
    let (twice_width, twice_height) = (result.width.saturating_mul(2), result.height.saturating_mul(2));
    if image.width() > twice_width.saturating_mul(2) && image.height() > twice_height.saturating_mul(2) {
        image = image.thumbnail_exact(twice_width, twice_height);
    }
    if image.width() == result.width && image.height() == result.height {
        return image;
    }
    image.resize_exact(result.width, result.height, FilterType::CatmullRom)
}

fn is_opaque(image: &DynamicImage) -> bool {
    !image.color().has_alpha() || image.to_rgba8().pixels().all(|pixel| pixel.0[3] == u8::MAX)
}
