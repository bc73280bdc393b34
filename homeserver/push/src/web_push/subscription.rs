use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use url::Url;

/// The names of the kind: MSC4174's, and the one that clients use while it is a proposal.
pub(crate) const KINDS: [&str; 2] = ["webpush", "org.matrix.msc4174.webpush"];

/// A point of P-256, uncompressed (SEC 1 § 2.3.3).
const PUBLIC_KEY_BYTES: usize = 65;
const UNCOMPRESSED: u8 = 4;

/// Where a browser is reached, and the keys that seal what it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// One of [`KINDS`], as the client has set it.
    pub kind: &'static str,
    /// The push resource (RFC 8030 § 2).
    pub url: Url,
    /// The receiver's key, and the secret that both sides know (RFC 8291 § 3.1, § 3.2).
    pub public_key: [u8; PUBLIC_KEY_BYTES],
    pub auth: [u8; 16],
    pub is_id_only: bool,
    /// Whether counts alone are not sent: browsers must show something for whatever they are sent.
    pub is_events_only: bool,
}

impl Subscription {
    /// Reads what a client has set. Errors: a sentence about what is wrong with it. Whether the URL may be asked at all is
    /// not looked at here.
    pub fn parse(
        kind: &'static str,
        url: Url,
        pushkey: &str,
        data: &Map<String, Value>,
        is_id_only: bool,
    ) -> Result<Self, &'static str> {
        let auth = data.get("auth").and_then(Value::as_str).and_then(decode);
        let public_key =
            decode(pushkey).filter(|key: &[u8; PUBLIC_KEY_BYTES]| key.first() == Some(&UNCOMPRESSED));
        Ok(Self {
            kind,
            url,
            public_key: public_key.ok_or(
                "`pushkey` is to be the subscription's P-256 key, uncompressed, in URL-safe Base64 without padding.",
            )?,
            auth: auth.ok_or("`data.auth` is to be 16 bytes in URL-safe Base64 without padding.")?,
            is_id_only,
            is_events_only: data.get("events_only") == Some(&Value::Bool(true)),
        })
    }
}

/// With or without padding: browsers leave it out, other clients have been seen to write it.
fn decode<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .ok()?
        .try_into()
        .ok()
}
