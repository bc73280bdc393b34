use echorift_storage::{
    Cells, Change, Database, EventNumber, Position, RoomNumber, Statement, StorageError, Timestamp,
    UserNumber,
};

static CURSOR: Statement = Statement::upsert(
    1,
    "UPDATE push_cursor SET position = cursor.position
       FROM (SELECT CAST(value ->> 0 AS BIGINT) AS one, CAST(value ->> 1 AS BIGINT) AS position
               FROM json_each($1)) AS cursor
      WHERE push_cursor.one = cursor.one",
);

/// Up to where the log needs not be read again for pushers.
pub(crate) async fn cursor(database: &Database) -> Result<Position, StorageError> {
    let row = database
        .fetch_optional("SELECT position FROM push_cursor", &[])
        .await?;
    let row = row.ok_or_else(|| StorageError::corrupt("push_cursor.position", "the row is missing"))?;
    Ok(Position(row.int(0)?))
}

pub(crate) fn put_cursor(change: &mut Change, position: Position) {
    change.write(&CURSOR, Cells::new().with(1).with(position));
}

/// An event as the log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoggedEvent {
    pub position: Position,
    pub room: RoomNumber,
    pub event: EventNumber,
}

/// The first `limit` events with `after < position <= to` of the rooms of users with pushers, in log order; of those
/// that are not older than `since`.
pub(crate) async fn missed(
    database: &Database,
    (after, to): (Position, Position),
    since: Timestamp,
    limit: i64,
) -> Result<Vec<LoggedEvent>, StorageError> {
    const SQL: &str = "
        SELECT position, room_number, event_number FROM events
         WHERE room_number IN (SELECT room_number FROM memberships
                                WHERE user_number IN (SELECT user_number FROM pushers)
                                  AND membership IN ('join', 'invite'))
           AND position > $1 AND position <= $2 AND origin_server_ts >= $3
         ORDER BY position LIMIT $4";
    let values = [after.into(), to.into(), since.into(), limit.into()];
    let rows = database.fetch_all(SQL, &values).await?;
    let read = rows.iter().map(|row| {
        Ok(LoggedEvent {
            position: Position(row.int(0)?),
            room: RoomNumber(row.int(1)?),
            event: EventNumber(row.int(2)?),
        })
    });
    read.collect()
}

/// The latest `limit` events before `before` of the rooms that the user is in, latest first. Looks at no more than
/// `limit` events of each room.
pub(crate) async fn latest_of_user(
    database: &Database,
    user: UserNumber,
    before: Position,
    limit: i64,
) -> Result<Vec<LoggedEvent>, StorageError> {
    const SQL: &str = "
        SELECT events.position, events.room_number, events.event_number
          FROM memberships
          JOIN events ON events.room_number = memberships.room_number
           AND events.position < $2
           AND events.position >= COALESCE(
                (SELECT edge.position FROM events AS edge
                  WHERE edge.room_number = memberships.room_number AND edge.position < $2
                  ORDER BY edge.position DESC LIMIT 1 OFFSET $3),
                1)
         WHERE memberships.user_number = $1 AND memberships.membership = 'join'
         ORDER BY events.position DESC LIMIT $4";
    let values = [user.into(), before.into(), (limit - 1).into(), limit.into()];
    let rows = database.fetch_all(SQL, &values).await?;
    let read = rows.iter().map(|row| {
        Ok(LoggedEvent {
            position: Position(row.int(0)?),
            room: RoomNumber(row.int(1)?),
            event: EventNumber(row.int(2)?),
        })
    });
    read.collect()
}
