//! Profiles of users of other servers (CS API § Profiles): asked for there, and kept for a few minutes.

use std::{collections::BTreeMap, sync::Arc, sync::OnceLock};

use echorift_storage::Timestamp;
use echorift_web::BoxFuture;
use quick_cache::{Weighter, sync::Cache};
use ruma::{OwnedUserId, UserId};
use serde_json::Value;

use crate::{AccountError, Accounts, Profile, profile::PROFILE_BYTES_MAX};

/// How long a profile is shown without asking again: names change seldom, and rooms tell of the changes.
const LIFETIME_MS: i64 = 10 * 60 * 1_000;
/// What the kept profiles take in memory, and how many there are about.
const CACHE_BYTES: u64 = 8 << 20;
const CACHED_ABOUT: usize = 10_000;
/// What a kept profile takes beside its text.
const ENTRY_BYTES: u64 = 256;

/// Asks other servers for profiles; implemented by federation. Bounded in time.
pub trait RemoteProfiles: Send + Sync {
    /// All fields of the profile of a user of another server; `None` if that server knows no such user.
    ///
    /// Errors: `PeerUnreachable`, `PeerRefused`.
    fn profile<'a>(
        &'a self,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Option<BTreeMap<String, Value>>, AccountError>>;
}

/// What was asked of other servers, and how.
pub(crate) struct Remote {
    profiles: OnceLock<Arc<dyn RemoteProfiles>>,
    known: Cache<OwnedUserId, Known, Weight>,
}

#[derive(Clone)]
struct Known {
    until: Timestamp,
    profile: Option<Arc<Profile>>,
    bytes: u64,
}

#[derive(Clone)]
struct Weight;

impl Weighter<OwnedUserId, Known> for Weight {
    fn weight(&self, _: &OwnedUserId, known: &Known) -> u64 {
        known.bytes.saturating_add(ENTRY_BYTES)
    }
}

impl Remote {
    pub(crate) fn new() -> Self {
        Self {
            profiles: OnceLock::new(),
            known: Cache::with_weighter(CACHED_ABOUT, CACHE_BYTES, Weight),
        }
    }
}

impl Accounts {
    /// Says how profiles of other servers are had, once; without it there are none.
    pub fn ask_for_profiles(&self, profiles: Arc<dyn RemoteProfiles>) -> bool {
        self.0.remote.profiles.set(profiles).is_ok()
    }

    /// The profile of a user of any server; `None` if there is no such user.
    ///
    /// Errors: `PeerUnreachable`, `PeerRefused`.
    pub async fn profile_anywhere(&self, user: &UserId) -> Result<Option<Profile>, AccountError> {
        if self.is_local(user) {
            return self.profile(user).await;
        }
        let remote = &self.0.remote;
        let Some(profiles) = remote.profiles.get() else {
            return Ok(None);
        };
        let now = self.0.clock.now();
        if let Some(known) = remote.known.get(user)
            && known.until > now
        {
            return Ok(known.profile.as_deref().cloned());
        }
        let fields = profiles.profile(user).await?;
        let bytes = fields.as_ref().map_or(0, bytes_of);
        let profile = fields.map(Profile::from_fields);
        // One that is larger than any may be is shown to who asked, and not kept.
        if usize::try_from(bytes).is_ok_and(|bytes| bytes <= PROFILE_BYTES_MAX) {
            let known = Known {
                until: now.plus_ms(LIFETIME_MS),
                profile: profile.clone().map(Arc::new),
                bytes,
            };
            remote.known.insert(user.to_owned(), known);
        }
        Ok(profile)
    }
}

fn bytes_of(fields: &BTreeMap<String, Value>) -> u64 {
    let bytes = fields
        .iter()
        .map(|(field, value)| field.len().saturating_add(value.to_string().len()));
    u64::try_from(bytes.sum::<usize>()).unwrap_or(u64::MAX)
}
