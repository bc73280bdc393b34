use echorift_storage::{Database, Row, StorageError, Timestamp, Tx, UserNumber, Value};

use super::short_tokens::{self, Purpose};
use crate::AccountError;

/// One row of `accounts`.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) number: UserNumber,
    pub(crate) localpart: String,
    pub(crate) password_hash: Option<String>,
    /// The provider that owns the account.
    pub(crate) provider: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) mail: Option<String>,
    pub(crate) is_admin: bool,
    pub(crate) is_locked: bool,
    pub(crate) is_suspended: bool,
    pub(crate) is_deactivated: bool,
    pub(crate) created: Timestamp,
    pub(crate) is_guest: bool,
    /// The provider that has locked the account.
    pub(crate) locked_by: Option<String>,
}

/// An account to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewAccount {
    pub(crate) number: UserNumber,
    pub(crate) localpart: String,
    pub(crate) password_hash: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) mail: Option<String>,
    pub(crate) is_admin: bool,
    pub(crate) is_guest: bool,
    pub(crate) display_name: Option<String>,
}

/// Spells out a query for whole accounts.
macro_rules! accounts_where {
    ($condition:literal) => {
        concat!(
            "SELECT user_number, localpart, password_hash, provider, external_id, mail,
                    is_admin, is_locked, is_suspended, deactivated_ts, created_ts, is_guest, locked_by
               FROM accounts WHERE ",
            $condition
        )
    };
}

fn read(row: &Row) -> Result<Account, StorageError> {
    Ok(Account {
        number: UserNumber(row.int(0)?),
        localpart: row.text(1)?,
        password_hash: row.optional_text(2)?,
        provider: row.optional_text(3)?,
        external_id: row.optional_text(4)?,
        mail: row.optional_text(5)?,
        is_admin: row.flag(6)?,
        is_locked: row.flag(7)?,
        is_suspended: row.flag(8)?,
        is_deactivated: row.optional_int(9)?.is_some(),
        created: Timestamp(row.int(10)?),
        is_guest: row.flag(11)?,
        locked_by: row.optional_text(12)?,
    })
}

async fn find(
    database: &Database,
    sql: &'static str,
    values: &[Value],
) -> Result<Option<Account>, StorageError> {
    database
        .fetch_optional(sql, values)
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

pub(crate) async fn find_by_localpart(
    database: &Database,
    localpart: &str,
) -> Result<Option<Account>, StorageError> {
    find(database, accounts_where!("localpart = $1"), &[localpart.into()]).await
}

pub(crate) async fn find_by_number(
    database: &Database,
    user: UserNumber,
) -> Result<Option<Account>, StorageError> {
    find(database, accounts_where!("user_number = $1"), &[user.into()]).await
}

/// The account that `provider` knows by `external_id`.
pub(crate) async fn find_by_external_id(
    database: &Database,
    provider: &str,
    external_id: &str,
) -> Result<Option<Account>, StorageError> {
    let sql = accounts_where!("provider = $1 AND external_id = $2");
    find(database, sql, &[provider.into(), external_id.into()]).await
}

/// Administrators, guests, and whoever is locked or suspended: the few accounts that each request is compared with.
pub(crate) async fn marked(database: &Database) -> Result<Vec<Account>, StorageError> {
    let sql = accounts_where!("is_admin = 1 OR is_locked = 1 OR is_suspended = 1 OR is_guest = 1");
    database.fetch_all(sql, &[]).await?.iter().map(read).collect()
}

/// Writes a new account and its display name. Error: `UserInUse` if the name was ever given out.
pub(crate) async fn insert(tx: &mut Tx, new: &NewAccount, now: Timestamp) -> Result<(), AccountError> {
    const ACCOUNT: &str = "
        INSERT INTO accounts (user_number, localpart, password_hash, provider, external_id, mail, is_admin, is_guest,
                              created_ts)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    let values = [
        new.number.into(),
        new.localpart.as_str().into(),
        new.password_hash.clone().into(),
        new.provider.clone().into(),
        new.external_id.clone().into(),
        new.mail.clone().into(),
        new.is_admin.into(),
        new.is_guest.into(),
        now.into(),
    ];
    if tx.execute(ACCOUNT, &values).await? == 0 {
        return Err(AccountError::UserInUse);
    }
    if new.is_admin {
        // From now on nobody becomes administrator by the first administrator's token.
        short_tokens::delete_all(tx, Purpose::FirstAdmin).await?;
    }
    if let Some(name) = &new.display_name {
        const NAME: &str =
            "INSERT INTO profile_fields (user_number, field, value) VALUES ($1, 'displayname', $2)";
        let value = serde_json::Value::from(name.as_str()).to_string();
        tx.execute(NAME, &[new.number.into(), value.into()]).await?;
    }
    Ok(())
}

const ADMINISTRATORS: &str = "SELECT 1 FROM accounts WHERE is_admin = 1 AND deactivated_ts IS NULL LIMIT 1";

/// Whether anyone administers this server.
pub(crate) async fn has_admin(tx: &mut Tx) -> Result<bool, StorageError> {
    Ok(tx.fetch_optional(ADMINISTRATORS, &[]).await?.is_some())
}

/// As [`has_admin`], outside of a transaction.
pub(crate) async fn is_administered(database: &Database) -> Result<bool, StorageError> {
    Ok(database.fetch_optional(ADMINISTRATORS, &[]).await?.is_some())
}

pub(crate) async fn set_password(tx: &mut Tx, user: UserNumber, hash: &str) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE accounts SET password_hash = $2 WHERE user_number = $1";
    tx.execute(SQL, &[user.into(), hash.into()]).await.map(drop)
}

