use std::collections::HashMap;

use echorift_storage::{
    Cells, Change, Database, Position, RecordIndex, Statement, StorageError, Timestamp, Tx, UserNumber, list,
};
use ruma::{DeviceId, OwnedDeviceId, events::AnyToDeviceEvent, serde::Raw};
use serde_json::value::RawValue;

use crate::{DeviceMessage, transactions};

/// A message for a device that does not exist finds no row to join.
static PUT: Statement = Statement::insert(
    "INSERT INTO to_device_messages (user_number, device_id, event, position)
     SELECT devices.user_number, devices.device_id, sent.value ->> 2, CAST(sent.value ->> 3 AS BIGINT)
       FROM json_each($1) AS sent JOIN devices
         ON devices.user_number = CAST(sent.value ->> 0 AS BIGINT) AND devices.device_id = sent.value ->> 1",
);

static PUT_TRANSACTION: Statement = Statement::insert(
    "INSERT INTO to_device_transactions (session_number, event_type, transaction_id, sent_ts)
     SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (session_number, event_type, transaction_id) DO NOTHING",
);

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
    Ok(first
        .zip(last)
        .map(|(first, last)| (Position(first), Position(last))))
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

/// Adds a message to a device's queue, at the position of `record`.
pub(crate) fn put(
    change: &mut Change,
    (user, device): (UserNumber, &DeviceId),
    event: &str,
    record: RecordIndex,
) {
    let cells = Cells::new().with(user).with(device.as_str()).with(event);
    change.write_at(&PUT, cells, record);
}

/// The devices of these users.
pub(crate) async fn devices(
    database: &Database,
    users: &[UserNumber],
) -> Result<HashMap<UserNumber, Vec<OwnedDeviceId>>, StorageError> {
    const SQL: &str = "
        SELECT user_number, device_id FROM devices
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    let mut devices: HashMap<UserNumber, Vec<OwnedDeviceId>> = HashMap::new();
    if users.is_empty() {
        return Ok(devices);
    }
    for row in database.fetch_all(SQL, &[list(users.iter().copied())]).await? {
        let user = UserNumber(row.int(0)?);
        devices.entry(user).or_default().push(row.text(1)?.into());
    }
    Ok(devices)
}

/// Deletes a device's oldest messages, so that no more than `waiting_max` stay.
pub(crate) async fn trim(
    tx: &mut Tx,
    user: UserNumber,
    device: &DeviceId,
    waiting_max: i64,
) -> Result<u64, StorageError> {
    const SQL: &str = "
        DELETE FROM to_device_messages
         WHERE user_number = $1 AND device_id = $2 AND position <=
               (SELECT position FROM to_device_messages WHERE user_number = $1 AND device_id = $2
                 ORDER BY position DESC LIMIT 1 OFFSET $3)";
    tx.execute(SQL, &[user.into(), device.as_str().into(), waiting_max.into()])
        .await
}

/// Remembers that a session has done a transaction.
pub(crate) fn put_transaction(
    change: &mut Change,
    session: i64,
    (event_type, transaction_id): &transactions::Key,
    now: Timestamp,
) {
    let cells = Cells::new()
        .with(session)
        .with(event_type)
        .with(transaction_id)
        .with(now);
    change.write(&PUT_TRANSACTION, cells);
}

/// The latest transactions of a session, the latest first.
pub(crate) async fn transactions(
    database: &Database,
    session: i64,
    limit: i64,
) -> Result<Vec<transactions::Key>, StorageError> {
    const SQL: &str = "
        SELECT event_type, transaction_id FROM to_device_transactions
         WHERE session_number = $1 ORDER BY sent_ts DESC LIMIT $2";
    let rows = database.fetch_all(SQL, &[session.into(), limit.into()]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// Forgets the transactions from before `time`.
pub(crate) async fn purge_transactions(tx: &mut Tx, time: Timestamp) -> Result<u64, StorageError> {
    const SQL: &str = "DELETE FROM to_device_transactions WHERE sent_ts < $1";
    tx.execute(SQL, &[time.into()]).await
}

/// The users for whose devices messages wait that have come with `after < position <= to`.
pub(crate) async fn recipients(
    database: &Database,
    (after, to): (Position, Position),
) -> Result<Vec<UserNumber>, StorageError> {
    const SQL: &str = "
        SELECT DISTINCT user_number FROM to_device_messages WHERE position > $1 AND position <= $2
         ORDER BY user_number";
    let rows = database.fetch_all(SQL, &[after.into(), to.into()]).await?;
    rows.iter().map(|row| Ok(UserNumber(row.int(0)?))).collect()
}

/// The first `limit` messages for devices of these users with `after < position <= to`.
pub(crate) async fn messages_to(
    database: &Database,
    users: &[UserNumber],
    (after, to): (Position, Position),
    limit: i64,
) -> Result<Vec<DeviceMessage>, StorageError> {
    const SQL: &str = "
        SELECT position, user_number, device_id, event FROM to_device_messages
         WHERE position > $1 AND position <= $2
           AND user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($3))
         ORDER BY position, user_number, device_id LIMIT $4";
    let values = [after.into(), to.into(), list(users.iter().copied()), limit.into()];
    let rows = database.fetch_all(SQL, &values).await?;
    let read = rows.iter().map(|row| {
        let event = RawValue::from_string(row.text(3)?)
            .map_err(|error| StorageError::corrupt("to_device_messages.event", error))?;
        Ok(DeviceMessage {
            position: Position(row.int(0)?),
            user: UserNumber(row.int(1)?),
            device: row.text(2)?.into(),
            event: Raw::from_json(event),
        })
    });
    read.collect()
}
