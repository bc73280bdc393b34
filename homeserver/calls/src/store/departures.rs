use echorift_storage::{Change, Database, Statement, StorageError, Timestamp};

use super::{cells_of, seat_of};
use crate::calls::Seat;

static PUT: Statement = Statement::upsert(
    3,
    "INSERT INTO call_departures (sfu, livekit_room, identity, delay_id, since_ts)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, CAST(value ->> 4 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (sfu, livekit_room, identity) DO UPDATE SET delay_id = excluded.delay_id,
            since_ts = excluded.since_ts",
);

/// Only if the departure is still the same: a later one may have taken its place.
static REMOVE: Statement = Statement::insert(
    "DELETE FROM call_departures
      WHERE (sfu, livekit_room, identity, delay_id)
         IN (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1))",
);

pub(crate) fn put(change: &mut Change, seat: &Seat, delay_id: &str, now: Timestamp) {
    change.write(&PUT, cells_of(seat).with(delay_id).with(now));
}

pub(crate) fn remove(change: &mut Change, seat: &Seat, delay_id: &str) {
    change.write(&REMOVE, cells_of(seat).with(delay_id));
}

/// All departures: whose, and the IDs of their delayed events.
pub(crate) async fn all(database: &Database) -> Result<Vec<(Seat, String)>, StorageError> {
    const SQL: &str = "
        SELECT sfu, livekit_room, identity, delay_id FROM call_departures
         ORDER BY since_ts, sfu, livekit_room, identity";
    let rows = database.fetch_all(SQL, &[]).await?;
    let read = |row: &echorift_storage::Row| Ok((seat_of(row)?, row.text(3)?));
    rows.iter().map(read).collect()
}
