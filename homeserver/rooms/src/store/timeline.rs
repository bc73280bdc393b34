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
