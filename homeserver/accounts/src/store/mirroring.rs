//! Accounts of a directory's people, many at a time.

use std::collections::{BTreeMap, HashMap, HashSet};

use echorift_storage::{Cells, Database, Row, StorageError, Timestamp, Tx, UserNumber, Value, list};

use super::sessions::Revoked;
use crate::mirroring::{LockOwner, MirroredPerson};

/// An account to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewPerson {
    pub(crate) user: UserNumber,
    pub(crate) localpart: String,
    pub(crate) external_id: String,
    pub(crate) mail: Option<String>,
}

/// A field of a profile to be written, or without a value to be removed.
#[derive(Debug, Clone)]
pub(crate) struct WrittenField {
    pub(crate) user: UserNumber,
    pub(crate) name: String,
    /// As JSON.
    pub(crate) value: Option<String>,
}

/// Every account that the provider owns, by user number.
pub(crate) async fn people(database: &Database, provider: &str) -> Result<Vec<MirroredPerson>, StorageError> {
    const ACCOUNTS: &str = "
        SELECT user_number, localpart, external_id, mail, is_locked, locked_by, deactivated_ts, directory_photo
          FROM accounts WHERE provider = $1 ORDER BY user_number";
    const FIELDS: &str = "
        SELECT profile_fields.user_number, field, value
          FROM profile_fields JOIN accounts USING (user_number) WHERE accounts.provider = $1";
    let fields = database.fetch_all(FIELDS, &[provider.into()]).await?;
    let accounts = database.fetch_all(ACCOUNTS, &[provider.into()]).await?;
    put_together(provider, &accounts, &fields)
}

/// Those of the accounts with one of these ids or one of these names.
pub(crate) async fn people_among(
    database: &Database,
    provider: &str,
    external_ids: &[&str],
    localparts: &[&str],
) -> Result<Vec<MirroredPerson>, StorageError> {
    const ACCOUNTS: &str = "
        SELECT user_number, localpart, external_id, mail, is_locked, locked_by, deactivated_ts, directory_photo
          FROM accounts
         WHERE user_number IN (
               SELECT user_number FROM accounts
                WHERE provider = $1 AND external_id IN (SELECT value ->> 0 FROM json_each($2))
                UNION
               SELECT user_number FROM accounts
                WHERE provider = $1 AND localpart IN (SELECT value ->> 0 FROM json_each($3)))
         ORDER BY user_number";
    const FIELDS: &str = "
        SELECT user_number, field, value FROM profile_fields
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    let values = [provider.into(), list(external_ids), list(localparts)];
    let accounts = database.fetch_all(ACCOUNTS, &values).await?;
    let users = accounts
        .iter()
        .map(|row| row.int(0))
        .collect::<Result<Vec<_>, _>>()?;
    let fields = database.fetch_all(FIELDS, &[list(users)]).await?;
    put_together(provider, &accounts, &fields)
}

/// How many accounts of the provider can be used.
pub(crate) async fn count_active(database: &Database, provider: &str) -> Result<usize, StorageError> {
    const SQL: &str = "
        SELECT COUNT(*) FROM accounts WHERE provider = $1 AND is_locked = 0 AND deactivated_ts IS NULL";
    let rows = database.fetch_all(SQL, &[provider.into()]).await?;
    let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
    usize::try_from(count).map_err(|error| StorageError::corrupt("accounts", error))
}

fn put_together(
    provider: &str,
    accounts: &[Row],
    written: &[Row],
) -> Result<Vec<MirroredPerson>, StorageError> {
    let mut fields: HashMap<i64, BTreeMap<String, serde_json::Value>> = HashMap::new();
    for row in written {
        let value = serde_json::from_str(&row.text(2)?)
            .map_err(|error| StorageError::corrupt("profile_fields.value", error))?;
        fields.entry(row.int(0)?).or_default().insert(row.text(1)?, value);
    }
    let mut read = |row: &Row| {
        let user = row.int(0)?;
        let locked_by = row.optional_text(5)?;
        let lock = row
            .flag(4)?
            .then(|| match locked_by.as_deref() == Some(provider) {
                true => LockOwner::Directory,
                false => LockOwner::Administrator,
            });
        Ok(MirroredPerson {
            user: UserNumber(user),
            localpart: row.text(1)?,
            external_id: row.optional_text(2)?,
            mail: row.optional_text(3)?,
            lock,
            is_deactivated: row.optional_int(6)?.is_some(),
            photo_digest: row.optional_text(7)?,
            fields: fields.remove(&user).unwrap_or_default(),
        })
    };
    accounts.iter().map(&mut read).collect()
}

