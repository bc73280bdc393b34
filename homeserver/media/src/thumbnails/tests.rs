#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use image::{ImageFormat, RgbImage};
use proptest::prelude::*;

use super::*;

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = RgbImage::from_fn(120, 80, |x, y| {
        image::Rgb([x, y, x ^ y].map(|n| u8::try_from(n).unwrap()))
    });
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is wrong with a file, it is refused or rendered, within the limits.
    #[test]
    fn a_damaged_file_does_no_damage(
        which in 0..5_usize,
        damage in proptest::collection::vec((0..4_000_usize, any::<u8>()), 1..12),
        is_animated in any::<bool>(),
    ) {
        const FORMATS: [ImageFormat; 5] =
            [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Bmp];
        let mut bytes = encoded(FORMATS[which]);
        for (place, value) in damage {
            let length = bytes.len();
            bytes[place % length] = value;
        }
        let form = Form::serving(Method::Crop, 32, 32, is_animated);
        if let Some(format) = sniff(&bytes)
            && let Ok(Rendered::Image { bytes, .. }) = render(&bytes, format, form, 100_000)
        {
            let (width, height) = image::load_from_memory(&bytes).map(|image| (image.width(), image.height())).unwrap();
            prop_assert!(width <= 32 && height <= 32);
        }
    }
}
