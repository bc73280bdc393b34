//! The tables of what the directory owns.

use std::collections::{BTreeMap, HashMap};

use echorift_storage::{
    Cells, Change, Database, RoomNumber, Row, Statement, StorageError, Timestamp, UserNumber, list,
};

use super::mark::Mark;
use crate::mirror::Dn;

static PUT: Statement = Statement::upsert(
    2,
    "INSERT INTO directory_memberships
            (room_number, user_number, directory, is_member, power_level, group_dn, changed_ts)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, CAST(value ->> 3 AS BIGINT),
            CAST(value ->> 4 AS BIGINT), value ->> 5, CAST(value ->> 6 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (room_number, user_number) DO UPDATE
        SET directory = excluded.directory, is_member = excluded.is_member, power_level = excluded.power_level,
            group_dn = excluded.group_dn, changed_ts = excluded.changed_ts",
);

static DELETE: Statement = Statement::upsert(
    2,
    "DELETE FROM directory_memberships WHERE (room_number, user_number) IN
            (SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT) FROM json_each($1))",
);

static PUT_ADMINISTRATOR: Statement = Statement::upsert(
    1,
    "INSERT INTO directory_administrators (user_number, directory, group_dn, changed_ts)
     SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (user_number) DO UPDATE
        SET directory = excluded.directory, group_dn = excluded.group_dn, changed_ts = excluded.changed_ts",
);

static DELETE_ADMINISTRATOR: Statement = Statement::upsert(
    1,
    "DELETE FROM directory_administrators
      WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))",
);

/// Says what the directory owns of somebody in a room from now on; `None` for nothing.
pub(super) fn put(
    change: &mut Change,
    directory: &str,
    (room, user): (RoomNumber, UserNumber),
    mark: Option<&Mark>,
    now: Timestamp,
) {
    match mark {
        Some(mark) => {
            let cells = Cells::new()
                .with(room)
                .with(user)
                .with(directory)
                .with(mark.is_member)
                .with(mark.level)
                .with(mark.group.as_str())
                .with(now);
            change.write(&PUT, cells);
        }
        None => change.write(&DELETE, Cells::new().with(room).with(user)),
    }
}

/// What a directory owns in these rooms. Errors: `Corrupt` if a stored name is none.
pub(super) async fn of_rooms(
    database: &Database,
    directory: &str,
    rooms: &[RoomNumber],
) -> Result<HashMap<RoomNumber, BTreeMap<UserNumber, Mark>>, StorageError> {
    const SQL: &str = "
        SELECT room_number, user_number, is_member, power_level, group_dn FROM directory_memberships
         WHERE room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1)) AND directory = $2";
    let rows = database
        .fetch_all(SQL, &[list(rooms.iter().copied()), directory.into()])
        .await?;
    let mut marks: HashMap<RoomNumber, BTreeMap<UserNumber, Mark>> = HashMap::new();
    for row in rows {
        let mark = Mark {
            is_member: row.flag(2)?,
            level: row.optional_int(3)?,
            group: stored_dn("directory_memberships.group_dn", &row.text(4)?)?,
        };
        let room = marks.entry(RoomNumber(row.int(0)?)).or_default();
        room.insert(UserNumber(row.int(1)?), mark);
    }
    Ok(marks)
}

/// How many groups of a room are listed.
const GROUPS_MAX: i64 = 100;

/// The groups for which anything in a room is a directory's, with how many people that is about.
pub(super) async fn groups_of_room(
    database: &Database,
    room: RoomNumber,
) -> Result<Vec<(Dn, i64)>, StorageError> {
    const SQL: &str = "
        SELECT group_dn, COUNT(*) FROM directory_memberships WHERE room_number = $1
         GROUP BY group_dn ORDER BY group_dn LIMIT $2";
    let rows = database.fetch_all(SQL, &[room.into(), GROUPS_MAX.into()]).await?;
    let read = |row: &Row| {
        Ok((
            stored_dn("directory_memberships.group_dn", &row.text(0)?)?,
            row.int(1)?,
        ))
    };
    rows.iter().map(read).collect()
}

/// What a directory owns of somebody in a room.
pub(super) async fn of_member(
    database: &Database,
    room: RoomNumber,
    user: UserNumber,
) -> Result<Option<Mark>, StorageError> {
    const SQL: &str = "
        SELECT is_member, power_level, group_dn FROM directory_memberships
         WHERE room_number = $1 AND user_number = $2";
    let row = database.fetch_optional(SQL, &[room.into(), user.into()]).await?;
    let read = |row: Row| {
        Ok(Mark {
            is_member: row.flag(0)?,
            level: row.optional_int(1)?,
            group: stored_dn("directory_memberships.group_dn", &row.text(2)?)?,
        })
    };
    row.map(read).transpose()
}

/// Says for which group a directory made somebody an administrator; `None` if it did not.
pub(super) fn put_administrator(
    change: &mut Change,
    directory: &str,
    user: UserNumber,
    group: Option<&Dn>,
    now: Timestamp,
) {
    match group {
        Some(group) => {
            let cells = Cells::new()
                .with(user)
                .with(directory)
                .with(group.as_str())
                .with(now);
            change.write(&PUT_ADMINISTRATOR, cells);
        }
        None => change.write(&DELETE_ADMINISTRATOR, Cells::new().with(user)),
    }
}

/// Whom a directory made administrators.
pub(super) async fn administrators(
    database: &Database,
    directory: &str,
) -> Result<Vec<UserNumber>, StorageError> {
    const SQL: &str =
        "SELECT user_number FROM directory_administrators WHERE directory = $1 ORDER BY user_number";
    let rows = database.fetch_all(SQL, &[directory.into()]).await?;
    rows.iter().map(|row| Ok(UserNumber(row.int(0)?))).collect()
}

fn stored_dn(place: &'static str, text: &str) -> Result<Dn, StorageError> {
    Dn::parse(text).ok_or_else(|| StorageError::corrupt(place, text))
}
