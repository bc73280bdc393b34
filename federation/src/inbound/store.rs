//! Events that are acknowledged and not yet worked off.

use std::collections::HashMap;

use echorift_storage::{Cells, Change, Database, Statement, StorageError, Timestamp};
use ruma::{OwnedRoomId, OwnedServerName, RoomId, ServerName};
use serde_json::value::RawValue;

static STAGE: Statement = Statement::insert(
    "INSERT INTO staged_events (staging_number, room_id, origin, json, received_ts)
     SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2, value ->> 3, CAST(value ->> 4 AS BIGINT)
       FROM json_each($1)",
);

static UNSTAGE: Statement = Statement::insert(
    "DELETE FROM staged_events
      WHERE staging_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))",
);

/// An event on its way in.
pub(crate) struct StagedEvent {
    pub number: i64,
    pub origin: OwnedServerName,
    pub json: Box<RawValue>,
    pub received: Timestamp,
}

pub(crate) fn stage(
    change: &mut Change,
    number: i64,
    (room_id, origin): (&RoomId, &ServerName),
    json: &str,
    now: Timestamp,
) {
    let cells = Cells::new()
        .with(number)
        .with(room_id.as_str())
        .with(origin.as_str())
        .with(json)
        .with(now);
    change.write(&STAGE, cells);
}

pub(crate) fn unstage(change: &mut Change, number: i64) {
    change.write(&UNSTAGE, Cells::new().with(number));
}

/// The next events of a room that are to be worked off: of each origin in the order in which they came, and of several
/// origins by turns, so that none waits behind another's flood.
pub(crate) async fn next(
    database: &Database,
    room_id: &RoomId,
    limit: i64,
) -> Result<Vec<StagedEvent>, StorageError> {
    const SQL: &str = "
        SELECT staging_number, origin, json, received_ts
          FROM (SELECT staging_number, origin, json, received_ts,
                       ROW_NUMBER() OVER (PARTITION BY origin ORDER BY staging_number) AS turn
                  FROM staged_events WHERE room_id = $1) AS queued
         ORDER BY turn, staging_number LIMIT $2";
    let rows = database
        .fetch_all(SQL, &[room_id.as_str().into(), limit.into()])
        .await?;
    let parsed = rows.iter().map(|row| {
        Ok(StagedEvent {
            number: row.int(0)?,
            origin: ServerName::parse(row.text(1)?)
                .map_err(|error| StorageError::corrupt("staged_events.origin", error))?,
            json: RawValue::from_string(row.text(2)?)
                .map_err(|error| StorageError::corrupt("staged_events.json", error))?,
            received: Timestamp(row.int(3)?),
        })
    });
    parsed.collect()
}

/// The rooms that have staged events.
pub(crate) async fn rooms(database: &Database) -> Result<Vec<OwnedRoomId>, StorageError> {
    const SQL: &str = "SELECT DISTINCT room_id FROM staged_events ORDER BY room_id";
    let rows = database.fetch_all(SQL, &[]).await?;
    let parsed = rows.iter().map(|row| {
        RoomId::parse(row.text(0)?).map_err(|error| StorageError::corrupt("staged_events.room_id", error))
    });
    parsed.collect()
}

/// How many events of each origin are staged.
pub(crate) async fn counts(database: &Database) -> Result<HashMap<OwnedServerName, i64>, StorageError> {
    const SQL: &str = "SELECT origin, COUNT(*) FROM staged_events GROUP BY origin";
    let rows = database.fetch_all(SQL, &[]).await?;
    let parsed = rows.iter().map(|row| {
        let origin = ServerName::parse(row.text(0)?)
            .map_err(|error| StorageError::corrupt("staged_events.origin", error))?;
        Ok((origin, row.int(1)?))
    });
    parsed.collect()
}
