//! The SQL of application services.

use echorift_storage::{
    Cells, Change, Database, EventNumber, Position, RoomNumber, Row, Statement, StorageError, UserNumber,
};
use ruma::events::room::member::MembershipState;

/// Where a service stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cursor {
    pub position: Position,
    /// The position as it is written down.
    pub written: Position,
    pub transaction_number: i64,
    pub open: Option<StoredTransaction>,
}

/// An open transaction, as it was when it was first sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredTransaction {
    /// Where the log is read on after it.
    pub to: Position,
    pub events: Vec<EventNumber>,
    /// JSON.
    pub rest: String,
}

static PUT: Statement = Statement::upsert(
    1,
    "INSERT INTO application_services
            (service_id, position, transaction_number, open_to, open_events, open_rest)
     SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT),
            value ->> 4, value ->> 5
       FROM json_each($1) WHERE true
     ON CONFLICT (service_id) DO UPDATE
        SET position = excluded.position, transaction_number = excluded.transaction_number,
            open_to = excluded.open_to, open_events = excluded.open_events, open_rest = excluded.open_rest",
);

/// Remembers where a service stands.
pub(crate) fn put(change: &mut Change, id: &str, cursor: &Cursor) -> Result<(), StorageError> {
    let open = cursor.open.as_ref();
    let events = open.map(|open| {
        let numbers: Vec<i64> = open.events.iter().map(|event| event.0).collect();
        serde_json::to_string(&numbers)
    });
    let events = events
        .transpose()
        .map_err(|error| StorageError::corrupt("application_services.open_events", error))?;
    let cells = Cells::new()
        .with(id)
        .with(cursor.position)
        .with(cursor.transaction_number)
        .with(open.map(|open| open.to))
        .with(events)
        .with(open.map(|open| open.rest.clone()));
    change.write(&PUT, cells);
    Ok(())
}

/// Where a service stands; `None` if it was never here.
pub(crate) async fn find(database: &Database, id: &str) -> Result<Option<Cursor>, StorageError> {
    const SQL: &str = "
        SELECT position, transaction_number, open_to, open_events, open_rest FROM application_services
         WHERE service_id = $1";
    let row = database.fetch_optional(SQL, &[id.into()]).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Cursor, StorageError> {
    let open = match row.optional_int(2)? {
        None => None,
        Some(to) => Some(StoredTransaction {
            to: Position(to),
            events: read_events(&row.text(3)?)?,
            rest: row.text(4)?,
        }),
    };
    let position = Position(row.int(0)?);
    Ok(Cursor {
        position,
        written: position,
        transaction_number: row.int(1)?,
        open,
    })
}

fn read_events(text: &str) -> Result<Vec<EventNumber>, StorageError> {
    let numbers: Vec<i64> = serde_json::from_str(text)
        .map_err(|error| StorageError::corrupt("application_services.open_events", error))?;
    Ok(numbers.into_iter().map(EventNumber).collect())
}

/// An event as the log names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoggedEvent {
    pub position: Position,
    pub event: EventNumber,
    pub room: RoomNumber,
    pub sender: UserNumber,
    /// Whose membership it is about.
    pub member: Option<UserNumber>,
}

/// The first `limit` events with `after < position <= to`, in log order. What was filled into a gap of a room's history is
/// not among them: it came later than its position says, and is no news.
pub(crate) async fn events(
    database: &Database,
    (after, to): (Position, Position),
    limit: usize,
) -> Result<Vec<LoggedEvent>, StorageError> {
    // `position > 0` is the condition of the index `events_by_position`, word for word.
    const SQL: &str = "
        SELECT position, event_number, room_number, sender_number, member.user_number
          FROM events
          LEFT JOIN user_numbers AS member ON event_type = 'm.room.member' AND member.user_id = state_key
         WHERE position > 0 AND position > $1 AND position <= $2
           AND NOT EXISTS (SELECT 1 FROM history_gaps
                            WHERE history_gaps.room_number = events.room_number
                              AND lower_position < position AND position < upper_position)
         ORDER BY position LIMIT $3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = database
        .fetch_all(SQL, &[after.into(), to.into(), limit.into()])
        .await?;
    let read = |row: &Row| {
        Ok(LoggedEvent {
            position: Position(row.int(0)?),
            event: EventNumber(row.int(1)?),
            room: RoomNumber(row.int(2)?),
            sender: UserNumber(row.int(3)?),
            member: row.optional_int(4)?.map(UserNumber),
        })
    };
    rows.iter().map(read).collect()
}

