use echorift_storage::{Database, EventNumber, Position, RoomNumber, StorageError, UserNumber, Value, list};
use ruma::{EventId, OwnedEventId};

use super::{events::Order, parse_stored};

/// Which children count: those in this room, up to this position, of senders other than these.
pub(crate) struct Among {
    pub room: RoomNumber,
    pub until: Position,
    pub ignored: Vec<UserNumber>,
}

impl Among {
    /// The parameters `$2` to `$4` of the queries below.
    fn values(&self) -> [Value; 3] {
        [
            self.room.into(),
            self.until.into(),
            list(self.ignored.iter().copied()),
        ]
    }
}

/// That there are children of one type, and how many.
#[derive(Debug)]
pub(crate) struct Related {
    pub parent: OwnedEventId,
    pub rel_type: String,
    pub count: i64,
    /// Where the latest of them stands.
    pub last: Position,
    /// Whether the reader has sent one of them.
    pub has_sent: bool,
}

/// For each of these parents and each of the types that are aggregated the children, if there are any.
pub(crate) async fn summaries(
    database: &Database,
    parents: &[&OwnedEventId],
    reader: UserNumber,
    among: &Among,
) -> Result<Vec<Related>, StorageError> {
    // The index `events_by_relation` holds every column.
    const SQL: &str = "
        SELECT relates_to, rel_type, COUNT(*), MAX(position),
               CAST(MAX(CASE WHEN sender_number = $5 THEN 1 ELSE 0 END) AS BIGINT)
          FROM events
         WHERE relates_to IN (SELECT value ->> 0 FROM json_each($1)) AND room_number = $2 AND position <= $3
           AND sender_number NOT IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($4))
           AND rel_type IN ('m.replace', 'm.thread', 'm.reference')
         GROUP BY relates_to, rel_type";
    let [room, until, ignored] = among.values();
    let values = [ids(parents), room, until, ignored, reader.into()];
    let rows = database.fetch_all(SQL, &values).await?;
    let parsed = rows.iter().map(|row| {
        Ok(Related {
            parent: parse_stored("events.relates_to", &row.text(0)?)?,
            rel_type: row.text(1)?,
            count: row.int(2)?,
            last: Position(row.int(3)?),
            has_sent: row.flag(4)?,
        })
    });
    parsed.collect()
}

/// The latest edit of each of these events (CS API § Server-side aggregation of `m.replace` relationships), without
/// a close look at its content.
pub(crate) async fn latest_edits(
    database: &Database,
    parents: &[&OwnedEventId],
    among: &Among,
) -> Result<Vec<EventNumber>, StorageError> {
    // The text is canonical JSON: a quote within a string would have a backslash before it.
    const SQL: &str = r#"
        SELECT event_number FROM (
            SELECT edit.event_number, ROW_NUMBER() OVER (
                       PARTITION BY edit.relates_to ORDER BY edit.origin_server_ts DESC, edit.event_id DESC) AS place
              FROM events AS original
              JOIN events AS edit ON edit.relates_to = original.event_id AND edit.room_number = original.room_number
               AND edit.sender_number = original.sender_number AND edit.event_type = original.event_type
             WHERE original.event_id IN (SELECT value ->> 0 FROM json_each($1)) AND edit.rel_type = 'm.replace'
               AND edit.room_number = $2 AND edit.position <= $3 AND edit.state_key IS NULL
               AND edit.sender_number NOT IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($4))
               AND (edit.event_type = 'm.room.encrypted' OR edit.json LIKE '%"m.new_content":%')) AS edits
         WHERE place = 1"#;
    let [room, until, ignored] = among.values();
    numbers(database, SQL, &[ids(parents), room, until, ignored]).await
}

/// The events at these places of a room's timeline.
pub(crate) async fn at(
    database: &Database,
    room: RoomNumber,
    places: &[Position],
) -> Result<Vec<EventNumber>, StorageError> {
    const SQL: &str = "
        SELECT event_number FROM events
         WHERE room_number = $1 AND position IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($2))";
    numbers(database, SQL, &[room.into(), list(places.iter().copied())]).await
}

