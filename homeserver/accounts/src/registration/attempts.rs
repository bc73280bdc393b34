//! What is remembered of a registration that takes several requests: what was asked for, until it is made, and then
//! what was made of it, for clients that did not hear the answer.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use echorift_storage::{Timestamp, UserNumber};
use quick_cache::sync::Cache;
use ruma::{OwnedDeviceId, api::client::account::register::v3};
use serde::{Deserialize, Serialize};

use crate::secret;

/// As long as a person may take for the stages.
const KEPT_MS: i64 = 15 * 60 * 1000;
/// How many attempts are remembered; the oldest make room.
const ATTEMPTS_MAX: usize = 10_000;
/// What is longer is not remembered, and its client has to say it again: more than the longest password with the
/// longest names.
const WISH_BYTES_MAX: usize = 4096;

/// What somebody who registers asks for, beside the stages.
#[derive(Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wish {
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) device_id: Option<OwnedDeviceId>,
    pub(crate) device_name: Option<String>,
    pub(crate) inhibit_login: bool,
    pub(crate) refresh_token: bool,
    pub(crate) guest_access_token: Option<String>,
}

impl Wish {
    /// What `request` says itself.
    pub(crate) fn of(request: &v3::Request) -> Self {
        Self {
            username: request.username.clone(),
            password: request.password.clone(),
            device_id: request.device_id.clone(),
            device_name: request.initial_device_display_name.clone(),
            inhibit_login: request.inhibit_login,
            refresh_token: request.refresh_token,
            guest_access_token: request.guest_access_token.clone(),
        }
    }

    /// With what an earlier request said of what this one leaves out.
    pub(crate) fn or(self, earlier: Self) -> Self {
        Self {
            username: self.username.or(earlier.username),
            password: self.password.or(earlier.password),
            device_id: self.device_id.or(earlier.device_id),
            device_name: self.device_name.or(earlier.device_name),
            inhibit_login: self.inhibit_login || earlier.inhibit_login,
            refresh_token: self.refresh_token || earlier.refresh_token,
            guest_access_token: self.guest_access_token.or(earlier.guest_access_token),
        }
    }
}

/// What a registration has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) user: UserNumber,
    /// Where it was logged in.
    pub(crate) device_id: Option<OwnedDeviceId>,
}

/// The attempts of the last minutes, in this process's memory.
///
/// A wish holds a password, which the server may not need for a quarter of an hour, or ever. So it lies here encrypted
/// by the ID of its session, and under no more than the hash of that: only who repeats the ID can read it.
pub(crate) struct Attempts(Cache<String, Attempt>);

#[derive(Clone)]
struct Attempt {
    stage: Stage,
    expires: Timestamp,
}

#[derive(Clone)]
enum Stage {
    Asked { nonce: [u8; 12], sealed: Vec<u8> },
    Made(Made),
}

impl Attempts {
    pub(crate) fn new() -> Self {
        Self(Cache::new(ATTEMPTS_MAX))
    }

    pub(crate) fn forget_expired(&self, now: Timestamp) {
        self.0.retain(|_, attempt| attempt.expires > now);
    }

    /// Keeps what is asked for in the session of stages of this ID.
    pub(crate) fn remember(&self, session: &str, wish: &Wish, now: Timestamp) {
        if let Some(stage) = seal(session, wish) {
            self.keep(session, stage, now);
        }
    }

    /// What was asked for; nothing if it is not known or over.
    pub(crate) fn wish(&self, session: &str, now: Timestamp) -> Option<Wish> {
        match self.find(session, now)? {
            Stage::Asked { nonce, sealed } => open(session, &nonce, sealed),
            Stage::Made(_) => None,
        }
    }

    /// Keeps what the session has come to.
    pub(crate) fn remember_made(&self, session: &str, made: Made, now: Timestamp) {
        self.keep(session, Stage::Made(made), now);
    }

    /// What the session has come to, if it has.
    pub(crate) fn made(&self, session: &str, now: Timestamp) -> Option<Made> {
        match self.find(session, now)? {
            Stage::Made(made) => Some(made),
            Stage::Asked { .. } => None,
        }
    }

    fn keep(&self, session: &str, stage: Stage, now: Timestamp) {
        let expires = now.plus_ms(KEPT_MS);
        self.0.insert(secret::hash(session), Attempt { stage, expires });
    }

    fn find(&self, session: &str, now: Timestamp) -> Option<Stage> {
        let attempt = self.0.get(&secret::hash(session))?;
        (attempt.expires > now).then_some(attempt.stage)
    }
}

/// `None` for what is too long to be kept.
fn seal(session: &str, wish: &Wish) -> Option<Stage> {
    let mut sealed = serde_json::to_vec(wish).ok()?;
    if sealed.len() > WISH_BYTES_MAX {
        return None;
    }
    let nonce = key(session)?
        .seal_in_place_append_tag(Aad::empty(), &mut sealed)
        .ok()?;
    let nonce = *nonce.as_ref();
    Some(Stage::Asked { nonce, sealed })
}

fn open(session: &str, nonce: &[u8; 12], mut sealed: Vec<u8>) -> Option<Wish> {
    let opened = key(session)?
        .open_in_place(Nonce::from(nonce), Aad::empty(), &mut sealed)
        .ok()?;
    serde_json::from_slice(opened).ok()
}

/// Another hash of the ID than the one that the wish lies under.
fn key(session: &str) -> Option<RandomizedNonceKey> {
    let key = secret::derive("what a registration asks for", session);
    RandomizedNonceKey::new(&AES_256_GCM, &key).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn wish(password: String) -> Wish {
        Wish {
            username: Some("anna".to_owned()),
            password: Some(password),
            ..Wish::default()
        }
    }

    #[test]
    fn a_wish_is_read_by_its_session_alone_and_for_a_while() {
        let attempts = Attempts::new();
        let asked = wish("a long password".to_owned());
        attempts.remember("session", &asked, NOW);
        assert!(attempts.wish("session", NOW).as_ref() == Some(&asked));
        assert!(attempts.wish("another", NOW).is_none());
        assert!(attempts.wish("session", NOW.plus_ms(KEPT_MS)).is_none());
        let Some(Stage::Asked { nonce, sealed }) = attempts.find("session", NOW) else {
            panic!("nothing was kept");
        };
        assert!(!sealed.windows(8).any(|bytes| bytes == b"password"));
        assert!(open("another", &nonce, sealed).is_none());
        attempts.forget_expired(NOW.plus_ms(KEPT_MS));
        assert_eq!(attempts.0.len(), 0);
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let attempts = Attempts::new();
        attempts.remember("session", &wish("a".repeat(WISH_BYTES_MAX)), NOW);
        assert!(attempts.wish("session", NOW).is_none());
    }

    #[test]
    fn what_is_said_again_counts() {
        let earlier = Wish {
            inhibit_login: true,
            device_name: Some("Phone".to_owned()),
            ..wish("first".to_owned())
        };
        let both = wish("second".to_owned()).or(earlier);
        assert_eq!(both.password.as_deref(), Some("second"));
        assert_eq!(both.device_name.as_deref(), Some("Phone"));
        assert!(both.inhibit_login);
    }
}
