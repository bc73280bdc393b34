//! What the search reads of the log, and how far it has come.

use echorift_storage::{
    Database, EventNumber, Position, RoomNumber, Row, StorageError, Tx, UserNumber, list,
};

/// An event as it is stored, unparsed: history is read past the rooms' caches.
#[derive(Debug, Clone)]
pub(crate) struct LoggedEvent {
    pub number: EventNumber,
    pub event_id: String,
    pub room: RoomNumber,
    pub sender: UserNumber,
    pub event_type: String,
    pub state_key: Option<String>,
    /// The event that this one edits.
    pub edits: Option<String>,
    pub is_redacted: bool,
    pub json: String,
    pub position: Position,
}

macro_rules! columns {
    () => {
        "events.event_number, events.event_id, events.room_number, events.sender_number, events.event_type,
         events.state_key, CASE WHEN events.rel_type = 'm.replace' THEN events.relates_to END, events.redacted_by,
         events.json, events.position"
    };
}

fn read(row: &Row) -> Result<LoggedEvent, StorageError> {
    Ok(LoggedEvent {
        number: EventNumber(row.int(0)?),
        event_id: row.text(1)?,
        room: RoomNumber(row.int(2)?),
        sender: UserNumber(row.int(3)?),
        event_type: row.text(4)?,
        state_key: row.optional_text(5)?,
        edits: row.optional_text(6)?,
        is_redacted: row.optional_int(7)?.is_some(),
        json: row.text(8)?,
        position: Position(row.int(9)?),
    })
}

/// How far the log was read.
pub(crate) async fn cursor(database: &Database) -> Result<Position, StorageError> {
    let row = database
        .fetch_optional("SELECT position FROM search_cursor", &[])
        .await?;
    let row = row.ok_or_else(|| StorageError::corrupt("search_cursor.position", "the row is missing"))?;
    Ok(Position(row.int(0)?))
}

/// Moves the cursor from one position to another; `false` if it does not stand there any more, because another node
/// has read on. It also keeps others from changing what the cursor guards until the end of the transaction.
pub(crate) async fn advance(tx: &mut Tx, from: Position, to: Position) -> Result<bool, StorageError> {
    const SQL: &str = "UPDATE search_cursor SET position = $2 WHERE position = $1";
    Ok(tx.execute(SQL, &[from.into(), to.into()]).await? > 0)
}

/// Waits for others who are changing what the cursor guards.
pub(crate) async fn lock(tx: &mut Tx) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE search_cursor SET position = position";
    tx.execute(SQL, &[]).await.map(drop)
}

/// Up to `limit` events of the log with `after < position <= to` that concern the search, in order.
pub(crate) async fn read_on(
    database: &Database,
    after: Position,
    to: Position,
    limit: i64,
) -> Result<Vec<LoggedEvent>, StorageError> {
    // The list of types is that of the index `events_for_search`, word for word.
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM events
         WHERE event_type IN ('m.room.message', 'm.room.name', 'm.room.topic', 'm.room.redaction', 'm.room.member',
                              'm.room.join_rules', 'm.room.history_visibility')
           AND position > $1 AND position <= $2
         ORDER BY position LIMIT $3"
    );
    let rows = database
        .fetch_all(SQL, &[after.into(), to.into(), limit.into()])
        .await?;
    rows.iter().map(read).collect()
}

/// These events, in no order; those without a place in a timeline are left out.
pub(crate) async fn by_ids(database: &Database, ids: &[&str]) -> Result<Vec<LoggedEvent>, StorageError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM events WHERE event_id IN (SELECT value ->> 0 FROM json_each($1)) AND position IS NOT NULL"
    );
    let rows = database.fetch_all(SQL, &[list(ids.iter().copied())]).await?;
    rows.iter().map(read).collect()
}

/// The IDs of the events whose findable text is from one of these events.
pub(crate) async fn with_text_from(
    database: &Database,
    sources: &[&str],
) -> Result<Vec<String>, StorageError> {
    const SQL: &str = "
        SELECT original.event_id
          FROM events AS source
          JOIN search_texts ON search_texts.text_number = source.event_number
          JOIN events AS original ON original.event_number = search_texts.event_number
         WHERE source.event_id IN (SELECT value ->> 0 FROM json_each($1))";
    let rows = database.fetch_all(SQL, &[list(sources.iter().copied())]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// The latest valid edit of each of these events (CS API § Validity of replacement events).
pub(crate) async fn latest_edits(
    database: &Database,
    originals: &[&str],
) -> Result<Vec<LoggedEvent>, StorageError> {
    // The JSON is canonical: a quote within a string would have a backslash before it.
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        r#" FROM (
            SELECT edit.event_number, ROW_NUMBER() OVER (
                       PARTITION BY edit.relates_to ORDER BY edit.origin_server_ts DESC, edit.event_id DESC) AS place
              FROM events AS original
              JOIN events AS edit ON edit.relates_to = original.event_id AND edit.room_number = original.room_number
               AND edit.sender_number = original.sender_number AND edit.event_type = original.event_type
             WHERE original.event_id IN (SELECT value ->> 0 FROM json_each($1)) AND edit.rel_type = 'm.replace'
               AND edit.position IS NOT NULL AND edit.state_key IS NULL
               AND edit.json LIKE '%"m.new_content":%') AS edits
          JOIN events ON events.event_number = edits.event_number
         WHERE place = 1"#
    );
    let rows = database
        .fetch_all(SQL, &[list(originals.iter().copied())])
        .await?;
    rows.iter().map(read).collect()
}

/// How many events that concern the search stand after a position, counted up to `limit`.
pub(crate) async fn count_after(
    database: &Database,
    after: Position,
    limit: i64,
) -> Result<i64, StorageError> {
    // The list of types is that of the index `events_for_search`, word for word.
    const SQL: &str = "
        SELECT COUNT(*) FROM (
            SELECT 1 FROM events
             WHERE position > $1
               AND event_type IN ('m.room.message', 'm.room.name', 'm.room.topic', 'm.room.redaction',
                                  'm.room.member', 'm.room.join_rules', 'm.room.history_visibility')
             LIMIT $2) AS unread";
    let row = database
        .fetch_optional(SQL, &[after.into(), limit.into()])
        .await?;
    row.map_or(Ok(0), |row| row.int(0))
}
