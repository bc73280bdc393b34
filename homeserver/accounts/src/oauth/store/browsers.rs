use echorift_storage::{Database, StorageError, Timestamp, Tx, UserNumber};

/// One row of `browser_sessions`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BrowserSession {
    pub(crate) user: UserNumber,
    /// When the person last proved who they are.
    pub(crate) proved: Timestamp,
    pub(crate) expires: Timestamp,
}

pub(crate) async fn insert(
    tx: &mut Tx,
    secret_hash: &str,
    session: &BrowserSession,
) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO browser_sessions (secret_hash, user_number, proved_ts, expires_ts) VALUES ($1, $2, $3, $4)";
    let values = [
        secret_hash.into(),
        session.user.into(),
        session.proved.into(),
        session.expires.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// The session of a cookie that has not run out at `now`.
pub(crate) async fn find(
    database: &Database,
    secret_hash: &str,
    now: Timestamp,
) -> Result<Option<BrowserSession>, StorageError> {
    const SQL: &str = "
        SELECT user_number, proved_ts, expires_ts FROM browser_sessions
         WHERE secret_hash = $1 AND expires_ts > $2";
    let row = database
        .fetch_optional(SQL, &[secret_hash.into(), now.into()])
        .await?;
    row.map(|row| {
        Ok(BrowserSession {
            user: UserNumber(row.int(0)?),
            proved: Timestamp(row.int(1)?),
            expires: Timestamp(row.int(2)?),
        })
    })
    .transpose()
}

pub(crate) async fn delete(tx: &mut Tx, secret_hash: &str) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM browser_sessions WHERE secret_hash = $1";
    tx.execute(SQL, &[secret_hash.into()]).await.map(drop)
}

/// Signs a person out of all browsers.
pub(crate) async fn delete_all(tx: &mut Tx, user: UserNumber) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM browser_sessions WHERE user_number = $1";
    tx.execute(SQL, &[user.into()]).await.map(drop)
}
