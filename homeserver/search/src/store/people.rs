//! The people that can be found.

use std::collections::HashMap;

use echorift_storage::{Cells, Database, RoomNumber, Row, Sql, StorageError, Tx, UserNumber, list};
use ruma::events::room::member::MembershipState;
use serde::Deserialize;
use serde_json::Value;

use super::rows;
use crate::{
    person::{Person, PersonRow},
    query::Query,
};

/// Somebody whose row is out of date, and all that is known of them.
#[derive(Debug)]
pub(crate) struct Changed {
    pub user: UserNumber,
    pub user_id: String,
    /// Whether they have an account here that can be used.
    pub is_account: bool,
    /// Whether they have or had an account here.
    pub is_local: bool,
    pub display_name: Option<String>,
    pub avatar_url: Option<String>,
    /// The rooms that they are joined to.
    pub rooms: Vec<RoomNumber>,
    /// Whether one of them is open to everyone.
    pub is_in_open_room: bool,
}

/// Notes that something about these users changed.
pub(crate) async fn note(tx: &mut Tx, user_ids: &[String]) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO directory_changes (user_number)
        SELECT user_number FROM user_numbers WHERE user_id IN (SELECT value ->> 0 FROM json_each($1))";
    tx.execute(SQL, &[list(user_ids)]).await.map(drop)
}

/// Notes which of these rooms are open to everyone. Where that changed, it concerns everyone in the room.
pub(crate) async fn note_rooms(tx: &mut Tx, rooms: &[(RoomNumber, bool)]) -> Result<(), StorageError> {
    const NOTE: &str = "
        INSERT INTO directory_changes (user_number)
        SELECT memberships.user_number
          FROM json_each($1) AS room
          JOIN memberships ON memberships.room_number = CAST(room.value ->> 0 AS BIGINT)
           AND memberships.membership = 'join'
         WHERE CAST(room.value ->> 1 AS BIGINT) <> (CASE WHEN EXISTS (
                   SELECT 1 FROM directory_open_rooms
                    WHERE directory_open_rooms.room_number = CAST(room.value ->> 0 AS BIGINT)) THEN 1 ELSE 0 END)";
    const CLOSE: &str = "
        DELETE FROM directory_open_rooms WHERE room_number IN (
            SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1) WHERE CAST(value ->> 1 AS BIGINT) = 0)";
    const OPEN: &str = "
        INSERT INTO directory_open_rooms (room_number)
        SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1) WHERE CAST(value ->> 1 AS BIGINT) = 1
        ON CONFLICT (room_number) DO NOTHING";
    let rooms = rooms
        .iter()
        .map(|(room, is_open)| Cells::new().with(*room).with(*is_open));
    let rooms = rows(rooms);
    for sql in [NOTE, CLOSE, OPEN] {
        tx.execute(sql, std::slice::from_ref(&rooms)).await?;
    }
    Ok(())
}

/// Whether anybody's row is out of date.
pub(crate) async fn has_changes(database: &Database) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT change_number FROM directory_changes LIMIT 1";
    Ok(database.fetch_optional(SQL, &[]).await?.is_some())
}

/// Takes the oldest `limit` notes of changes, and reads those whom they are about.
pub(crate) async fn take_changes(tx: &mut Tx, limit: i64) -> Result<Vec<Changed>, StorageError> {
    const OLDEST: &str =
        "SELECT change_number, user_number FROM directory_changes ORDER BY change_number LIMIT $1";
    const FORGET: &str = "
        DELETE FROM directory_changes
         WHERE change_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    let notes = tx.fetch_all(OLDEST, &[limit.into()]).await?;
    let mut changes = Vec::with_capacity(notes.len());
    let mut users = Vec::with_capacity(notes.len());
    for note in &notes {
        changes.push(note.int(0)?);
        users.push(note.int(1)?);
    }
    tx.execute(FORGET, &[list(changes)]).await?;
    users.sort_unstable();
    users.dedup();
    let mut people = accounts(tx, &users).await?;
    let mut places: HashMap<UserNumber, usize> = HashMap::new();
    for (place, person) in people.iter().enumerate() {
        places.insert(person.user, place);
    }
    for (user, room, is_open) in rooms_of(tx, &users).await? {
        if let Some(person) = places.get(&user).and_then(|place| people.get_mut(*place)) {
            person.rooms.push(room);
            person.is_in_open_room |= is_open;
        }
    }
    let remote = people.iter().filter(|person| !person.is_local);
    let remote: Vec<i64> = remote.map(|person| person.user.0).collect();
    if !remote.is_empty() {
        for (user, profile) in remote_profiles(tx, &remote).await? {
            if let Some(person) = places.get(&user).and_then(|place| people.get_mut(*place)) {
                person.display_name = profile.displayname;
                person.avatar_url = profile.avatar_url;
            }
        }
    }
    Ok(people)
}

