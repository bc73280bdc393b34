use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// A page says its encoding within this many bytes, or not at all (HTML § Determining the character encoding).
const DECLARED_WITHIN: usize = 1_024;

/// The text of a page. What tells its encoding, surest first: a byte order mark, the response's header, the page itself;
/// and if nothing does, whether it reads as UTF-8.
pub(super) fn decode(page: &[u8], header: Option<&str>) -> String {
    let said = Encoding::for_bom(page)
        .map(|(encoding, _)| encoding)
        .or_else(|| Encoding::for_label(header?.as_bytes()))
        .or_else(|| declared(page));
    let encoding = said.unwrap_or_else(|| {
        // The last letter may have been cut in two.
        match std::str::from_utf8(page) {
            Err(error) if error.error_len().is_some() => WINDOWS_1252,
            _ => UTF_8,
        }
    });
    encoding.decode(page).0.into_owned()
}

/// `<meta charset=…>`, or the same inside of `<meta http-equiv=content-type content=…>`.
fn declared(page: &[u8]) -> Option<&'static Encoding> {
    let head = page.get(..DECLARED_WITHIN).unwrap_or(page);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    head.split("<meta").skip(1).find_map(|tag| {
        let tag = tag.split('>').next()?;
        let (_, value) = tag.split_once("charset")?;
        let value = value.trim_start().strip_prefix('=')?.trim_start();
        let value = value.trim_start_matches(['"', '\'']);
        let label = value.split(['"', '\'', ' ', ';', '/']).next()?;
        let encoding = Encoding::for_label(label.as_bytes())?;
        // It cannot be read as ASCII and be UTF-16.
        Some(encoding.output_encoding())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_word_about_the_encoding_counts() {
        assert_eq!(decode(b"\xef\xbb\xbfG\xc3\xbcte", Some("latin1")), "Güte");
        assert_eq!(decode(b"G\xfcte", Some("ISO-8859-1")), "Güte");
        assert_eq!(decode(b"\xc7\xe5\xeb\xeb", Some("iso-8859-7")), "Ηελλ");
        assert_eq!(
            decode(b"<meta charset=shift_jis>\x83\x65", None),
            "<meta charset=shift_jis>テ"
        );
        let equiv = b"<meta http-equiv='Content-Type' content='text/html; charset=windows-1251'>\xcf";
        assert!(decode(equiv, None).ends_with('П'));
        assert_eq!(decode("Güte".as_bytes(), None), "Güte");
        assert_eq!(decode(b"G\xfcte", None), "Güte");
        assert_eq!(decode(b"G\xc3", Some("no such thing")), "G\u{fffd}");
    }
}
