use std::collections::HashSet;

use echorift_storage::{Database, Position, StorageError, UserNumber};

/// Whose devices or keys changed after `after`.
pub(crate) async fn changed_after(
    database: &Database,
    after: Position,
) -> Result<HashSet<UserNumber>, StorageError> {
    const SQL: &str = "SELECT user_number FROM device_lists WHERE position > $1";
    let rows = database.fetch_all(SQL, &[after.into()]).await?;
    rows.iter().map(|row| Ok(UserNumber(row.int(0)?))).collect()
}

/// Whose devices or keys changed last with `after < position <= to`.
pub(crate) async fn changed_between(
    database: &Database,
    (after, to): (Position, Position),
) -> Result<Vec<UserNumber>, StorageError> {
    const SQL: &str = "
        SELECT user_number FROM device_lists WHERE position > $1 AND position <= $2 ORDER BY position";
    let rows = database.fetch_all(SQL, &[after.into(), to.into()]).await?;
    rows.iter().map(|row| Ok(UserNumber(row.int(0)?))).collect()
}

/// Whose keys the signer has signed after `after`, but for their own.
pub(crate) async fn signed_after(
    database: &Database,
    signer: UserNumber,
    after: Position,
) -> Result<Vec<UserNumber>, StorageError> {
    const SQL: &str = "
        SELECT DISTINCT user_number FROM key_signatures
         WHERE signer_number = $1 AND position > $2 AND user_number <> $1";
    let rows = database.fetch_all(SQL, &[signer.into(), after.into()]).await?;
    rows.iter().map(|row| Ok(UserNumber(row.int(0)?))).collect()
}
