use std::collections::HashSet;

use echorift_storage::{Cells, Change, Database, Statement, StorageError, Timestamp, list};
use ruma::{OwnedRoomId, RoomId};

use super::parse_stored;

static BLOCK: Statement = Statement::upsert(
    1,
    "INSERT INTO blocked_rooms (room_id, blocked_ts)
     SELECT value ->> 0, CAST(value ->> 1 AS BIGINT) FROM json_each($1) WHERE true
     ON CONFLICT (room_id) DO NOTHING",
);

static UNBLOCK: Statement =
    Statement::insert("DELETE FROM blocked_rooms WHERE room_id IN (SELECT value ->> 0 FROM json_each($1))");

pub(crate) fn put(change: &mut Change, room: &RoomId, is_blocked: bool, now: Timestamp) {
    match is_blocked {
        true => change.write(&BLOCK, Cells::new().with(room.as_str()).with(now)),
        false => change.write(&UNBLOCK, Cells::new().with(room.as_str())),
    }
}

pub(crate) async fn is_blocked(database: &Database, room: &RoomId) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM blocked_rooms WHERE room_id = $1";
    Ok(database
        .fetch_optional(SQL, &[room.as_str().into()])
        .await?
        .is_some())
}

/// Those of these rooms that are blocked.
pub(crate) async fn among(
    database: &Database,
    rooms: &[OwnedRoomId],
) -> Result<HashSet<OwnedRoomId>, StorageError> {
    const SQL: &str =
        "SELECT room_id FROM blocked_rooms WHERE room_id IN (SELECT value ->> 0 FROM json_each($1))";
    let wanted = list(rooms.iter().map(|room| room.as_str()));
    let rows = database.fetch_all(SQL, &[wanted]).await?;
    rows.iter()
        .map(|row| parse_stored("blocked_rooms.room_id", &row.text(0)?))
        .collect()
}
