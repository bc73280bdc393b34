use std::collections::HashMap;

use echorift_storage::{Cells, Database, Row, StorageError, Tx, UserNumber};
use ruma::{RoomId, UInt};
use serde_json::value::RawValue;

use super::rows_of;
use crate::backup::{BackedUpKey, BackedUpKeys, BackupState, BackupVersion, KeyRank};

fn read(row: &Row) -> Result<BackupVersion, StorageError> {
    Ok(BackupVersion {
        version: row.int(0)?,
        algorithm: row.text(1)?,
        auth_data: RawValue::from_string(row.text(2)?)
            .map_err(|error| StorageError::corrupt("key_backups.auth_data", error))?,
        state: BackupState {
            etag: row.int(3)?,
            key_count: row.int(4)?,
        },
    })
}

/// Adds a version after all that ever were.
pub(crate) async fn create(
    tx: &mut Tx,
    user: UserNumber,
    algorithm: &str,
    auth_data: &RawValue,
) -> Result<i64, StorageError> {
    const SQL: &str = "
        INSERT INTO key_backups (user_number, version, algorithm, auth_data)
        SELECT $1, COALESCE(MAX(version), 0) + 1, $2, $3 FROM key_backups WHERE user_number = $1
        RETURNING version";
    let row = tx
        .fetch_optional(SQL, &[user.into(), algorithm.into(), auth_data.get().into()])
        .await?;
    row.ok_or_else(|| StorageError::corrupt("key_backups", "no row returned"))?
        .int(0)
}

/// The named version, or the latest, unless it was deleted.
pub(crate) async fn find(
    database: &Database,
    user: UserNumber,
    version: Option<i64>,
) -> Result<Option<BackupVersion>, StorageError> {
    const NAMED: &str = "
        SELECT version, algorithm, auth_data, etag, key_count FROM key_backups
         WHERE user_number = $1 AND version = $2 AND is_deleted = 0";
    const LATEST: &str = "
        SELECT version, algorithm, auth_data, etag, key_count FROM key_backups
         WHERE user_number = $1 AND is_deleted = 0 ORDER BY version DESC LIMIT 1";
    let row = match version {
        Some(version) => {
            database
                .fetch_optional(NAMED, &[user.into(), version.into()])
                .await?
        }
        None => database.fetch_optional(LATEST, &[user.into()]).await?,
    };
    row.as_ref().map(read).transpose()
}

