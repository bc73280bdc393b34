use std::time::Duration;

use dashmap::{DashMap, mapref::entry::Entry};
use echorift_storage::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::HookError;

/// How many signatures are remembered. They are good for minutes: that is hundreds of signed posts a second.
const REMEMBERED: usize = 200_000;
/// When to come again if that is not enough.
const FULL_PAUSE: Duration = Duration::from_secs(30);
/// How often what is over is forgotten.
const FORGET_EVERY_MS: i64 = 60_000;

/// The signatures that were used, by hash, with the time from which on they are good for nothing anyway.
pub(crate) struct UsedSignatures {
    used: DashMap<String, Timestamp>,
    forgotten: AtomicI64,
}

impl UsedSignatures {
    pub(crate) fn new(used: Vec<(String, Timestamp)>) -> Self {
        Self {
            used: used.into_iter().collect(),
            forgotten: AtomicI64::new(0),
        }
    }

    /// Errors: `Replayed` if it was used, `Busy` if no more can be remembered: none is let through unseen.
    pub(crate) fn insert(&self, hash: &str, expires: Timestamp) -> Result<(), HookError> {
        if self.used.len() >= REMEMBERED {
            return Err(HookError::Busy {
                retry_after: FULL_PAUSE,
            });
        }
        match self.used.entry(hash.to_owned()) {
            Entry::Occupied(_) => Err(HookError::Replayed),
            Entry::Vacant(place) => {
                place.insert(expires);
                Ok(())
            }
        }
    }

    /// Forgets what is over, once in a while; whether it did.
    pub(crate) fn forget_before(&self, now: Timestamp) -> bool {
        let last = self.forgotten.load(Ordering::Relaxed);
        if now.0.saturating_sub(last) < FORGET_EVERY_MS || self.used.is_empty() {
            return false;
        }
        self.forgotten.store(now.0, Ordering::Relaxed);
        self.used.retain(|_, expires| *expires >= now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_good_once_and_remembered_until_it_is_over() {
        let used = UsedSignatures::new(vec![("old".to_owned(), Timestamp(90_000))]);
        assert!(matches!(
            used.insert("old", Timestamp(90_000)),
            Err(HookError::Replayed)
        ));
        assert!(used.insert("new", Timestamp(200_000)).is_ok());
        assert!(used.forget_before(Timestamp(100_000)));
        assert!(used.insert("old", Timestamp(90_000)).is_ok());
        assert!(matches!(
            used.insert("new", Timestamp(200_000)),
            Err(HookError::Replayed)
        ));
    }
}
