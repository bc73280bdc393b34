//! How push services know this server (RFC 8292).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use echorift_storage::{Clock, Database, StorageError};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use url::Url;

use crate::store;

/// RFC 8292 § 2 allows a day.
const TOKEN_SECONDS: i64 = 12 * 60 * 60;

/// The deployment's key. Browsers tie subscriptions to it, so it is made once and never changes.
pub(crate) struct VapidKey {
    sign: EncodingKey,
    /// Uncompressed, in URL-safe Base64 without padding.
    public_key: String,
    /// Whom a push service may turn to.
    contact: String,
    clock: Clock,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: String,
    exp: i64,
    sub: &'a str,
}

impl VapidKey {
    /// Reads the key, or makes it. `contact` is a `mailto:` or `https:` URI.
    ///
    /// Errors: `Corrupt` if what is stored is no key.
    pub async fn open(database: &Database, clock: Clock, contact: String) -> Result<Self, StorageError> {
        let kept = match store::vapid::find(database).await? {
            Some(kept) => kept,
            None => Self::make(database).await?,
        };
        let no_key = |what: String| StorageError::corrupt("vapid_key.private_key", what);
        let private = URL_SAFE_NO_PAD
            .decode(kept)
            .map_err(|error| no_key(error.to_string()))?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private)
            .map_err(|error| no_key(error.to_string()))?;
        Ok(Self {
            sign: EncodingKey::from_ec_der(&private),
            public_key: URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
            contact,
            clock,
        })
    }

    /// Makes the key, unless another node was faster; the one that is kept.
    async fn make(database: &Database) -> Result<String, StorageError> {
        let made =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).and_then(|pair| pair.to_pkcs8v1());
        let made =
            made.map_err(|_| StorageError::corrupt("vapid_key.private_key", "no key could be made"))?;
        let encoded = URL_SAFE_NO_PAD.encode(made.as_ref());
        let kept = database
            .writer()
            .transact(move |tx| Box::pin(async move { store::vapid::keep_first(tx, &encoded).await }));
        kept.await
    }

    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// The `Authorization` header for a push resource. `None` if it could not be signed.
    pub fn authorization(&self, url: &Url) -> Option<String> {
        let claims = Claims {
            aud: url.origin().ascii_serialization(),
            exp: self.clock.now().0.div_euclid(1000) + TOKEN_SECONDS,
            sub: &self.contact,
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.sign).ok()?;
        Some(format!("vapid t={token}, k={}", self.public_key))
    }
}
