//! Messages to devices that cross between servers, and what other servers are to hear of local users' devices.

use echorift_storage::{
    Cells, Change, Database, Position, RecordIndex, Row, Statement, StorageError, Timestamp, Tx, UserNumber,
};
use ruma::{ServerName, UserId};

static PUT: Statement = Statement::insert(
    "INSERT INTO remote_to_device (server_name, content, position)
     SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT) FROM json_each($1)",
);

/// Adds the content of an `m.direct_to_device` to the queue of a server, at the position of `record`.
pub(crate) fn put(change: &mut Change, server: &ServerName, content: &str, record: RecordIndex) {
    change.write_at(&PUT, Cells::new().with(server.as_str()).with(content), record);
}

/// The first `limit` contents of EDUs for a server after `after`.
pub(crate) async fn waiting(
    database: &Database,
    server: &ServerName,
    after: Position,
    limit: i64,
) -> Result<Vec<(Position, String)>, StorageError> {
    const SQL: &str = "
        SELECT position, content FROM remote_to_device WHERE server_name = $1 AND position > $2
         ORDER BY position LIMIT $3";
    let rows = database
        .fetch_all(SQL, &[server.as_str().into(), after.into(), limit.into()])
        .await?;
    rows.iter()
        .map(|row| Ok((Position(row.int(0)?), row.text(1)?)))
        .collect()
}

/// The servers for which something was queued with `after < position <= up_to`.
pub(crate) async fn servers(
    database: &Database,
    after: Position,
    up_to: Position,
) -> Result<Vec<String>, StorageError> {
    const SQL: &str = "
        SELECT DISTINCT server_name FROM remote_to_device WHERE position > $1 AND position <= $2";
    let rows = database.fetch_all(SQL, &[after.into(), up_to.into()]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

static DELETE: Statement = Statement::upsert(
    1,
    "DELETE FROM remote_to_device WHERE (server_name, position) IN
        (SELECT waiting.server_name, waiting.position
           FROM json_each($1) AS delivered
           JOIN remote_to_device AS waiting ON waiting.server_name = delivered.value ->> 0
            AND waiting.position <= CAST(delivered.value ->> 1 AS BIGINT))",
);

/// Deletes what a server has, up to `up_to`.
pub(crate) fn delete(change: &mut Change, server: &ServerName, up_to: Position) {
    change.write(&DELETE, Cells::new().with(server.as_str()).with(up_to));
}

/// Deletes the oldest EDUs of each server that has more than `waiting_max`; how many.
pub(crate) async fn trim(tx: &mut Tx, waiting_max: i64) -> Result<u64, StorageError> {
    const SQL: &str = "
        DELETE FROM remote_to_device WHERE (server_name, position) IN
            (SELECT server_name, position FROM
                (SELECT server_name, position,
                        ROW_NUMBER() OVER (PARTITION BY server_name ORDER BY position DESC) AS place
                   FROM remote_to_device) AS waiting
              WHERE place > $1)";
    tx.execute(SQL, &[waiting_max.into()]).await
}

/// Remembers a message that came from another server. Whether it is new.
pub(crate) async fn receive(
    tx: &mut Tx,
    sender: &UserId,
    message_id: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        INSERT INTO received_to_device (sender, message_id, received_ts) VALUES ($1, $2, $3)
        ON CONFLICT (sender, message_id) DO NOTHING";
    let added = tx
        .execute(SQL, &[sender.as_str().into(), message_id.into(), now.into()])
        .await?;
    Ok(added > 0)
}

/// Forgets the messages that came before `time`.
pub(crate) async fn purge_received(tx: &mut Tx, time: Timestamp) -> Result<u64, StorageError> {
    const SQL: &str = "DELETE FROM received_to_device WHERE received_ts < $1";
    tx.execute(SQL, &[time.into()]).await
}

/// A change that other servers hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalChange {
    pub(crate) position: Position,
    pub(crate) user: UserNumber,
    /// Of the cross-signing keys; else of the devices.
    pub(crate) is_of_keys: bool,
}

/// The first `limit` changes of local users' devices and keys with `after < position <= up_to`. Of several changes of
/// one user's devices only the latest is known, and of the keys likewise.
pub(crate) async fn local_changes(
    database: &Database,
    after: Position,
    up_to: Position,
    limit: i64,
) -> Result<Vec<LocalChange>, StorageError> {
    const SQL: &str = "
        SELECT changes.position, changes.user_number, changes.is_of_keys FROM
               (SELECT position, user_number, CAST(0 AS BIGINT) AS is_of_keys FROM device_lists
                 WHERE position > $1 AND position <= $2
                 UNION ALL
                SELECT keys_position, user_number, CAST(1 AS BIGINT) FROM device_lists
                 WHERE keys_position > $1 AND keys_position <= $2 AND keys_position > 0) AS changes
               JOIN accounts ON accounts.user_number = changes.user_number
         ORDER BY changes.position LIMIT $3";
    let rows = database
        .fetch_all(SQL, &[after.into(), up_to.into(), limit.into()])
        .await?;
    let read = |row: &Row| {
        Ok(LocalChange {
            position: Position(row.int(0)?),
            user: UserNumber(row.int(1)?),
            is_of_keys: row.flag(2)?,
        })
    };
    rows.iter().map(read).collect()
}

static KEYS_CHANGED: Statement = Statement::upsert(
    1,
    "INSERT INTO device_lists (user_number, position, keys_position)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), CAST(value ->> 1 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (user_number) DO UPDATE SET keys_position = excluded.keys_position",
);

/// Says that a local user's cross-signing keys changed, at the position of `record`.
pub(crate) fn keys_changed(change: &mut Change, user: UserNumber, record: RecordIndex) {
    change.write_at(&KEYS_CHANGED, Cells::new().with(user), record);
}

/// The version of a user's device list: the position of its latest change, 0 if there was none.
pub(crate) async fn list_version(database: &Database, user: UserNumber) -> Result<Position, StorageError> {
    const SQL: &str = "SELECT position FROM device_lists WHERE user_number = $1";
    let row = database.fetch_optional(SQL, &[user.into()]).await?;
    let position = row.map(|row| row.int(0)).transpose()?;
    Ok(Position(position.unwrap_or(0)))
}
