use echorift_storage::{Cells, Change, Database, Position, Statement, StorageError, UserNumber};
use ruma::{DeviceId, events::AnyToDeviceEvent, serde::Raw};
use serde_json::value::RawValue;

static DELETE: Statement = Statement::upsert(
    2,
    "DELETE FROM to_device_messages WHERE (user_number, device_id, position) IN
        (SELECT waiting.user_number, waiting.device_id, waiting.position
           FROM json_each($1) AS done JOIN to_device_messages AS waiting
             ON waiting.user_number = CAST(done.value ->> 0 AS BIGINT) AND waiting.device_id = done.value ->> 1
            AND waiting.position <= CAST(done.value ->> 2 AS BIGINT))",
);

/// Deletes a device's messages up to `up_to`.
pub(crate) fn delete(change: &mut Change, user: UserNumber, device: &DeviceId, up_to: Position) {
    change.write(&DELETE, Cells::new().with(user).with(device.as_str()).with(up_to));
}

/// The positions of the first and the last message that wait for a device.
pub(crate) async fn bounds(
    database: &Database,
    user: UserNumber,
    device: &DeviceId,
) -> Result<Option<(Position, Position)>, StorageError> {
    const SQL: &str = "
        SELECT MIN(position), MAX(position) FROM to_device_messages WHERE user_number = $1 AND device_id = $2";
    let row = database
        .fetch_optional(SQL, &[user.into(), device.as_str().into()])
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (first, last) = (row.optional_int(0)?, row.optional_int(1)?);
    Ok(first.zip(last).map(|(first, last)| (Position(first), Position(last))))
}

/// The first `limit` messages of a device with `after < position <= up_to`.
pub(crate) async fn page(
    database: &Database,
    user: UserNumber,
    device: &DeviceId,
    (after, up_to): (Position, Position),
    limit: i64,
) -> Result<Vec<(Position, Raw<AnyToDeviceEvent>)>, StorageError> {
    const SQL: &str = "
        SELECT position, event FROM to_device_messages
         WHERE user_number = $1 AND device_id = $2 AND position > $3 AND position <= $4
         ORDER BY position LIMIT $5";
    let values = [
        user.into(),
        device.as_str().into(),
        after.into(),
        up_to.into(),
        limit.into(),
    ];
    let rows = database.fetch_all(SQL, &values).await?;
    let read = rows.iter().map(|row| {
        let event = RawValue::from_string(row.text(1)?)
            .map_err(|error| StorageError::corrupt("to_device_messages.event", error))?;
        Ok((Position(row.int(0)?), Raw::from_json(event)))
    });
    read.collect()
}
