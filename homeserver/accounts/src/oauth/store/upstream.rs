use echorift_storage::{StorageError, Timestamp, Tx};

/// One row of `upstream_logins`: a sign-in that is under way elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct UpstreamLogin {
    pub(crate) browser_hash: String,
    pub(crate) issuer: String,
    pub(crate) nonce: String,
    pub(crate) code_verifier: String,
    /// Where the person was going, a path on this server.
    pub(crate) continue_to: String,
    pub(crate) expires: Timestamp,
}

pub(crate) async fn insert(tx: &mut Tx, state_hash: &str, login: &UpstreamLogin) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO upstream_logins (state_hash, browser_hash, issuer, nonce, code_verifier, continue_to, expires_ts)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        state_hash.into(),
        login.browser_hash.as_str().into(),
        login.issuer.as_str().into(),
        login.nonce.as_str().into(),
        login.code_verifier.as_str().into(),
        login.continue_to.as_str().into(),
        login.expires.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// Uses a state up. `None` if there is none, it is over, or another browser began it.
pub(crate) async fn take(
    tx: &mut Tx,
    state_hash: &str,
    browser_hash: &str,
    now: Timestamp,
) -> Result<Option<UpstreamLogin>, StorageError> {
    const SQL: &str = "
        DELETE FROM upstream_logins WHERE state_hash = $1 AND browser_hash = $2 AND expires_ts > $3
        RETURNING browser_hash, issuer, nonce, code_verifier, continue_to, expires_ts";
    let row = tx
        .fetch_optional(SQL, &[state_hash.into(), browser_hash.into(), now.into()])
        .await?;
    row.map(|row| {
        Ok(UpstreamLogin {
            browser_hash: row.text(0)?,
            issuer: row.text(1)?,
            nonce: row.text(2)?,
            code_verifier: row.text(3)?,
            continue_to: row.text(4)?,
            expires: Timestamp(row.int(5)?),
        })
    })
    .transpose()
}
