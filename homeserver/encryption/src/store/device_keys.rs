use echorift_storage::{Database, Row, StorageError, Tx, UserNumber, list};
use ruma::{DeviceId, OwnedDeviceId};

use crate::key_object::KeyObject;

const PLACE: &str = "device_keys.keys";

/// A device that has published keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredDeviceKeys {
    pub(crate) user: UserNumber,
    pub(crate) device: OwnedDeviceId,
    pub(crate) keys: KeyObject,
    pub(crate) display_name: Option<String>,
}

pub(crate) async fn device_exists(
    tx: &mut Tx,
    user: UserNumber,
    device: &DeviceId,
) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM devices WHERE user_number = $1 AND device_id = $2";
    let row = tx
        .fetch_optional(SQL, &[user.into(), device.as_str().into()])
        .await?;
    Ok(row.is_some())
}

/// The identity keys of one device.
pub(crate) async fn find(
    tx: &mut Tx,
    user: UserNumber,
    device: &DeviceId,
) -> Result<Option<KeyObject>, StorageError> {
    const SQL: &str = "SELECT keys FROM device_keys WHERE user_number = $1 AND device_id = $2";
    let row = tx
        .fetch_optional(SQL, &[user.into(), device.as_str().into()])
        .await?;
    row.map(|row| KeyObject::read(&row.text(0)?, PLACE)).transpose()
}

pub(crate) async fn put(
    tx: &mut Tx,
    user: UserNumber,
    device: &DeviceId,
    keys: &KeyObject,
) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO device_keys (user_number, device_id, keys) VALUES ($1, $2, $3)
        ON CONFLICT (user_number, device_id) DO UPDATE SET keys = excluded.keys";
    tx.execute(SQL, &[user.into(), device.as_str().into(), keys.to_json().into()])
        .await
        .map(drop)
}

/// The identity keys of all devices of a user.
pub(crate) async fn of_user(
    tx: &mut Tx,
    user: UserNumber,
) -> Result<Vec<(OwnedDeviceId, KeyObject)>, StorageError> {
    const SQL: &str = "SELECT device_id, keys FROM device_keys WHERE user_number = $1";
    let rows = tx.fetch_all(SQL, &[user.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?.into(), KeyObject::read(&row.text(1)?, PLACE)?)))
        .collect()
}

/// The devices of these users that have published keys.
pub(crate) async fn of_users(
    database: &Database,
    users: &[UserNumber],
) -> Result<Vec<StoredDeviceKeys>, StorageError> {
    const SQL: &str = "
        SELECT device_keys.user_number, device_keys.device_id, device_keys.keys, devices.display_name
          FROM device_keys JOIN devices USING (user_number, device_id)
         WHERE device_keys.user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    let rows = database.fetch_all(SQL, &[list(users.iter().copied())]).await?;
    let read = |row: &Row| {
        Ok(StoredDeviceKeys {
            user: UserNumber(row.int(0)?),
            device: row.text(1)?.into(),
            keys: KeyObject::read(&row.text(2)?, PLACE)?,
            display_name: row.optional_text(3)?,
        })
    };
    rows.iter().map(read).collect()
}

/// The devices of these users that have keys.
pub(crate) async fn devices_of(
    database: &Database,
    users: &[UserNumber],
) -> Result<Vec<(UserNumber, OwnedDeviceId)>, StorageError> {
    const SQL: &str = "
        SELECT user_number, device_id FROM device_keys
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
         ORDER BY user_number, device_id";
    let rows = database.fetch_all(SQL, &[list(users.iter().copied())]).await?;
    rows.iter()
        .map(|row| Ok((UserNumber(row.int(0)?), row.text(1)?.into())))
        .collect()
}
