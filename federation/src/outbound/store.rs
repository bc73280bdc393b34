//! The SQL of the sender: cursors, and what destinations missed.

use echorift_storage::{
    Cells, Change, Database, EventNumber, Position, RoomNumber, Sql, Statement, StorageError, Timestamp,
    UserNumber, list,
};
use ruma::{OwnedServerName, ServerName};

use super::destination::{Cursors, Queued};

static PUT: Statement = Statement::upsert(
    1,
    "INSERT INTO federation_cursors (server_name, position, edu_position)
     SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT) FROM json_each($1) WHERE true
     ON CONFLICT (server_name) DO UPDATE SET position = excluded.position, edu_position = excluded.edu_position",
);

static REMOVE: Statement = Statement::upsert(
    1,
    "DELETE FROM federation_cursors WHERE server_name IN (SELECT value ->> 0 FROM json_each($1))",
);

/// The name of the row that stands for all servers without one.
const ALL_OTHERS: &str = "";

/// The cursors as a start finds them.
pub(super) struct StoredCursors {
    /// How far everyone without a cursor of their own is; `None` before the first start.
    pub others: Option<Position>,
    pub behind: Vec<(OwnedServerName, Cursors)>,
}

pub(super) async fn load_cursors(database: &Database) -> Result<StoredCursors, StorageError> {
    const SQL: &str = "SELECT server_name, position, edu_position FROM federation_cursors";
    let mut cursors = StoredCursors {
        others: None,
        behind: Vec::new(),
    };
    for row in database.fetch_all(SQL, &[]).await? {
        let (name, position) = (row.text(0)?, Position(row.int(1)?));
        if name == ALL_OTHERS {
            cursors.others = Some(position);
            continue;
        }
        let name = ServerName::parse(name)
            .map_err(|error| StorageError::corrupt("federation_cursors.server_name", error))?;
        cursors.behind.push((name, (position, Position(row.int(2)?))));
    }
    Ok(cursors)
}

/// Says how far everyone is who has no cursor of their own.
pub(super) fn put_others(change: &mut Change, position: Position) {
    let cells = Cells::new().with(ALL_OTHERS).with(position).with(position);
    change.write(&PUT, cells);
}

pub(super) fn put_cursor(change: &mut Change, server: &ServerName, (events, edus): Cursors) {
    let cells = Cells::new().with(server.as_str()).with(events).with(edus);
    change.write(&PUT, cells);
}

/// From now on the server is as far as the others.
pub(super) fn remove_cursor(change: &mut Change, server: &ServerName) {
    change.write(&REMOVE, Cells::new().with(server.as_str()));
}

/// The first `limit` events of ours with `after < position <= to`, in log order.
pub(super) async fn ours(
    database: &Database,
    (after, to): (Position, Position),
    limit: i64,
) -> Result<Vec<Queued>, StorageError> {
    const SQL: &str = "
        SELECT position, event_number FROM events
         WHERE is_ours = 1 AND position > $1 AND position <= $2
         ORDER BY position LIMIT $3";
    let rows = database
        .fetch_all(SQL, &[after.into(), to.into(), limit.into()])
        .await?;
    rows.iter()
        .map(|row| Ok((Position(row.int(0)?), EventNumber(row.int(1)?))))
        .collect()
}

/// A room that concerns a server.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoomOfServer {
    pub room: RoomNumber,
    /// Whether the server is in the room now.
    pub is_joined: bool,
    /// Whether memberships of its users changed since.
    pub has_changed: bool,
    /// Whether the server was not in the room then, and is now.
    pub has_come: bool,
}

