use echorift_storage::{Database, Row, StorageError, Timestamp, Tx, UserNumber};

use super::sessions::NewSession;

/// A token as a request finds it.
#[derive(Debug, Clone)]
pub(crate) struct StoredToken {
    pub(crate) session: i64,
    pub(crate) user: UserNumber,
    pub(crate) device_id: String,
    /// A JSON list.
    pub(crate) scopes: String,
    pub(crate) expires: Option<Timestamp>,
    /// Who answers for the account, if it is a bot's.
    pub(crate) owner: Option<UserNumber>,
}

/// A token as its owner sees it.
#[derive(Debug, Clone)]
pub(crate) struct ListedToken {
    pub(crate) session: i64,
    pub(crate) name: String,
    /// A JSON list.
    pub(crate) scopes: String,
    pub(crate) created: Timestamp,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) last_used: Option<Timestamp>,
    pub(crate) last_used_ip: Option<String>,
}

/// What of a new token the session does not hold.
#[derive(Debug, Clone)]
pub(crate) struct NewToken {
    pub(crate) hash: String,
    pub(crate) name: String,
    pub(crate) scopes: String,
    pub(crate) expires: Option<Timestamp>,
}

/// Writes a token whose session was opened in the same step.
pub(crate) async fn insert(tx: &mut Tx, session: &NewSession, token: &NewToken) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO access_tokens (session_number, token_hash, user_number, name, scopes, expires_ts)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let values = [
        session.number.into(),
        token.hash.as_str().into(),
        session.user.into(),
        token.name.as_str().into(),
        token.scopes.as_str().into(),
        token.expires.map(|at| at.0).into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// How many tokens the account has that have neither ended nor expired.
pub(crate) async fn count(tx: &mut Tx, user: UserNumber, now: Timestamp) -> Result<i64, StorageError> {
    const SQL: &str = "
        SELECT COUNT(*) FROM access_tokens JOIN sessions USING (session_number)
         WHERE access_tokens.user_number = $1 AND revoked_ts IS NULL AND sessions.expires_ts > $2";
    let row = tx.fetch_optional(SQL, &[user.into(), now.into()]).await?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// The token with this hash, if its session has not ended.
pub(crate) async fn find(database: &Database, hash: &str) -> Result<Option<StoredToken>, StorageError> {
    const SQL: &str = "
        SELECT session_number, sessions.user_number, device_id, scopes, access_tokens.expires_ts, owner_number
          FROM access_tokens JOIN sessions USING (session_number)
               LEFT JOIN bots ON bots.user_number = sessions.user_number
         WHERE token_hash = $1 AND revoked_ts IS NULL";
    let row = database.fetch_optional(SQL, &[hash.into()]).await?;
    row.as_ref().map(read_stored).transpose()
}

fn read_stored(row: &Row) -> Result<StoredToken, StorageError> {
    Ok(StoredToken {
        session: row.int(0)?,
        user: UserNumber(row.int(1)?),
        device_id: row.text(2)?,
        scopes: row.text(3)?,
        expires: row.optional_int(4)?.map(Timestamp),
        owner: row.optional_int(5)?.map(UserNumber),
    })
}

/// The tokens of an account that have not ended, in the order in which they were made; also those that have expired of
/// late.
pub(crate) async fn of_user(database: &Database, user: UserNumber) -> Result<Vec<ListedToken>, StorageError> {
    const SQL: &str = "
        SELECT session_number, name, scopes, sessions.created_ts, access_tokens.expires_ts, last_seen_ts,
               last_seen_ip
          FROM access_tokens JOIN sessions USING (session_number)
               LEFT JOIN devices
               ON devices.user_number = sessions.user_number AND devices.device_id = sessions.device_id
         WHERE access_tokens.user_number = $1 AND revoked_ts IS NULL
         ORDER BY session_number";
    let rows = database.fetch_all(SQL, &[user.into()]).await?;
    rows.iter().map(read_listed).collect()
}

fn read_listed(row: &Row) -> Result<ListedToken, StorageError> {
    Ok(ListedToken {
        session: row.int(0)?,
        name: row.text(1)?,
        scopes: row.text(2)?,
        created: Timestamp(row.int(3)?),
        expires: row.optional_int(4)?.map(Timestamp),
        last_used: row.optional_int(5)?.map(Timestamp),
        last_used_ip: row.optional_text(6)?,
    })
}

/// The device of one of the account's tokens that has not ended.
pub(crate) async fn device_of(
    database: &Database,
    user: UserNumber,
    session: i64,
) -> Result<Option<String>, StorageError> {
    const SQL: &str = "
        SELECT device_id FROM access_tokens JOIN sessions USING (session_number)
         WHERE session_number = $1 AND access_tokens.user_number = $2 AND revoked_ts IS NULL";
    let row = database
        .fetch_optional(SQL, &[session.into(), user.into()])
        .await?;
    row.map(|row| row.text(0)).transpose()
}
