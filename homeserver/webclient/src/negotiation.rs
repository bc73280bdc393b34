//! What a request's headers ask for (RFC 9110 § Content negotiation, § Conditional requests).

use http::{HeaderMap, HeaderName, header};

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// The smallest first.
    const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// In `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// What the packed copy of a file has behind its name.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }
}

/// The encodings that the client takes, the smallest first.
pub(crate) fn encodings(headers: &HeaderMap) -> Vec<Encoding> {
    let takes = |encoding: &Encoding| {
        let own = weight(headers, &header::ACCEPT_ENCODING, encoding.name());
        own.or_else(|| weight(headers, &header::ACCEPT_ENCODING, "*"))
            .is_some_and(|weight| weight > 0.0)
    };
    Encoding::ALL.into_iter().filter(takes).collect()
}

/// Whether a page is wanted, as when somebody opens an address: programs that take anything do not ask for one.
pub(crate) fn accepts_html(headers: &HeaderMap) -> bool {
    weight(headers, &header::ACCEPT, "text/html").is_some_and(|weight| weight > 0.0)
}

/// Whether the client has this very content already.
pub(crate) fn has_current(headers: &HeaderMap, etag: &str) -> bool {
    items(headers, &header::IF_NONE_MATCH)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}

/// How much the header wants a word: 1 unless it says so, `None` if it does not name it.
fn weight(headers: &HeaderMap, name: &HeaderName, word: &str) -> Option<f32> {
    items(headers, name).find_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_it = parts.next()?.eq_ignore_ascii_case(word);
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        is_it.then(|| weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
    })
}

fn items<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn the_smallest_encoding_that_is_taken_comes_first() {
        use Encoding::{Brotli, Gzip};
        for (accepted, expected) in [
            ("gzip, deflate, br, zstd", vec![Brotli, Gzip]),
            ("gzip", vec![Gzip]),
            ("GZIP;q=0.5", vec![Gzip]),
            ("br;q=0, gzip;q=1.0", vec![Gzip]),
            ("*", vec![Brotli, Gzip]),
            ("*, br;q=0", vec![Gzip]),
            ("gzip;q=nonsense", vec![]),
            ("identity", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(
                encodings(&with(header::ACCEPT_ENCODING, accepted)),
                expected,
                "{accepted}"
            );
        }
        assert!(encodings(&HeaderMap::new()).is_empty());
    }

    #[test]
    fn only_who_asks_for_a_page_gets_one() {
        for (accepted, expected) in [
            ("text/html,application/xhtml+xml,*/*;q=0.8", true),
            ("application/json, TEXT/HTML;q=0.1", true),
            ("*/*", false),
            ("text/html;q=0", false),
            ("application/json", false),
        ] {
            assert_eq!(
                accepts_html(&with(header::ACCEPT, accepted)),
                expected,
                "{accepted}"
            );
        }
    }

    #[test]
    fn known_content_is_told_by_its_tag() {
        for (known, expected) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
        ] {
            assert_eq!(
                has_current(&with(header::IF_NONE_MATCH, known), "\"a\""),
                expected,
                "{known}"
            );
        }
    }
}
