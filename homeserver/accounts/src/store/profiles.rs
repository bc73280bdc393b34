use std::collections::BTreeMap;

use echorift_storage::{Database, Row, StorageError, Tx, UserNumber, list};
use serde_json::Value;

/// A field of someone's profile.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: Value,
}

/// The profiles of those of `localparts` who have an account that was not deactivated: one row for each field, or one
/// without a field for an empty profile.
pub(crate) async fn of<'a>(
    database: &Database,
    localparts: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<(String, Option<Field>)>, StorageError> {
    const SQL: &str = "
        SELECT accounts.localpart, profile_fields.field, profile_fields.value
          FROM accounts LEFT JOIN profile_fields USING (user_number)
         WHERE accounts.localpart IN (SELECT value ->> 0 FROM json_each($1)) AND deactivated_ts IS NULL";
    let rows = database.fetch_all(SQL, &[list(localparts)]).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, read_field(row)?)))
        .collect()
}

fn read_field(row: &Row) -> Result<Option<Field>, StorageError> {
    let (Some(name), Some(value)) = (row.optional_text(1)?, row.optional_text(2)?) else {
        return Ok(None);
    };
    let value =
        serde_json::from_str(&value).map_err(|error| StorageError::corrupt("profile_fields.value", error))?;
    Ok(Some(Field { name, value }))
}

/// All fields of a user by name, as JSON texts.
pub(crate) async fn fields(tx: &mut Tx, user: UserNumber) -> Result<BTreeMap<String, String>, StorageError> {
    const SQL: &str = "SELECT field, value FROM profile_fields WHERE user_number = $1";
    let rows = tx.fetch_all(SQL, &[user.into()]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

pub(crate) async fn put(tx: &mut Tx, user: UserNumber, field: &str, value: &str) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO profile_fields (user_number, field, value) VALUES ($1, $2, $3)
        ON CONFLICT (user_number, field) DO UPDATE SET value = excluded.value";
    tx.execute(SQL, &[user.into(), field.into(), value.into()])
        .await
        .map(drop)
}

pub(crate) async fn delete(tx: &mut Tx, user: UserNumber, field: &str) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM profile_fields WHERE user_number = $1 AND field = $2";
    tx.execute(SQL, &[user.into(), field.into()]).await.map(drop)
}
