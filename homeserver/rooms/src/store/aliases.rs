use echorift_storage::{Cells, Change, Database, RoomNumber, Statement, StorageError, UserNumber, list};
use ruma::{OwnedRoomAliasId, OwnedRoomId, RoomAliasId};

use super::parse_stored;

/// Fails the whole batch if the alias exists. Within one process that is excluded by the claim on it, between several
/// it is the last line of defence.
static INSERT: Statement = Statement::insert(
    "INSERT INTO room_aliases (alias, room_number, creator_number)
     SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT) FROM json_each($1)",
);

static MOVE: Statement = Statement::upsert(
    1,
    "UPDATE room_aliases SET room_number = CAST(moved.value ->> 1 AS BIGINT)
       FROM json_each($1) AS moved WHERE room_aliases.alias = moved.value ->> 0",
);

static DELETE: Statement =
    Statement::insert("DELETE FROM room_aliases WHERE alias IN (SELECT value ->> 0 FROM json_each($1))");

/// An alias of this server.
#[derive(Debug, Clone)]
pub(crate) struct StoredAlias {
    pub room: RoomNumber,
    pub creator: UserNumber,
}

pub(crate) fn insert(change: &mut Change, alias: &RoomAliasId, room: RoomNumber, creator: UserNumber) {
    change.write(
        &INSERT,
        Cells::new().with(alias.as_str()).with(room).with(creator),
    );
}

/// Makes an alias point to another room.
pub(crate) fn move_to(change: &mut Change, alias: &RoomAliasId, room: RoomNumber) {
    change.write(&MOVE, Cells::new().with(alias.as_str()).with(room));
}

pub(crate) fn delete(change: &mut Change, alias: &RoomAliasId) {
    change.write(&DELETE, Cells::new().with(alias.as_str()));
}

pub(crate) async fn find(
    database: &Database,
    alias: &RoomAliasId,
) -> Result<Option<StoredAlias>, StorageError> {
    const SQL: &str = "SELECT room_number, creator_number FROM room_aliases WHERE alias = $1";
    let row = database.fetch_optional(SQL, &[alias.as_str().into()]).await?;
    row.map(|row| {
        Ok(StoredAlias {
            room: RoomNumber(row.int(0)?),
            creator: UserNumber(row.int(1)?),
        })
    })
    .transpose()
}

/// Every alias and the ID of its room, in the order of the aliases.
pub(crate) async fn all(database: &Database) -> Result<Vec<(OwnedRoomAliasId, OwnedRoomId)>, StorageError> {
    const SQL: &str = "
        SELECT room_aliases.alias, room_numbers.room_id FROM room_aliases JOIN room_numbers USING (room_number)
         ORDER BY alias";
    let rows = database.fetch_all(SQL, &[]).await?;
    let parsed = rows.iter().map(|row| {
        Ok((
            parse_stored("room_aliases.alias", &row.text(0)?)?,
            parse_stored("room_numbers.room_id", &row.text(1)?)?,
        ))
    });
    parsed.collect()
}

/// Every alias of these rooms, in the order of the aliases.
pub(crate) async fn of_rooms(
    database: &Database,
    rooms: &[RoomNumber],
) -> Result<Vec<(RoomNumber, OwnedRoomAliasId)>, StorageError> {
    const SQL: &str = "
        SELECT room_number, alias FROM room_aliases
         WHERE room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
         ORDER BY alias";
    let rows = database.fetch_all(SQL, &[list(rooms.iter().copied())]).await?;
    let parsed = rows.iter().map(|row| {
        Ok((
            RoomNumber(row.int(0)?),
            parse_stored("room_aliases.alias", &row.text(1)?)?,
        ))
    });
    parsed.collect()
}
