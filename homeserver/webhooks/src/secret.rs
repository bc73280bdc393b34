use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::Rng as _;
use sha2::{Digest as _, Sha256};

/// How many letters the name of a hook has.
const ID_LETTERS: usize = 16;

/// A secret of 256 random bits, as 43 letters that fit into an address.
pub(crate) fn random_secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 32]>())
}

/// The name of a hook: small letters, so that its account can bear it, too.
pub(crate) fn random_id() -> String {
    let mut rng = rand::rng();
    (0..ID_LETTERS)
        .map(|_| char::from(rng.random_range(b'a'..=b'z')))
        .collect()
}

/// What is stored of a secret. Secrets are random and long, so a plain hash does.
pub(crate) fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}
