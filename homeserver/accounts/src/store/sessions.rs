use echorift_storage::{Cells, Database, Row, Statement, StorageError, Timestamp, Tx, UserNumber};

use crate::AccountError;

/// A session to be opened.
#[derive(Debug, Clone)]
pub(crate) struct NewSession {
    pub(crate) number: i64,
    pub(crate) user: UserNumber,
    pub(crate) device_id: String,
    /// Given to the device if it is new.
    pub(crate) device_name: Option<String>,
    pub(crate) expires: Timestamp,
    /// Hashes of the family and of the first refresh token, if the client wants one.
    pub(crate) refresh: Option<(String, String)>,
    /// The OAuth client that asked for it; `None` for `/login` and `/register`.
    pub(crate) client_id: Option<String>,
}

/// A session as a refresh token finds it.
#[derive(Debug, Clone)]
pub(crate) struct RefreshableSession {
    pub(crate) number: i64,
    pub(crate) user: UserNumber,
    pub(crate) device_id: String,
    pub(crate) expires: Timestamp,
    pub(crate) revoked: Option<Timestamp>,
    pub(crate) is_soft_revoked: bool,
    pub(crate) generation: i64,
    pub(crate) tokens: RefreshTokens,
    pub(crate) client_id: Option<String>,
}

/// The refresh tokens of a session that count, by hash; see `sessions` in the migration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RefreshTokens {
    pub(crate) current: String,
    pub(crate) sibling: Option<String>,
    pub(crate) previous: Option<String>,
}

/// A session that was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Revoked {
    pub(crate) session: i64,
    pub(crate) user: UserNumber,
    pub(crate) at: Timestamp,
    pub(crate) is_soft: bool,
}

/// Opens a session, and with it its device; whatever session the device had is ended and returned.
///
/// Errors: `Deactivated` if the account has ended meanwhile.
pub(crate) async fn open(
    tx: &mut Tx,
    new: &NewSession,
    now: Timestamp,
) -> Result<Vec<Revoked>, AccountError> {
    const OLD: &str = "
        UPDATE sessions SET revoked_ts = $3 WHERE user_number = $1 AND device_id = $2 AND revoked_ts IS NULL
        RETURNING session_number";
    let (user, device_id) = (new.user, new.device_id.as_str());
    let old = tx
        .fetch_all(OLD, &[user.into(), device_id.into(), now.into()])
        .await?;
    let old = old.iter().map(|row| {
        Ok(Revoked {
            session: row.int(0)?,
            user,
            at: now,
            is_soft: false,
        })
    });
    let old: Vec<Revoked> = old.collect::<Result<_, StorageError>>()?;

    const SESSION: &str = "
        INSERT INTO sessions
               (session_number, user_number, device_id, created_ts, expires_ts, refresh_family, refresh_current,
                client_id)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM accounts WHERE user_number = $2 AND deactivated_ts IS NULL";
    let (family, current) = new.refresh.clone().unzip();
    let values = [
        new.number.into(),
        user.into(),
        device_id.into(),
        now.into(),
        new.expires.into(),
        family.into(),
        current.into(),
        new.client_id.clone().into(),
    ];
    if tx.execute(SESSION, &values).await? == 0 {
        return Err(AccountError::Deactivated);
    }
    // Whoever logs in as a dehydrated device uses it from then on.
    const DEVICE: &str = "
        INSERT INTO devices (user_number, device_id, display_name, created_ts) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_number, device_id) DO UPDATE SET dehydrated_data = NULL";
    let values = [
        user.into(),
        device_id.into(),
        new.device_name.clone().into(),
        now.into(),
    ];
    tx.execute(DEVICE, &values).await?;
    Ok(old)
}

/// Whether any session's refresh tokens share the part with this hash: keeps made-up tokens from the writer.
pub(crate) async fn has_family(database: &Database, family: &str) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM sessions WHERE refresh_family = $1";
    Ok(database.fetch_optional(SQL, &[family.into()]).await?.is_some())
}

/// The session whose refresh tokens share the part with this hash.
pub(crate) async fn find_by_family(
    tx: &mut Tx,
    family: &str,
) -> Result<Option<RefreshableSession>, StorageError> {
    const SQL: &str = "
        SELECT session_number, user_number, device_id, expires_ts, revoked_ts, is_soft_revoked, generation,
               refresh_current, refresh_sibling, refresh_previous, client_id
          FROM sessions WHERE refresh_family = $1";
    let row = tx.fetch_optional(SQL, &[family.into()]).await?;
    row.as_ref().map(read_refreshable).transpose()
}

fn read_refreshable(row: &Row) -> Result<RefreshableSession, StorageError> {
    Ok(RefreshableSession {
        number: row.int(0)?,
        user: UserNumber(row.int(1)?),
        device_id: row.text(2)?,
        expires: Timestamp(row.int(3)?),
        revoked: row.optional_int(4)?.map(Timestamp),
        is_soft_revoked: row.flag(5)?,
        generation: row.int(6)?,
        tokens: RefreshTokens {
            current: row.text(7)?,
            sibling: row.optional_text(8)?,
            previous: row.optional_text(9)?,
        },
        client_id: row.optional_text(10)?,
    })
}

