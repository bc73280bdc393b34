use std::collections::HashSet;

use echorift_storage::{Cells, Change, Database, RoomNumber, Statement, StorageError, list};
use ruma::directory::RoomNetwork;

static PUBLISH: Statement = Statement::upsert(
    1,
    "UPDATE rooms SET is_published = CAST(listed.value ->> 1 AS BIGINT)
       FROM json_each($1) AS listed WHERE rooms.room_number = CAST(listed.value ->> 0 AS BIGINT)",
);

static LIST: Statement = Statement::insert(
    "INSERT INTO network_rooms (network, room_number)
     SELECT value ->> 0, CAST(value ->> 1 AS BIGINT) FROM json_each($1) WHERE true
     ON CONFLICT DO NOTHING",
);

static UNLIST: Statement = Statement::insert(
    "DELETE FROM network_rooms WHERE (network, room_number) IN
        (SELECT value ->> 0, CAST(value ->> 1 AS BIGINT) FROM json_each($1))",
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

/// How many rooms a directory lists.
pub(crate) async fn count_listed(database: &Database, network: &RoomNetwork) -> Result<i64, StorageError> {
    let (sql, values) = match network {
        RoomNetwork::ThirdParty(network) => (
            "SELECT COUNT(*) FROM network_rooms WHERE network = $1",
            vec![network.as_str().into()],
        ),
        RoomNetwork::All => (
            "SELECT COUNT(*) FROM rooms
              WHERE is_published = 1 OR room_number IN (SELECT room_number FROM network_rooms)",
            Vec::new(),
        ),
        _ => ("SELECT COUNT(*) FROM rooms WHERE is_published = 1", Vec::new()),
    };
    let row = database.fetch_optional(sql, &values).await?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// The places on one side of `($1, $2)` of the rooms that a condition lists, nearest first.
macro_rules! places_sql {
    (After, $listed:literal) => {
        places_sql!($listed, "joined < $1 OR (joined = $1 AND room_number > $2)", "joined DESC, room_number")
    };
    (Before, $listed:literal) => {
        places_sql!($listed, "joined > $1 OR (joined = $1 AND room_number < $2)", "joined, room_number DESC")
    };
    ($listed:literal, $side:literal, $order:literal) => {
        concat!(
            "SELECT joined, room_number FROM (
                SELECT rooms.room_number,
                       (SELECT COUNT(*) FROM memberships
                         WHERE memberships.room_number = rooms.room_number AND membership = 'join') AS joined
                  FROM rooms WHERE ",
            $listed,
            ") AS listed WHERE ",
            $side,
            " ORDER BY ",
            $order,
            " LIMIT $3"
        )
    };
}

/// The same for each side.
macro_rules! both_sides {
    ($side:expr, $listed:literal) => {
        match $side {
            Side::After => places_sql!(After, $listed),
            Side::Before => places_sql!(Before, $listed),
        }
    };
}

/// Up to `limit` places of a directory on one side of a place, nearest first.
pub(crate) async fn places(
    database: &Database,
    network: &RoomNetwork,
    (from, side): (DirectoryPlace, Side),
    limit: i64,
) -> Result<Vec<DirectoryPlace>, StorageError> {
    let mut values = vec![from.joined.into(), from.room.into(), limit.into()];
    let sql = match network {
        RoomNetwork::ThirdParty(network) => {
            values.push(network.as_str().into());
            both_sides!(
                side,
                "room_number IN (SELECT room_number FROM network_rooms WHERE network = $4)"
            )
        }
        RoomNetwork::All => both_sides!(
            side,
            "is_published = 1 OR room_number IN (SELECT room_number FROM network_rooms)"
        ),
        _ => both_sides!(side, "is_published = 1"),
    };
    let rows = database.fetch_all(sql, &values).await?;
    rows.iter()
        .map(|row| {
            Ok(DirectoryPlace {
                joined: row.int(0)?,
                room: RoomNumber(row.int(1)?),
            })
        })
        .collect()
}

/// Lists a room for a network, or no more.
pub(crate) fn set_listed(change: &mut Change, network: &str, room: RoomNumber, is_listed: bool) {
    let statement = if is_listed { &LIST } else { &UNLIST };
    change.write(statement, Cells::new().with(network).with(room));
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
