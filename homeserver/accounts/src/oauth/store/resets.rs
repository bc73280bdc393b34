use echorift_storage::{Database, StorageError, Timestamp, Tx, UserNumber};

/// Allows a user to replace their cross-signing keys until `expires`.
pub(crate) async fn allow(tx: &mut Tx, user: UserNumber, expires: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO cross_signing_resets (user_number, expires_ts) VALUES ($1, $2)
        ON CONFLICT (user_number) DO UPDATE SET expires_ts = excluded.expires_ts";
    tx.execute(SQL, &[user.into(), expires.into()]).await.map(drop)
}

pub(crate) async fn is_allowed(
    database: &Database,
    user: UserNumber,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM cross_signing_resets WHERE user_number = $1 AND expires_ts > $2";
    Ok(database
        .fetch_optional(SQL, &[user.into(), now.into()])
        .await?
        .is_some())
}