/// The rooms that a server is in, and those in which memberships of its users changed after `after`.
pub(super) async fn rooms_of_server(
    database: &Database,
    server: &ServerName,
    after: Position,
) -> Result<Vec<RoomOfServer>, StorageError> {
    // The databases name the function that finds a character differently.
    const SQL: Sql = Sql::split(
        "SELECT memberships.room_number,
                MAX(CASE WHEN memberships.membership = 'join' THEN 1 ELSE 0 END),
                MAX(CASE WHEN memberships.position > $2 THEN 1 ELSE 0 END),
                CASE WHEN MIN(CASE memberships.membership WHEN 'join' THEN memberships.sharing_position END) > $2
                     THEN 1 ELSE 0 END
           FROM user_numbers JOIN memberships ON memberships.user_number = user_numbers.user_number
          WHERE substr(user_numbers.user_id, instr(user_numbers.user_id, ':') + 1) = $1
            AND (memberships.membership = 'join' OR memberships.position > $2)
          GROUP BY memberships.room_number",
        "SELECT memberships.room_number,
                CAST(MAX(CASE WHEN memberships.membership = 'join' THEN 1 ELSE 0 END) AS BIGINT),
                CAST(MAX(CASE WHEN memberships.position > $2 THEN 1 ELSE 0 END) AS BIGINT),
                CAST(CASE WHEN MIN(CASE memberships.membership WHEN 'join' THEN memberships.sharing_position END) > $2
                          THEN 1 ELSE 0 END AS BIGINT)
           FROM user_numbers JOIN memberships ON memberships.user_number = user_numbers.user_number
          WHERE substr(user_numbers.user_id, strpos(user_numbers.user_id, ':') + 1) = $1
            AND (memberships.membership = 'join' OR memberships.position > $2)
          GROUP BY memberships.room_number",
    );
    let rows = database
        .fetch_all(SQL, &[server.as_str().into(), after.into()])
        .await?;
    let parsed = rows.iter().map(|row| {
        Ok(RoomOfServer {
            room: RoomNumber(row.int(0)?),
            is_joined: row.flag(1)?,
            has_changed: row.flag(2)?,
            has_come: row.flag(3)?,
        })
    });
    parsed.collect()
}

/// How many events of ours these rooms had with `after < position <= to`, counted up to `limit`, and when the first of
/// them was made.
pub(super) async fn backlog(
    database: &Database,
    rooms: &[RoomNumber],
    (after, to): (Position, Position),
    limit: i64,
) -> Result<(i64, Option<Timestamp>), StorageError> {
    const SQL: &str = "
        SELECT COUNT(*), MIN(origin_server_ts)
          FROM (SELECT origin_server_ts FROM events
                 WHERE is_ours = 1 AND position > $2 AND position <= $3
                   AND room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
                 ORDER BY position LIMIT $4) AS missed";
    let values = [list(rooms.iter().copied()), after.into(), to.into(), limit.into()];
    let row = database.fetch_optional(SQL, &values).await?;
    let row = row.ok_or_else(|| StorageError::corrupt("events", "a count has no row"))?;
    Ok((row.int(0)?, row.optional_int(1)?.map(Timestamp)))
}

/// The first `limit` events of ours in these rooms with `after < position <= to`, in log order.
pub(super) async fn missed(
    database: &Database,
    rooms: &[RoomNumber],
    (after, to): (Position, Position),
    limit: i64,
) -> Result<Vec<Queued>, StorageError> {
    const SQL: &str = "
        SELECT position, event_number FROM events
         WHERE is_ours = 1 AND position > $2 AND position <= $3
           AND room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
         ORDER BY position LIMIT $4";
    let values = [list(rooms.iter().copied()), after.into(), to.into(), limit.into()];
    let rows = database.fetch_all(SQL, &values).await?;
    rows.iter()
        .map(|row| Ok((Position(row.int(0)?), EventNumber(row.int(1)?))))
        .collect()
}

/// For a server that was away for long: in each room of `joined` the latest event of ours and those that stick at `now`, and
/// in the rooms of `left` those about memberships of its users. All with `after < position <= to`, in log order, the first
/// `limit` of them.
pub(super) async fn latest(
    database: &Database,
    server: &ServerName,
    (joined, left): (&[RoomNumber], &[RoomNumber]),
    (after, to): (Position, Position),
    (now, limit): (Timestamp, i64),
) -> Result<Vec<Queued>, StorageError> {
    const SQL: &str = "
        SELECT events.position, events.event_number
          FROM events
         WHERE events.is_ours = 1 AND events.position > $3 AND events.position <= $4
           AND (events.position IN
                (SELECT MAX(newest.position) FROM events AS newest
                  WHERE newest.is_ours = 1 AND newest.position > $3 AND newest.position <= $4
                    AND newest.room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
                  GROUP BY newest.room_number)
            OR events.event_number IN
                (SELECT sticky_events.event_number FROM sticky_events
                  WHERE sticky_events.expires_ts > $7
                    AND sticky_events.room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1)))
            OR (events.event_type = 'm.room.member' AND events.state_key LIKE $6
                AND events.room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($2))))
         ORDER BY events.position LIMIT $5";
    let values = [
        list(joined.iter().copied()),
        list(left.iter().copied()),
        after.into(),
        to.into(),
        limit.into(),
        // A server name has no character that a pattern gives a meaning to.
        format!("%:{server}").into(),
        now.into(),
    ];
    let rows = database.fetch_all(SQL, &values).await?;
    rows.iter()
        .map(|row| Ok((Position(row.int(0)?), EventNumber(row.int(1)?))))
        .collect()
}