/// The named version, unless it was deleted, kept from other writers until the step ends.
pub(crate) async fn lock(
    tx: &mut Tx,
    user: UserNumber,
    version: i64,
) -> Result<Option<BackupVersion>, StorageError> {
    // Written as it is: that locks the row in both databases.
    const SQL: &str = "
        UPDATE key_backups SET etag = etag WHERE user_number = $1 AND version = $2 AND is_deleted = 0
        RETURNING version, algorithm, auth_data, etag, key_count";
    let row = tx.fetch_optional(SQL, &[user.into(), version.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The number of the current version.
pub(crate) async fn current(tx: &mut Tx, user: UserNumber) -> Result<Option<i64>, StorageError> {
    const SQL: &str = "SELECT MAX(version) FROM key_backups WHERE user_number = $1 AND is_deleted = 0";
    let row = tx.fetch_optional(SQL, &[user.into()]).await?;
    row.map_or(Ok(None), |row| row.optional_int(0))
}

pub(crate) async fn update(
    tx: &mut Tx,
    user: UserNumber,
    version: i64,
    auth_data: &RawValue,
) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE key_backups SET auth_data = $3 WHERE user_number = $1 AND version = $2";
    tx.execute(SQL, &[user.into(), version.into(), auth_data.get().into()])
        .await
        .map(drop)
}

pub(crate) async fn set_state(
    tx: &mut Tx,
    user: UserNumber,
    version: i64,
    state: BackupState,
) -> Result<(), StorageError> {
    const SQL: &str =
        "UPDATE key_backups SET etag = $3, key_count = $4 WHERE user_number = $1 AND version = $2";
    let values = [
        user.into(),
        version.into(),
        state.etag.into(),
        state.key_count.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// Whether there ever was such a version.
pub(crate) async fn delete(tx: &mut Tx, user: UserNumber, version: i64) -> Result<bool, StorageError> {
    const VERSION: &str = "
        UPDATE key_backups SET is_deleted = 1, auth_data = '{}', key_count = 0
         WHERE user_number = $1 AND version = $2";
    let touched = tx.execute(VERSION, &[user.into(), version.into()]).await?;
    delete_keys(tx, user, version, (None, None)).await?;
    Ok(touched > 0)
}

/// Deletes all keys of a backup, or those of a room, or one; how many there were.
pub(crate) async fn delete_keys(
    tx: &mut Tx,
    user: UserNumber,
    version: i64,
    (room, session): (Option<&RoomId>, Option<&str>),
) -> Result<i64, StorageError> {
    const SQL: &str = "
        DELETE FROM backed_up_keys
         WHERE user_number = $1 AND version = $2 AND ($3 IS NULL OR room_id = $3)
           AND ($4 IS NULL OR session_id = $4)";
    let values = [
        user.into(),
        version.into(),
        room.map(RoomId::as_str).into(),
        session.into(),
    ];
    let deleted = tx.execute(SQL, &values).await?;
    Ok(i64::try_from(deleted).unwrap_or(i64::MAX))
}

/// The keys of a backup: all, or those of a room, or one.
pub(crate) async fn keys(
    database: &Database,
    user: UserNumber,
    version: i64,
    (room, session): (Option<&RoomId>, Option<&str>),
) -> Result<BackedUpKeys, StorageError> {
    const SQL: &str = "
        SELECT room_id, session_id, first_message_index, forwarded_count, is_verified, session_data
          FROM backed_up_keys
         WHERE user_number = $1 AND version = $2 AND ($3 IS NULL OR room_id = $3)
           AND ($4 IS NULL OR session_id = $4)";
    let values = [
        user.into(),
        version.into(),
        room.map(RoomId::as_str).into(),
        session.into(),
    ];
    let mut keys = BackedUpKeys::new();
    for row in database.fetch_all(SQL, &values).await? {
        let room = RoomId::parse(row.text(0)?)
            .map_err(|error| StorageError::corrupt("backed_up_keys.room_id", error))?;
        let number = |column| Ok::<_, StorageError>(UInt::try_from(row.int(column)?).unwrap_or(UInt::MAX));
        let key = BackedUpKey {
            first_message_index: number(2)?,
            forwarded_count: number(3)?,
            is_verified: row.flag(4)?,
            session_data: RawValue::from_string(row.text(5)?)
                .map_err(|error| StorageError::corrupt("backed_up_keys.session_data", error))?,
        };
        keys.entry(room).or_default().insert(row.text(1)?, key);
    }
    Ok(keys)
}

/// What the backup has of these keys already, by room and session.
pub(crate) async fn ranks(
    tx: &mut Tx,
    user: UserNumber,
    version: i64,
    keys: &BackedUpKeys,
) -> Result<HashMap<(String, String), KeyRank>, StorageError> {
    const SQL: &str = "
        SELECT room_id, session_id, is_verified, first_message_index, forwarded_count FROM backed_up_keys
         WHERE user_number = $1 AND version = $2
           AND (room_id, session_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each($3))";
    let named = keys.iter().flat_map(|(room, sessions)| {
        sessions
            .keys()
            .map(move |session| Cells::new().with(room.as_str()).with(session))
    });
    let rows = tx
        .fetch_all(SQL, &[user.into(), version.into(), rows_of(named)])
        .await?;
    let read = rows.iter().map(|row| {
        let rank = KeyRank {
            is_verified: row.flag(2)?,
            first_message_index: row.int(3)?,
            forwarded_count: row.int(4)?,
        };
        Ok(((row.text(0)?, row.text(1)?), rank))
    });
    read.collect()
}

/// Stores keys, over what was there.
pub(crate) async fn put_keys(
    tx: &mut Tx,
    user: UserNumber,
    version: i64,
    keys: &[(&RoomId, &str, &BackedUpKey)],
) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO backed_up_keys
               (user_number, version, room_id, session_id, first_message_index, forwarded_count, is_verified,
                session_data)
        SELECT $1, $2, value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT),
               CAST(value ->> 4 AS BIGINT), value ->> 5
          FROM json_each($3) WHERE true
        ON CONFLICT (user_number, version, room_id, session_id) DO UPDATE
           SET first_message_index = excluded.first_message_index, forwarded_count = excluded.forwarded_count,
               is_verified = excluded.is_verified, session_data = excluded.session_data";
    let rows = keys.iter().map(|(room, session, key)| {
        let rank = key.rank();
        Cells::new()
            .with(room.as_str())
            .with(*session)
            .with(rank.first_message_index)
            .with(rank.forwarded_count)
            .with(rank.is_verified)
            .with(key.session_data.get())
    });
    tx.execute(SQL, &[user.into(), version.into(), rows_of(rows)])
        .await
        .map(drop)
}
