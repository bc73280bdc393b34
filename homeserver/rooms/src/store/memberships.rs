use std::collections::HashMap;

use echorift_storage::{
    Cells, Change, Database, EventNumber, Position, RecordIndex, RoomNumber, Statement, StorageError,
    UserNumber, list,
};
use ruma::events::room::member::MembershipState;

static PUT: Statement = Statement::upsert(
    2,
    "INSERT INTO memberships
            (room_number, user_number, membership, event_number, is_forgotten, position, sharing_position)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, CAST(value ->> 3 AS BIGINT), 0,
            CAST(value ->> 4 AS BIGINT),
            CASE value ->> 2 WHEN 'join' THEN CAST(value ->> 4 AS BIGINT) ELSE 0 END
       FROM json_each($1) WHERE true
     ON CONFLICT (room_number, user_number) DO UPDATE
        SET membership = excluded.membership, event_number = excluded.event_number, is_forgotten = 0,
            position = excluded.position,
            sharing_position = CASE (memberships.membership = 'join') WHEN (excluded.membership = 'join')
                                    THEN memberships.sharing_position ELSE excluded.position END",
);

static FORGET: Statement = Statement::upsert(
    2,
    "UPDATE memberships SET is_forgotten = 1
       FROM json_each($1) AS forgotten
      WHERE memberships.room_number = CAST(forgotten.value ->> 0 AS BIGINT)
        AND memberships.user_number = CAST(forgotten.value ->> 1 AS BIGINT)
        AND memberships.membership IN ('leave', 'ban')",
);

/// A user's place in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMembership {
    pub membership: MembershipState,
    /// The `m.room.member` event that says so.
    pub event: EventNumber,
    pub position: Position,
    /// Whether the user asked not to see the room any more after leaving it.
    pub is_forgotten: bool,
}

/// Replaces a user's membership; its position is that of `record`.
pub(crate) fn put(
    change: &mut Change,
    room: RoomNumber,
    user: UserNumber,
    membership: &MembershipState,
    event: EventNumber,
    record: RecordIndex,
) {
    let cells = Cells::new()
        .with(room)
        .with(user)
        .with(membership.as_str())
        .with(event);
    change.write_at(&PUT, cells, record);
}

/// Hides a room that the user has left.
pub(crate) fn forget(change: &mut Change, room: RoomNumber, user: UserNumber) {
    change.write(&FORGET, Cells::new().with(room).with(user));
}

/// All rooms of a user, whatever the membership.
pub(crate) async fn of_user(
    database: &Database,
    user: UserNumber,
) -> Result<Vec<(RoomNumber, UserMembership)>, StorageError> {
    const SQL: &str = "
        SELECT room_number, membership, event_number, is_forgotten, position FROM memberships WHERE user_number = $1";
    let rows = database.fetch_all(SQL, &[user.into()]).await?;
    let parsed = rows.iter().map(|row| {
        let membership = UserMembership {
            membership: MembershipState::from(row.text(1)?),
            event: EventNumber(row.int(2)?),
            is_forgotten: row.flag(3)?,
            position: Position(row.int(4)?),
        };
        Ok((RoomNumber(row.int(0)?), membership))
    });
    parsed.collect()
}

/// What each of these users is to a room.
pub(crate) async fn among(
    database: &Database,
    room: RoomNumber,
    users: &[UserNumber],
) -> Result<HashMap<UserNumber, MembershipState>, StorageError> {
    const SQL: &str = "
        SELECT user_number, membership FROM memberships
         WHERE room_number = $1 AND user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($2))";
    let rows = database
        .fetch_all(SQL, &[room.into(), list(users.iter().copied())])
        .await?;
    rows.iter()
        .map(|row| Ok((UserNumber(row.int(0)?), MembershipState::from(row.text(1)?))))
        .collect()
}

/// Who is joined to or invited to each of these rooms, from the table that mirrors the rooms' current states.
pub(crate) async fn present_in(
    database: &Database,
    rooms: &[RoomNumber],
) -> Result<Vec<(RoomNumber, UserNumber, MembershipState)>, StorageError> {
    const SQL: &str = "
        SELECT room_number, user_number, membership FROM memberships
         WHERE room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
           AND membership IN ('join', 'invite')";
    let rows = database.fetch_all(SQL, &[list(rooms.iter().copied())]).await?;
    let parsed = rows.iter().map(|row| {
        Ok((
            RoomNumber(row.int(0)?),
            UserNumber(row.int(1)?),
            MembershipState::from(row.text(2)?),
        ))
    });
    parsed.collect()
}

/// Who came into these rooms or went out of them after `after`.
pub(crate) async fn sharing_changes(
    database: &Database,
    rooms: &[RoomNumber],
    after: Position,
) -> Result<Vec<(RoomNumber, UserNumber)>, StorageError> {
    const SQL: &str = "
        SELECT room_number, user_number FROM memberships
         WHERE room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1)) AND sharing_position > $2";
    let rows = database
        .fetch_all(SQL, &[list(rooms.iter().copied()), after.into()])
        .await?;
    rows.iter()
        .map(|row| Ok((RoomNumber(row.int(0)?), UserNumber(row.int(1)?))))
        .collect()
}

/// The rooms that the user came into or went out of after `after`.
pub(crate) async fn own_sharing_changes(
    database: &Database,
    user: UserNumber,
    after: Position,
) -> Result<Vec<RoomNumber>, StorageError> {
    const SQL: &str = "SELECT room_number FROM memberships WHERE user_number = $1 AND sharing_position > $2";
    let rows = database.fetch_all(SQL, &[user.into(), after.into()]).await?;
    rows.iter().map(|row| Ok(RoomNumber(row.int(0)?))).collect()
}

/// The rooms that these users are joined to, each with since when.
pub(crate) async fn joined_rooms(
    database: &Database,
    users: &[UserNumber],
) -> Result<Vec<(UserNumber, RoomNumber, Position)>, StorageError> {
    const SQL: &str = "
        SELECT user_number, room_number, sharing_position FROM memberships
         WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1)) AND membership = 'join'";
    let rows = database.fetch_all(SQL, &[list(users.iter().copied())]).await?;
    let parsed = rows.iter().map(|row| {
        Ok((
            UserNumber(row.int(0)?),
            RoomNumber(row.int(1)?),
            Position(row.int(2)?),
        ))
    });
    parsed.collect()
}

/// Of these members of rooms, since when the one of each room is joined who came first.
pub(crate) async fn first_joined(
    database: &Database,
    members: &[(RoomNumber, UserNumber)],
) -> Result<Vec<(RoomNumber, Position)>, StorageError> {
    const SQL: &str = "
        SELECT room_number, MIN(sharing_position) FROM memberships
         WHERE (room_number, user_number) IN
               (SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT) FROM json_each($1))
           AND membership = 'join'
         GROUP BY room_number";
    let rows: Vec<String> = members
        .iter()
        .map(|(room, user)| Cells::new().with(*room).with(*user).into_row())
        .collect();
    let rows = database
        .fetch_all(SQL, &[format!("[{}]", rows.join(",")).into()])
        .await?;
    rows.iter()
        .map(|row| Ok((RoomNumber(row.int(0)?), Position(row.int(1)?))))
        .collect()
}
