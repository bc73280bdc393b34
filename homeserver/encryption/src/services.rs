//! What application services are told of many users at once (MSC3202, MSC4203).

use echorift_storage::{Position, StorageError, UserNumber};
use ruma::{OwnedDeviceId, events::AnyToDeviceEvent, serde::Raw};

use crate::{Encryption, store};

/// A message that waits for a device.
#[derive(Debug)]
pub struct DeviceMessage {
    pub position: Position,
    pub user: UserNumber,
    pub device: OwnedDeviceId,
    pub event: Raw<AnyToDeviceEvent>,
}

impl Encryption {
    /// The local users for whose devices messages have come after `after` and up to `to`, and still wait.
    pub async fn recipients(&self, after: Position, to: Position) -> Result<Vec<UserNumber>, StorageError> {
        store::to_device::recipients(&self.0.database, (after, to)).await
    }

    /// The users whose devices or keys changed last after `after` and up to `to`.
    pub async fn changed_devices(
        &self,
        after: Position,
        to: Position,
    ) -> Result<Vec<UserNumber>, StorageError> {
        store::device_lists::changed_between(&self.0.database, (after, to)).await
    }

    /// The first `limit` messages for devices of these users after `after` and up to `to`, oldest first.
    pub async fn messages_to(
        &self,
        users: &[UserNumber],
        (after, to): (Position, Position),
        limit: usize,
    ) -> Result<Vec<DeviceMessage>, StorageError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        store::to_device::messages_to(&self.0.database, users, (after, to), limit).await
    }

    /// The devices of these users that have published keys, by user and ID.
    pub async fn devices_with_keys(
        &self,
        users: &[UserNumber],
    ) -> Result<Vec<(UserNumber, OwnedDeviceId)>, StorageError> {
        store::device_keys::devices_of(&self.0.database, users).await
    }
}
