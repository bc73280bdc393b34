use echorift_storage::{Cells, Change, Database, Statement, StorageError, Timestamp};

use crate::ids::BlobKey;

static INSERT: Statement = Statement::insert(
    "INSERT INTO media_garbage (blob_key, remove_ts)
     SELECT value ->> 0, CAST(value ->> 1 AS BIGINT) FROM json_each($1) WHERE true
     ON CONFLICT (blob_key) DO NOTHING",
);
static DELETE: Statement =
    Statement::insert("DELETE FROM media_garbage WHERE blob_key IN (SELECT value ->> 0 FROM json_each($1))");

/// Notes a name that is about to be used, so that it is found if nothing comes of it.
pub(crate) fn note(change: &mut Change, key: &BlobKey, remove_ts: Timestamp) {
    change.write(&INSERT, Cells::new().with(key.as_str()).with(remove_ts));
}

/// Forgets names whose blobs have been removed.
pub(crate) fn forget(change: &mut Change, keys: &[BlobKey]) {
    for key in keys {
        change.write(&DELETE, Cells::new().with(key.as_str()));
    }
}

/// Some names whose time has come and that no content has.
pub(crate) async fn due(
    database: &Database,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<BlobKey>, StorageError> {
    const SQL: &str = "
        SELECT blob_key FROM media_garbage
         WHERE remove_ts <= $1
           AND NOT EXISTS (SELECT 1 FROM media_contents WHERE media_contents.blob_key = media_garbage.blob_key)
         ORDER BY remove_ts, blob_key LIMIT $2";
    let rows = database.fetch_all(SQL, &[now.into(), limit.into()]).await?;
    rows.iter().map(|row| Ok(BlobKey::stored(row.text(0)?))).collect()
}
