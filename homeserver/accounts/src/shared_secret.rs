use echorift_storage::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use quick_cache::sync::Cache;
use sha1::Sha1;

use crate::secret;

const NONCE_LIFETIME_MS: i64 = 60_000;
const NONCES_MAX: usize = 1_000;

/// Nonces of `/_synapse/admin/v1/register`: each is good for one request.
pub(crate) struct Nonces(Cache<String, Timestamp>);

impl Nonces {
    pub(crate) fn new() -> Self {
        Self(Cache::new(NONCES_MAX))
    }

    pub(crate) fn make(&self, now: Timestamp) -> String {
        let nonce = secret::random_name();
        self.0.insert(nonce.clone(), now.plus_ms(NONCE_LIFETIME_MS));
        nonce
    }

    /// Uses a nonce up; whether it was good.
    pub(crate) fn take(&self, nonce: &str, now: Timestamp) -> bool {
        self.0.remove(nonce).is_some_and(|(_, expires)| expires > now)
    }

    pub(crate) fn forget_expired(&self, now: Timestamp) {
        self.0.retain(|_, expires| *expires > now);
    }
}

/// What an operator's script signs when it registers someone.
pub(crate) struct SignedRegistration<'a> {
    pub(crate) nonce: &'a str,
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
    pub(crate) is_admin: bool,
    pub(crate) user_type: Option<&'a str>,
}

impl SignedRegistration<'_> {
    /// Whether `mac` (hexadecimal) was made with `secret`; compared in constant time.
    pub(crate) fn is_signed(&self, secret: &str, mac: &str) -> bool {
        let Some(mac) = decode_hex(mac) else { return false };
        let Ok(mut hmac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else {
            return false;
        };
        let role = if self.is_admin { "admin" } else { "notadmin" };
        for (index, part) in [self.nonce, self.username, self.password, role]
            .into_iter()
            .enumerate()
        {
            if index > 0 {
                hmac.update(b"\0");
            }
            hmac.update(part.as_bytes());
        }
        if let Some(user_type) = self.user_type {
            hmac.update(b"\0");
            hmac.update(user_type.as_bytes());
        }
        hmac.verify_slice(&mac).is_ok()
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mac_covers_every_field() {
        let request = |is_admin| SignedRegistration {
            nonce: "thisisanonce",
            username: "pepper_roni",
            password: "pizza",
            is_admin,
            user_type: None,
        };
        // printf 'thisisanonce\0pepper_roni\0pizza\0admin' | openssl sha1 -hmac shared_secret
        let mac = "48715842ad67d5dc9a9ee938a3bda4fcfae8d7c7";
        assert!(request(true).is_signed("shared_secret", mac));
        assert!(!request(false).is_signed("shared_secret", mac));
        assert!(!request(true).is_signed("other", mac));
        assert!(!request(true).is_signed("shared_secret", "zz"));
    }

    #[test]
    fn a_nonce_is_good_once_and_for_a_minute() {
        let nonces = Nonces::new();
        let nonce = nonces.make(Timestamp(0));
        assert!(nonces.take(&nonce, Timestamp(1)));
        assert!(!nonces.take(&nonce, Timestamp(2)));
        let late = nonces.make(Timestamp(0));
        assert!(!nonces.take(&late, Timestamp(NONCE_LIFETIME_MS)));
    }
}
