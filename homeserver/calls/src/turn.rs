use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use echorift_storage::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ruma::UserId;
use sha1::Sha1;

/// The TURN servers of the operator, and the secret that they share with this server (`[calls.turn]`).
#[derive(Clone)]
pub struct TurnOptions {
    /// `turn:` and `turns:` URIs, the best first.
    pub uris: Vec<String>,
    pub secret: String,
    /// How long credentials are good for.
    pub lifetime: Duration,
}

/// What lets one user use the TURN servers for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// `SECONDS:USER`: when they end, in seconds since the epoch, and whose they are.
    pub username: String,
    pub password: String,
}

impl TurnOptions {
    /// Credentials as TURN servers check them without asking anyone ("A REST API For Access To TURN Services", and
    /// the example of CS API § Voice over IP): the password is the user name's HMAC-SHA1 under the shared secret.
    pub(crate) fn credentials(&self, user: &UserId, now: Timestamp) -> Credentials {
        let lifetime = i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX);
        let expiry = now.0.div_euclid(1000).saturating_add(lifetime);
        let username = format!("{expiry}:{user}");
        Credentials {
            password: self.password(&username),
            username,
        }
    }

    fn password(&self, username: &str) -> String {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(self.secret.as_bytes()) else {
            return String::new();
        };
        mac.update(username.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use ruma::user_id;

    use super::*;

    #[test]
    fn credentials_are_the_users_for_a_while() {
        let turn = TurnOptions {
            uris: Vec::new(),
            secret: "north".to_owned(),
            lifetime: Duration::from_secs(60),
        };
        let credentials = turn.credentials(user_id!("@alice:example.org"), Timestamp(1_000_999));
        assert_eq!(credentials.username, "1060:@alice:example.org");
        // printf 1060:@alice:example.org | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(credentials.password, "qQC5WU8YvulLp0DO7bBdZ94pL64=");
    }
}