/// The latest `limit` events of ours with `position <= to` that stick to these rooms at a time, in log order.
pub(super) async fn sticky(
    database: &Database,
    rooms: &[RoomNumber],
    (to, now): (Position, Timestamp),
    limit: i64,
) -> Result<Vec<Queued>, StorageError> {
    const SQL: &str = "
        SELECT events.position, events.event_number
          FROM sticky_events JOIN events ON events.event_number = sticky_events.event_number
         WHERE sticky_events.room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
           AND sticky_events.expires_ts > $2
           AND events.is_ours = 1 AND events.position <= $3
         ORDER BY events.position DESC LIMIT $4";
    let values = [list(rooms.iter().copied()), now.into(), to.into(), limit.into()];
    let rows = database.fetch_all(SQL, &values).await?;
    let latest_first = rows.iter().rev();
    latest_first
        .map(|row| Ok((Position(row.int(0)?), EventNumber(row.int(1)?))))
        .collect()
}

/// Who came with `after < position <= to` into rooms where something sticks at a time, in log order.
pub(super) async fn joins_where_something_sticks(
    database: &Database,
    (after, to): (Position, Position),
    now: Timestamp,
) -> Result<Vec<(Position, RoomNumber, UserNumber)>, StorageError> {
    const SQL: &str = "
        SELECT sharing_position, room_number, user_number FROM memberships
         WHERE room_number IN (SELECT room_number FROM sticky_events WHERE expires_ts > $1)
           AND membership = 'join' AND sharing_position > $2 AND sharing_position <= $3
         ORDER BY sharing_position, room_number, user_number";
    let rows = database
        .fetch_all(SQL, &[now.into(), after.into(), to.into()])
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                Position(row.int(0)?),
                RoomNumber(row.int(1)?),
                UserNumber(row.int(2)?),
            ))
        })
        .collect()
}

/// Of these servers, each with a room that it is in and a place in the log, those that nobody had been joined of to the
/// room before that place.
pub(super) async fn newly_in(
    database: &Database,
    wanted: &[(Position, RoomNumber, OwnedServerName)],
) -> Result<Vec<(Position, OwnedServerName)>, StorageError> {
    // The databases name the function that finds a character differently.
    const SQL: Sql = Sql::split(
        "SELECT CAST(wanted.value ->> 0 AS BIGINT), wanted.value ->> 2 FROM json_each($1) AS wanted
          WHERE NOT EXISTS
                (SELECT 1 FROM user_numbers JOIN memberships ON memberships.user_number = user_numbers.user_number
                  WHERE substr(user_numbers.user_id, instr(user_numbers.user_id, ':') + 1) = wanted.value ->> 2
                    AND memberships.room_number = CAST(wanted.value ->> 1 AS BIGINT)
                    AND memberships.membership = 'join'
                    AND memberships.sharing_position < CAST(wanted.value ->> 0 AS BIGINT))",
        "SELECT CAST(wanted.value ->> 0 AS BIGINT), wanted.value ->> 2 FROM json_each($1) AS wanted
          WHERE NOT EXISTS
                (SELECT 1 FROM user_numbers JOIN memberships ON memberships.user_number = user_numbers.user_number
                  WHERE substr(user_numbers.user_id, strpos(user_numbers.user_id, ':') + 1) = wanted.value ->> 2
                    AND memberships.room_number = CAST(wanted.value ->> 1 AS BIGINT)
                    AND memberships.membership = 'join'
                    AND memberships.sharing_position < CAST(wanted.value ->> 0 AS BIGINT))",
    );
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let rows = wanted.iter().map(|(position, room, server)| {
        Cells::new()
            .with(*position)
            .with(*room)
            .with(server.as_str())
            .into_row()
    });
    let rows = format!("[{}]", rows.collect::<Vec<_>>().join(","));
    let rows = database.fetch_all(SQL, &[rows.into()]).await?;
    let parsed = rows.iter().map(|row| {
        let server = ServerName::parse(row.text(1)?)
            .map_err(|error| StorageError::corrupt("user_numbers.user_id", error))?;
        Ok((Position(row.int(0)?), server))
    });
    parsed.collect()
}

/// Which of these users are joined to which rooms.
pub(super) async fn joined_rooms(
    database: &Database,
    users: &[UserNumber],
) -> Result<Vec<(UserNumber, RoomNumber)>, StorageError> {
    const SQL: &str = "
        SELECT user_number, room_number FROM memberships
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1)) AND membership = 'join'";
    let rows = database.fetch_all(SQL, &[list(users.iter().copied())]).await?;
    rows.iter()
        .map(|row| Ok((UserNumber(row.int(0)?), RoomNumber(row.int(1)?))))
        .collect()
}
