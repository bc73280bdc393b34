use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::Rng as _;
use sha2::{Digest as _, Sha256};

/// A secret of 256 random bits, as 43 letters that fit anywhere.
pub(crate) fn random_secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 32]>())
}

/// A name of 128 random bits, as 22 letters.
pub(crate) fn random_name() -> String {
    URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 16]>())
}

/// `length` random capital letters, as device IDs have them.
pub(crate) fn random_letters(length: usize) -> String {
    let mut rng = rand::rng();
    (0..length)
        .map(|_| char::from(rng.random_range(b'A'..=b'Z')))
        .collect()
}

/// A key for `purpose` from a secret. Who knows one of them, or the hash that is stored, learns nothing of the others.
pub(crate) fn derive(purpose: &str, secret: &str) -> [u8; 32] {
    // No purpose holds a zero, so what is hashed can be taken apart in one way only.
    let hash = Sha256::new().chain_update(purpose).chain_update([0]);
    hash.chain_update(secret).finalize().into()
}

/// What is stored of a secret. The secrets are random and long, so a plain hash does.
pub(crate) fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}
