//! Which part of an image becomes which size.

use super::form::{Form, Method};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: u32,
    pub(super) height: u32,
}

/// What is to be done with an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// The part that is taken, from the middle.
    pub(super) part: Size,
    /// What it is brought to; never larger than `part`.
    pub(super) result: Size,
}

impl Size {
    pub(super) fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    pub(super) fn turned(self) -> Self {
        Self {
            width: self.height,
            height: self.width,
        }
    }
}

impl Plan {
    /// Nothing is ever enlarged (CS API § Thumbnails).
    pub(super) fn of(source: Size, form: Form) -> Self {
        match form.method {
            Method::Scale => Self {
                part: source,
                result: within(source, form.width, form.height),
            },
            Method::Crop => {
                let wanted = Size {
                    width: form.width,
                    height: form.height,
                };
                let fits = source.width <= wanted.width && source.height <= wanted.height;
                let part = if fits { source } else { shape_of(wanted, source) };
                let result = if part.width > wanted.width { wanted } else { part };
                Self { part, result }
            }
        }
    }

    /// Whether the image stays as it is.
    pub(super) fn keeps(self, source: Size) -> bool {
        self.result == source
    }

    /// The same for an image that lies on its side.
    pub(super) fn turned(self) -> Self {
        Self {
            part: self.part.turned(),
            result: self.result.turned(),
        }
    }
}

/// The size of `source`, shrunk until it is within the box.
fn within(source: Size, width: u32, height: u32) -> Size {
    if source.width <= width && source.height <= height {
        return source;
    }
    // Which side meets the box first.
    let is_wide = u64::from(source.width) * u64::from(height) > u64::from(source.height) * u64::from(width);
    if is_wide {
        Size {
            width,
            height: scaled(source.height, width, source.width),
        }
    } else {
        Size {
            width: scaled(source.width, height, source.height),
            height,
        }
    }
}

/// The largest size within `source` that has the aspect ratio of `wanted`.
fn shape_of(wanted: Size, source: Size) -> Size {
    let is_wide = u64::from(source.width) * u64::from(wanted.height)
        > u64::from(source.height) * u64::from(wanted.width);
    if is_wide {
        Size {
            width: scaled(wanted.width, source.height, wanted.height).min(source.width),
            height: source.height,
        }
    } else {
        Size {
            width: source.width,
            height: scaled(wanted.height, source.width, wanted.width).min(source.height),
        }
    }
}

/// `length * numerator / denominator`, rounded, and at least 1.
fn scaled(length: u32, numerator: u32, denominator: u32) -> u32 {
    let denominator = u64::from(denominator.max(1));
    let product = u64::from(length) * u64::from(numerator);
    u32::try_from((product + denominator / 2) / denominator)
        .unwrap_or(u32::MAX)
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(source: (u32, u32), method: Method, wanted: (u32, u32)) -> ((u32, u32), (u32, u32)) {
        let size = |(width, height)| Size { width, height };
        let form = Form {
            width: wanted.0,
            height: wanted.1,
            method,
            is_animated: false,
        };
        let plan = Plan::of(size(source), form);
        (
            (plan.part.width, plan.part.height),
            (plan.result.width, plan.result.height),
        )
    }

    #[test]
    fn scaling_keeps_the_aspect_ratio_and_never_enlarges() {
        let scale = |source, wanted| plan(source, Method::Scale, wanted).1;
        assert_eq!(scale((1_000, 1_000), (320, 240)), (240, 240));
        assert_eq!(scale((2_000, 1_000), (320, 240)), (320, 160));
        assert_eq!(scale((100, 100), (320, 240)), (100, 100));
        assert_eq!(scale((10_000, 1), (320, 240)), (320, 1));
    }

    #[test]
    fn cropping_takes_the_middle_in_the_wanted_aspect_ratio() {
        let crop = |source, wanted| plan(source, Method::Crop, wanted);
        assert_eq!(crop((1_000, 500), (96, 96)), ((500, 500), (96, 96)));
        assert_eq!(crop((1_000, 500), (128, 64)), ((1_000, 500), (128, 64)));
        assert_eq!(crop((500, 50), (96, 96)), ((50, 50), (50, 50)));
        assert_eq!(crop((90, 80), (96, 96)), ((90, 80), (90, 80)));
        assert_eq!(crop((1, 10_000), (96, 96)), ((1, 1), (1, 1)));
    }
}