/// What the directory says of a person who has an account already.
pub(crate) async fn update_from_directory(
    tx: &mut Tx,
    user: UserNumber,
    external_id: Option<&str>,
    mail: Option<&str>,
    is_admin: bool,
) -> Result<(), StorageError> {
    const SQL: &str = "
        UPDATE accounts SET external_id = COALESCE($2, external_id), mail = $3, is_admin = $4 WHERE user_number = $1";
    tx.execute(
        SQL,
        &[user.into(), external_id.into(), mail.into(), is_admin.into()],
    )
    .await
    .map(drop)
}

/// What an account that has ended still wants done in its rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Farewell {
    Leave = 1,
    LeaveAndErase = 2,
}

/// Ends an account for good: it keeps its name and nothing else.
pub(crate) async fn deactivate(
    tx: &mut Tx,
    user: UserNumber,
    farewell: Farewell,
    now: Timestamp,
) -> Result<(), StorageError> {
    const ACCOUNT: &str = "
        UPDATE accounts SET deactivated_ts = $2, farewell = $3, password_hash = NULL, mail = NULL, is_admin = 0,
               is_guest = 0
         WHERE user_number = $1";
    tx.execute(ACCOUNT, &[user.into(), now.into(), (farewell as i64).into()])
        .await?;
    for table in [
        "DELETE FROM profile_fields WHERE user_number = $1",
        "DELETE FROM account_data WHERE user_number = $1",
        "DELETE FROM room_account_data WHERE user_number = $1",
        "DELETE FROM filters WHERE user_number = $1",
        "DELETE FROM short_tokens WHERE user_number = $1",
        "DELETE FROM account_emails WHERE user_number = $1",
        "DELETE FROM pushers WHERE user_number = $1",
        "DELETE FROM cross_signing_keys WHERE user_number = $1",
        "DELETE FROM key_signatures WHERE user_number = $1",
        "DELETE FROM key_signatures WHERE signer_number = $1",
        "DELETE FROM backed_up_keys WHERE user_number = $1",
        "DELETE FROM key_backups WHERE user_number = $1",
    ] {
        tx.execute(table, &[user.into()]).await?;
    }
    Ok(())
}

