use std::collections::HashMap;

use echorift_events::{Pdu, RoomVersionRules};
use echorift_storage::{
    Cells, Change, Database, EventNumber, Position, RecordIndex, RoomNumber, Row, SnapshotNumber, Statement,
    StorageError, UserNumber, list,
};
use ruma::{EventId, OwnedEventId, OwnedRoomId};

use super::parse_stored;
use crate::event::{Event, EventParts, Outcome, Relation, Transaction};

static INSERT: Statement = Statement::insert(
    "INSERT INTO events (event_number, event_id, room_number, sender_number, event_type, state_key, depth,
                         origin_server_ts, snapshot_number, outcome, session_number, transaction_id, relates_to,
                         rel_type, replaces_number, json, is_ours, position)
     SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT),
            value ->> 4, value ->> 5, CAST(value ->> 6 AS BIGINT), CAST(value ->> 7 AS BIGINT),
            CAST(value ->> 8 AS BIGINT), CAST(value ->> 9 AS BIGINT), CAST(value ->> 10 AS BIGINT), value ->> 11,
            value ->> 12, value ->> 13, CAST(value ->> 14 AS BIGINT), value ->> 15, CAST(value ->> 16 AS BIGINT),
            CAST(value ->> 17 AS BIGINT)
       FROM json_each($1)",
);

static REDACT: Statement = Statement::upsert(
    1,
    "UPDATE events SET redacted_by = CAST(redaction.value ->> 1 AS BIGINT), json = redaction.value ->> 2,
                       relates_to = NULL, rel_type = NULL
       FROM json_each($1) AS redaction
      WHERE events.event_number = CAST(redaction.value ->> 0 AS BIGINT)",
);

/// Adds the row of an event of the timeline; its position is that of `record`.
pub(crate) fn insert(change: &mut Change, event: &Event, record: RecordIndex) {
    let pdu = &event.pdu;
    let cells = Cells::new()
        .with(event.number)
        .with(pdu.event_id.as_str())
        .with(event.room)
        .with(event.sender)
        .with(pdu.event_type.to_string())
        .with(pdu.state_key.as_deref())
        .with(i64::try_from(pdu.depth).unwrap_or(i64::MAX))
        .with(i64::from(pdu.origin_server_ts.get()))
        .with(event.snapshot)
        .with(event.outcome as i64)
        .with(
            event
                .transaction
                .as_ref()
                .map(|transaction| transaction.session_number),
        )
        .with(
            event
                .transaction
                .as_ref()
                .map(|transaction| transaction.id.as_str()),
        )
        .with(event.relation.as_ref().map(|relation| relation.event_id.as_str()))
        .with(event.relation.as_ref().map(|relation| relation.rel_type.as_str()))
        .with(event.replaces)
        .with(pdu.json())
        .with(true);
    change.write_at(&INSERT, cells, record);
}

/// Replaces an event by its redacted form.
pub(crate) fn redact(change: &mut Change, event: &Event, redacted_by: EventNumber) {
    let cells = Cells::new()
        .with(event.number)
        .with(redacted_by)
        .with(event.pdu.json());
    change.write(&REDACT, cells);
}

/// The columns of an event, for the functions below and for whoever selects events in another way: read with
/// [`StoredEvent::read`]. The table must be called `events` in the query.
macro_rules! event_columns {
    () => {
        "events.event_number, events.event_id, events.room_number, events.sender_number, events.snapshot_number,
         events.outcome, events.session_number, events.transaction_id, events.relates_to, events.rel_type,
         events.replaces_number, events.redacted_by, events.json, events.position,
         CAST(CASE WHEN EXISTS (SELECT 1 FROM events AS related WHERE related.relates_to = events.event_id)
                   THEN 1 ELSE 0 END AS BIGINT)"
    };
}

/// An event's row, before its room tells by which rules to read the JSON.
pub(crate) struct StoredEvent {
    pub room: RoomNumber,
    number: EventNumber,
    event_id: OwnedEventId,
    sender: UserNumber,
    snapshot: SnapshotNumber,
    outcome: Outcome,
    transaction: Option<Transaction>,
    relation: Option<Relation>,
    replaces: Option<EventNumber>,
    redacted_by: Option<EventNumber>,
    json: String,
    position: Option<Position>,
    has_relations: bool,
}

impl StoredEvent {
    /// Reads a row of `event_columns!`.
    pub fn read(row: &Row) -> Result<Self, StorageError> {
        let outcome = Outcome::from_stored(row.int(5)?);
        let transaction = match (row.optional_int(6)?, row.optional_text(7)?) {
            (Some(session_number), Some(id)) => Some(Transaction {
                session_number,
                id: id.into(),
            }),
            _ => None,
        };
        let relation = match (row.optional_text(8)?, row.optional_text(9)?) {
            (Some(event_id), Some(rel_type)) => Some(Relation {
                event_id: parse_stored("events.relates_to", &event_id)?,
                rel_type,
            }),
            _ => None,
        };
        Ok(Self {
            number: EventNumber(row.int(0)?),
            event_id: parse_stored("events.event_id", &row.text(1)?)?,
            room: RoomNumber(row.int(2)?),
            sender: UserNumber(row.int(3)?),
            snapshot: SnapshotNumber(row.int(4)?),
            outcome: outcome.ok_or_else(|| StorageError::corrupt("events.outcome", "unknown outcome"))?,
            transaction,
            relation,
            replaces: row.optional_int(10)?.map(EventNumber),
            redacted_by: row.optional_int(11)?.map(EventNumber),
            json: row.text(12)?,
            position: row.optional_int(13)?.map(Position),
            has_relations: row.flag(14)?,
        })
    }

