use echorift_rooms::DelayId;
use echorift_storage::{Change, Database, Row, Statement, StorageError, Timestamp};

use super::{cells_of, seat_of};
use crate::{calls::Seat, leaving::DelayedLeave};

static PUT: Statement = Statement::upsert(
    3,
    "INSERT INTO call_departures (sfu, livekit_room, identity, delay_id, delay_ms, since_ts)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, CAST(value ->> 4 AS BIGINT),
            CAST(value ->> 5 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (sfu, livekit_room, identity) DO UPDATE SET delay_id = excluded.delay_id,
            delay_ms = excluded.delay_ms, since_ts = excluded.since_ts",
);

/// Only if the departure is still the same: a later one may have taken its place.
static REMOVE: Statement = Statement::insert(
    "DELETE FROM call_departures
      WHERE (sfu, livekit_room, identity, delay_id)
         IN (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1))",
);

pub(crate) fn put(change: &mut Change, seat: &Seat, leave: &DelayedLeave, now: Timestamp) {
    let cells = cells_of(seat).with(leave.delay_id.as_str()).with(leave.delay_ms);
    change.write(&PUT, cells.with(now));
}

pub(crate) fn remove(change: &mut Change, seat: &Seat, delay_id: &DelayId) {
    change.write(&REMOVE, cells_of(seat).with(delay_id.as_str()));
}

/// All departures, the oldest first: whose, and their delayed events.
pub(crate) async fn all(database: &Database) -> Result<Vec<(Seat, DelayedLeave)>, StorageError> {
    const SQL: &str = "
        SELECT sfu, livekit_room, identity, delay_id, delay_ms FROM call_departures
         ORDER BY since_ts, sfu, livekit_room, identity";
    let rows = database.fetch_all(SQL, &[]).await?;
    let read = |row: &Row| {
        let leave = DelayedLeave {
            delay_id: DelayId::from(row.text(3)?),
            delay_ms: row.int(4)?,
        };
        Ok((seat_of(row)?, leave))
    };
    rows.iter().map(read).collect()
}