/// Whose device a session belongs to, if it has not ended.
pub(crate) async fn device_of(
    database: &Database,
    session: i64,
) -> Result<Option<(UserNumber, String)>, StorageError> {
    const SQL: &str = "
        SELECT user_number, device_id FROM sessions WHERE session_number = $1 AND revoked_ts IS NULL";
    let row = database.fetch_optional(SQL, &[session.into()]).await?;
    row.map(|row| Ok((UserNumber(row.int(0)?), row.text(1)?)))
        .transpose()
}

/// The session whose refresh tokens share the part with this hash, if it has not ended.
pub(crate) async fn number_of_family(database: &Database, family: &str) -> Result<Option<i64>, StorageError> {
    const SQL: &str = "SELECT session_number FROM sessions WHERE refresh_family = $1 AND revoked_ts IS NULL";
    let row = database.fetch_optional(SQL, &[family.into()]).await?;
    row.map(|row| row.int(0)).transpose()
}

/// The OAuth client that a session was opened for.
pub(crate) async fn client_of(database: &Database, session: i64) -> Result<Option<String>, StorageError> {
    const SQL: &str = "SELECT client_id FROM sessions WHERE session_number = $1";
    let row = database.fetch_optional(SQL, &[session.into()]).await?;
    row.map(|row| row.optional_text(0))
        .transpose()
        .map(Option::flatten)
}

/// Writes what a refresh has changed.
pub(crate) async fn update_refreshed(tx: &mut Tx, session: &RefreshableSession) -> Result<(), StorageError> {
    const SQL: &str = "
        UPDATE sessions
           SET expires_ts = $2, generation = $3, refresh_current = $4, refresh_sibling = $5, refresh_previous = $6
         WHERE session_number = $1";
    let values = [
        session.number.into(),
        session.expires.into(),
        session.generation.into(),
        session.tokens.current.as_str().into(),
        session.tokens.sibling.clone().into(),
        session.tokens.previous.clone().into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// An access token of this generation was used: the refresh token that it was got with ends.
pub(crate) static CONFIRM: Statement = Statement::upsert(
    1,
    "UPDATE sessions SET refresh_previous = NULL
       FROM (SELECT CAST(value ->> 0 AS BIGINT) AS number, CAST(value ->> 1 AS BIGINT) AS used
               FROM json_each($1)) AS tokens
      WHERE session_number = tokens.number AND generation = tokens.used",
);

pub(crate) fn confirmed(session: i64, generation: i64) -> Cells {
    Cells::new().with(session).with(generation)
}

/// Ends one session and keeps its device.
pub(crate) async fn revoke_softly(tx: &mut Tx, session: i64, now: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE sessions SET revoked_ts = $2, is_soft_revoked = 1 WHERE session_number = $1";
    tx.execute(SQL, &[session.into(), now.into()]).await.map(drop)
}

/// Ends all sessions of `user` except `kept`, and deletes their devices.
pub(crate) async fn revoke_all(
    tx: &mut Tx,
    user: UserNumber,
    kept: Option<i64>,
    now: Timestamp,
) -> Result<Vec<Revoked>, StorageError> {
    const DEVICES: &str = "
        DELETE FROM devices WHERE user_number = $1 AND device_id NOT IN
            (SELECT device_id FROM sessions WHERE session_number = $2 AND user_number = $1)";
    const SESSIONS: &str = "
        UPDATE sessions SET revoked_ts = $3 WHERE user_number = $1 AND session_number <> $2 AND revoked_ts IS NULL
        RETURNING session_number";
    // Session numbers start at 1.
    let kept = kept.unwrap_or(0);
    tx.execute(DEVICES, &[user.into(), kept.into()]).await?;
    let rows = tx
        .fetch_all(SESSIONS, &[user.into(), kept.into(), now.into()])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Revoked {
                session: row.int(0)?,
                user,
                at: now,
                is_soft: false,
            })
        })
        .collect()
}

/// The sessions that were ended since `since`: their access tokens may still be about.
pub(crate) async fn revoked_since(
    database: &Database,
    since: Timestamp,
) -> Result<Vec<Revoked>, StorageError> {
    const SQL: &str =
        "SELECT session_number, user_number, revoked_ts, is_soft_revoked FROM sessions WHERE revoked_ts > $1";
    let rows = database.fetch_all(SQL, &[since.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Revoked {
                session: row.int(0)?,
                user: UserNumber(row.int(1)?),
                at: Timestamp(row.int(2)?),
                is_soft: row.flag(3)?,
            })
        })
        .collect()
}

/// Forgets sessions that nobody can come back to: ended before `revoked`, or expired before `expired`.
pub(crate) async fn purge(tx: &mut Tx, revoked: Timestamp, expired: Timestamp) -> Result<u64, StorageError> {
    const SQL: &str = "DELETE FROM sessions WHERE revoked_ts < $1 OR expires_ts < $2";
    tx.execute(SQL, &[revoked.into(), expired.into()]).await
}
