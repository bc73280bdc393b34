use echorift_storage::Timestamp;
use serde::{Deserialize, Serialize};

/// What an access token says. It holds all that a request needs to know of its sender, so that checking one asks no
/// database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The user ID.
    pub(crate) sub: String,
    /// The integer that stands for the user.
    pub(crate) usn: i64,
    /// The device ID.
    pub(crate) dev: String,
    /// The session number.
    pub(crate) sid: i64,
    /// How often the session had been refreshed when the token was made: using a refreshed token ends the refresh
    /// token that it was got with.
    #[serde(default)]
    pub(crate) r#gen: i64,
    /// Seconds since the epoch, as JWT has them.
    pub(crate) exp: i64,
    pub(crate) iat: i64,
    /// Makes each token different.
    pub(crate) jti: String,
}

impl Claims {
    pub(crate) fn expires(&self) -> Timestamp {
        Timestamp(self.exp.saturating_mul(1000))
    }
}