async fn accounts(tx: &mut Tx, users: &[i64]) -> Result<Vec<Changed>, StorageError> {
    const SQL: &str = "
        SELECT user_numbers.user_number, user_numbers.user_id, accounts.user_number, accounts.deactivated_ts,
               accounts.is_locked,
               (SELECT value FROM profile_fields
                 WHERE profile_fields.user_number = user_numbers.user_number AND field = 'displayname'),
               (SELECT value FROM profile_fields
                 WHERE profile_fields.user_number = user_numbers.user_number AND field = 'avatar_url')
          FROM user_numbers LEFT JOIN accounts ON accounts.user_number = user_numbers.user_number
         WHERE user_numbers.user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    let found = tx.fetch_all(SQL, &[list(users.iter().copied())]).await?;
    let people = found.iter().map(|row| {
        let is_local = row.optional_int(2)?.is_some();
        let is_ended = row.optional_int(3)?.is_some();
        let is_locked = row.optional_int(4)?.is_some_and(|locked| locked != 0);
        Ok(Changed {
            user: UserNumber(row.int(0)?),
            user_id: row.text(1)?,
            is_account: is_local && !is_ended && !is_locked,
            is_local,
            display_name: json_text(row, 5)?,
            avatar_url: json_text(row, 6)?,
            rooms: Vec::new(),
            is_in_open_room: false,
        })
    });
    people.collect()
}

/// A profile field is JSON; another value than a text is not shown.
fn json_text(row: &Row, column: usize) -> Result<Option<String>, StorageError> {
    let Some(json) = row.optional_text(column)? else {
        return Ok(None);
    };
    let value: Value =
        serde_json::from_str(&json).map_err(|error| StorageError::corrupt("profile_fields.value", error))?;
    Ok(value
        .as_str()
        .filter(|text| !text.is_empty())
        .map(ToOwned::to_owned))
}

async fn rooms_of(tx: &mut Tx, users: &[i64]) -> Result<Vec<(UserNumber, RoomNumber, bool)>, StorageError> {
    const SQL: &str = "
        SELECT memberships.user_number, memberships.room_number,
               CAST(CASE WHEN directory_open_rooms.room_number IS NULL THEN 0 ELSE 1 END AS BIGINT)
          FROM memberships
          LEFT JOIN directory_open_rooms ON directory_open_rooms.room_number = memberships.room_number
         WHERE memberships.user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
           AND memberships.membership = 'join'";
    let found = tx.fetch_all(SQL, &[list(users.iter().copied())]).await?;
    found
        .iter()
        .map(|row| Ok((UserNumber(row.int(0)?), RoomNumber(row.int(1)?), row.flag(2)?)))
        .collect()
}

/// What a member event says of a user of another server.
#[derive(Debug, Default, Deserialize)]
struct MemberProfile {
    displayname: Option<String>,
    avatar_url: Option<String>,
}

