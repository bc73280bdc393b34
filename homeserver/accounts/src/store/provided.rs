//! The accounts of a password provider.

use echorift_storage::{Database, Row, StorageError, UserNumber, list};

/// One account that a provider owns.
pub(crate) struct ProvidedRow {
    pub(crate) number: UserNumber,
    pub(crate) localpart: String,
    pub(crate) external_id: String,
    pub(crate) is_admin: bool,
    pub(crate) is_locked: bool,
}

fn read(row: &Row) -> Result<ProvidedRow, StorageError> {
    Ok(ProvidedRow {
        number: UserNumber(row.int(0)?),
        localpart: row.text(1)?,
        external_id: row.text(2)?,
        is_admin: row.flag(3)?,
        is_locked: row.flag(4)?,
    })
}

/// Those that `provider` knows by these ids, or all that it knows by any; deactivated ones are left out.
pub(crate) async fn of(
    database: &Database,
    provider: &str,
    external_ids: Option<&[&str]>,
) -> Result<Vec<ProvidedRow>, StorageError> {
    const ALL: &str = "
        SELECT user_number, localpart, external_id, is_admin, is_locked FROM accounts
         WHERE provider = $1 AND external_id IS NOT NULL AND deactivated_ts IS NULL";
    const SOME: &str = "
        SELECT user_number, localpart, external_id, is_admin, is_locked FROM accounts
         WHERE provider = $1 AND external_id IN (SELECT value ->> 0 FROM json_each($2)) AND deactivated_ts IS NULL";
    let rows = match external_ids {
        None => database.fetch_all(ALL, &[provider.into()]).await?,
        Some(ids) => {
            database
                .fetch_all(SOME, &[provider.into(), list(ids.iter().copied())])
                .await?
        }
    };
    rows.iter().map(read).collect()
}
