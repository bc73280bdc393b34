use echorift_storage::{Change, UserNumber};
use ruma::{DeviceId, OwnedDeviceId};

use crate::{
    AccountError, Accounts,
    sessions::DEVICE_NAME_BYTES_MAX,
    store::{self, devices::StoredDevice},
};

impl Accounts {
    /// The devices of a user, by ID.
    pub(crate) async fn devices(&self, user: UserNumber) -> Result<Vec<StoredDevice>, AccountError> {
        // So that what was seen in the last minute is shown.
        self.flush().await?;
        Ok(store::devices::of_user(&self.0.database, user).await?)
    }

    /// Those of these devices that are there no longer, or never were. One query.
    pub async fn ended_devices(
        &self,
        devices: &[(UserNumber, OwnedDeviceId)],
    ) -> Result<Vec<(UserNumber, OwnedDeviceId)>, AccountError> {
        Ok(store::devices::absent(&self.0.database, devices).await?)
    }

    pub(crate) async fn find_device(
        &self,
        user: UserNumber,
        device_id: &DeviceId,
    ) -> Result<Option<StoredDevice>, AccountError> {
        self.flush().await?;
        Ok(store::devices::find(&self.0.database, user, device_id.as_str()).await?)
    }

    /// Whether there was such a device. Error: `TooLarge`.
    pub(crate) async fn rename_device(
        &self,
        user: UserNumber,
        device_id: &DeviceId,
        name: String,
    ) -> Result<bool, AccountError> {
        if name.len() > DEVICE_NAME_BYTES_MAX {
            return Err(AccountError::TooLarge {
                what: "the device name",
                limit: DEVICE_NAME_BYTES_MAX,
            });
        }
        let device_id = device_id.to_string();
        let renamed = self.0.database.writer().transact(move |tx| {
            Box::pin(async move { store::devices::rename(tx, user, &device_id, &name).await })
        });
        Ok(renamed.await?)
    }

    /// Deletes devices and ends their sessions; IDs that do not exist are passed over. `remember` is written with it.
    pub(crate) async fn delete_devices(
        &self,
        user: UserNumber,
        device_ids: &[OwnedDeviceId],
        remember: Change,
    ) -> Result<(), AccountError> {
        let ids: Vec<String> = device_ids.iter().map(ToString::to_string).collect();
        let now = self.0.clock.now();
        let ended = self
            .0
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(async move {
                    tx.apply(remember).await?;
                    store::devices::delete(tx, user, &ids, now).await
                })
            })
            .await?;
        self.0.checks.revoke(&ended);
        Ok(())
    }

    /// Deletes all devices of a user and ends all sessions, but for the session `kept`. `remember` is written with it.
    pub(crate) async fn end_sessions(
        &self,
        user: UserNumber,
        kept: Option<i64>,
        remember: Change,
    ) -> Result<(), AccountError> {
        let now = self.0.clock.now();
        let ended = self
            .0
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(async move {
                    tx.apply(remember).await?;
                    store::devices::tell_of_lost_keys(tx, user, kept).await?;
                    store::sessions::revoke_all(tx, user, kept, now).await
                })
            })
            .await?;
        self.0.checks.revoke(&ended);
        Ok(())
    }
}
