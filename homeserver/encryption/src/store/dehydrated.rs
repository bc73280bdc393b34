use echorift_storage::{Database, StorageError, Timestamp, Tx, UserNumber};
use ruma::{DeviceId, OwnedDeviceId};
use serde_json::value::RawValue;

/// Whether the device was added; `false` if its ID is taken.
pub(crate) async fn insert(
    tx: &mut Tx,
    user: UserNumber,
    (device, name): (&DeviceId, Option<&str>),
    data: &RawValue,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        INSERT INTO devices (user_number, device_id, display_name, created_ts, dehydrated_data)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (user_number, device_id) DO NOTHING";
    let values = [
        user.into(),
        device.as_str().into(),
        name.into(),
        now.into(),
        data.get().into(),
    ];
    Ok(tx.execute(SQL, &values).await? > 0)
}

/// The dehydrated device of a user, and its data.
pub(crate) async fn find(
    database: &Database,
    user: UserNumber,
) -> Result<Option<(OwnedDeviceId, Box<RawValue>)>, StorageError> {
    const SQL: &str = "
        SELECT device_id, dehydrated_data FROM devices WHERE user_number = $1 AND dehydrated_data IS NOT NULL";
    let Some(row) = database.fetch_optional(SQL, &[user.into()]).await? else {
        return Ok(None);
    };
    let data = RawValue::from_string(row.text(1)?)
        .map_err(|error| StorageError::corrupt("devices.dehydrated_data", error))?;
    Ok(Some((row.text(0)?.into(), data)))
}

/// Deletes the dehydrated device of a user; its keys and messages go with it. Which it was.
pub(crate) async fn delete(tx: &mut Tx, user: UserNumber) -> Result<Option<OwnedDeviceId>, StorageError> {
    const SQL: &str = "
        DELETE FROM devices WHERE user_number = $1 AND dehydrated_data IS NOT NULL RETURNING device_id";
    let row = tx.fetch_optional(SQL, &[user.into()]).await?;
    row.map(|row| Ok(row.text(0)?.into())).transpose()
}
