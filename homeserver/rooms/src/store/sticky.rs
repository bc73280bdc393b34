//! The SQL of sticky events.

use std::collections::BTreeSet;

use echorift_storage::{
    Cells, Change, Database, EventNumber, Position, RecordIndex, RoomNumber, Row, Statement, StorageError,
    Timestamp, UserNumber, list,
};

use crate::sticky::Sticky;

/// One statement for all that happens to a row, so that of several changes of one commit the last one stands.
static PUT: Statement = Statement::upsert(
    1,
    "INSERT INTO sticky_events (event_number, room_number, sender_number, expires_ts, position)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT),
            CAST(value ->> 3 AS BIGINT), CAST(value ->> 4 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (event_number) DO UPDATE SET expires_ts = excluded.expires_ts, position = excluded.position",
);

/// Says that readers hear of the event from the position of `record` on; that it is withheld, without one.
pub(crate) fn put(change: &mut Change, room: RoomNumber, sticky: &Sticky, record: Option<RecordIndex>) {
    let cells = columns(room, sticky, sticky.expires);
    match record {
        Some(record) => change.write_at(&PUT, cells, record),
        None => change.write(&PUT, cells.with(None::<i64>)),
    }
}

/// Ends an event's stickiness before its time.
pub(crate) fn end(change: &mut Change, room: RoomNumber, sticky: &Sticky) {
    change.write(&PUT, columns(room, sticky, Timestamp(0)).with(None::<i64>));
}

fn columns(room: RoomNumber, sticky: &Sticky, expires: Timestamp) -> Cells {
    Cells::new()
        .with(sticky.event)
        .with(room)
        .with(sticky.sender)
        .with(expires)
}

/// The sticky events of these rooms that have not expired at `now`, in the order in which they came to be known; each with
/// the position at which readers hear of it, or none if it is withheld.
pub(crate) async fn of_rooms(
    database: &Database,
    rooms: &[RoomNumber],
    now: Timestamp,
) -> Result<Vec<(RoomNumber, Sticky, Option<Position>)>, StorageError> {
    const SQL: &str = "
        SELECT room_number, event_number, sender_number, expires_ts, position FROM sticky_events
         WHERE room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1)) AND expires_ts > $2
         ORDER BY room_number, event_number";
    let values = [list(rooms.iter().copied()), now.into()];
    let rows = database.fetch_all(SQL, &values).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<(RoomNumber, Sticky, Option<Position>), StorageError> {
    let sticky = Sticky {
        event: EventNumber(row.int(1)?),
        sender: UserNumber(row.int(2)?),
        expires: Timestamp(row.int(3)?),
    };
    Ok((
        RoomNumber(row.int(0)?),
        sticky,
        row.optional_int(4)?.map(Position),
    ))
}

/// The rooms that the user is joined to and that have sticky events at `now`.
pub(crate) async fn rooms_of_user(
    database: &Database,
    user: UserNumber,
    now: Timestamp,
) -> Result<Vec<RoomNumber>, StorageError> {
    const SQL: &str = "
        SELECT DISTINCT sticky_events.room_number
          FROM sticky_events JOIN memberships ON memberships.room_number = sticky_events.room_number
         WHERE memberships.user_number = $1 AND memberships.membership = 'join'
           AND sticky_events.expires_ts > $2 AND sticky_events.position IS NOT NULL
         ORDER BY sticky_events.room_number";
    let rows = database.fetch_all(SQL, &[user.into(), now.into()]).await?;
    rows.iter().map(|row| Ok(RoomNumber(row.int(0)?))).collect()
}

/// Removes up to `limit` rows that ended by `now`: how many, and of which rooms.
pub(crate) async fn remove_ended(
    database: &Database,
    now: Timestamp,
    limit: i64,
) -> Result<(usize, BTreeSet<RoomNumber>), StorageError> {
    const SQL: &str = "
        DELETE FROM sticky_events
         WHERE event_number IN (SELECT event_number FROM sticky_events WHERE expires_ts <= $1
                                 ORDER BY expires_ts LIMIT $2)
        RETURNING room_number";
    let removed = database.writer().transact(move |tx| {
        Box::pin(async move {
            let rows = tx.fetch_all(SQL, &[now.into(), limit.into()]).await?;
            let rooms: Result<Vec<RoomNumber>, StorageError> =
                rows.iter().map(|row| Ok(RoomNumber(row.int(0)?))).collect();
            rooms
        })
    });
    let removed = removed.await?;
    Ok((removed.len(), removed.into_iter().collect()))
}

/// Whether any row ended by `now`: what is asked first, for a removal costs a commit.
pub(crate) async fn has_ended(database: &Database, now: Timestamp) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM sticky_events WHERE expires_ts <= $1 LIMIT 1";
    Ok(database.fetch_optional(SQL, &[now.into()]).await?.is_some())
}