/// Parents and the events that reference them, the first `limit` of each parent.
pub(crate) async fn references(
    database: &Database,
    parents: &[&OwnedEventId],
    among: &Among,
    limit: i64,
) -> Result<Vec<(OwnedEventId, OwnedEventId)>, StorageError> {
    const SQL: &str = "
        SELECT relates_to, event_id FROM (
            SELECT relates_to, event_id, ROW_NUMBER() OVER (PARTITION BY relates_to ORDER BY position) AS place
              FROM events
             WHERE relates_to IN (SELECT value ->> 0 FROM json_each($1)) AND rel_type = 'm.reference'
               AND room_number = $2 AND position <= $3
               AND sender_number NOT IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($4))) AS children
         WHERE place <= $5
         ORDER BY relates_to, place";
    let [room, until, ignored] = among.values();
    let rows = database
        .fetch_all(SQL, &[ids(parents), room, until, ignored, limit.into()])
        .await?;
    let parsed = rows.iter().map(|row| {
        let parent = parse_stored("events.relates_to", &row.text(0)?)?;
        Ok((parent, parse_stored("events.event_id", &row.text(1)?)?))
    });
    parsed.collect()
}

/// Which children of an event are wanted.
pub(crate) struct ChildrenOf<'a> {
    pub room: RoomNumber,
    pub parent: &'a EventId,
    pub rel_type: Option<&'a str>,
    pub event_type: Option<&'a str>,
    /// 1 for its own children, more for theirs as well.
    pub depth: i64,
}

/// Up to `limit` children with `after < position <= to`, and how many relations lie between each and the parent.
pub(crate) async fn children(
    database: &Database,
    wanted: &ChildrenOf<'_>,
    (after, to): (Position, Position),
    order: Order,
    limit: i64,
) -> Result<Vec<(EventNumber, i64)>, StorageError> {
    // The children alone come from the index in their order; only with their children a set must be built first.
    macro_rules! direct {
        ($direction:literal) => {
            concat!(
                "SELECT event_number, $3 FROM events
                  WHERE relates_to = $1 AND room_number = $2
                    AND ($4 IS NULL OR rel_type = $4) AND ($5 IS NULL OR event_type = $5)
                    AND position > $6 AND position <= $7
                  ORDER BY position ",
                $direction,
                " LIMIT $8"
            )
        };
    }
    macro_rules! recursive {
        ($direction:literal) => {
            concat!(
                "WITH RECURSIVE children (event_number, event_id, event_type, rel_type, position, depth) AS (
                    SELECT event_number, event_id, event_type, rel_type, position, CAST(1 AS BIGINT) FROM events
                     WHERE relates_to = $1 AND room_number = $2 AND position IS NOT NULL
                    UNION ALL
                    SELECT events.event_number, events.event_id, events.event_type, events.rel_type, events.position,
                           children.depth + 1
                      FROM children JOIN events ON events.relates_to = children.event_id
                     WHERE children.depth < $3 AND events.room_number = $2 AND events.position IS NOT NULL)
                 SELECT event_number, depth FROM children
                  WHERE ($4 IS NULL OR rel_type = $4) AND ($5 IS NULL OR event_type = $5)
                    AND position > $6 AND position <= $7
                  ORDER BY position ",
                $direction,
                " LIMIT $8"
            )
        };
    }
    let sql = match (order, wanted.depth) {
        (Order::OldestFirst, 1) => direct!("ASC"),
        (Order::NewestFirst, 1) => direct!("DESC"),
        (Order::OldestFirst, _) => recursive!("ASC"),
        (Order::NewestFirst, _) => recursive!("DESC"),
    };
    let values = [
        wanted.parent.as_str().into(),
        wanted.room.into(),
        wanted.depth.into(),
        wanted.rel_type.into(),
        wanted.event_type.into(),
        after.into(),
        to.into(),
        limit.into(),
    ];
    let rows = database.fetch_all(sql, &values).await?;
    rows.iter()
        .map(|row| Ok((EventNumber(row.int(0)?), row.int(1)?)))
        .collect()
}

/// A thread, by its root.
pub(crate) struct StoredThread {
    pub root: OwnedEventId,
    /// Where its latest message stands.
    pub last: Position,
}

