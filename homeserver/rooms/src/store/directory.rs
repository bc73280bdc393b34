use std::collections::HashSet;

use echorift_storage::{Cells, Change, Database, RoomNumber, Statement, StorageError, list};

static PUBLISH: Statement = Statement::upsert(
    1,
    "UPDATE rooms SET is_published = CAST(listed.value ->> 1 AS BIGINT)
       FROM json_each($1) AS listed WHERE rooms.room_number = CAST(listed.value ->> 0 AS BIGINT)",
);

/// A room's place in the directory: the largest rooms stand first, older ones before younger of the same size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DirectoryPlace {
    pub joined: i64,
    pub room: RoomNumber,
}

/// Which way to read the directory from a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The rooms after it, nearest first.
    After,
    /// The rooms before it, nearest first.
    Before,
}

/// Puts a room into the directory or takes it out.
pub(crate) fn set_published(change: &mut Change, room: RoomNumber, is_published: bool) {
    change.write(&PUBLISH, Cells::new().with(room).with(is_published));
}

/// Whether a room is in the directory; `None` if it is not stored.
pub(crate) async fn is_published(
    database: &Database,
    room: RoomNumber,
) -> Result<Option<bool>, StorageError> {
    let row = database
        .fetch_optional(
            "SELECT is_published FROM rooms WHERE room_number = $1",
            &[room.into()],
        )
        .await?;
    row.map(|row| row.flag(0)).transpose()
}

pub(crate) async fn count_published(database: &Database) -> Result<i64, StorageError> {
    const SQL: &str = "SELECT COUNT(*) FROM rooms WHERE is_published = 1";
    database
        .fetch_optional(SQL, &[])
        .await?
        .map_or(Ok(0), |row| row.int(0))
}

/// Up to `limit` places on one side of a place, nearest first.
pub(crate) async fn places(
    database: &Database,
    from: DirectoryPlace,
    side: Side,
    limit: i64,
) -> Result<Vec<DirectoryPlace>, StorageError> {
    const AFTER: &str = "
        SELECT joined, room_number FROM (
            SELECT rooms.room_number,
                   (SELECT COUNT(*) FROM memberships
                     WHERE memberships.room_number = rooms.room_number AND membership = 'join') AS joined
              FROM rooms WHERE is_published = 1) AS listed
         WHERE joined < $1 OR (joined = $1 AND room_number > $2)
         ORDER BY joined DESC, room_number LIMIT $3";
    const BEFORE: &str = "
        SELECT joined, room_number FROM (
            SELECT rooms.room_number,
                   (SELECT COUNT(*) FROM memberships
                     WHERE memberships.room_number = rooms.room_number AND membership = 'join') AS joined
              FROM rooms WHERE is_published = 1) AS listed
         WHERE joined > $1 OR (joined = $1 AND room_number < $2)
         ORDER BY joined, room_number DESC LIMIT $3";
    let sql = match side {
        Side::After => AFTER,
        Side::Before => BEFORE,
    };
    let rows = database
        .fetch_all(sql, &[from.joined.into(), from.room.into(), limit.into()])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(DirectoryPlace {
                joined: row.int(0)?,
                room: RoomNumber(row.int(1)?),
            })
        })
        .collect()
}

/// Those of these rooms that are in the directory.
pub(crate) async fn published_among(
    database: &Database,
    rooms: &[RoomNumber],
) -> Result<HashSet<RoomNumber>, StorageError> {
    const SQL: &str = "
        SELECT room_number FROM rooms
         WHERE is_published = 1 AND room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    let rows = database.fetch_all(SQL, &[list(rooms.iter().copied())]).await?;
    rows.iter().map(|row| Ok(RoomNumber(row.int(0)?))).collect()
}
