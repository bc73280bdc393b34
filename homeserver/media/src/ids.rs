use std::fmt;

use rand::Rng as _;
use rand::distr::Alphanumeric;

/// Letters of a new media id: 190 bits, so that an id that was not told cannot be guessed.
const MEDIA_ID_LETTERS: usize = 32;
/// Letters that tell two blobs of one content apart.
const BLOB_SUFFIX_LETTERS: usize = 12;
/// Longest media id that is looked up.
const MEDIA_ID_LETTERS_MAX: usize = 255;

/// The second half of an `mxc://` URI: letters, digits, `-` and `_` only (CS API § Content repository, security
/// considerations).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct MediaId(String);

impl MediaId {
    pub(crate) fn random() -> Self {
        Self(letters(MEDIA_ID_LETTERS))
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_id = !text.is_empty()
            && text.len() <= MEDIA_ID_LETTERS_MAX
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        is_id.then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-256 of a content, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ContentHash(String);

impl ContentHash {
    pub(crate) fn of_digest(digest: &[u8]) -> Self {
        use fmt::Write as _;
        let mut text = String::with_capacity(digest.len() * 2);
        for byte in digest {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// As the database holds it.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a content in the store: its hash, so that an operator can check it, and a word of its own, so that a
/// name is never used twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct BlobKey(String);

impl BlobKey {
    pub(crate) fn new(hash: &ContentHash) -> Self {
        Self(format!("{}-{}", hash.as_str(), letters(BLOB_SUFFIX_LETTERS)))
    }

    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn letters(count: usize) -> String {
    rand::rng()
        .sample_iter(Alphanumeric)
        .take(count)
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_letters_make_a_media_id() {
        assert!(MediaId::parse(MediaId::random().as_str()).is_some());
        assert!(MediaId::parse("aZ09-_").is_some());
        for wrong in ["", ".", "..", "a/b", "a%2Fb", "ä", "a b", &"a".repeat(256)] {
            assert_eq!(MediaId::parse(wrong), None, "{wrong:?}");
        }
    }
}
