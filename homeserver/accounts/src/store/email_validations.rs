use echorift_storage::{Database, Row, StorageError, Timestamp, Tx};

use crate::email_validation::EmailPurpose;

/// An attempt to show that an address is one's own, and the token of its latest letter. Secrets by hash.
#[derive(Debug, Clone)]
pub(crate) struct NewValidation {
    pub(crate) sid: String,
    pub(crate) secret_hash: String,
    pub(crate) purpose: EmailPurpose,
    pub(crate) address: String,
    pub(crate) send_attempt: i64,
    pub(crate) token_hash: String,
    pub(crate) expires: Timestamp,
}

/// What [`begin`] has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Begun {
    /// The letter is to be sent; the attempt has this ID.
    Send(String),
    /// It was sent before.
    Sent(String),
    TooManyLetters,
}

/// An attempt as its client finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Validation {
    pub(crate) address: String,
    pub(crate) validated: Option<Timestamp>,
}

fn read(row: &Row) -> Result<Validation, StorageError> {
    Ok(Validation {
        address: row.text(0)?,
        validated: row.optional_int(1)?.map(Timestamp),
    })
}

/// Starts an attempt, or continues the client's own for the same purpose and address with a new letter. At most
/// `letters_max` letters go to an address while attempts for it are open.
pub(crate) async fn begin(
    tx: &mut Tx,
    new: &NewValidation,
    letters_max: i64,
    now: Timestamp,
) -> Result<Begun, StorageError> {
    const KNOWN: &str = "
        SELECT sid, send_attempt FROM email_validations
         WHERE secret_hash = $1 AND purpose = $2 AND address = $3 AND expires_ts > $4";
    let (purpose, address) = (new.purpose.as_str(), new.address.as_str());
    let client = [
        new.secret_hash.as_str().into(),
        purpose.into(),
        address.into(),
        now.into(),
    ];
    if let Some(known) = tx.fetch_optional(KNOWN, &client).await?
        && known.int(1)? >= new.send_attempt
    {
        return Ok(Begun::Sent(known.text(0)?));
    }
    const LETTERS: &str = "
        SELECT CAST(COALESCE(SUM(letters), 0) AS BIGINT) FROM email_validations WHERE address = $1 AND expires_ts > $2";
    let letters = tx.fetch_optional(LETTERS, &[address.into(), now.into()]).await?;
    if letters.map(|row| row.int(0)).transpose()?.unwrap_or(0) >= letters_max {
        return Ok(Begun::TooManyLetters);
    }
    // An attempt that is over and not yet swept away starts anew under its client's secret.
    const PUT: &str = "
        INSERT INTO email_validations
               (sid, secret_hash, purpose, address, send_attempt, letters, token_hash, expires_ts)
        VALUES ($1, $2, $3, $4, $5, 1, $6, $7)
        ON CONFLICT (secret_hash, purpose, address) DO UPDATE
           SET send_attempt = excluded.send_attempt, letters = email_validations.letters + 1,
               token_hash = excluded.token_hash, expires_ts = excluded.expires_ts,
               validated_ts = CASE WHEN email_validations.expires_ts > $8 THEN email_validations.validated_ts END
        RETURNING sid";
    let values = [
        new.sid.as_str().into(),
        new.secret_hash.as_str().into(),
        purpose.into(),
        address.into(),
        new.send_attempt.into(),
        new.token_hash.as_str().into(),
        new.expires.into(),
        now.into(),
    ];
    let row = tx.fetch_optional(PUT, &values).await?;
    let row = row.ok_or_else(|| StorageError::corrupt("email_validations.sid", "no row returned"))?;
    Ok(Begun::Send(row.text(0)?))
}

/// The letter did not get out: the client may ask for the same one again.
pub(crate) async fn unsend(tx: &mut Tx, sid: &str, send_attempt: i64) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE email_validations SET send_attempt = $2 WHERE sid = $1";
    tx.execute(SQL, &[sid.into(), (send_attempt - 1).into()])
        .await
        .map(drop)
}

/// The address that a letter's link is about.
pub(crate) async fn find_by_token(
    database: &Database,
    sid: &str,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<String>, StorageError> {
    const SQL: &str = "
        SELECT address FROM email_validations WHERE sid = $1 AND token_hash = $2 AND expires_ts > $3";
    let row = database
        .fetch_optional(SQL, &[sid.into(), token_hash.into(), now.into()])
        .await?;
    row.map(|row| row.text(0)).transpose()
}

/// The owner has confirmed; `false` for a link that is not valid.
pub(crate) async fn confirm(
    tx: &mut Tx,
    sid: &str,
    token_hash: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        UPDATE email_validations SET validated_ts = COALESCE(validated_ts, $3)
         WHERE sid = $1 AND token_hash = $2 AND expires_ts > $3";
    Ok(tx
        .execute(SQL, &[sid.into(), token_hash.into(), now.into()])
        .await?
        > 0)
}

/// The attempt of a client that knows its secret.
pub(crate) async fn find_by_secret(
    database: &Database,
    purpose: EmailPurpose,
    sid: &str,
    secret_hash: &str,
    now: Timestamp,
) -> Result<Option<Validation>, StorageError> {
    const SQL: &str = "
        SELECT address, validated_ts FROM email_validations
         WHERE sid = $1 AND secret_hash = $2 AND purpose = $3 AND expires_ts > $4";
    let values = [
        sid.into(),
        secret_hash.into(),
        purpose.as_str().into(),
        now.into(),
    ];
    database
        .fetch_optional(SQL, &values)
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// An attempt is good for one use.
pub(crate) async fn remove(tx: &mut Tx, sid: &str) -> Result<bool, StorageError> {
    Ok(tx
        .execute("DELETE FROM email_validations WHERE sid = $1", &[sid.into()])
        .await?
        > 0)
}

/// Forgets what is over.
pub(crate) async fn purge(tx: &mut Tx, now: Timestamp) -> Result<u64, StorageError> {
    tx.execute(
        "DELETE FROM email_validations WHERE expires_ts <= $1",
        &[now.into()],
    )
    .await
}
