use std::fmt::Write as _;

use http::HeaderValue;

/// Types that browsers may show in place (CS API § Serving inline content). Everything else is to be saved.
const INLINE: [&str; 26] = [
    "text/css",
    "text/plain",
    "text/csv",
    "application/json",
    "application/ld+json",
    "image/jpeg",
    "image/gif",
    "image/png",
    "image/apng",
    "image/webp",
    "image/avif",
    "video/mp4",
    "video/webm",
    "video/ogg",
    "video/quicktime",
    "audio/mp4",
    "audio/webm",
    "audio/aac",
    "audio/mpeg",
    "audio/ogg",
    "audio/wave",
    "audio/wav",
    "audio/x-wav",
    "audio/x-pn-wav",
    "audio/flac",
    "audio/x-flac",
];

/// `Content-Disposition` of a content (RFC 6266): in place only where that is harmless, with the file's name if it has one.
pub(crate) fn disposition(content_type: &str, file_name: Option<&str>) -> HeaderValue {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let is_inline = INLINE.iter().any(|inline| inline.eq_ignore_ascii_case(essence));
    let (kind, bare) = if is_inline {
        ("inline", HeaderValue::from_static("inline"))
    } else {
        ("attachment", HeaderValue::from_static("attachment"))
    };
    let Some(name) = file_name else { return bare };
    HeaderValue::from_str(&format!("{kind}; {}", parameters(name))).unwrap_or(bare)
}

/// The name in quotes, and where that cannot hold it, in the extended form as well (RFC 8187), which goes first with
/// those who know it.
fn parameters(name: &str) -> String {
    let mut quoted = String::from("filename=\"");
    let mut is_exact = true;
    for letter in name.chars() {
        match letter {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(letter);
            }
            ' '..='~' => quoted.push(letter),
            _ => {
                quoted.push('_');
                is_exact = false;
            }
        }
    }
    quoted.push('"');
    if !is_exact {
        quoted.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                quoted.push(char::from(byte));
            } else {
                let _ = write!(quoted, "%{byte:02X}");
            }
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_types_are_shown_in_place() {
        assert_eq!(disposition("image/png", None), "inline");
        assert_eq!(disposition("Text/Plain; charset=utf-8", None), "inline");
        for dangerous in [
            "text/html",
            "image/svg+xml",
            "application/pdf",
            "application/octet-stream",
            "",
        ] {
            assert_eq!(disposition(dangerous, None), "attachment", "{dangerous}");
        }
    }

    #[test]
    fn any_name_survives() {
        let named = |name| disposition("image/png", Some(name));
        assert_eq!(named("a b.png"), "inline; filename=\"a b.png\"");
        assert_eq!(named("a\"b\\c"), "inline; filename=\"a\\\"b\\\\c\"");
        assert_eq!(
            named("Größe €.png"),
            "inline; filename=\"Gr__e _.png\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%E2%82%AC.png"
        );
        assert_eq!(
            named("a\r\nSet-Cookie: b"),
            "inline; filename=\"a__Set-Cookie: b\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b"
        );
    }
}
