use std::{
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rand::Rng as _;

use crate::{AccountError, claims::Claims};

const FILE_NAME: &str = "access-token.key";

/// Signs and checks access tokens (JWT, EdDSA).
pub(crate) struct TokenKey {
    sign: EncodingKey,
    check: DecodingKey,
    validation: Validation,
}

impl TokenKey {
    /// Reads the key from `data_dir`, or makes one that only this user may read.
    ///
    /// Errors: `SigningKey` if the file cannot be read, written or understood.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, AccountError> {
        let path = data_dir.join(FILE_NAME);
        let failed = |reason: String| AccountError::SigningKey {
            path: path.display().to_string(),
            reason,
        };
        let seed = match std::fs::read_to_string(&path) {
            Ok(text) => STANDARD
                .decode(text.trim())
                .map_err(|error| failed(error.to_string()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(&path).map_err(|error| failed(error.to_string()))?
            }
            Err(error) => return Err(failed(error.to_string())),
        };
        let seed = <[u8; 32]>::try_from(seed).map_err(|_| failed("it does not hold 32 bytes".to_owned()))?;
        let key = SigningKey::from_bytes(&seed);
        let der = key.to_pkcs8_der().map_err(|error| failed(error.to_string()))?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        // The expiry is checked against the server's own clock.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        Ok(Self {
            sign: EncodingKey::from_ed_der(der.as_bytes()),
            check: DecodingKey::from_ed_der(key.verifying_key().as_bytes()),
            validation,
        })
    }

    pub(crate) fn sign(&self, claims: &Claims) -> Result<String, AccountError> {
        Ok(jsonwebtoken::encode(
            &Header::new(Algorithm::EdDSA),
            claims,
            &self.sign,
        )?)
    }

    /// What a token says, if it is ours; its expiry is not looked at.
    pub(crate) fn check(&self, token: &str) -> Option<Claims> {
        jsonwebtoken::decode(token, &self.check, &self.validation)
            .ok()
            .map(|token| token.claims)
    }
}

fn make(path: &Path) -> io::Result<Vec<u8>> {
    let seed = rand::rng().random::<[u8; 32]>().to_vec();
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(STANDARD.encode(&seed).as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    Ok(seed)
}