/// Accounts whose farewell is not done.
pub(crate) async fn farewells(
    database: &Database,
) -> Result<Vec<(UserNumber, String, Farewell)>, StorageError> {
    const SQL: &str = "SELECT user_number, localpart, farewell FROM accounts WHERE farewell > 0";
    let read = |row: &Row| {
        let erases = row.int(2)? == Farewell::LeaveAndErase as i64;
        let farewell = if erases {
            Farewell::LeaveAndErase
        } else {
            Farewell::Leave
        };
        Ok((UserNumber(row.int(0)?), row.text(1)?, farewell))
    };
    database.fetch_all(SQL, &[]).await?.iter().map(read).collect()
}

/// Whether the account has ended and nobody has taken leave of it yet.
pub(crate) async fn has_farewell(database: &Database, user: UserNumber) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM accounts WHERE user_number = $1 AND farewell > 0";
    Ok(database.fetch_optional(SQL, &[user.into()]).await?.is_some())
}

/// The account has been taken leave of.
pub(crate) async fn end_farewell(tx: &mut Tx, user: UserNumber) -> Result<(), StorageError> {
    tx.execute(
        "UPDATE accounts SET farewell = 0 WHERE user_number = $1",
        &[user.into()],
    )
    .await
    .map(drop)
}

/// Whether there is such an account that was not deactivated. What an administrator says of a lock holds from then on,
/// whoever locked before.
pub(crate) async fn set_marks(
    tx: &mut Tx,
    user: UserNumber,
    is_locked: Option<bool>,
    is_suspended: Option<bool>,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        UPDATE accounts SET is_locked = COALESCE($2, is_locked), is_suspended = COALESCE($3, is_suspended),
               locked_by = CASE WHEN CAST($2 AS BIGINT) IS NULL THEN locked_by END
         WHERE user_number = $1 AND deactivated_ts IS NULL";
    let [locked, suspended] = [is_locked, is_suspended].map(|flag| flag.map(i64::from));
    Ok(tx
        .execute(SQL, &[user.into(), locked.into(), suspended.into()])
        .await?
        > 0)
}

/// Says whether somebody administers the server; whether there is such an account that was not deactivated.
pub(crate) async fn set_admin(tx: &mut Tx, user: UserNumber, is_admin: bool) -> Result<bool, StorageError> {
    const SQL: &str = "UPDATE accounts SET is_admin = $2 WHERE user_number = $1 AND deactivated_ts IS NULL";
    let is_there = tx.execute(SQL, &[user.into(), is_admin.into()]).await? > 0;
    if is_admin && is_there {
        // From now on nobody becomes administrator by the first administrator's token.
        short_tokens::delete_all(tx, Purpose::FirstAdmin).await?;
    }
    Ok(is_there)
}

/// Gives a guest's account a password and makes it a whole one; whether there is such a guest.
pub(crate) async fn upgrade_guest(tx: &mut Tx, user: UserNumber, hash: &str) -> Result<bool, StorageError> {
    const SQL: &str = "
        UPDATE accounts SET is_guest = 0, password_hash = $2
         WHERE user_number = $1 AND is_guest = 1 AND deactivated_ts IS NULL";
    Ok(tx.execute(SQL, &[user.into(), hash.into()]).await? > 0)
}

/// Guests of before `made_before` without a session that could go on, `limit` at most.
pub(crate) async fn stale_guests(
    database: &Database,
    (now, made_before): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<(UserNumber, String)>, StorageError> {
    const SQL: &str = "
        SELECT user_number, localpart FROM accounts
         WHERE is_guest = 1 AND created_ts < $3 AND NOT EXISTS (
               SELECT 1 FROM sessions
                WHERE sessions.user_number = accounts.user_number AND revoked_ts IS NULL AND expires_ts > $1)
         ORDER BY user_number LIMIT $2";
    let rows = database
        .fetch_all(SQL, &[now.into(), limit.into(), made_before.into()])
        .await?;
    rows.iter()
        .map(|row| Ok((UserNumber(row.int(0)?), row.text(1)?)))
        .collect()
}
