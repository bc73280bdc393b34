use echorift_storage::{StorageError, Timestamp, Tx, UserNumber};

/// One row of `oauth_codes`: what a person has allowed a client.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) user: UserNumber,
    pub(crate) redirect_uri: String,
    pub(crate) device_id: String,
    pub(crate) scope: String,
    pub(crate) code_challenge: String,
    pub(crate) expires: Timestamp,
    /// The session that the code was redeemed for.
    pub(crate) session: Option<i64>,
}

pub(crate) async fn insert(tx: &mut Tx, code_hash: &str, grant: &Grant) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO oauth_codes (code_hash, client_id, user_number, redirect_uri, device_id, scope, code_challenge,
                                 expires_ts)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let values = [
        code_hash.into(),
        grant.client_id.as_str().into(),
        grant.user.into(),
        grant.redirect_uri.as_str().into(),
        grant.device_id.as_str().into(),
        grant.scope.as_str().into(),
        grant.code_challenge.as_str().into(),
        grant.expires.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

pub(crate) async fn find(
    database: &echorift_storage::Database,
    code_hash: &str,
) -> Result<Option<Grant>, StorageError> {
    const SQL: &str = "
        SELECT client_id, user_number, redirect_uri, device_id, scope, code_challenge, expires_ts, session_number
          FROM oauth_codes WHERE code_hash = $1";
    let row = database.fetch_optional(SQL, &[code_hash.into()]).await?;
    row.map(|row| {
        Ok(Grant {
            client_id: row.text(0)?,
            user: UserNumber(row.int(1)?),
            redirect_uri: row.text(2)?,
            device_id: row.text(3)?,
            scope: row.text(4)?,
            code_challenge: row.text(5)?,
            expires: Timestamp(row.int(6)?),
            session: row.optional_int(7)?,
        })
    })
    .transpose()
}

/// Uses a code up for `session`; whether it was still unused.
pub(crate) async fn redeem(tx: &mut Tx, code_hash: &str, session: i64) -> Result<bool, StorageError> {
    const SQL: &str = "
        UPDATE oauth_codes SET session_number = $2 WHERE code_hash = $1 AND session_number IS NULL";
    Ok(tx.execute(SQL, &[code_hash.into(), session.into()]).await? > 0)
}
