//! The server's signing key.

use std::fmt;

use base64::Engine as _;
use ed25519_dalek::Signer as _;
use ruma::{
    OwnedServerName, OwnedServerSigningKeyId, ServerName, ServerSigningKeyId, SigningKeyId, signatures,
};

use crate::{EventError, hash::BASE64};

/// An ed25519 key, the server that signs with it, and the key's ID, such as `ed25519:a_Xy3z`.
#[derive(Clone)]
pub struct SigningKey {
    server_name: OwnedServerName,
    key_id: OwnedServerSigningKeyId,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// A key from its 32 secret bytes. `version` is the part of the key's ID after `ed25519:`.
    ///
    /// Errors: [`EventError::BadKey`] unless `version` is made of letters, digits and underscores
    /// (appendices § Signing key identifiers).
    pub fn from_seed(server_name: &ServerName, version: &str, seed: &[u8; 32]) -> Result<Self, EventError> {
        // Other servers' keys are read with more patience; ours follow the grammar.
        let is_version = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if version.is_empty() || !version.bytes().all(is_version) {
            return Err(EventError::BadKey(format!(
                "key version {version:?}: only letters, digits and underscores"
            )));
        }
        let key_id = ServerSigningKeyId::parse(format!("ed25519:{version}"))
            .map_err(|error| EventError::BadKey(format!("key version {version:?}: {error}")))?;
        Ok(Self {
            server_name: server_name.to_owned(),
            key_id,
            key: ed25519_dalek::SigningKey::from_bytes(seed),
        })
    }

    /// A new key out of 36 random bytes: 32 for the secret, 4 for a version like `a_1f3c09ab`.
    pub fn generate(server_name: &ServerName, random: &[u8; 36]) -> Result<Self, EventError> {
        let (seed, name) = random
            .split_first_chunk::<32>()
            .ok_or_else(|| EventError::BadKey("too few random bytes".to_owned()))?;
        let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        Self::from_seed(server_name, &format!("a_{name}"), seed)
    }

    /// Reads the first line of a key file: `ed25519 a_1f3c09ab <unpadded base64 of the 32 secret bytes>`.
    pub fn from_file_text(server_name: &ServerName, text: &str) -> Result<Self, EventError> {
        let bad = |what: &str| EventError::BadKey(what.to_owned());
        let line = text
            .lines()
            .find(|line| !line.trim().is_empty())
            .ok_or_else(|| bad("the file is empty"))?;
        let mut words = line.split_ascii_whitespace();
        let (Some("ed25519"), Some(version), Some(seed), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(bad("expected `ed25519 <version> <base64 seed>`"));
        };
        let seed = BASE64.decode(seed).map_err(|_| bad("the seed is not base64"))?;
        let seed = seed
            .try_into()
            .map_err(|_| bad("the seed is not 32 bytes long"))?;
        Self::from_seed(server_name, version, &seed)
    }

    /// The line that [`SigningKey::from_file_text`] reads, with a newline. A secret.
    pub fn to_file_text(&self) -> String {
        format!(
            "ed25519 {} {}\n",
            self.key_id.key_name(),
            BASE64.encode(self.key.to_bytes())
        )
    }

    /// The server that signs with this key.
    pub fn server_name(&self) -> &ServerName {
        &self.server_name
    }

    /// The key's ID, with its algorithm: `ed25519:a_1f3c09ab`.
    pub fn key_id(&self) -> &ServerSigningKeyId {
        &self.key_id
    }

    /// The public half, in unpadded base64, as `/_matrix/key/v2/server` publishes it.
    pub fn public_key(&self) -> String {
        BASE64.encode(self.key.verifying_key().as_bytes())
    }

    /// The signature over some bytes, in unpadded base64.
    pub fn sign_bytes(&self, message: &[u8]) -> String {
        BASE64.encode(self.key.sign(message).to_bytes())
    }
}

/// Lets `ruma::signatures::sign_json` and the request signing of federation use the key.
impl signatures::KeyPair for SigningKey {
    fn sign(&self, message: &[u8]) -> signatures::Signature {
        let key_id = SigningKeyId::from_parts(
            ruma::SigningKeyAlgorithm::Ed25519,
            self.key_id.key_name().as_str().into(),
        );
        signatures::Signature::new(key_id, self.key.sign(message).to_bytes().to_vec())
    }
}

/// Shows whose key it is, never the secret.
impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({} {})", self.server_name, self.key_id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn server() -> &'static ServerName {
        "example.org".try_into().unwrap()
    }

    #[test]
    fn a_key_survives_its_file() {
        let key = SigningKey::generate(server(), &[9; 36]).unwrap();
        assert_eq!(key.key_id().as_str(), "ed25519:a_09090909");
        let text = key.to_file_text();
        let again = SigningKey::from_file_text(server(), &text).unwrap();
        assert_eq!(again.to_file_text(), text);
        assert_eq!(
            (again.key_id(), again.public_key()),
            (key.key_id(), key.public_key())
        );
        assert_eq!(again.sign_bytes(b"message"), key.sign_bytes(b"message"));
    }

    #[test]
    fn padding_and_blank_lines_are_forgiven() {
        let text = "\n  ed25519 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA0=  \n";
        assert_eq!(
            SigningKey::from_file_text(server(), text)
                .unwrap()
                .key_id()
                .as_str(),
            "ed25519:1"
        );
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "ed25519 1",
            "rsa 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA0",
            "ed25519 1 tooshort",
            "ed25519 1 *JDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA0",
            "ed25519 a-b YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA0",
            "ed25519 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA0 more",
        ] {
            let refusal = SigningKey::from_file_text(server(), text).unwrap_err();
            assert!(matches!(refusal, EventError::BadKey(_)), "{text:?}");
        }
    }

    #[test]
    fn the_secret_is_not_shown() {
        let key = SigningKey::generate(server(), &[9; 36]).unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey(example.org ed25519:a_09090909)");
    }
}
