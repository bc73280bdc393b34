//! Rooms and members as administrators look for them.

use echorift_storage::{Database, EventNumber, RoomNumber, Sql, StorageError, Value};
use ruma::events::room::member::MembershipState;

use crate::administration::{PlaceKey, RoomOrder, RoomPlace};

/// Spells out a query for places of rooms: `$key` is the column that they are ordered by, `$after` the condition that
/// `$3` and `$4` are passed, `$name` how a name is read from an event.
macro_rules! places {
    ($key:literal, $after:literal, $order:literal, $name:expr) => {
        concat!(
            "SELECT ",
            $key,
            ", room_number
               FROM (SELECT rooms.room_number, rooms.created_ts, room_numbers.room_id,
                            (SELECT COUNT(*) FROM memberships
                              WHERE memberships.room_number = rooms.room_number AND membership = 'join') AS joined,
                            COALESCE(NULLIF(lower((SELECT ",
            $name,
            "                  FROM events
                                WHERE events.room_number = rooms.room_number AND event_type = 'm.room.name'
                                  AND state_key = '' AND position IS NOT NULL
                                ORDER BY position DESC LIMIT 1)), ''), '\u{10FFFF}') AS name
                       FROM rooms JOIN room_numbers ON room_numbers.room_number = rooms.room_number
                      WHERE rooms.standing <> 2) AS known
              WHERE ",
            $after,
            " AND ($1 = '' OR name LIKE $1 ESCAPE '!' OR name LIKE $2 ESCAPE '!'
                           OR lower(room_id) LIKE $1 ESCAPE '!'
                           OR EXISTS (SELECT 1 FROM room_aliases
                                       WHERE room_aliases.room_number = known.room_number
                                         AND (lower(alias) LIKE $1 ESCAPE '!' OR lower(alias) LIKE $2 ESCAPE '!')))
              ORDER BY ",
            $order,
            " LIMIT $5"
        )
    };
}

/// The databases read JSON differently; PostgreSQL refuses an escaped NUL, and compares by the database's own order of
/// letters unless told otherwise.
macro_rules! both_places {
    ($key:literal, $after:literal, $order:literal) => {
        Sql::split(
            places!($key, $after, $order, "json ->> '$.content.name'"),
            places!(
                $key,
                $after,
                $order,
                "CASE WHEN strpos(json, '\\u0000') > 0 THEN NULL
                      ELSE (CAST(json AS JSON) #>> '{content,name}') COLLATE \"C\" END"
            ),
        )
    };
}

/// Up to `limit` places of rooms that this server is or was in, in this order.
pub(crate) async fn page(
    database: &Database,
    order: RoomOrder,
    patterns: Option<&[String; 2]>,
    after: Option<&RoomPlace>,
    limit: i64,
) -> Result<Vec<RoomPlace>, StorageError> {
    const BY_NAME: Sql = both_places!(
        "name",
        "(name > $3 OR (name = $3 AND room_number > $4))",
        "name, room_number"
    );
    const BY_MEMBERS: Sql = both_places!(
        "joined",
        "(joined < $3 OR (joined = $3 AND room_number > $4))",
        "joined DESC, room_number"
    );
    const BY_AGE: Sql = both_places!(
        "created_ts",
        "(created_ts < $3 OR (created_ts = $3 AND room_number > $4))",
        "created_ts DESC, room_number"
    );
    let sql = match order {
        RoomOrder::Name => BY_NAME,
        RoomOrder::Members => BY_MEMBERS,
        RoomOrder::Newest => BY_AGE,
    };
    let key: Value = match (order, after.map(|place| &place.key)) {
        (RoomOrder::Name, Some(PlaceKey::Name(name))) => name.as_str().into(),
        // A place of a list in another order is the beginning of this one.
        (RoomOrder::Name, _) => "".into(),
        (_, Some(PlaceKey::Number(number))) => (*number).into(),
        (_, _) => i64::MAX.into(),
    };
    let room = after.map_or(i64::MIN, |place| place.room.0);
    let [small, capital] = patterns.cloned().unwrap_or_default();
    let values = [small.into(), capital.into(), key, room.into(), limit.into()];
    let rows = database.fetch_all(sql, &values).await?;
    let places = rows.iter().map(|row| {
        let key = match order {
            RoomOrder::Name => PlaceKey::Name(row.text(0)?),
            RoomOrder::Members | RoomOrder::Newest => PlaceKey::Number(row.int(0)?),
        };
        Ok(RoomPlace {
            key,
            room: RoomNumber(row.int(1)?),
        })
    });
    places.collect()
}

pub(crate) async fn count(database: &Database) -> Result<i64, StorageError> {
    const SQL: &str = "SELECT COUNT(*) FROM rooms WHERE standing <> 2";
    let row = database.fetch_optional(SQL, &[]).await?;
    row.map_or(Ok(0), |row| row.int(0))
}

pub(crate) async fn count_events(database: &Database, room: RoomNumber) -> Result<i64, StorageError> {
    const SQL: &str = "SELECT COUNT(*) FROM events WHERE room_number = $1";
    let row = database.fetch_optional(SQL, &[room.into()]).await?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// A member of a room.
#[derive(Debug, Clone)]
pub(crate) struct StoredMember {
    pub(crate) user_id: String,
    pub(crate) membership: MembershipState,
    pub(crate) event: EventNumber,
}

/// The first `limit` members of a room after a user ID, by ID; those who have left are no members.
pub(crate) async fn members(
    database: &Database,
    room: RoomNumber,
    after: &str,
    limit: i64,
) -> Result<Vec<StoredMember>, StorageError> {
    const SQL: &str = "
        SELECT user_numbers.user_id, memberships.membership, memberships.event_number
          FROM memberships JOIN user_numbers ON user_numbers.user_number = memberships.user_number
         WHERE memberships.room_number = $1 AND memberships.membership <> 'leave' AND user_numbers.user_id > $2
         ORDER BY user_numbers.user_id LIMIT $3";
    let rows = database
        .fetch_all(SQL, &[room.into(), after.into(), limit.into()])
        .await?;
    let members = rows.iter().map(|row| {
        Ok(StoredMember {
            user_id: row.text(0)?,
            membership: MembershipState::from(row.text(1)?),
            event: EventNumber(row.int(2)?),
        })
    });
    members.collect()
}
