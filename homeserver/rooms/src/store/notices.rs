use echorift_storage::{Cells, Change, Database, RoomNumber, Statement, StorageError, UserNumber};

static PUT: Statement = Statement::upsert(
    1,
    "INSERT INTO notice_rooms (user_number, room_number)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT) FROM json_each($1) WHERE true
     ON CONFLICT (user_number) DO UPDATE SET room_number = excluded.room_number",
);

/// Names the room in which the server writes to a user.
pub(crate) fn put(change: &mut Change, user: UserNumber, room: RoomNumber) {
    change.write(&PUT, Cells::new().with(user).with(room));
}

/// The room in which the server writes to a user, if it ever did.
pub(crate) async fn find(database: &Database, user: UserNumber) -> Result<Option<RoomNumber>, StorageError> {
    const SQL: &str = "SELECT room_number FROM notice_rooms WHERE user_number = $1";
    let row = database.fetch_optional(SQL, &[user.into()]).await?;
    row.map(|row| Ok(RoomNumber(row.int(0)?))).transpose()
}
