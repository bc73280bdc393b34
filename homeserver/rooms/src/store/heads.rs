use std::collections::HashMap;

use echorift_storage::{
    Cells, Change, Database, EventNumber, RoomNumber, SnapshotNumber, Statement, StorageError, Timestamp,
    list,
};
use ruma::{OwnedEventId, RoomVersionId};

use super::{numbers_json, parse_numbers, parse_stored};
use crate::room::Standing;

static INSERT_ROOM: Statement = Statement::insert(
    "INSERT INTO rooms (room_number, room_version, created_ts, is_published)
     SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT)
       FROM json_each($1)",
);

static PUT_HEAD: Statement = Statement::upsert(
    1,
    "INSERT INTO room_heads (room_number, extremities, depth, snapshot_number)
     SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (room_number) DO UPDATE
        SET extremities = excluded.extremities, depth = excluded.depth, snapshot_number = excluded.snapshot_number",
);

static PUT_ROOM: Statement = Statement::upsert(
    1,
    "INSERT INTO rooms (room_number, room_version, created_ts, is_published, standing)
     SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, CAST(value ->> 2 AS BIGINT), 0, CAST(value ->> 3 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (room_number) DO UPDATE SET room_version = excluded.room_version, standing = excluded.standing",
);

/// Adds the row of a room of other servers, or says anew how this server stands to it.
pub(crate) fn put_room(
    change: &mut Change,
    room: RoomNumber,
    version: &RoomVersionId,
    first_seen: Timestamp,
    standing: Standing,
) {
    let cells = Cells::new()
        .with(room)
        .with(version.as_str())
        .with(first_seen)
        .with(standing as i64);
    change.write(&PUT_ROOM, cells);
}

/// Adds the row of a new room.
pub(crate) fn insert_room(
    change: &mut Change,
    room: RoomNumber,
    version: &RoomVersionId,
    created: Timestamp,
    is_published: bool,
) {
    let cells = Cells::new()
        .with(room)
        .with(version.as_str())
        .with(created)
        .with(is_published);
    change.write(&INSERT_ROOM, cells);
}

/// Replaces what the next event of the room builds upon.
pub(crate) fn put(
    change: &mut Change,
    room: RoomNumber,
    extremities: impl IntoIterator<Item = EventNumber>,
    depth: u64,
    snapshot: SnapshotNumber,
) {
    let extremities = numbers_json(extremities.into_iter().map(|event| event.0));
    let depth = i64::try_from(depth).unwrap_or(i64::MAX);
    change.write(
        &PUT_HEAD,
        Cells::new()
            .with(room)
            .with(extremities)
            .with(depth)
            .with(snapshot),
    );
}

/// A room's head as it is stored.
pub(crate) struct StoredHead {
    pub room: RoomNumber,
    pub version: RoomVersionId,
    pub extremities: Vec<EventNumber>,
    pub depth: u64,
    pub snapshot: SnapshotNumber,
    pub standing: Standing,
}

/// The heads of these rooms; rooms that are not stored are left out.
pub(crate) async fn load(database: &Database, rooms: &[RoomNumber]) -> Result<Vec<StoredHead>, StorageError> {
    const SQL: &str = "
        SELECT room_number, room_version, extremities, depth, snapshot_number, standing
          FROM rooms JOIN room_heads USING (room_number)
         WHERE room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    let rows = database.fetch_all(SQL, &[list(rooms.iter().copied())]).await?;
    let parsed = rows.iter().map(|row| {
        Ok(StoredHead {
            room: RoomNumber(row.int(0)?),
            version: parse_stored("rooms.room_version", &row.text(1)?)?,
            extremities: parse_numbers("room_heads.extremities", &row.text(2)?)?
                .into_iter()
                .map(EventNumber)
                .collect(),
            depth: u64::try_from(row.int(3)?).unwrap_or(0),
            snapshot: SnapshotNumber(row.int(4)?),
            standing: Standing::from_stored(row.int(5)?)
                .ok_or_else(|| StorageError::corrupt("rooms.standing", "unknown standing"))?,
        })
    });
    parsed.collect()
}

/// The event IDs of these events, and the states after them.
pub(crate) async fn ends(
    database: &Database,
    events: impl IntoIterator<Item = EventNumber>,
) -> Result<HashMap<EventNumber, (OwnedEventId, SnapshotNumber)>, StorageError> {
    const SQL: &str = "
        SELECT event_number, event_id, snapshot_number FROM events
         WHERE event_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    let rows = database.fetch_all(SQL, &[list(events)]).await?;
    let parsed = rows.iter().map(|row| {
        Ok((
            EventNumber(row.int(0)?),
            (
                parse_stored("events.event_id", &row.text(1)?)?,
                SnapshotNumber(row.int(2)?),
            ),
        ))
    });
    parsed.collect()
}
