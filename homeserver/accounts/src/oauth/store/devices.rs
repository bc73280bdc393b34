use echorift_storage::{Database, Row, StorageError, Timestamp, Tx, UserNumber};

/// What the person said to a device that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Pending,
    Allowed(UserNumber),
    Denied,
}

/// One row of `oauth_device_codes`.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) client_id: String,
    pub(crate) device_id: String,
    pub(crate) scope: String,
    pub(crate) expires: Timestamp,
    pub(crate) interval_ms: i64,
    pub(crate) asked: Option<Timestamp>,
    pub(crate) decision: Decision,
}

const ALLOWED: i64 = 1;
const DENIED: i64 = 2;

/// Writes a device that waits; whether no other one has its user code.
pub(crate) async fn insert(
    tx: &mut Tx,
    code_hash: &str,
    user_code: &str,
    waiting: &Waiting,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        INSERT INTO oauth_device_codes (code_hash, user_code, client_id, device_id, scope, expires_ts, interval_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let values = [
        code_hash.into(),
        user_code.into(),
        waiting.client_id.as_str().into(),
        waiting.device_id.as_str().into(),
        waiting.scope.as_str().into(),
        waiting.expires.into(),
        waiting.interval_ms.into(),
    ];
    Ok(tx.execute(SQL, &values).await? > 0)
}

fn read(row: &Row) -> Result<Waiting, StorageError> {
    let user = row.optional_int(7)?.map(UserNumber);
    Ok(Waiting {
        client_id: row.text(0)?,
        device_id: row.text(1)?,
        scope: row.text(2)?,
        expires: Timestamp(row.int(3)?),
        interval_ms: row.int(4)?,
        asked: row.optional_int(5)?.map(Timestamp),
        decision: match (row.int(6)?, user) {
            (ALLOWED, Some(user)) => Decision::Allowed(user),
            (DENIED, _) => Decision::Denied,
            _ => Decision::Pending,
        },
    })
}

/// The device whose person typed `user_code`.
pub(crate) async fn find_by_user_code(
    database: &Database,
    user_code: &str,
) -> Result<Option<Waiting>, StorageError> {
    const SQL: &str = "
        SELECT client_id, device_id, scope, expires_ts, interval_ms, asked_ts, decision, user_number
          FROM oauth_device_codes WHERE user_code = $1";
    let row = database.fetch_optional(SQL, &[user_code.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The device that asks with its code.
pub(crate) async fn find(database: &Database, code_hash: &str) -> Result<Option<Waiting>, StorageError> {
    const SQL: &str = "
        SELECT client_id, device_id, scope, expires_ts, interval_ms, asked_ts, decision, user_number
          FROM oauth_device_codes WHERE code_hash = $1";
    let row = database.fetch_optional(SQL, &[code_hash.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The device has asked again.
pub(crate) async fn note_question(
    tx: &mut Tx,
    code_hash: &str,
    interval_ms: i64,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        UPDATE oauth_device_codes SET asked_ts = $3, interval_ms = $2 WHERE code_hash = $1";
    tx.execute(SQL, &[code_hash.into(), interval_ms.into(), now.into()])
        .await
        .map(drop)
}

/// Notes what the person said; whether the device still waited for it.
pub(crate) async fn decide(
    tx: &mut Tx,
    user_code: &str,
    user: UserNumber,
    is_allowed: bool,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        UPDATE oauth_device_codes SET decision = $2, user_number = $3
         WHERE user_code = $1 AND decision = 0 AND expires_ts > $4";
    let decision = if is_allowed { ALLOWED } else { DENIED };
    let values = [user_code.into(), decision.into(), user.into(), now.into()];
    Ok(tx.execute(SQL, &values).await? > 0)
}

/// Uses a code up; whether it was there.
pub(crate) async fn take(tx: &mut Tx, code_hash: &str) -> Result<bool, StorageError> {
    const SQL: &str = "DELETE FROM oauth_device_codes WHERE code_hash = $1";
    Ok(tx.execute(SQL, &[code_hash.into()]).await? > 0)
}
