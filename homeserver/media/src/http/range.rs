use std::ops::Range;

/// What a `Range` header asks for of a content (RFC 9110 § 14).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Everything: no range, several at once, or one that cannot be read.
    Whole,
    One(Range<u64>),
    /// Nothing that the content has.
    Unsatisfiable,
}

impl Part {
    pub(super) fn parse(header: Option<&str>, size: u64) -> Self {
        let Some(range) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
            return Self::Whole;
        };
        let Some((first, last)) = range.split_once('-') else {
            return Self::Whole;
        };
        match (first.trim(), last.trim()) {
            ("", suffix) => match number(suffix) {
                None => Self::Whole,
                Some(0) => Self::Unsatisfiable,
                Some(_) if size == 0 => Self::Unsatisfiable,
                Some(length) => Self::One(size.saturating_sub(length)..size),
            },
            (first, last) => {
                let Some(start) = number(first) else {
                    return Self::Whole;
                };
                let end = if last.is_empty() {
                    size
                } else {
                    match number(last) {
                        Some(last) if last >= start => last.saturating_add(1).min(size),
                        _ => return Self::Whole,
                    }
                };
                if start >= size {
                    Self::Unsatisfiable
                } else {
                    Self::One(start..end)
                }
            }
        }
    }
}

/// Digits alone; a comma means several ranges.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // More than we can count is more than any content has.
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_served_and_all_else_is_the_whole() {
        let part = |header| Part::parse(Some(header), 100);
        assert_eq!(part("bytes=0-0"), Part::One(0..1));
        assert_eq!(part("bytes=10-19"), Part::One(10..20));
        assert_eq!(part("bytes=90-"), Part::One(90..100));
        assert_eq!(part("bytes=90-1000"), Part::One(90..100));
        assert_eq!(part("bytes=-10"), Part::One(90..100));
        assert_eq!(part("bytes=-1000"), Part::One(0..100));
        assert_eq!(part("bytes=0-99999999999999999999999"), Part::One(0..100));
        for whole in [
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=0-1,5-6",
            "items=0-1",
            "bytes=+1-2",
        ] {
            assert_eq!(part(whole), Part::Whole, "{whole}");
        }
        for none in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(part(none), Part::Unsatisfiable, "{none}");
        }
        assert_eq!(Part::parse(None, 100), Part::Whole);
        assert_eq!(Part::parse(Some("bytes=0-"), 0), Part::Unsatisfiable);
        assert_eq!(Part::parse(Some("bytes=-5"), 0), Part::Unsatisfiable);
    }
}
