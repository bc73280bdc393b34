//! The devices and keys of users of other servers.

use std::collections::HashMap;

use echorift_storage::{Cells, Database, Position, Row, StorageError, Timestamp, Tx, UserNumber, list};
use ruma::{OwnedServerName, ServerName};

use super::rows_of;
use crate::{
    cross_signing::{Usage, UserKeys},
    key_object::KeyObject,
    store::device_keys::StoredDeviceKeys,
};

/// How far a user's list of devices is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredList {
    /// The version that was last heard of; `None` before the first fetch.
    pub(crate) stream_id: Option<i64>,
    /// Up to where the log was visible when the list was asked for.
    pub(crate) position: Position,
    pub(crate) change_count: i64,
    pub(crate) is_stale: bool,
}

const COLUMNS_READ: usize = 4;

fn read(row: &Row, first: usize) -> Result<StoredList, StorageError> {
    Ok(StoredList {
        stream_id: row.optional_int(first)?,
        position: Position(row.int(first + 1)?),
        change_count: row.int(first + 2)?,
        is_stale: row.flag(first + 3)?,
    })
}

/// What is known of the lists of these users; those of whom nothing is kept are left out.
pub(crate) async fn of_users(
    database: &Database,
    users: &[UserNumber],
) -> Result<HashMap<UserNumber, StoredList>, StorageError> {
    const SQL: &str = "
        SELECT stream_id, position, change_count, is_stale, user_number FROM remote_device_lists
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = database.fetch_all(SQL, &[list(users.iter().copied())]).await?;
    rows.iter()
        .map(|row| Ok((UserNumber(row.int(COLUMNS_READ)?), read(row, 0)?)))
        .collect()
}

pub(crate) async fn find(tx: &mut Tx, user: UserNumber) -> Result<Option<StoredList>, StorageError> {
    const SQL: &str = "
        SELECT stream_id, position, change_count, is_stale FROM remote_device_lists WHERE user_number = $1";
    let row = tx.fetch_optional(SQL, &[user.into()]).await?;
    row.map(|row| read(&row, 0)).transpose()
}

/// The list of a user, which is begun if there is none.
pub(crate) async fn begin(
    tx: &mut Tx,
    user: UserNumber,
    server: &ServerName,
) -> Result<StoredList, StorageError> {
    const SQL: &str = "
        INSERT INTO remote_device_lists (user_number, server_name) VALUES ($1, $2)
        ON CONFLICT (user_number) DO UPDATE SET server_name = excluded.server_name
        RETURNING stream_id, position, change_count, is_stale";
    let row = tx
        .fetch_optional(SQL, &[user.into(), server.as_str().into()])
        .await?;
    let row = row.ok_or_else(|| StorageError::corrupt("remote_device_lists", "no row returned"))?;
    read(&row, 0)
}

/// Begins the lists of these users, to be fetched when there is time, unless there are any.
pub(crate) async fn begin_all(
    tx: &mut Tx,
    users: &[(UserNumber, OwnedServerName)],
) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO remote_device_lists (user_number, server_name)
        SELECT CAST(value ->> 0 AS BIGINT), value ->> 1 FROM json_each($1) WHERE true
        ON CONFLICT (user_number) DO NOTHING";
    let rows = users
        .iter()
        .map(|(user, server)| Cells::new().with(*user).with(server.as_str()));
    tx.execute(SQL, &[rows_of(rows)]).await.map(drop)
}

