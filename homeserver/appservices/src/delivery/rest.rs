use std::collections::BTreeMap;

use echorift_storage::{Position, StorageError, UserNumber};
use ruma::{OneTimeKeyAlgorithm, OwnedDeviceId, OwnedUserId, UInt};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// By user and device.
pub(crate) type OfDevices<T> = BTreeMap<OwnedUserId, BTreeMap<OwnedDeviceId, T>>;

/// What a transaction holds beside its events: all that encryption needs (MSC3202, MSC4203).
#[derive(Debug, Default)]
pub(crate) struct Rest {
    /// Messages to devices, with `to_user_id` and `to_device_id`.
    pub to_device: Vec<Box<RawValue>>,
    /// Up to where the messages of devices can be deleted once the transaction is acknowledged.
    pub taken: Vec<(UserNumber, OwnedDeviceId, Position)>,
    /// Whose devices have changed.
    pub changed: Vec<OwnedUserId>,
    /// With whom no room is shared any more.
    pub left: Vec<OwnedUserId>,
    pub one_time_keys: OfDevices<BTreeMap<OneTimeKeyAlgorithm, UInt>>,
    pub fallback_keys: OfDevices<Vec<OneTimeKeyAlgorithm>>,
}

/// As it is stored.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Stored {
    to_device: Vec<Box<RawValue>>,
    taken: Vec<(i64, OwnedDeviceId, i64)>,
    changed: Vec<OwnedUserId>,
    left: Vec<OwnedUserId>,
    one_time_keys: OfDevices<BTreeMap<OneTimeKeyAlgorithm, UInt>>,
    fallback_keys: OfDevices<Vec<OneTimeKeyAlgorithm>>,
}

impl Rest {
    pub fn is_empty(&self) -> bool {
        self.to_device.is_empty()
            && self.changed.is_empty()
            && self.left.is_empty()
            && self.one_time_keys.is_empty()
    }

    pub fn read(text: &str) -> Result<Self, StorageError> {
        let stored: Stored = serde_json::from_str(text).map_err(corrupt)?;
        let taken = stored.taken.into_iter();
        Ok(Self {
            to_device: stored.to_device,
            taken: taken
                .map(|(user, device, position)| (UserNumber(user), device, Position(position)))
                .collect(),
            changed: stored.changed,
            left: stored.left,
            one_time_keys: stored.one_time_keys,
            fallback_keys: stored.fallback_keys,
        })
    }

    pub fn write(self) -> Result<String, StorageError> {
        let taken = self.taken.into_iter();
        let stored = Stored {
            to_device: self.to_device,
            taken: taken
                .map(|(user, device, position)| (user.0, device, position.0))
                .collect(),
            changed: self.changed,
            left: self.left,
            one_time_keys: self.one_time_keys,
            fallback_keys: self.fallback_keys,
        };
        serde_json::to_string(&stored).map_err(corrupt)
    }
}

pub(super) fn corrupt(error: serde_json::Error) -> StorageError {
    StorageError::corrupt("application_services.open_rest", error)
}
