//! A device that nobody uses until its user has lost all others (MSC3814).

use echorift_accounts::device_list_changed;
use echorift_storage::{Change, Position, UserNumber};
use ruma::{DeviceId, OwnedDeviceId};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Encryption, EncryptionError, ToDevicePage, store,
    upload::{self, KeyUpload},
};

/// Larger `device_data` is refused: a device with 100 one-time keys has some 6 KiB.
const DEVICE_DATA_BYTES_MAX: usize = 128 * 1024;
const DEVICE_ID_BYTES_MAX: usize = 255;
const DEVICE_NAME_BYTES_MAX: usize = 1024;

/// A dehydrated device as a client uploads it.
#[derive(Debug)]
pub(crate) struct NewDehydratedDevice {
    pub(crate) id: OwnedDeviceId,
    pub(crate) display_name: Option<String>,
    pub(crate) data: Box<RawValue>,
    pub(crate) keys: KeyUpload,
}

impl NewDehydratedDevice {
    fn judge(&self) -> Result<(), EncryptionError> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "algorithm")]
            _algorithm: String,
        }
        let limits = [
            ("the device data", self.data.get().len(), DEVICE_DATA_BYTES_MAX),
            ("the device ID", self.id.as_str().len(), DEVICE_ID_BYTES_MAX),
            (
                "the device name",
                self.display_name.as_deref().map_or(0, str::len),
                DEVICE_NAME_BYTES_MAX,
            ),
        ];
        for (what, bytes, limit) in limits {
            if bytes > limit {
                return Err(EncryptionError::TooLarge { what, limit });
            }
        }
        if self.id.as_str().is_empty() {
            return Err(EncryptionError::BadKeys("A device has an ID.".to_owned()));
        }
        serde_json::from_str::<Data>(self.data.get())
            .map(drop)
            .map_err(|error| EncryptionError::Unreadable(format!("The device data cannot be read: {error}.")))
    }
}

impl Encryption {
    /// Puts a dehydrated device in the place of the one before it, all at once.
    ///
    /// Errors: `BadKeys`, also if the ID is that of a device in use; `TooLarge`; `KeyIdInUse`.
    pub(crate) async fn put_dehydrated_device(
        &self,
        user: UserNumber,
        device: NewDehydratedDevice,
    ) -> Result<(), EncryptionError> {
        device.judge()?;
        let now = self.0.rooms.clock().now();
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                store::dehydrated::delete(tx, user).await?;
                let name = device.display_name.as_deref();
                if !store::dehydrated::insert(tx, user, (&device.id, name), &device.data, now).await? {
                    return Err(EncryptionError::BadKeys(
                        "The ID is that of a device in use.".to_owned(),
                    ));
                }
                let mut change = Change::new();
                upload::write(tx, &mut change, user, &device.id, device.keys).await?;
                Ok(tx.apply(change).await?)
            })
        });
        step.await
    }

    /// The user's dehydrated device and its data. Errors: `NoDehydratedDevice`.
    pub(crate) async fn dehydrated_device(
        &self,
        user: UserNumber,
    ) -> Result<(OwnedDeviceId, Box<RawValue>), EncryptionError> {
        let found = store::dehydrated::find(&self.0.database, user).await?;
        found.ok_or(EncryptionError::NoDehydratedDevice)
    }

    /// Deletes the user's dehydrated device with its keys and messages. Errors: `NoDehydratedDevice`.
    pub(crate) async fn delete_dehydrated_device(
        &self,
        user: UserNumber,
    ) -> Result<OwnedDeviceId, EncryptionError> {
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let deleted = store::dehydrated::delete(tx, user).await?;
                let device = deleted.ok_or(EncryptionError::NoDehydratedDevice)?;
                let mut change = Change::new();
                device_list_changed(&mut change, user);
                tx.apply(change).await?;
                Ok(device)
            })
        });
        step.await
    }

    /// The messages that wait for the dehydrated device after `after`. They stay: another device may have to begin
    /// anew.
    ///
    /// Errors: `OtherDehydratedDevice`.
    pub(crate) async fn dehydrated_messages(
        &self,
        user: UserNumber,
        device: &DeviceId,
        after: Position,
    ) -> Result<ToDevicePage, EncryptionError> {
        let found = store::dehydrated::find(&self.0.database, user).await?;
        if found.is_none_or(|(id, _)| id != device) {
            return Err(EncryptionError::OtherDehydratedDevice);
        }
        Ok(self.to_device(user, device, after, self.now()).await?)
    }
}
