use std::collections::HashMap;

use echorift_storage::{Cells, Change, Database, Statement, StorageError, Timestamp, list};
use ruma::{OwnedServerName, ServerName, serde::Base64};

use super::{
    answer::KeyAnswer,
    held::{HeldKey, ServerKeys},
};

static PUT_ANSWER: Statement = Statement::upsert(
    1,
    "INSERT INTO server_key_answers (server_name, answer, fetched_ts, valid_until_ts)
     SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (server_name) DO UPDATE SET answer = excluded.answer, fetched_ts = excluded.fetched_ts,
            valid_until_ts = excluded.valid_until_ts",
);

static PUT_KEY: Statement = Statement::upsert(
    2,
    "INSERT INTO server_keys (server_name, key_id, public_key, valid_until_ts, is_old)
     SELECT value ->> 0, value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT), CAST(value ->> 4 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (server_name, key_id) DO UPDATE SET public_key = excluded.public_key,
            valid_until_ts = excluded.valid_until_ts, is_old = excluded.is_old",
);

/// Forgets the servers that were asked longest ago.
static PRUNE_ANSWERS: Statement = Statement::insert(
    "DELETE FROM server_key_answers
      WHERE fetched_ts < (SELECT fetched_ts FROM server_key_answers
                           ORDER BY fetched_ts DESC
                           LIMIT 1 OFFSET (SELECT MAX(CAST(value ->> 0 AS BIGINT)) FROM json_each($1)))",
);

/// Their keys follow; if this runs before the statement above, they do so the next time.
static PRUNE_KEYS: Statement = Statement::insert(
    "DELETE FROM server_keys WHERE server_name NOT IN (SELECT server_name FROM server_key_answers)
        AND EXISTS (SELECT 1 FROM json_each($1))",
);

/// Remembers all that is known of a server's keys, and its latest answer.
pub(super) fn put(
    change: &mut Change,
    answer: &KeyAnswer,
    keys: &ServerKeys,
) -> Result<(), serde_json::Error> {
    let server = answer.server.as_str();
    let text = serde_json::to_string(&answer.object)?;
    let cells = Cells::new().with(server).with(text);
    change.write(&PUT_ANSWER, cells.with(answer.fetched).with(answer.valid_until));
    for (id, key) in &keys.keys {
        let cells = Cells::new().with(server).with(id).with(key.public_key.encode());
        change.write(&PUT_KEY, cells.with(key.valid_until).with(key.is_old));
    }
    Ok(())
}

/// Keeps the keys of `limit` servers.
pub(super) fn prune(change: &mut Change, limit: i64) {
    change.write(&PRUNE_ANSWERS, Cells::new().with(limit));
    change.write(&PRUNE_KEYS, Cells::new().with(limit));
}

/// The keys of these servers, as far as any are known.
pub(super) async fn keys_of(
    database: &Database,
    servers: &[OwnedServerName],
) -> Result<HashMap<OwnedServerName, ServerKeys>, StorageError> {
    const SQL: &str = "
        SELECT server_name, key_id, public_key, valid_until_ts, is_old FROM server_keys
         WHERE server_name IN (SELECT value ->> 0 FROM json_each($1))";
    let names = list(servers.iter().map(|server| server.as_str()));
    let mut found: HashMap<OwnedServerName, ServerKeys> = HashMap::new();
    for row in database.fetch_all(SQL, &[names]).await? {
        let server = ServerName::parse(row.text(0)?)
            .map_err(|error| StorageError::corrupt("server_keys.server_name", error))?;
        let key = HeldKey {
            public_key: Base64::parse(row.text(2)?)
                .map_err(|error| StorageError::corrupt("server_keys.public_key", error))?,
            valid_until: Timestamp(row.int(3)?),
            is_old: row.flag(4)?,
        };
        found.entry(server).or_default().keys.insert(row.text(1)?, key);
    }
    Ok(found)
}

/// An answer as it was stored: its text, when it was fetched, and until when it holds.
pub(super) struct StoredAnswer {
    pub text: String,
    pub fetched: Timestamp,
}

/// The latest answers of these servers.
pub(super) async fn answers_of(
    database: &Database,
    servers: &[OwnedServerName],
) -> Result<Vec<StoredAnswer>, StorageError> {
    const SQL: &str = "
        SELECT answer, fetched_ts FROM server_key_answers
         WHERE server_name IN (SELECT value ->> 0 FROM json_each($1))
         ORDER BY server_name";
    let names = list(servers.iter().map(|server| server.as_str()));
    let rows = database.fetch_all(SQL, &[names]).await?;
    let read = rows.iter().map(|row| {
        Ok(StoredAnswer {
            text: row.text(0)?,
            fetched: Timestamp(row.int(1)?),
        })
    });
    read.collect()
}
