use echorift_storage::{Cells, Change, Database, Statement, StorageError, Timestamp, UserNumber, list};
use ruma::DeviceId;

static INSERT: Statement = Statement::insert(
    "INSERT INTO sliding_states (generation, user_number, device_id, conn_id, used_ts, state)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3,
            CAST(value ->> 4 AS BIGINT), value ->> 5
       FROM json_each($1) WHERE true
     ON CONFLICT (generation) DO NOTHING",
);

/// Drops what no client can come back with.
static TRIM: Statement = Statement::upsert(
    3,
    "DELETE FROM sliding_states
      WHERE generation IN (
            SELECT states.generation
              FROM json_each($1) AS kept
              JOIN sliding_states AS states
                ON states.user_number = CAST(kept.value ->> 0 AS BIGINT)
               AND states.device_id = kept.value ->> 1 AND states.conn_id = kept.value ->> 2
             WHERE states.generation <> CAST(kept.value ->> 3 AS BIGINT)
               AND states.generation <> CAST(kept.value ->> 4 AS BIGINT))",
);

static TOUCH: Statement = Statement::upsert(
    1,
    "UPDATE sliding_states SET used_ts = CAST(used.value ->> 1 AS BIGINT)
       FROM json_each($1) AS used
      WHERE sliding_states.generation = CAST(used.value ->> 0 AS BIGINT)",
);

/// Whose connection it is: one of a user's device, named by the client.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub user: UserNumber,
    pub device: &'a DeviceId,
    pub conn_id: &'a str,
}

/// Adds a state, and drops all others of the connection but `parent`, with which the client may come again.
pub(crate) fn put(
    change: &mut Change,
    owner: Owner<'_>,
    (generation, parent): (i64, i64),
    state: &str,
    now: Timestamp,
) {
    let cells = Cells::new()
        .with(generation)
        .with(owner.user)
        .with(owner.device.as_str())
        .with(owner.conn_id)
        .with(now)
        .with(state);
    change.write(&INSERT, cells);
    let cells = Cells::new()
        .with(owner.user)
        .with(owner.device.as_str())
        .with(owner.conn_id)
        .with(generation)
        .with(parent);
    change.write(&TRIM, cells);
}

/// Notes that a state is still in use.
pub(crate) fn touch(change: &mut Change, generation: i64, now: Timestamp) {
    change.write(&TOUCH, Cells::new().with(generation).with(now));
}

/// A state, and when its connection was last known to be used. `None` also for those of others.
pub(crate) async fn find(
    database: &Database,
    owner: Owner<'_>,
    generation: i64,
) -> Result<Option<(String, Timestamp)>, StorageError> {
    const SQL: &str = "
        SELECT state, used_ts FROM sliding_states
         WHERE generation = $1 AND user_number = $2 AND device_id = $3 AND conn_id = $4";
    let values = [
        generation.into(),
        owner.user.into(),
        owner.device.as_str().into(),
        owner.conn_id.into(),
    ];
    let row = database.fetch_optional(SQL, &values).await?;
    row.map(|row| Ok((row.text(0)?, Timestamp(row.int(1)?))))
        .transpose()
}

/// The names of a device's connections, the one used last first.
pub(crate) async fn connections(
    database: &Database,
    user: UserNumber,
    device: &DeviceId,
) -> Result<Vec<String>, StorageError> {
    const SQL: &str = "
        SELECT conn_id, MAX(used_ts) AS used, MAX(generation) AS latest FROM sliding_states
         WHERE user_number = $1 AND device_id = $2
         GROUP BY conn_id ORDER BY used DESC, latest DESC";
    let rows = database
        .fetch_all(SQL, &[user.into(), device.as_str().into()])
        .await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Forgets connections of a device.
pub(crate) async fn delete(
    database: &Database,
    user: UserNumber,
    device: &DeviceId,
    conn_ids: &[String],
) -> Result<(), StorageError> {
    const SQL: &str = "
        DELETE FROM sliding_states
         WHERE user_number = $1 AND device_id = $2 AND conn_id IN (SELECT value ->> 0 FROM json_each($3))";
    let values = [user.into(), device.as_str().into(), list(conn_ids)];
    database
        .writer()
        .transact(move |tx| {
            Box::pin(async move {
                tx.execute(SQL, &values).await?;
                Ok(())
            })
        })
        .await
}

/// Forgets connections that nobody has used since `before`.
pub(crate) async fn delete_unused(database: &Database, before: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM sliding_states WHERE used_ts < $1";
    database
        .writer()
        .transact(move |tx| {
            Box::pin(async move {
                tx.execute(SQL, &[before.into()]).await?;
                Ok(())
            })
        })
        .await
}
