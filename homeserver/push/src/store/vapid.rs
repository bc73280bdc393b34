use echorift_storage::{Database, StorageError, Tx};

const FIND: &str = "SELECT private_key FROM vapid_key WHERE one = 1";

/// The key, if there is one yet.
pub(crate) async fn find(database: &Database) -> Result<Option<String>, StorageError> {
    let row = database.fetch_optional(FIND, &[]).await?;
    row.map(|row| row.text(0)).transpose()
}

/// Keeps `private_key` if there is none yet; the one that is kept.
pub(crate) async fn keep_first(tx: &mut Tx, private_key: &str) -> Result<String, StorageError> {
    const KEEP: &str = "INSERT INTO vapid_key (one, private_key) VALUES (1, $1) ON CONFLICT (one) DO NOTHING";
    tx.execute(KEEP, &[private_key.into()]).await?;
    let row = tx.fetch_optional(FIND, &[]).await?;
    row.ok_or_else(|| StorageError::corrupt("vapid_key.private_key", "the row is missing"))?
        .text(0)
}
