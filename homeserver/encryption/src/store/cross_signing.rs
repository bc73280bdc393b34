use std::collections::HashMap;

use echorift_storage::{
    Cells, Change, Database, RecordIndex, Row, Statement, StorageError, Tx, UserNumber, list,
};

use super::rows_of;
use crate::{
    cross_signing::{Usage, UserKeys},
    key_object::KeyObject,
};

const PLACE: &str = "cross_signing_keys.keys";

fn read(row: &Row) -> Result<(UserNumber, Usage, KeyObject), StorageError> {
    let usage = row.text(1)?;
    let usage =
        Usage::parse(&usage).ok_or_else(|| StorageError::corrupt("cross_signing_keys.usage", usage))?;
    Ok((
        UserNumber(row.int(0)?),
        usage,
        KeyObject::read(&row.text(2)?, PLACE)?,
    ))
}

/// The cross-signing keys of these users.
pub(crate) async fn of_users(
    database: &Database,
    users: &[UserNumber],
) -> Result<Vec<(UserNumber, Usage, KeyObject)>, StorageError> {
    const SQL: &str = "
        SELECT user_number, usage, keys FROM cross_signing_keys
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    let rows = database.fetch_all(SQL, &[list(users.iter().copied())]).await?;
    rows.iter().map(read).collect()
}

/// The cross-signing keys of one user, as a step sees them.
pub(crate) async fn find(tx: &mut Tx, user: UserNumber) -> Result<UserKeys, StorageError> {
    const SQL: &str = "SELECT user_number, usage, keys FROM cross_signing_keys WHERE user_number = $1";
    let rows = tx.fetch_all(SQL, &[user.into()]).await?;
    let keys = rows
        .iter()
        .map(|row| read(row).map(|(_, usage, keys)| (usage, keys)));
    keys.collect()
}

/// Whether one of the user's cross-signing keys is this public key.
pub(crate) async fn has_public_key(
    tx: &mut Tx,
    user: UserNumber,
    public_key: &str,
) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM cross_signing_keys WHERE user_number = $1 AND public_key = $2";
    let row = tx.fetch_optional(SQL, &[user.into(), public_key.into()]).await?;
    Ok(row.is_some())
}

/// Puts a key in the place of the one of the same usage.
pub(crate) async fn put(
    tx: &mut Tx,
    user: UserNumber,
    usage: Usage,
    public_key: &str,
    keys: &KeyObject,
) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO cross_signing_keys (user_number, usage, public_key, keys) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_number, usage) DO UPDATE SET public_key = excluded.public_key, keys = excluded.keys";
    let values = [
        user.into(),
        usage.as_str().into(),
        public_key.into(),
        keys.to_json().into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

pub(crate) async fn delete(tx: &mut Tx, user: UserNumber, usage: Usage) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM cross_signing_keys WHERE user_number = $1 AND usage = $2";
    tx.execute(SQL, &[user.into(), usage.as_str().into()])
        .await
        .map(drop)
}

/// Forgets what was signed with a key of the user, and who signed it; `key` is a device ID or a public key.
pub(crate) async fn forget_signatures_around(
    tx: &mut Tx,
    user: UserNumber,
    key: &str,
) -> Result<(), StorageError> {
    const OF: &str = "DELETE FROM key_signatures WHERE user_number = $1 AND target = $2";
    const BY: &str = "DELETE FROM key_signatures WHERE signer_number = $1 AND signer_key = $2";
    tx.execute(OF, &[user.into(), key.into()]).await?;
    tx.execute(BY, &[user.into(), format!("ed25519:{key}").into()])
        .await
        .map(drop)
}

/// A signature that was uploaded apart from what it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredSignature {
    /// Whose key is signed.
    pub(crate) user: UserNumber,
    /// Which of their keys: a device ID or a public key.
    pub(crate) target: String,
    pub(crate) signer: UserNumber,
    /// `ed25519:…`
    pub(crate) signer_key: String,
    pub(crate) signature: String,
}

fn read_signature(row: &Row) -> Result<StoredSignature, StorageError> {
    Ok(StoredSignature {
        user: UserNumber(row.int(0)?),
        target: row.text(1)?,
        signer: UserNumber(row.int(2)?),
        signer_key: row.text(3)?,
        signature: row.text(4)?,
    })
}

/// The signatures of these users on their own keys.
pub(crate) async fn own_signatures(
    database: &Database,
    users: &[UserNumber],
) -> Result<Vec<StoredSignature>, StorageError> {
    const SQL: &str = "
        SELECT user_number, target, signer_number, signer_key, signature FROM key_signatures
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
           AND signer_number = user_number";
    let rows = database.fetch_all(SQL, &[list(users.iter().copied())]).await?;
    rows.iter().map(read_signature).collect()
}

/// The signatures of one user on the keys of others.
pub(crate) async fn signatures_on_others(
    database: &Database,
    signer: UserNumber,
) -> Result<Vec<StoredSignature>, StorageError> {
    const SQL: &str = "
        SELECT user_number, target, signer_number, signer_key, signature FROM key_signatures
         WHERE signer_number = $1 AND user_number <> $1";
    let rows = database.fetch_all(SQL, &[signer.into()]).await?;
    rows.iter().map(read_signature).collect()
}

static PUT_SIGNATURE: Statement = Statement::upsert(
    4,
    "INSERT INTO key_signatures (user_number, target, signer_number, signer_key, signature, position)
     SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, CAST(value ->> 2 AS BIGINT), value ->> 3, value ->> 4,
            CAST(value ->> 5 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (user_number, target, signer_number, signer_key) DO UPDATE
        SET signature = excluded.signature, position = excluded.position",
);

/// Adds a signature, at the position of `record`.
pub(crate) fn put_signature(change: &mut Change, signature: &StoredSignature, record: RecordIndex) {
    let cells = key_cells(signature).with(&signature.signature);
    change.write_at(&PUT_SIGNATURE, cells, record);
}

/// Those of a user's signatures that are not stored yet.
pub(crate) async fn without_known(
    tx: &mut Tx,
    signer: UserNumber,
    signatures: &[StoredSignature],
) -> Result<Vec<StoredSignature>, StorageError> {
    const SQL: &str = "
        SELECT user_number, target, signer_number, signer_key, signature FROM key_signatures
         WHERE signer_number = $1 AND (user_number, target, signer_number, signer_key) IN
               (SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, CAST(value ->> 2 AS BIGINT), value ->> 3
                  FROM json_each($2))";
    if signatures.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx
        .fetch_all(SQL, &[signer.into(), rows_of(signatures.iter().map(key_cells))])
        .await?;
    let known: Vec<StoredSignature> = rows.iter().map(read_signature).collect::<Result<_, _>>()?;
    let known: HashMap<_, _> = known
        .iter()
        .map(|known| ((known.user, &known.target, &known.signer_key), &known.signature))
        .collect();
    let is_new = |fresh: &&StoredSignature| {
        known.get(&(fresh.user, &fresh.target, &fresh.signer_key)) != Some(&&fresh.signature)
    };
    Ok(signatures.iter().filter(is_new).cloned().collect())
}

fn key_cells(signature: &StoredSignature) -> Cells {
    Cells::new()
        .with(signature.user)
        .with(&signature.target)
        .with(signature.signer)
        .with(&signature.signer_key)
}
