use std::{collections::BTreeMap, sync::Arc};

use echorift_storage::{StorageError, UserNumber};
use ruma::{DeviceId, OneTimeKeyAlgorithm, UInt};

use crate::{Encryption, store};

/// How many keys a device has left (CS API § Extensions to /sync).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyCounts {
    /// Unclaimed one-time keys by algorithm; `signed_curve25519` is always there, if only with 0.
    pub one_time: BTreeMap<OneTimeKeyAlgorithm, UInt>,
    /// The algorithms of fallback keys that nobody was given yet.
    pub unused_fallback: Vec<OneTimeKeyAlgorithm>,
}

impl Encryption {
    /// How many keys the device has left. From memory, but for the first time after a change.
    pub async fn key_counts(&self, user: UserNumber, device: &DeviceId) -> Result<KeyCounts, StorageError> {
        let cell = self.0.users.device(user, device).counts();
        let counts = cell
            .get_or_try_init(|| async {
                let counts = store::one_time_keys::counts(&self.0.database, user, device).await?;
                Ok::<_, StorageError>(Arc::new(counts))
            })
            .await?;
        Ok(KeyCounts::clone(counts))
    }
}
