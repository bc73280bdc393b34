use std::collections::HashMap;

use echorift_storage::{Database, EventNumber, Position, RoomNumber, StorageError, Timestamp, list};

use super::events::Order;

/// The events of these rooms that ever set the history visibility.
pub(crate) async fn history_visibilities(
    database: &Database,
    rooms: &[RoomNumber],
) -> Result<Vec<(RoomNumber, EventNumber)>, StorageError> {
    const SQL: &str = "
        SELECT room_number, event_number FROM events
         WHERE room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
           AND event_type = 'm.room.history_visibility'";
    let rows = database.fetch_all(SQL, &[list(rooms.iter().copied())]).await?;
    rows.iter()
        .map(|row| Ok((RoomNumber(row.int(0)?), EventNumber(row.int(1)?))))
        .collect()
}

/// The `limit` timeline events up to `to` whose time is closest to `ts`: the earliest of those not before it, or the
/// latest of those not after it. The closest first.
pub(crate) async fn closest(
    database: &Database,
    room: RoomNumber,
    ts: Timestamp,
    order: Order,
    to: Position,
    limit: i64,
) -> Result<Vec<EventNumber>, StorageError> {
    const FORWARDS: &str = "
        SELECT event_number FROM events
         WHERE room_number = $1 AND origin_server_ts >= $2 AND position <= $3
         ORDER BY origin_server_ts, position LIMIT $4";
    const BACKWARDS: &str = "
        SELECT event_number FROM events
         WHERE room_number = $1 AND origin_server_ts <= $2 AND position <= $3
         ORDER BY origin_server_ts DESC, position DESC LIMIT $4";
    let sql = match order {
        Order::OldestFirst => FORWARDS,
        Order::NewestFirst => BACKWARDS,
    };
    let rows = database
        .fetch_all(sql, &[room.into(), ts.into(), to.into(), limit.into()])
        .await?;
    rows.iter().map(|row| Ok(EventNumber(row.int(0)?))).collect()
}

/// The position of the last timeline event of one of these types in each room; rooms without any are left out. Walks
/// back from the end of each room's timeline.
pub(crate) async fn last_of_types(
    database: &Database,
    rooms: &[RoomNumber],
    event_types: &[&str],
) -> Result<HashMap<RoomNumber, Position>, StorageError> {
    const SQL: &str = "
        SELECT CAST(value ->> 0 AS BIGINT),
               (SELECT events.position FROM events
                 WHERE events.room_number = CAST(value ->> 0 AS BIGINT) AND events.position IS NOT NULL
                   AND events.event_type IN (SELECT wanted.value ->> 0 FROM json_each($2) AS wanted)
                 ORDER BY events.position DESC LIMIT 1)
          FROM json_each($1)";
    let rows = database
        .fetch_all(
            SQL,
            &[list(rooms.iter().copied()), list(event_types.iter().copied())],
        )
        .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        if let Some(position) = row.optional_int(1)? {
            found.insert(RoomNumber(row.int(0)?), Position(position));
        }
    }
    Ok(found)
}
