use echorift_storage::{Database, StorageError, Timestamp, Tx, UserNumber};

/// What a short token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `m.login.token`, once.
    Login,
    /// Shows other services who someone is (CS API § OpenID).
    OpenId,
    /// Registers the first administrator.
    FirstAdmin,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::OpenId => "openid",
            Self::FirstAdmin => "first_admin",
        }
    }
}

pub(crate) async fn insert(
    tx: &mut Tx,
    purpose: Purpose,
    hash: &str,
    user: Option<UserNumber>,
    expires: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO short_tokens (token_hash, purpose, user_number, expires_ts) VALUES ($1, $2, $3, $4)";
    let user = user.map(|user| user.0);
    tx.execute(
        SQL,
        &[hash.into(), purpose.name().into(), user.into(), expires.into()],
    )
    .await
    .map(drop)
}

/// Uses a token up; whose it was. `None` if it does not exist or has expired.
pub(crate) async fn take(
    tx: &mut Tx,
    purpose: Purpose,
    hash: &str,
    now: Timestamp,
) -> Result<Option<Option<UserNumber>>, StorageError> {
    const SQL: &str = "
        DELETE FROM short_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_ts > $3 RETURNING user_number";
    let row = tx
        .fetch_optional(SQL, &[hash.into(), purpose.name().into(), now.into()])
        .await?;
    row.map(|row| Ok(row.optional_int(0)?.map(UserNumber)))
        .transpose()
}

/// Whose a token is, without using it up.
pub(crate) async fn find(
    database: &Database,
    purpose: Purpose,
    hash: &str,
    now: Timestamp,
) -> Result<Option<Option<UserNumber>>, StorageError> {
    const SQL: &str = "
        SELECT user_number FROM short_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_ts > $3";
    let row = database
        .fetch_optional(SQL, &[hash.into(), purpose.name().into(), now.into()])
        .await?;
    row.map(|row| Ok(row.optional_int(0)?.map(UserNumber)))
        .transpose()
}

/// Forgets every token of a purpose.
pub(crate) async fn delete_all(tx: &mut Tx, purpose: Purpose) -> Result<(), StorageError> {
    tx.execute(
        "DELETE FROM short_tokens WHERE purpose = $1",
        &[purpose.name().into()],
    )
    .await
    .map(drop)
}

/// Forgets what has expired.
pub(crate) async fn purge(tx: &mut Tx, now: Timestamp) -> Result<u64, StorageError> {
    tx.execute("DELETE FROM short_tokens WHERE expires_ts <= $1", &[now.into()])
        .await
}

/// Whether there is any token of a purpose.
pub(crate) async fn any(database: &Database, purpose: Purpose) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM short_tokens WHERE purpose = $1 LIMIT 1";
    Ok(database
        .fetch_optional(SQL, &[purpose.name().into()])
        .await?
        .is_some())
}
