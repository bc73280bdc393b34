//! Joins whose rooms' members are still missing.

use echorift_storage::{
    Cells, Change, Database, EventNumber, Position, RoomNumber, SnapshotNumber, Statement, StorageError,
};
use ruma::{OwnedServerName, ServerName};

use super::{numbers_json, parse_stored};
use crate::{remote::PartialJoin, state::State};

static PUT: Statement = Statement::upsert(
    1,
    "INSERT INTO partial_joins (room_number, join_number, resident, servers)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3
       FROM json_each($1) WHERE true
     ON CONFLICT (room_number) DO UPDATE
        SET join_number = excluded.join_number, resident = excluded.resident, servers = excluded.servers",
);

static REMOVE: Statement = Statement::insert(
    "DELETE FROM partial_joins WHERE room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))",
);

static REWRITE: Statement = Statement::upsert(
    1,
    "UPDATE state_snapshots
        SET parent_number = CAST(whole.value ->> 1 AS BIGINT), chain_length = 1, added = whole.value ->> 2,
            removed = whole.value ->> 3
       FROM json_each($1) AS whole
      WHERE state_snapshots.snapshot_number = CAST(whole.value ->> 0 AS BIGINT)",
);

pub(crate) fn put(change: &mut Change, join: &PartialJoin, servers: &[OwnedServerName]) {
    let servers: Vec<&str> = servers.iter().map(|server| server.as_str()).collect();
    let servers = serde_json::Value::from(servers).to_string();
    let cells = Cells::new()
        .with(join.room)
        .with(join.join)
        .with(join.resident.as_str())
        .with(servers);
    change.write(&PUT, cells);
}

pub(crate) fn remove(change: &mut Change, room: RoomNumber) {
    change.write(&REMOVE, Cells::new().with(room));
}

/// Stores a state anew, in its place, as what differs from `whole`.
pub(crate) fn rewrite(change: &mut Change, state: &State, whole: &State) {
    let changes = whole.changes_to(state);
    let added = changes.iter().filter_map(|change| change.after);
    let removed = changes.iter().filter(|change| change.after.is_none());
    let cells = Cells::new()
        .with(state.snapshot)
        .with(whole.snapshot)
        .with(numbers_json(added.map(|event| event.0)))
        .with(numbers_json(
            removed.filter_map(|change| change.before).map(|event| event.0),
        ));
    change.write(&REWRITE, cells);
}

/// All partial joins, with the servers that were in their rooms then.
pub(crate) async fn all(
    database: &Database,
) -> Result<Vec<(PartialJoin, Vec<OwnedServerName>)>, StorageError> {
    const SQL: &str =
        "SELECT room_number, join_number, resident, servers FROM partial_joins ORDER BY room_number";
    let rows = database.fetch_all(SQL, &[]).await?;
    let parsed = rows.iter().map(|row| {
        let servers: Vec<String> = serde_json::from_str(&row.text(3)?)
            .map_err(|error| StorageError::corrupt("partial_joins.servers", error))?;
        let servers = servers
            .iter()
            .filter_map(|server| ServerName::parse(server.as_str()).ok());
        let join = PartialJoin {
            room: RoomNumber(row.int(0)?),
            join: EventNumber(row.int(1)?),
            resident: parse_stored("partial_joins.resident", &row.text(2)?)?,
        };
        Ok((join, servers.collect()))
    });
    parsed.collect()
}

/// The states at and after the events of a room that are not older than a position, those outside of the timeline
/// included.
pub(crate) async fn snapshots_since(
    database: &Database,
    room: RoomNumber,
    since: Position,
) -> Result<Vec<SnapshotNumber>, StorageError> {
    // What is outside of the timeline has no position, and came after the join if its number did.
    const SQL: &str = "
        SELECT snapshot_number, room_snapshot_number FROM events
         WHERE room_number = $1 AND outcome <> 3
           AND (position >= $2
                OR (position IS NULL
                    AND event_number >= (SELECT event_number FROM events WHERE room_number = $1 AND position = $2)))";
    let rows = database.fetch_all(SQL, &[room.into(), since.into()]).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.push(SnapshotNumber(row.int(0)?));
        found.extend(row.optional_int(1)?.map(SnapshotNumber));
    }
    Ok(found)
}
