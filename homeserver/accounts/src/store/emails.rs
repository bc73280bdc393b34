use echorift_storage::{Database, Row, StorageError, Timestamp, Tx, UserNumber};

/// One row of `account_emails`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredEmail {
    pub(crate) address: String,
    pub(crate) validated: Timestamp,
    pub(crate) added: Timestamp,
}

/// What a person has confirmed and added, by address.
pub(crate) async fn of_user(database: &Database, user: UserNumber) -> Result<Vec<StoredEmail>, StorageError> {
    const SQL: &str = "
        SELECT address, validated_ts, added_ts FROM account_emails WHERE user_number = $1 ORDER BY address";
    let read = |row: &Row| {
        Ok(StoredEmail {
            address: row.text(0)?,
            validated: Timestamp(row.int(1)?),
            added: Timestamp(row.int(2)?),
        })
    };
    database
        .fetch_all(SQL, &[user.into()])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// Who confirmed the address, and otherwise whom the directory gives it to; nobody if those are several.
const OWNERS: &str = "
    SELECT user_number, CAST(0 AS BIGINT) AS place FROM account_emails WHERE address = $1
     UNION ALL
    SELECT user_number, CAST(1 AS BIGINT) AS place FROM accounts WHERE mail = $1 AND deactivated_ts IS NULL
     ORDER BY place, user_number LIMIT 2";

fn owner(rows: &[Row]) -> Result<Option<UserNumber>, StorageError> {
    match rows {
        [first, ..] if first.int(1)? == 0 => Ok(Some(UserNumber(first.int(0)?))),
        [only] => Ok(Some(UserNumber(only.int(0)?))),
        _ => Ok(None),
    }
}

pub(crate) async fn find_owner(
    database: &Database,
    address: &str,
) -> Result<Option<UserNumber>, StorageError> {
    owner(&database.fetch_all(OWNERS, &[address.into()]).await?)
}

/// Adds a confirmed address; `false` if anyone has it already, this person included.
pub(crate) async fn add(
    tx: &mut Tx,
    user: UserNumber,
    address: &str,
    validated: Timestamp,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        INSERT INTO account_emails (address, user_number, validated_ts, added_ts) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING";
    if !tx.fetch_all(OWNERS, &[address.into()]).await?.is_empty() {
        return Ok(false);
    }
    let values = [address.into(), user.into(), validated.into(), now.into()];
    Ok(tx.execute(SQL, &values).await? > 0)
}

/// Whether the person had this address.
pub(crate) async fn remove(tx: &mut Tx, user: UserNumber, address: &str) -> Result<bool, StorageError> {
    const SQL: &str = "DELETE FROM account_emails WHERE user_number = $1 AND address = $2";
    const PUSHERS: &str = "DELETE FROM pushers WHERE user_number = $1 AND kind = 'email' AND pushkey = $2";
    tx.execute(PUSHERS, &[user.into(), address.into()]).await?;
    Ok(tx.execute(SQL, &[user.into(), address.into()]).await? > 0)
}
