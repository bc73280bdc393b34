//! Pictures to be uploaded.

use std::io::Cursor;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, DynamicImage, Frame, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

pub(crate) const RED: [u8; 3] = [220, 20, 20];
pub(crate) const BLUE: [u8; 3] = [20, 20, 220];

/// Opaque: the left half red, the right half blue.
pub(crate) fn halves(width: u32, height: u32) -> DynamicImage {
    let half = width / 2;
    RgbImage::from_fn(width, height, |x, _| Rgb(if x < half { RED } else { BLUE })).into()
}

pub(crate) fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("it can be encoded");
    bytes.into_inner()
}

pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    encode(&halves(width, height), ImageFormat::Png)
}

/// Half of it cannot be seen.
pub(crate) fn transparent_png(width: u32, height: u32) -> Vec<u8> {
    let image = RgbaImage::from_fn(width, height, |x, _| {
        Rgba(if x < width / 2 { [220, 20, 20, 255] } else { [0; 4] })
    });
    encode(&image.into(), ImageFormat::Png)
}

pub(crate) fn moving_gif(width: u32, height: u32, frames: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 30);
    encoder.set_repeat(Repeat::Infinite).unwrap();
    for n in 0..frames {
        let shade = u8::try_from(n * 200 / frames).unwrap();
        let picture = RgbaImage::from_pixel(width, height, Rgba([shade, 100, 200, 255]));
        let delay = Delay::from_numer_denom_ms(100, 1);
        encoder
            .encode_frame(Frame::from_parts(picture, 0, 0, delay))
            .unwrap();
    }
    drop(encoder);
    bytes
}

/// A JPEG that says it lies on its side: to be turned to the right by a quarter before it is shown.
pub(crate) fn turned_jpeg(width: u32, height: u32) -> Vec<u8> {
    let plain = encode(&halves(width, height), ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01".to_vec();
    // Tag 0x0112 (orientation), one short: 6.
    exif.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let (start, rest) = plain.split_at(2);
    [start, b"\xff\xe1", &length, &exif, rest].concat()
}

/// A PNG of a few dozen bytes that says it is this large, with right checksums.
pub(crate) fn claimed_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [
        &width.to_be_bytes()[..],
        &height.to_be_bytes()[..],
        &[8, 2, 0, 0, 0],
    ]
    .concat();
    for (kind, data) in [
        (b"IHDR", header),
        (b"IDAT", vec![0x78, 0x9c]),
        (b"IEND", Vec::new()),
    ] {
        bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let checked = [&kind[..], &data].concat();
        bytes.extend(&checked);
        bytes.extend(crc32(&checked).to_be_bytes());
    }
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
        })
    })
}

/// Whether a colour is this one, as far as lossy formats keep it.
pub(crate) fn is_close(image: &DynamicImage, x: u32, y: u32, expected: [u8; 3]) -> bool {
    let Rgb(found) = image.to_rgb8().get_pixel(x, y).to_owned();
    found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 40)
}