/// Those of the names that some account has.
pub(crate) async fn taken(database: &Database, localparts: &[&str]) -> Result<HashSet<String>, StorageError> {
    const SQL: &str =
        "SELECT localpart FROM accounts WHERE localpart IN (SELECT value ->> 0 FROM json_each($1))";
    let rows = database.fetch_all(SQL, &[list(localparts)]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Writes new accounts, but for those whose name or id somebody has; how many.
pub(crate) async fn insert(
    tx: &mut Tx,
    provider: &str,
    people: &[NewPerson],
    now: Timestamp,
) -> Result<u64, StorageError> {
    const SQL: &str = "
        INSERT INTO accounts (user_number, localpart, provider, external_id, mail, created_ts)
        SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, $2, value ->> 2, value ->> 3,
               CAST($3 AS BIGINT)
          FROM json_each($1)
         WHERE true
            ON CONFLICT DO NOTHING";
    let rows = people.iter().map(|person| {
        Cells::new()
            .with(person.user.0)
            .with(&person.localpart)
            .with(&person.external_id)
            .with(person.mail.as_ref())
    });
    tx.execute(SQL, &[table(rows), provider.into(), now.into()]).await
}

/// Writes fields of profiles, of people of this provider only.
pub(crate) async fn put_fields(
    tx: &mut Tx,
    provider: &str,
    fields: &[WrittenField],
) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO profile_fields (user_number, field, value)
        SELECT accounts.user_number, written.field, written.value
          FROM (SELECT CAST(value ->> 0 AS BIGINT) AS user_number, value ->> 1 AS field, value ->> 2 AS value
                  FROM json_each($1)) AS written
               JOIN accounts ON accounts.user_number = written.user_number
         WHERE accounts.provider = $2 AND accounts.deactivated_ts IS NULL
            ON CONFLICT (user_number, field) DO UPDATE SET value = excluded.value";
    if fields.is_empty() {
        return Ok(());
    }
    let rows = fields.iter().map(|field| {
        Cells::new()
            .with(field.user.0)
            .with(&field.name)
            .with(field.value.as_ref())
    });
    tx.execute(SQL, &[table(rows), provider.into()]).await.map(drop)
}

pub(crate) async fn remove_fields(tx: &mut Tx, fields: &[WrittenField]) -> Result<(), StorageError> {
    const SQL: &str = "
        DELETE FROM profile_fields
         WHERE (user_number, field) IN (SELECT CAST(value ->> 0 AS BIGINT), value ->> 1 FROM json_each($1))";
    if fields.is_empty() {
        return Ok(());
    }
    let rows = fields
        .iter()
        .map(|field| Cells::new().with(field.user.0).with(&field.name));
    tx.execute(SQL, &[table(rows)]).await.map(drop)
}

pub(crate) async fn set_mails(
    tx: &mut Tx,
    mails: &[(UserNumber, Option<String>)],
) -> Result<(), StorageError> {
    const SQL: &str = "
        UPDATE accounts SET mail = written.mail
          FROM (SELECT CAST(value ->> 0 AS BIGINT) AS user_number, value ->> 1 AS mail FROM json_each($1)) AS written
         WHERE accounts.user_number = written.user_number AND deactivated_ts IS NULL";
    set(tx, SQL, mails).await
}

pub(crate) async fn set_photos(
    tx: &mut Tx,
    digests: &[(UserNumber, Option<String>)],
) -> Result<(), StorageError> {
    const SQL: &str = "
        UPDATE accounts SET directory_photo = written.digest
          FROM (SELECT CAST(value ->> 0 AS BIGINT) AS user_number, value ->> 1 AS digest FROM json_each($1)) AS written
         WHERE accounts.user_number = written.user_number AND deactivated_ts IS NULL";
    set(tx, SQL, digests).await
}

async fn set(
    tx: &mut Tx,
    sql: &'static str,
    values: &[(UserNumber, Option<String>)],
) -> Result<(), StorageError> {
    if values.is_empty() {
        return Ok(());
    }
    let rows = values
        .iter()
        .map(|(user, value)| Cells::new().with(user.0).with(value.as_ref()));
    tx.execute(sql, &[table(rows)]).await.map(drop)
}

/// How many accounts the provider has locked since then, of locks that count, and that are locked still.
pub(crate) async fn count_locked(
    database: &Database,
    provider: &str,
    since: Timestamp,
) -> Result<usize, StorageError> {
    const SQL: &str = "
        SELECT COUNT(*) FROM accounts
         WHERE provider = $1 AND locked_by = $1 AND directory_locked_ts > $2 AND is_locked = 1";
    let rows = database.fetch_all(SQL, &[provider.into(), since.into()]).await?;
    let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
    usize::try_from(count).map_err(|error| StorageError::corrupt("accounts", error))
}

/// Has no lock of the provider's count any longer.
pub(crate) async fn forget_locks(tx: &mut Tx, provider: &str) -> Result<(), StorageError> {
    const SQL: &str = "
        UPDATE accounts SET directory_locked_ts = NULL
         WHERE provider = $1 AND locked_by = $1 AND directory_locked_ts IS NOT NULL";
    tx.execute(SQL, &[provider.into()]).await.map(drop)
}

/// Locks those of the accounts that are not locked; which. `counted` is the time for locks that [`count_locked`] counts.
pub(crate) async fn lock(
    tx: &mut Tx,
    provider: &str,
    users: &[UserNumber],
    counted: Option<Timestamp>,
) -> Result<Vec<UserNumber>, StorageError> {
    const SQL: &str = "
        UPDATE accounts SET is_locked = 1, locked_by = $2, directory_locked_ts = CAST($3 AS BIGINT)
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
               AND provider = $2 AND is_locked = 0 AND deactivated_ts IS NULL
        RETURNING user_number";
    let counted = counted.map(|at| at.0);
    numbers(
        &tx.fetch_all(SQL, &[listed(users), provider.into(), counted.into()])
            .await?,
    )
}

/// Unlocks those of the accounts that the provider has locked; which.
pub(crate) async fn unlock(
    tx: &mut Tx,
    provider: &str,
    users: &[UserNumber],
) -> Result<Vec<UserNumber>, StorageError> {
    const SQL: &str = "
        UPDATE accounts SET is_locked = 0, locked_by = NULL, directory_locked_ts = NULL
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
               AND locked_by = $2 AND is_locked = 1
        RETURNING user_number";
    numbers(&tx.fetch_all(SQL, &[listed(users), provider.into()]).await?)
}

/// Ends all sessions of these people, softly: who returns goes on with the same device and its keys. Their pushers and
/// unused tokens are gone.
pub(crate) async fn end_sessions(
    tx: &mut Tx,
    users: &[UserNumber],
    now: Timestamp,
) -> Result<Vec<Revoked>, StorageError> {
    const SESSIONS: &str = "
        UPDATE sessions SET revoked_ts = $2, is_soft_revoked = 1
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1)) AND revoked_ts IS NULL
        RETURNING session_number, user_number";
    const PUSHERS: &str =
        "DELETE FROM pushers WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    const TOKENS: &str = "DELETE FROM short_tokens WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    if users.is_empty() {
        return Ok(Vec::new());
    }
    tx.execute(PUSHERS, &[listed(users)]).await?;
    tx.execute(TOKENS, &[listed(users)]).await?;
    let rows = tx.fetch_all(SESSIONS, &[listed(users), now.into()]).await?;
    let ended = rows.iter().map(|row| {
        Ok(Revoked {
            session: row.int(0)?,
            user: UserNumber(row.int(1)?),
            at: now,
            is_soft: true,
        })
    });
    ended.collect()
}

fn listed(users: &[UserNumber]) -> Value {
    list(users.iter().map(|user| user.0))
}

fn numbers(rows: &[Row]) -> Result<Vec<UserNumber>, StorageError> {
    rows.iter().map(|row| row.int(0).map(UserNumber)).collect()
}

/// Rows as one parameter.
fn table(rows: impl Iterator<Item = Cells>) -> Value {
    let rows: Vec<String> = rows.map(Cells::into_row).collect();
    Value::Text(Some(format!("[{}]", rows.join(","))))
}
