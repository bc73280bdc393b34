use echorift_storage::{
    Change, Database, RoomNumber, Row, Statement, StorageError, Timestamp, UserNumber, list,
};

use super::{cells_of, seat_of};
use crate::{
    Permission, Source,
    calls::{Grant, Seat},
};

/// The grants that fulfil a condition, by seat.
macro_rules! grants_where {
    ($condition:literal) => {
        concat!(
            "SELECT sfu, livekit_room, identity, room_number, user_number, device_id, issued_ts, expires_ts, publish,
                    is_listener, is_revoked
               FROM call_grants WHERE ",
            $condition,
            " ORDER BY sfu, livekit_room, identity"
        )
    };
}

static PUT: Statement = Statement::upsert(
    3,
    "INSERT INTO call_grants (sfu, livekit_room, identity, room_number, user_number, device_id, issued_ts,
                              expires_ts, publish, is_listener, is_revoked)
     SELECT value ->> 0, value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT), CAST(value ->> 4 AS BIGINT),
            value ->> 5, CAST(value ->> 6 AS BIGINT), CAST(value ->> 7 AS BIGINT), CAST(value ->> 8 AS BIGINT),
            CAST(value ->> 9 AS BIGINT), CAST(value ->> 10 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (sfu, livekit_room, identity) DO UPDATE SET room_number = excluded.room_number,
            user_number = excluded.user_number, device_id = excluded.device_id, issued_ts = excluded.issued_ts,
            expires_ts = excluded.expires_ts, publish = excluded.publish, is_listener = excluded.is_listener,
            is_revoked = excluded.is_revoked",
);

/// Only if no other token was issued meanwhile.
static REVISE: Statement = Statement::upsert(
    4,
    "UPDATE call_grants SET publish = revised.publish, is_revoked = revised.is_revoked
       FROM (SELECT value ->> 0 AS sfu, value ->> 1 AS livekit_room, value ->> 2 AS identity,
                    CAST(value ->> 3 AS BIGINT) AS issued_ts, CAST(value ->> 4 AS BIGINT) AS publish,
                    CAST(value ->> 5 AS BIGINT) AS is_revoked
               FROM json_each($1)) AS revised
      WHERE call_grants.sfu = revised.sfu AND call_grants.livekit_room = revised.livekit_room
        AND call_grants.identity = revised.identity AND call_grants.issued_ts = revised.issued_ts",
);

static EXTEND: Statement = Statement::upsert(
    3,
    "UPDATE call_grants SET expires_ts = later.expires_ts
       FROM (SELECT value ->> 0 AS sfu, value ->> 1 AS livekit_room, value ->> 2 AS identity,
                    CAST(value ->> 3 AS BIGINT) AS expires_ts
               FROM json_each($1)) AS later
      WHERE call_grants.sfu = later.sfu AND call_grants.livekit_room = later.livekit_room
        AND call_grants.identity = later.identity AND call_grants.expires_ts < later.expires_ts",
);

static PURGE: Statement = Statement::insert(
    "DELETE FROM call_grants
      WHERE expires_ts < (SELECT MAX(CAST(value ->> 0 AS BIGINT)) FROM json_each($1))",
);

/// Remembers a grant, in the place of an earlier one of the seat.
pub(crate) fn put(change: &mut Change, grant: &Grant) {
    let cells = cells_of(&grant.seat)
        .with(grant.room.0)
        .with(grant.user.0)
        .with(grant.device_id.as_ref().map(|device_id| device_id.as_str()))
        .with(grant.issued)
        .with(grant.expires)
        .with(to_bits(&grant.permission))
        .with(grant.is_listener)
        .with(grant.is_revoked);
    change.write(&PUT, cells);
}

/// Changes what a grant's holder may send, or takes it back.
pub(crate) fn revise(change: &mut Change, grant: &Grant) {
    let cells = cells_of(&grant.seat)
        .with(grant.issued)
        .with(to_bits(&grant.permission))
        .with(grant.is_revoked);
    change.write(&REVISE, cells);
}

