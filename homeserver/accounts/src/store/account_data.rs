use std::sync::Arc;

use echorift_storage::{Database, Position, RoomNumber, Row, Statement, StorageError, Tx, UserNumber};
use serde_json::value::RawValue;

use crate::account_data::{AccountDatum, GlobalAccountData, RoomAccountDataOfUser};

/// Its row: user, type, content, and the position of the record.
pub(crate) static PUT: Statement = Statement::upsert(
    2,
    "INSERT INTO account_data (user_number, data_type, content, position)
     SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (user_number, data_type) DO UPDATE SET content = excluded.content, position = excluded.position",
);

/// Its row: user, room, type, content, and the position of the record.
pub(crate) static PUT_FOR_ROOM: Statement = Statement::upsert(
    3,
    "INSERT INTO room_account_data (user_number, room_number, data_type, content, position)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3,
            CAST(value ->> 4 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (user_number, room_number, data_type)
     DO UPDATE SET content = excluded.content, position = excluded.position",
);

/// All global account data of a user.
pub(crate) async fn load_global(
    database: &Database,
    user: UserNumber,
) -> Result<GlobalAccountData, StorageError> {
    const SQL: &str = "SELECT data_type, content, position FROM account_data WHERE user_number = $1";
    let rows = database.fetch_all(SQL, &[user.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?.into(), read(row, 1, "account_data.content")?)))
        .collect()
}

/// All account data of a user for rooms.
pub(crate) async fn load_rooms(
    database: &Database,
    user: UserNumber,
) -> Result<RoomAccountDataOfUser, StorageError> {
    const SQL: &str = "
        SELECT room_number, data_type, content, position FROM room_account_data WHERE user_number = $1";
    let mut rooms = RoomAccountDataOfUser::new();
    for row in database.fetch_all(SQL, &[user.into()]).await? {
        let data = rooms.entry(RoomNumber(row.int(0)?)).or_default();
        Arc::make_mut(data).insert(row.text(1)?.into(), read(&row, 2, "room_account_data.content")?);
    }
    Ok(rooms)
}

/// One piece of a room's account data.
pub(crate) async fn find_in_room(
    tx: &mut Tx,
    user: UserNumber,
    room: RoomNumber,
    data_type: &str,
) -> Result<Option<serde_json::Value>, StorageError> {
    const SQL: &str = "
        SELECT content FROM room_account_data WHERE user_number = $1 AND room_number = $2 AND data_type = $3";
    let Some(row) = tx
        .fetch_optional(SQL, &[user.into(), room.into(), data_type.into()])
        .await?
    else {
        return Ok(None);
    };
    serde_json::from_str(&row.text(0)?)
        .map_err(|error| StorageError::corrupt("room_account_data.content", error))
}

fn read(row: &Row, column: usize, place: &'static str) -> Result<AccountDatum, StorageError> {
    let content =
        RawValue::from_string(row.text(column)?).map_err(|error| StorageError::corrupt(place, error))?;
    Ok(AccountDatum {
        content: content.into(),
        position: Position(row.int(column + 1)?),
    })
}
