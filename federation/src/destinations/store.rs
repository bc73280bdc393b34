use echorift_storage::{Cells, Change, Database, Statement, StorageError, Timestamp};
use ruma::{OwnedServerName, ServerName};

use super::BackOff;

/// A server that answers again keeps a row without failures until the next pruning: one statement for both keeps the
/// order of a batch.
static PUT: Statement = Statement::upsert(
    1,
    "INSERT INTO federation_destinations (server_name, failures, failing_since_ts, next_attempt_ts)
     SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (server_name) DO UPDATE SET failures = excluded.failures,
            failing_since_ts = excluded.failing_since_ts, next_attempt_ts = excluded.next_attempt_ts",
);

/// Forgets the servers that answer, and of the others those that were tried longest ago.
static PRUNE: Statement = Statement::insert(
    "DELETE FROM federation_destinations
      WHERE failures = 0
         OR next_attempt_ts < (SELECT next_attempt_ts FROM federation_destinations
                                ORDER BY next_attempt_ts DESC
                                LIMIT 1 OFFSET (SELECT MAX(CAST(value ->> 0 AS BIGINT)) FROM json_each($1)))",
);

/// The servers that failed last, at most `limit` of them.
pub(super) async fn load(
    database: &Database,
    limit: usize,
) -> Result<Vec<(OwnedServerName, BackOff)>, StorageError> {
    const SQL: &str = "
        SELECT server_name, failures, failing_since_ts, next_attempt_ts FROM federation_destinations
         WHERE failures > 0 ORDER BY next_attempt_ts DESC LIMIT $1";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = database.fetch_all(SQL, &[limit.into()]).await?;
    let read = rows.iter().map(|row| {
        let server = ServerName::parse(row.text(0)?)
            .map_err(|error| StorageError::corrupt("federation_destinations.server_name", error))?;
        let back_off = BackOff {
            failures: row.int(1)?,
            failing_since: Timestamp(row.int(2)?),
            next_attempt: Timestamp(row.int(3)?),
        };
        Ok((server, back_off))
    });
    read.collect()
}

/// Remembers a server's back-off, or that it has none any more.
pub(super) fn put(change: &mut Change, server: &ServerName, back_off: Option<BackOff>) {
    let back_off = back_off.unwrap_or(BackOff {
        failures: 0,
        failing_since: Timestamp(0),
        next_attempt: Timestamp(0),
    });
    let cells = Cells::new()
        .with(server.as_str())
        .with(back_off.failures)
        .with(back_off.failing_since)
        .with(back_off.next_attempt);
    change.write(&PUT, cells);
}

/// Keeps the table at `limit` rows.
pub(super) fn prune(change: &mut Change, limit: usize) {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    change.write(&PRUNE, Cells::new().with(limit));
}