    pub fn parse(self, room_id: OwnedRoomId, rules: &RoomVersionRules) -> Result<Event, StorageError> {
        let pdu = Pdu::from_stored(self.event_id, room_id, &self.json, rules)
            .map_err(|error| StorageError::corrupt("events.json", error))?
            .with_rejected(self.outcome == Outcome::Rejected);
        let parts = EventParts {
            number: self.number,
            room: self.room,
            sender: self.sender,
            snapshot: self.snapshot,
            outcome: self.outcome,
            pdu: pdu.into(),
            transaction: self.transaction,
            relation: self.relation,
            replaces: self.replaces,
            redacted_by: self.redacted_by,
            has_relations: self.has_relations,
        };
        Ok(Event::new(parts, self.position))
    }
}

/// The events with these numbers, in no order; numbers that are not stored are left out.
pub(crate) async fn by_numbers(
    database: &Database,
    numbers: impl IntoIterator<Item = EventNumber>,
) -> Result<Vec<StoredEvent>, StorageError> {
    const SQL: &str = concat!(
        "SELECT ",
        event_columns!(),
        " FROM events WHERE event_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))"
    );
    let rows = database.fetch_all(SQL, &[list(numbers)]).await?;
    rows.iter().map(StoredEvent::read).collect()
}

/// The numbers of these events; those that are not stored are left out.
pub(crate) async fn numbers_of(
    database: &Database,
    ids: &[&EventId],
) -> Result<HashMap<OwnedEventId, EventNumber>, StorageError> {
    const SQL: &str = "
        SELECT event_id, event_number FROM events
         WHERE event_id IN (SELECT value ->> 0 FROM json_each($1))";
    let rows = database
        .fetch_all(SQL, &[list(ids.iter().map(|id| id.as_str()))])
        .await?;
    let parsed = rows.iter().map(|row| {
        let id = parse_stored("events.event_id", &row.text(0)?)?;
        Ok((id, EventNumber(row.int(1)?)))
    });
    parsed.collect()
}

/// The last `limit` events of the timeline of each of these rooms, oldest first within a room.
pub(crate) async fn tails(
    database: &Database,
    rooms: &[RoomNumber],
    limit: i64,
) -> Result<Vec<StoredEvent>, StorageError> {
    const SQL: &str = concat!(
        "SELECT ",
        event_columns!(),
        " FROM json_each($1) AS wanted
          JOIN events ON events.room_number = CAST(wanted.value ->> 0 AS BIGINT)
           AND events.position >= COALESCE(
                (SELECT edge.position FROM events AS edge
                  WHERE edge.room_number = CAST(wanted.value ->> 0 AS BIGINT) AND edge.position IS NOT NULL
                  ORDER BY edge.position DESC LIMIT 1 OFFSET $2),
                -9223372036854775807)
         ORDER BY events.room_number, events.position"
    );
    let rows = database
        .fetch_all(SQL, &[list(rooms.iter().copied()), (limit - 1).into()])
        .await?;
    rows.iter().map(StoredEvent::read).collect()
}

/// The numbers of up to `limit` timeline events of a room with `from < position <= to`; the earliest or the latest of
/// them, and always in the order in which they were asked for.
pub(crate) async fn page(
    database: &Database,
    room: RoomNumber,
    (from, to): (Position, Position),
    order: Order,
    limit: i64,
) -> Result<Vec<EventNumber>, StorageError> {
    const FORWARDS: &str = "
        SELECT event_number FROM events WHERE room_number = $1 AND position > $2 AND position <= $3
         ORDER BY position LIMIT $4";
    const BACKWARDS: &str = "
        SELECT event_number FROM events WHERE room_number = $1 AND position > $2 AND position <= $3
         ORDER BY position DESC LIMIT $4";
    let sql = match order {
        Order::OldestFirst => FORWARDS,
        Order::NewestFirst => BACKWARDS,
    };
    let rows = database
        .fetch_all(sql, &[room.into(), from.into(), to.into(), limit.into()])
        .await?;
    rows.iter().map(|row| Ok(EventNumber(row.int(0)?))).collect()
}

/// In which order a page of the timeline is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    OldestFirst,
    NewestFirst,
}

/// The latest transactions of a session: room, event type, transaction ID, and the event that was made.
pub(crate) async fn of_session(
    database: &Database,
    session: i64,
    limit: i64,
) -> Result<Vec<(RoomNumber, String, String, OwnedEventId)>, StorageError> {
    const SQL: &str = "
        SELECT room_number, event_type, transaction_id, event_id FROM events
         WHERE session_number = $1 AND transaction_id IS NOT NULL
         ORDER BY position DESC LIMIT $2";
    let rows = database.fetch_all(SQL, &[session.into(), limit.into()]).await?;
    let parsed = rows.iter().map(|row| {
        let event_id = parse_stored("events.event_id", &row.text(3)?)?;
        Ok((RoomNumber(row.int(0)?), row.text(1)?, row.text(2)?, event_id))
    });
    parsed.collect()
}
