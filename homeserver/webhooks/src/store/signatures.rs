use echorift_storage::{Cells, Change, Database, Statement, StorageError, Timestamp, Tx};

static USED: Statement = Statement::insert(
    "INSERT INTO webhook_signatures (signature_hash, expires_ts)
     SELECT value ->> 0, CAST(value ->> 1 AS BIGINT) FROM json_each($1) WHERE true
     ON CONFLICT DO NOTHING",
);

pub(crate) fn insert(change: &mut Change, hash: &str, expires: Timestamp) {
    change.write(&USED, Cells::new().with(hash).with(expires));
}

/// The signatures that were used and would still be good.
pub(crate) async fn used(
    database: &Database,
    now: Timestamp,
) -> Result<Vec<(String, Timestamp)>, StorageError> {
    const SQL: &str = "SELECT signature_hash, expires_ts FROM webhook_signatures WHERE expires_ts >= $1";
    let rows = database.fetch_all(SQL, &[now.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, Timestamp(row.int(1)?))))
        .collect()
}

pub(crate) async fn purge(tx: &mut Tx, now: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM webhook_signatures WHERE expires_ts < $1";
    tx.execute(SQL, &[now.into()]).await.map(drop)
}