/// Keeps a grant for longer, whose holder is in the call.
pub(crate) fn extend(change: &mut Change, seat: &Seat, expires: Timestamp) {
    change.write(&EXTEND, cells_of(seat).with(expires));
}

/// Forgets the grants that were over before `time`.
pub(crate) fn purge(change: &mut Change, time: Timestamp) {
    change.write(&PURGE, echorift_storage::Cells::new().with(time));
}

/// The rooms that somebody holds a grant for.
pub(crate) async fn rooms(database: &Database) -> Result<Vec<RoomNumber>, StorageError> {
    const SQL: &str = "SELECT DISTINCT room_number FROM call_grants ORDER BY room_number";
    let rows = database.fetch_all(SQL, &[]).await?;
    rows.iter().map(|row| Ok(RoomNumber(row.int(0)?))).collect()
}

/// All grants.
pub(crate) async fn all(database: &Database) -> Result<Vec<Grant>, StorageError> {
    read(&database.fetch_all(grants_where!("true"), &[]).await?)
}

/// The grants for calls of these rooms.
pub(crate) async fn of_rooms(database: &Database, rooms: &[RoomNumber]) -> Result<Vec<Grant>, StorageError> {
    let sql = grants_where!("room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))");
    let rooms = list(rooms.iter().map(|room| room.0));
    read(&database.fetch_all(sql, &[rooms]).await?)
}

pub(crate) async fn find(database: &Database, seat: &Seat) -> Result<Option<Grant>, StorageError> {
    let sql = grants_where!("sfu = $1 AND livekit_room = $2 AND identity = $3");
    let key = [
        seat.sfu.as_str().into(),
        seat.livekit_room.as_str().into(),
        seat.identity.as_str().into(),
    ];
    Ok(read(&database.fetch_all(sql, &key).await?)?.pop())
}

/// How many seats in the same room of the same SFU a user holds beside this one.
pub(crate) async fn count_others(
    database: &Database,
    seat: &Seat,
    user: UserNumber,
    now: Timestamp,
) -> Result<i64, StorageError> {
    const SQL: &str = "
        SELECT CAST(COUNT(*) AS BIGINT) FROM call_grants
         WHERE sfu = $1 AND livekit_room = $2 AND user_number = $3 AND identity <> $4
           AND expires_ts > $5";
    let (sfu, room) = (seat.sfu.as_str(), seat.livekit_room.as_str());
    let values = [
        sfu.into(),
        room.into(),
        user.0.into(),
        seat.identity.as_str().into(),
        now.into(),
    ];
    let row = database.fetch_optional(SQL, &values).await?;
    row.map_or(Ok(0), |row| row.int(0))
}

fn read(rows: &[Row]) -> Result<Vec<Grant>, StorageError> {
    let read = |row: &Row| {
        Ok(Grant {
            seat: seat_of(row)?,
            room: RoomNumber(row.int(3)?),
            user: UserNumber(row.int(4)?),
            device_id: row.optional_text(5)?.map(Into::into),
            issued: Timestamp(row.int(6)?),
            expires: Timestamp(row.int(7)?),
            permission: from_bits(row.int(8)?),
            is_listener: row.flag(9)?,
            is_revoked: row.flag(10)?,
        })
    };
    rows.iter().map(read).collect()
}

/// A bit for each source, in the order of [`Source::ALL`].
fn to_bits(permission: &Permission) -> i64 {
    let bits = Source::ALL.iter().enumerate();
    bits.filter(|(_, source)| permission.publish.contains(source))
        .fold(0, |bits, (place, _)| bits | 1 << place)
}

fn from_bits(bits: i64) -> Permission {
    let sources = Source::ALL.iter().enumerate();
    Permission {
        publish: sources
            .filter(|(place, _)| bits & (1 << place) != 0)
            .map(|(_, source)| *source)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_sent_is_remembered_exactly() {
        for bits in 0..16 {
            assert_eq!(to_bits(&from_bits(bits)), bits);
        }
        assert_eq!(from_bits(15), Permission::everything());
        assert_eq!(from_bits(0), Permission::nothing());
    }
}
