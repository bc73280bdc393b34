use echorift_storage::{Database, StorageError, Timestamp, Tx, UserNumber};

/// Writes a filter, and forgets those of the user's that were saved longest ago, beyond `kept`.
pub(crate) async fn save(
    tx: &mut Tx,
    user: UserNumber,
    id: &str,
    definition: &str,
    now: Timestamp,
    kept: i64,
) -> Result<(), StorageError> {
    const SAVE: &str = "
        INSERT INTO filters (user_number, filter_id, definition, saved_ts) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_number, filter_id) DO UPDATE SET saved_ts = excluded.saved_ts";
    const FORGET: &str = "
        DELETE FROM filters WHERE user_number = $1 AND filter_id NOT IN
            (SELECT filter_id FROM filters WHERE user_number = $1 ORDER BY saved_ts DESC, filter_id LIMIT $2)";
    tx.execute(SAVE, &[user.into(), id.into(), definition.into(), now.into()])
        .await?;
    tx.execute(FORGET, &[user.into(), kept.into()]).await.map(drop)
}

pub(crate) async fn find(
    database: &Database,
    user: UserNumber,
    id: &str,
) -> Result<Option<String>, StorageError> {
    const SQL: &str = "SELECT definition FROM filters WHERE user_number = $1 AND filter_id = $2";
    let row = database.fetch_optional(SQL, &[user.into(), id.into()]).await?;
    row.map(|row| row.text(0)).transpose()
}