/// A local user's place in a room.
#[derive(Debug, Clone)]
pub(crate) struct LocalMember {
    pub user: UserNumber,
    pub localpart: String,
    pub membership: MembershipState,
    /// Since when.
    pub position: Position,
}

/// All users of this server who are or were something in a room.
pub(crate) async fn local_members(
    database: &Database,
    room: RoomNumber,
) -> Result<Vec<LocalMember>, StorageError> {
    const SQL: &str = "
        SELECT memberships.user_number, accounts.localpart, memberships.membership, memberships.position
          FROM memberships JOIN accounts ON accounts.user_number = memberships.user_number
         WHERE memberships.room_number = $1";
    let rows = database.fetch_all(SQL, &[room.into()]).await?;
    let read = |row: &Row| {
        Ok(LocalMember {
            user: UserNumber(row.int(0)?),
            localpart: row.text(1)?,
            membership: MembershipState::from(row.text(2)?),
            position: Position(row.int(3)?),
        })
    };
    rows.iter().map(read).collect()
}

/// The first `limit` users of whatever server who are joined to a room, by number.
pub(crate) async fn joined_members(
    database: &Database,
    room: RoomNumber,
    limit: usize,
) -> Result<Vec<UserNumber>, StorageError> {
    const SQL: &str = "
        SELECT user_number FROM memberships
         WHERE room_number = $1 AND membership = 'join' ORDER BY user_number LIMIT $2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = database.fetch_all(SQL, &[room.into(), limit.into()]).await?;
    rows.iter().map(|row| Ok(UserNumber(row.int(0)?))).collect()
}

/// The rooms to which these users are joined.
pub(crate) async fn joined_rooms(
    database: &Database,
    users: &[UserNumber],
) -> Result<Vec<(UserNumber, RoomNumber)>, StorageError> {
    const SQL: &str = "
        SELECT user_number, room_number FROM memberships
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1)) AND membership = 'join'
         ORDER BY user_number, room_number";
    let users: Vec<[i64; 1]> = users.iter().map(|user| [user.0]).collect();
    let users = serde_json::to_string(&users)
        .map_err(|error| StorageError::corrupt("memberships.user_number", error))?;
    let rows = database.fetch_all(SQL, &[users.into()]).await?;
    let read = |row: &Row| Ok((UserNumber(row.int(0)?), RoomNumber(row.int(1)?)));
    rows.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use echorift_storage::{Cells, Change, DatabaseOptions, Statement};

    use super::*;

    static EVENT: Statement = Statement::insert(
        "INSERT INTO events (event_number, event_id, room_number, sender_number, event_type, depth, origin_server_ts,
                             snapshot_number, outcome, json, position)
         SELECT CAST(value ->> 0 AS BIGINT), value ->> 0, CAST(value ->> 1 AS BIGINT), 1, 'm.room.message', 1, 1, 1, 0,
                '{}', CAST(value ->> 0 AS BIGINT)
           FROM json_each($1)",
    );

    static GAP: Statement = Statement::insert(
        "INSERT INTO history_gaps (room_number, lower_position, upper_position, edge_position, is_open)
         SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT),
                CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT)
           FROM json_each($1)",
    );

    #[tokio::test]
    async fn what_was_filled_into_a_gap_is_no_news() {
        let folder = tempfile::tempdir().unwrap();
        let options = DatabaseOptions {
            url: format!("sqlite:{}", folder.path().join("test.db").display()),
            max_connections: 2,
        };
        let database = Database::open(&options).await.unwrap();
        let mut change = Change::new();
        for (position, room) in [(10, 1), (15, 1), (16, 2), (19, 1), (20, 1), (25, 1), (30, 1)] {
            change.write(&EVENT, Cells::new().with(position).with(room));
        }
        // An open one, and one that is closed.
        change.write(&GAP, Cells::new().with(1).with(10).with(20).with(true));
        change.write(&GAP, Cells::new().with(1).with(20).with(30).with(false));
        database.writer().commit(change).await.unwrap();
        let told = events(&database, (Position(5), Position(40)), 10).await.unwrap();
        let told: Vec<i64> = told.iter().map(|event| event.position.0).collect();
        assert_eq!(told, [10, 16, 20, 30]);
    }
}
