use std::sync::Arc;

use echorift_storage::{
    Cells, Change, Database, Position, RoomNumber, Row, Statement, StorageError, Timestamp, UserNumber,
};
use ruma::{OwnedMxcUri, UserId};

use crate::hook::{Disabled, Failing, Hook, Key, Kind, Lock, Progress};

static PUT: Statement = Statement::upsert(
    1,
    "INSERT INTO webhooks (hook_id, room_number, user_number, direction, name, avatar_url, created_by, created_ts,
                           secret_hash, signing_key, settings, disabled_ts, disabled_why, position)
     SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT), value ->> 3, value ->> 4,
            value ->> 5, value ->> 6, CAST(value ->> 7 AS BIGINT), value ->> 8, value ->> 9, value ->> 10,
            CAST(value ->> 11 AS BIGINT), value ->> 12, CAST(value ->> 13 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (hook_id) DO UPDATE SET
            name = excluded.name, avatar_url = excluded.avatar_url, secret_hash = excluded.secret_hash,
            signing_key = excluded.signing_key, settings = excluded.settings,
            disabled_ts = excluded.disabled_ts, disabled_why = excluded.disabled_why",
);

static PROGRESS: Statement = Statement::upsert(
    1,
    "UPDATE webhooks SET position = progress.position, failing_ts = progress.failing, failure = progress.failure
       FROM (SELECT value ->> 0 AS id, CAST(value ->> 1 AS BIGINT) AS position,
                    CAST(value ->> 2 AS BIGINT) AS failing, value ->> 3 AS failure
               FROM json_each($1)) AS progress
      WHERE webhooks.hook_id = progress.id",
);

static DELETE: Statement = Statement::upsert(
    1,
    "DELETE FROM webhooks WHERE hook_id IN (SELECT value ->> 0 FROM json_each($1))",
);

/// Writes a hook as it is set now; how far it has come only if it is new.
pub(crate) fn put(change: &mut Change, hook: &Hook) -> Result<(), StorageError> {
    let (secret_hash, signing_key) = match &hook.kind {
        Kind::Incoming(_, Lock::Secret(hash)) => (Some(hash), None),
        Kind::Incoming(_, Lock::Signature(Key(key))) | Kind::Outgoing(_, Key(key)) => (None, Some(key)),
    };
    let disabled = hook.disabled.as_ref();
    let cells = Cells::new()
        .with(&hook.id)
        .with(hook.room.0)
        .with(hook.user.0)
        .with(hook.direction())
        .with(&hook.name)
        .with(hook.avatar_url.as_ref().map(|url| url.as_str()))
        .with(&hook.created_by)
        .with(hook.created)
        .with(secret_hash)
        .with(signing_key)
        .with(hook.settings()?)
        .with(disabled.map(|disabled| disabled.at))
        .with(disabled.map(|disabled| &disabled.why))
        .with(hook.progress.position().0);
    change.write(&PUT, cells);
    Ok(())
}

pub(crate) fn put_progress(change: &mut Change, hook: &str, position: Position, failing: Option<&Failing>) {
    let cells = Cells::new()
        .with(hook)
        .with(position.0)
        .with(failing.map(|failing| failing.since))
        .with(failing.map(|failing| &failing.failure));
    change.write(&PROGRESS, cells);
}

pub(crate) fn delete(change: &mut Change, hook: &str) {
    change.write(&DELETE, Cells::new().with(hook));
}

/// Every hook, read once when the server starts.
pub(crate) async fn all(database: &Database) -> Result<Vec<Hook>, StorageError> {
    const SQL: &str = "
        SELECT hook_id, room_number, webhooks.user_number, user_id, direction, name, avatar_url, created_by,
               created_ts, secret_hash, signing_key, settings, disabled_ts, disabled_why, position, failing_ts,
               failure
          FROM webhooks JOIN user_numbers ON user_numbers.user_number = webhooks.user_number
         ORDER BY created_ts, hook_id";
    let rows = database.fetch_all(SQL, &[]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Hook, StorageError> {
    let disabled = match (row.optional_int(12)?, row.optional_text(13)?) {
        (Some(at), why) => Some(Disabled {
            at: Timestamp(at),
            why: why.unwrap_or_default(),
        }),
        (None, _) => None,
    };
    let failing = match (row.optional_int(15)?, row.optional_text(16)?) {
        (Some(since), failure) => Some(Failing {
            since: Timestamp(since),
            failure: failure.unwrap_or_default(),
        }),
        (None, _) => None,
    };
    Ok(Hook {
        id: row.text(0)?,
        room: RoomNumber(row.int(1)?),
        user: UserNumber(row.int(2)?),
        user_id: UserId::parse(row.text(3)?)
            .map_err(|error| StorageError::corrupt("user_numbers.user_id", error))?,
        kind: read_kind(row)?,
        name: row.text(5)?,
        avatar_url: row.optional_text(6)?.map(OwnedMxcUri::from),
        created_by: row.text(7)?,
        created: Timestamp(row.int(8)?),
        disabled,
        progress: Arc::new(Progress::new(Position(row.int(14)?), failing)),
    })
}

fn read_kind(row: &Row) -> Result<Kind, StorageError> {
    let corrupt = |error: serde_json::Error| StorageError::corrupt("webhooks.settings", error);
    let (settings, hash, key) = (row.text(11)?, row.optional_text(9)?, row.optional_text(10)?);
    match (row.text(4)?.as_str(), hash, key.map(Key)) {
        ("incoming", Some(hash), None) => {
            let settings = serde_json::from_str(&settings).map_err(corrupt)?;
            Ok(Kind::Incoming(settings, Lock::Secret(hash)))
        }
        ("incoming", None, Some(key)) => {
            let settings = serde_json::from_str(&settings).map_err(corrupt)?;
            Ok(Kind::Incoming(settings, Lock::Signature(key)))
        }
        ("outgoing", None, Some(key)) => Ok(Kind::Outgoing(
            serde_json::from_str(&settings).map_err(corrupt)?,
            key,
        )),
        (direction, ..) => Err(StorageError::corrupt("webhooks.direction", direction)),
    }
}
