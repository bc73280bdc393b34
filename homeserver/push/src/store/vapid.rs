use echorift_storage::{StorageError, Tx};

/// Keeps `private_key` if there is none yet; the one that is kept.
pub(crate) async fn keep_first(tx: &mut Tx, private_key: &str) -> Result<String, StorageError> {
    const KEEP: &str = "INSERT INTO vapid_key (one, private_key) VALUES (1, $1) ON CONFLICT (one) DO NOTHING";
    tx.execute(KEEP, &[private_key.into()]).await?;
    let row = tx
        .fetch_optional("SELECT private_key FROM vapid_key WHERE one = 1", &[])
        .await?;
    let row = row.ok_or_else(|| StorageError::corrupt("vapid_key.private_key", "the row is missing"))?;
    row.text(0)
}