/// Notes a version that the list is now at, after `change_count` changes.
pub(crate) async fn put(tx: &mut Tx, user: UserNumber, known: &StoredList) -> Result<(), StorageError> {
    const SQL: &str = "
        UPDATE remote_device_lists
           SET stream_id = $2, position = $3, change_count = $4, is_stale = $5, failures = 0, retry_ts = 0
         WHERE user_number = $1";
    let values = [
        user.into(),
        known.stream_id.into(),
        known.position.into(),
        known.change_count.into(),
        known.is_stale.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// Puts off asking for these lists until `retry`.
pub(crate) async fn put_off(
    tx: &mut Tx,
    users: &[UserNumber],
    retry: impl Fn(i64) -> Timestamp,
) -> Result<(), StorageError> {
    const READ: &str = "
        SELECT user_number, failures FROM remote_device_lists
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    const WRITE: &str = "
        UPDATE remote_device_lists
           SET failures = CAST(failed.value ->> 1 AS BIGINT), retry_ts = CAST(failed.value ->> 2 AS BIGINT)
          FROM json_each($1) AS failed
         WHERE remote_device_lists.user_number = CAST(failed.value ->> 0 AS BIGINT)";
    let rows = tx.fetch_all(READ, &[list(users.iter().copied())]).await?;
    let mut failed = Vec::with_capacity(rows.len());
    for row in &rows {
        let failures = row.int(1)?.saturating_add(1);
        failed.push(
            Cells::new()
                .with(row.int(0)?)
                .with(failures)
                .with(retry(failures)),
        );
    }
    tx.execute(WRITE, &[rows_of(failed)]).await.map(drop)
}

/// A list that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DueList {
    pub(crate) user: UserNumber,
    pub(crate) server: String,
}

/// The stale lists that are due at `now`, the longest due first: at most `limit`, and at most `of_server` of one server,
/// so that a server with many of them does not hold up the others.
pub(crate) async fn due(
    database: &Database,
    now: Timestamp,
    limit: i64,
    of_server: i64,
) -> Result<Vec<DueList>, StorageError> {
    const SQL: &str = "
        SELECT user_number, server_name FROM
               (SELECT user_number, server_name, retry_ts,
                       ROW_NUMBER() OVER (PARTITION BY server_name ORDER BY retry_ts, user_number) AS place
                  FROM remote_device_lists WHERE is_stale = 1 AND retry_ts <= $1) AS stale
         WHERE place <= $3 ORDER BY retry_ts, user_number LIMIT $2";
    let rows = database
        .fetch_all(SQL, &[now.into(), limit.into(), of_server.into()])
        .await?;
    let read = |row: &Row| {
        Ok(DueList {
            user: UserNumber(row.int(0)?),
            server: row.text(1)?,
        })
    };
    rows.iter().map(read).collect()
}

/// When the next stale list is due after `now`.
pub(crate) async fn next_due(database: &Database) -> Result<Option<Timestamp>, StorageError> {
    const SQL: &str = "SELECT MIN(retry_ts) FROM remote_device_lists WHERE is_stale = 1";
    let row = database.fetch_optional(SQL, &[]).await?;
    let due = row.map(|row| row.optional_int(0)).transpose()?.flatten();
    Ok(due.map(Timestamp))
}

/// Forgets the lists of these users.
pub(crate) async fn forget(tx: &mut Tx, users: &[UserNumber]) -> Result<(), StorageError> {
    const SQL: &str = "
        DELETE FROM remote_device_lists
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    tx.execute(SQL, &[list(users.iter().copied())]).await.map(drop)
}

/// Some of the users whose lists are kept: the `limit` after `after`, by number.
pub(crate) async fn page(
    database: &Database,
    after: UserNumber,
    limit: i64,
) -> Result<Vec<UserNumber>, StorageError> {
    const SQL: &str = "
        SELECT user_number FROM remote_device_lists WHERE user_number > $1 ORDER BY user_number LIMIT $2";
    let rows = database.fetch_all(SQL, &[after.into(), limit.into()]).await?;
    rows.iter().map(|row| Ok(UserNumber(row.int(0)?))).collect()
}

const DEVICES: &str = "
    SELECT user_number, device_id, keys, display_name FROM remote_devices
     WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
const KEYS: &str = "
    SELECT user_number, usage, keys FROM remote_cross_signing_keys
     WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";

fn read_device(row: &Row) -> Result<StoredDeviceKeys, StorageError> {
    Ok(StoredDeviceKeys {
        user: UserNumber(row.int(0)?),
        device: row.text(1)?.into(),
        keys: KeyObject::read(&row.text(2)?, "remote_devices.keys")?,
        display_name: row.optional_text(3)?,
    })
}

fn read_key(row: &Row) -> Result<(UserNumber, Usage, KeyObject), StorageError> {
    let usage = row.text(1)?;
    let usage = Usage::parse(&usage)
        .ok_or_else(|| StorageError::corrupt("remote_cross_signing_keys.usage", usage))?;
    let keys = KeyObject::read(&row.text(2)?, "remote_cross_signing_keys.keys")?;
    Ok((UserNumber(row.int(0)?), usage, keys))
}

/// The devices of these users.
pub(crate) async fn devices(
    database: &Database,
    users: &[UserNumber],
) -> Result<Vec<StoredDeviceKeys>, StorageError> {
    let rows = database
        .fetch_all(DEVICES, &[list(users.iter().copied())])
        .await?;
    rows.iter().map(read_device).collect()
}

/// The cross-signing keys of these users.
pub(crate) async fn keys(
    database: &Database,
    users: &[UserNumber],
) -> Result<Vec<(UserNumber, Usage, KeyObject)>, StorageError> {
    let rows = database.fetch_all(KEYS, &[list(users.iter().copied())]).await?;
    rows.iter().map(read_key).collect()
}

/// The devices of one user, as a step sees them.
pub(crate) async fn devices_of(tx: &mut Tx, user: UserNumber) -> Result<Vec<StoredDeviceKeys>, StorageError> {
    let rows = tx.fetch_all(DEVICES, &[list([user])]).await?;
    rows.iter().map(read_device).collect()
}

/// How many devices of a user are kept.
pub(crate) async fn device_count(tx: &mut Tx, user: UserNumber) -> Result<usize, StorageError> {
    const SQL: &str = "SELECT COUNT(*) FROM remote_devices WHERE user_number = $1";
    let row = tx.fetch_optional(SQL, &[user.into()]).await?;
    let count = row.map(|row| row.int(0)).transpose()?.unwrap_or(0);
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// The cross-signing keys of one user, as a step sees them.
pub(crate) async fn keys_of(tx: &mut Tx, user: UserNumber) -> Result<UserKeys, StorageError> {
    let rows = tx.fetch_all(KEYS, &[list([user])]).await?;
    let keys = rows
        .iter()
        .map(|row| read_key(row).map(|(_, usage, keys)| (usage, keys)));
    keys.collect()
}

/// Adds devices of a user, or puts them in the place of those of the same ID.
pub(crate) async fn put_devices(
    tx: &mut Tx,
    user: UserNumber,
    devices: &[StoredDeviceKeys],
) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO remote_devices (user_number, device_id, keys, display_name)
        SELECT $1, value ->> 0, value ->> 1, value ->> 2 FROM json_each($2) WHERE true
        ON CONFLICT (user_number, device_id) DO UPDATE
           SET keys = excluded.keys, display_name = excluded.display_name";
    let rows = devices.iter().map(|device| {
        Cells::new()
            .with(device.device.as_str())
            .with(device.keys.to_json())
            .with(device.display_name.as_deref())
    });
    tx.execute(SQL, &[user.into(), rows_of(rows)]).await.map(drop)
}

pub(crate) async fn delete_device(tx: &mut Tx, user: UserNumber, device: &str) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM remote_devices WHERE user_number = $1 AND device_id = $2";
    tx.execute(SQL, &[user.into(), device.into()]).await.map(drop)
}

/// Deletes all devices of a user.
pub(crate) async fn delete_devices(tx: &mut Tx, user: UserNumber) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM remote_devices WHERE user_number = $1";
    tx.execute(SQL, &[user.into()]).await.map(drop)
}

/// Puts a cross-signing key in the place of the one of the same usage; `None` takes it away.
pub(crate) async fn put_key(
    tx: &mut Tx,
    user: UserNumber,
    usage: Usage,
    key: Option<&KeyObject>,
) -> Result<(), StorageError> {
    const DELETE: &str = "DELETE FROM remote_cross_signing_keys WHERE user_number = $1 AND usage = $2";
    const PUT: &str = "
        INSERT INTO remote_cross_signing_keys (user_number, usage, keys) VALUES ($1, $2, $3)
        ON CONFLICT (user_number, usage) DO UPDATE SET keys = excluded.keys";
    match key {
        None => tx.execute(DELETE, &[user.into(), usage.as_str().into()]).await,
        Some(key) => {
            tx.execute(PUT, &[user.into(), usage.as_str().into(), key.to_json().into()])
                .await
        }
    }
    .map(drop)
}
