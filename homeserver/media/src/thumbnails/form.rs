//! Which thumbnails there are: few enough forms that they are worth keeping.

/// How an image is brought to a size (CS API § Thumbnails).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Method {
    /// The middle of the image, in the aspect ratio that was asked for.
    Crop,
    /// The whole image, in its own aspect ratio, within the size that was asked for.
    Scale,
}

/// The size and kind of a thumbnail, as it is made and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Form {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) method: Method,
    pub(crate) is_animated: bool,
}

/// What the specification recommends for `scale`, with one more for large screens.
const BOXES: [(u32, u32); 4] = [(320, 240), (640, 480), (800, 600), (1_600, 1_200)];
/// Longer sides of cropped thumbnails; 32 and 96 are what the specification recommends.
const SIDES: [u32; 12] = [32, 64, 96, 128, 192, 256, 320, 480, 640, 800, 1_200, 1_600];
/// Stands for "as large as the image is".
const WHOLE: u32 = 65_535;

impl Form {
    /// The form that serves a wish: at least as large, of the same aspect ratio for `crop`.
    pub(crate) fn serving(method: Method, width: u32, height: u32, is_animated: bool) -> Self {
        let (width, height) = match method {
            Method::Scale => BOXES
                .into_iter()
                .find(|(w, h)| width <= *w && height <= *h)
                .unwrap_or((WHOLE, WHOLE)),
            Method::Crop => {
                let longer = width.max(height).max(1);
                let side = SIDES.into_iter().find(|side| longer <= *side).unwrap_or(WHOLE);
                (grown(width, side, longer), grown(height, side, longer))
            }
        };
        Self {
            width,
            height,
            method,
            is_animated,
        }
    }

    /// A form out of the short list for those that are not, when an image has been asked for in too many.
    pub(crate) fn common(self) -> Self {
        Self::serving(Method::Scale, self.width, self.height, self.is_animated)
    }
}

/// `length * side / longer`, rounded up, and at least 1.
fn grown(length: u32, side: u32, longer: u32) -> u32 {
    let grown = (u64::from(length) * u64::from(side)).div_ceil(u64::from(longer));
    u32::try_from(grown).unwrap_or(side).clamp(1, side)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(method: Method, width: u32, height: u32) -> (u32, u32) {
        let form = Form::serving(method, width, height, false);
        (form.width, form.height)
    }

    #[test]
    fn a_wish_is_served_by_the_next_larger_form() {
        assert_eq!(size(Method::Crop, 32, 32), (32, 32));
        assert_eq!(size(Method::Crop, 33, 33), (64, 64));
        assert_eq!(size(Method::Crop, 96, 96), (96, 96));
        assert_eq!(size(Method::Crop, 100, 50), (128, 64));
        assert_eq!(size(Method::Crop, 4_000, 1), (65_535, 17));
        assert_eq!(size(Method::Scale, 1, 1), (320, 240));
        assert_eq!(size(Method::Scale, 320, 241), (640, 480));
        assert_eq!(size(Method::Scale, 800, 600), (800, 600));
        assert_eq!(size(Method::Scale, 1_601, 1), (65_535, 65_535));
        assert_eq!(size(Method::Crop, u32::MAX, u32::MAX), (65_535, 65_535));
    }
}