/// The profiles of users of other servers, from the rooms that they joined last.
async fn remote_profiles(
    tx: &mut Tx,
    users: &[i64],
) -> Result<Vec<(UserNumber, MemberProfile)>, StorageError> {
    #[derive(Deserialize)]
    struct Stored {
        content: MemberProfile,
    }
    const SQL: &str = "
        SELECT latest.user_number, events.json FROM (
            SELECT user_number, event_number,
                   ROW_NUMBER() OVER (PARTITION BY user_number ORDER BY position DESC) AS place
              FROM memberships
             WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
               AND membership = $2) AS latest
          JOIN events ON events.event_number = latest.event_number
         WHERE latest.place = 1";
    let joined = MembershipState::Join.as_str();
    let found = tx
        .fetch_all(SQL, &[list(users.iter().copied()), joined.into()])
        .await?;
    let profiles = found.iter().map(|row| {
        // Another server wrote it: what does not fit is not shown.
        let profile = serde_json::from_str::<Stored>(&row.text(1)?).map(|stored| stored.content);
        Ok((UserNumber(row.int(0)?), profile.unwrap_or_default()))
    });
    profiles.collect()
}

/// Replaces the rows of `gone` and `found`: the former can no longer be found.
pub(crate) async fn put(tx: &mut Tx, found: &[PersonRow], gone: &[UserNumber]) -> Result<(), StorageError> {
    const FORGET_TOKENS: Sql = Sql::split(
        "DELETE FROM directory_tokens WHERE rowid IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))",
        "DELETE FROM directory_tokens WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))",
    );
    const FORGET: &str = "
        DELETE FROM directory_people WHERE user_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    const PUT_TOKENS: Sql = Sql::split(
        "INSERT INTO directory_tokens (rowid, tokens)
         SELECT CAST(value ->> 0 AS BIGINT), value ->> 1 FROM json_each($1)",
        "INSERT INTO directory_tokens (user_number, tokens)
         SELECT CAST(value ->> 0 AS BIGINT), array_to_tsvector(string_to_array(value ->> 1, ' ')) FROM json_each($1)",
    );
    const PUT: &str = "
        INSERT INTO directory_people (user_number, user_id, display_name, avatar_url)
        SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2, value ->> 3 FROM json_each($1)";
    let numbers = found.iter().map(|row| row.person.user);
    let numbers = list(numbers.chain(gone.iter().copied()));
    tx.execute(FORGET_TOKENS, std::slice::from_ref(&numbers)).await?;
    tx.execute(FORGET, &[numbers]).await?;
    if found.is_empty() {
        return Ok(());
    }
    let tokens = found
        .iter()
        .map(|row| Cells::new().with(row.person.user).with(&row.tokens));
    tx.execute(PUT_TOKENS, &[rows(tokens)]).await?;
    let people = found.iter().map(|row| {
        let person = &row.person;
        Cells::new()
            .with(person.user)
            .with(&person.user_id)
            .with(person.display_name.as_deref())
            .with(person.avatar_url.as_deref())
    });
    tx.execute(PUT, &[rows(people)]).await.map(drop)
}

/// Up to `limit` people that satisfy the query, those first who have been known longest.
pub(crate) async fn find(
    database: &Database,
    query: &Query,
    limit: i64,
) -> Result<Vec<Person>, StorageError> {
    // Materialized, so that PostgreSQL asks its inverted index and does not walk through all people.
    const SQL: Sql = Sql::split(
        "SELECT user_number, user_id, display_name, avatar_url
           FROM (SELECT rowid AS number FROM directory_tokens
                  WHERE directory_tokens MATCH $1 ORDER BY rowid LIMIT $2) AS found
           JOIN directory_people ON directory_people.user_number = found.number
          ORDER BY user_number",
        "SELECT directory_people.user_number, user_id, display_name, avatar_url
           FROM (WITH matched AS MATERIALIZED (
                     SELECT user_number FROM directory_tokens WHERE tokens @@ CAST($1 AS TSQUERY))
                 SELECT user_number AS number FROM matched ORDER BY user_number LIMIT $2) AS found
           JOIN directory_people ON directory_people.user_number = found.number
          ORDER BY directory_people.user_number",
    );
    let query = query.text(database.dialect());
    let found = database.fetch_all(SQL, &[query.into(), limit.into()]).await?;
    let people = found.iter().map(|row| {
        Ok(Person {
            user: UserNumber(row.int(0)?),
            user_id: row.text(1)?,
            display_name: row.optional_text(2)?,
            avatar_url: row.optional_text(3)?,
        })
    });
    people.collect()
}