/// The threads of a room by their latest message before `before`, the latest first. With `participant` only those
/// that this user has started or written in.
pub(crate) async fn threads(
    database: &Database,
    among: &Among,
    before: Position,
    participant: Option<UserNumber>,
    limit: i64,
) -> Result<Vec<StoredThread>, StorageError> {
    // Goes backwards through the messages of threads and takes those that no later one of the thread follows, so that
    // a page costs as much as the messages that it passes.
    const SQL: &str = "
        SELECT latest.relates_to, latest.position FROM events AS latest
         WHERE latest.room_number = $2 AND latest.rel_type = 'm.thread'
           AND latest.position <= $3 AND latest.position < $1
           AND latest.sender_number NOT IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($4))
           AND NOT EXISTS (
               SELECT 1 FROM events AS later
                WHERE later.relates_to = latest.relates_to AND later.room_number = $2 AND later.rel_type = 'm.thread'
                  AND later.position > latest.position AND later.position <= $3
                  AND later.sender_number NOT IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($4)))
           AND ($5 IS NULL
                OR EXISTS (SELECT 1 FROM events AS root
                            WHERE root.event_id = latest.relates_to AND root.sender_number = $5)
                OR EXISTS (SELECT 1 FROM events AS mine
                            WHERE mine.relates_to = latest.relates_to AND mine.room_number = $2
                              AND mine.rel_type = 'm.thread' AND mine.sender_number = $5 AND mine.position <= $3))
         ORDER BY latest.position DESC LIMIT $6";
    let [room, until, ignored] = among.values();
    let participant: Option<i64> = participant.map(|user| user.0);
    let values = [
        before.into(),
        room,
        until,
        ignored,
        participant.into(),
        limit.into(),
    ];
    let rows = database.fetch_all(SQL, &values).await?;
    let parsed = rows.iter().map(|row| {
        let root = parse_stored("events.relates_to", &row.text(0)?)?;
        Ok(StoredThread {
            root,
            last: Position(row.int(1)?),
        })
    });
    parsed.collect()
}

/// The user's annotations of an event, by the type of the annotating event; `limit` at most.
pub(crate) async fn annotations(
    database: &Database,
    room: RoomNumber,
    parent: &EventId,
    sender: UserNumber,
    event_type: &str,
    limit: i64,
) -> Result<Vec<EventNumber>, StorageError> {
    const SQL: &str = "
        SELECT event_number FROM events
         WHERE relates_to = $1 AND room_number = $2 AND position IS NOT NULL AND rel_type = 'm.annotation'
           AND sender_number = $3 AND event_type = $4
         ORDER BY position LIMIT $5";
    let values = [
        parent.as_str().into(),
        room.into(),
        sender.into(),
        event_type.into(),
        limit.into(),
    ];
    numbers(database, SQL, &values).await
}

/// Which children make their parent count: those of these senders and of these types; `None` stands for all.
pub(crate) struct ChildrenBy<'a> {
    pub senders: Option<&'a [UserNumber]>,
    pub rel_types: Option<&'a [String]>,
}

/// Those of these parents that have at least one of the children.
pub(crate) async fn related(
    database: &Database,
    room: RoomNumber,
    parents: &[&OwnedEventId],
    children: &ChildrenBy<'_>,
) -> Result<Vec<OwnedEventId>, StorageError> {
    const SQL: &str = "
        SELECT DISTINCT relates_to FROM events
         WHERE relates_to IN (SELECT value ->> 0 FROM json_each($1)) AND room_number = $2 AND position IS NOT NULL
           AND ($3 = 0 OR sender_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($4)))
           AND ($5 = 0 OR rel_type IN (SELECT value ->> 0 FROM json_each($6)))";
    let values = [
        ids(parents),
        room.into(),
        children.senders.is_some().into(),
        list(children.senders.unwrap_or_default().iter().copied()),
        children.rel_types.is_some().into(),
        list(children.rel_types.unwrap_or_default().iter().map(String::as_str)),
    ];
    let rows = database.fetch_all(SQL, &values).await?;
    rows.iter()
        .map(|row| parse_stored("events.relates_to", &row.text(0)?))
        .collect()
}

fn ids(events: &[&OwnedEventId]) -> Value {
    list(events.iter().map(|event| event.as_str()))
}

async fn numbers(
    database: &Database,
    sql: &'static str,
    values: &[Value],
) -> Result<Vec<EventNumber>, StorageError> {
    let rows = database.fetch_all(sql, values).await?;
    rows.iter().map(|row| Ok(EventNumber(row.int(0)?))).collect()
}
