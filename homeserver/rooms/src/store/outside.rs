//! What users are shown of rooms that this server is not in.

use echorift_storage::{Cells, Change, Database, RoomNumber, Statement, StorageError, UserNumber};
use serde_json::value::RawValue;

static PUT: Statement = Statement::upsert(
    2,
    "INSERT INTO stripped_states (room_number, user_number, events)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2 FROM json_each($1) WHERE true
     ON CONFLICT (room_number, user_number) DO UPDATE SET events = excluded.events",
);

pub(crate) fn put(change: &mut Change, (room, user): (RoomNumber, UserNumber), events: &[Box<RawValue>]) {
    let mut json = String::from("[");
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        json.push_str(event.get());
    }
    json.push(']');
    change.write(&PUT, Cells::new().with(room).with(user).with(json));
}

/// Empty if nothing is known.
pub(crate) async fn load(
    database: &Database,
    (room, user): (RoomNumber, UserNumber),
) -> Result<Vec<Box<RawValue>>, StorageError> {
    const SQL: &str = "SELECT events FROM stripped_states WHERE room_number = $1 AND user_number = $2";
    match database.fetch_optional(SQL, &[room.into(), user.into()]).await? {
        Some(row) => serde_json::from_str(&row.text(0)?)
            .map_err(|error| StorageError::corrupt("stripped_states.events", error)),
        None => Ok(Vec::new()),
    }
}
