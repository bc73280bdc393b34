//! The files inside the binary.

use super::{Content, Found};
use crate::negotiation::Encoding;

// `FOLDER`: where the client is built, if it is to be read from there. `FILES`: those inside, in the order of their paths.
include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// One file of the client.
#[derive(Debug)]
pub(crate) struct EmbeddedFile {
    path: &'static str,
    /// With its quotes.
    etag: &'static str,
    bytes: &'static [u8],
}

pub(super) fn find(files: &'static [EmbeddedFile], name: &str, encodings: &[Encoding]) -> Option<Found> {
    let plain = look_up(files, name)?;
    let packed = encodings.iter().find_map(|encoding| {
        let file = look_up(files, &format!("{name}{}", encoding.suffix()))?;
        Some((file, Some(*encoding)))
    });
    let (file, encoding) = packed.unwrap_or((plain, None));
    Some(Found {
        content: Content::Bytes(file.bytes),
        encoding,
        etag: file.etag.to_owned(),
        length: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
    })
}

fn look_up(files: &'static [EmbeddedFile], path: &str) -> Option<&'static EmbeddedFile> {
    let index = files.binary_search_by(|file| file.path.cmp(path)).ok()?;
    files.get(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    static SOME: &[EmbeddedFile] = &[
        EmbeddedFile {
            path: "assets/a.js",
            etag: "\"1\"",
            bytes: b"let a = 1;",
        },
        EmbeddedFile {
            path: "assets/a.js.br",
            etag: "\"2\"",
            bytes: b"packed",
        },
        EmbeddedFile {
            path: "index.html",
            etag: "\"3\"",
            bytes: b"<!doctype html>",
        },
    ];

    #[test]
    fn a_file_is_found_as_it_is_wanted() {
        let found = |name, encodings: &[Encoding]| {
            find(SOME, name, encodings).map(|found| (found.etag, found.encoding, found.length))
        };
        let packed = Some(Encoding::Brotli);
        assert_eq!(
            found("assets/a.js", &[Encoding::Brotli]),
            Some(("\"2\"".to_owned(), packed, 6))
        );
        assert_eq!(
            found("assets/a.js", &[Encoding::Gzip]),
            Some(("\"1\"".to_owned(), None, 10))
        );
        assert_eq!(
            found("index.html", &[Encoding::Brotli]),
            Some(("\"3\"".to_owned(), None, 15))
        );
        assert_eq!(found("assets/b.js", &[]), None);
    }

    #[test]
    fn what_was_built_in_can_be_looked_up() {
        assert!(FILES.is_sorted_by_key(|file| file.path));
    }
}
