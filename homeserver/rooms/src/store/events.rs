use std::collections::{HashMap, HashSet};

use echorift_events::{Pdu, RoomVersionRules};
use echorift_storage::{
    Cells, Change, Database, EventNumber, Position, RecordIndex, RoomNumber, Row, SnapshotNumber, Statement,
    StorageError, UserNumber, list,
};
use ruma::{EventId, OwnedEventId, OwnedRoomId};

use super::parse_stored;
use crate::{
    DelayId,
    event::{Event, EventParts, Outcome, Relation, Transaction},
};

static INSERT: Statement = Statement::insert(
    "INSERT INTO events (event_number, event_id, room_number, sender_number, event_type, state_key, depth,
                         origin_server_ts, snapshot_number, outcome, session_number, transaction_id, relates_to,
                         rel_type, replaces_number, json, auth_numbers, room_snapshot_number, is_ours, delay_id,
                         position)
     SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT),
            value ->> 4, value ->> 5, CAST(value ->> 6 AS BIGINT), CAST(value ->> 7 AS BIGINT),
            CAST(value ->> 8 AS BIGINT), CAST(value ->> 9 AS BIGINT), CAST(value ->> 10 AS BIGINT), value ->> 11,
            value ->> 12, value ->> 13, CAST(value ->> 14 AS BIGINT), value ->> 15, value ->> 16,
            CAST(value ->> 17 AS BIGINT), CAST(value ->> 18 AS BIGINT), value ->> 19, CAST(value ->> 20 AS BIGINT)
       FROM json_each($1)",
);

/// An event that was kept because it authorises others turns out to be part of the room's history.
static SETTLE: Statement = Statement::upsert(
    1,
    "UPDATE events
        SET snapshot_number = CAST(settled.value ->> 1 AS BIGINT), outcome = CAST(settled.value ->> 2 AS BIGINT),
            replaces_number = CAST(settled.value ->> 3 AS BIGINT),
            room_snapshot_number = CAST(settled.value ->> 4 AS BIGINT),
            is_ours = CAST(settled.value ->> 5 AS BIGINT), position = CAST(settled.value ->> 6 AS BIGINT)
       FROM json_each($1) AS settled
      WHERE events.event_number = CAST(settled.value ->> 0 AS BIGINT)",
);

static AWAIT_TARGET: Statement = Statement::insert(
    "INSERT INTO pending_redactions (redacts, redaction_number, room_number)
     SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT) FROM json_each($1) WHERE true
     ON CONFLICT DO NOTHING",
);

static REDACT: Statement = Statement::upsert(
    1,
    "UPDATE events SET redacted_by = CAST(redaction.value ->> 1 AS BIGINT), json = redaction.value ->> 2,
                       relates_to = NULL, rel_type = NULL
       FROM json_each($1) AS redaction
      WHERE events.event_number = CAST(redaction.value ->> 0 AS BIGINT)",
);

/// What a row says beside the event.
pub(crate) struct Standing<'a> {
    pub is_ours: bool,
    /// The event's `auth_events`.
    pub auth: &'a [EventNumber],
}

/// Adds the row of an event of the timeline; its position is that of `record`.
pub(crate) fn insert(change: &mut Change, event: &Event, standing: &Standing<'_>, record: RecordIndex) {
    change.write_at(&INSERT, columns_of(event, standing), record);
}

/// Adds the row of an event outside of the timeline.
pub(crate) fn insert_outside(change: &mut Change, event: &Event, standing: &Standing<'_>) {
    change.write(&INSERT, columns_of(event, standing).with(None::<i64>));
}

/// Adds the row of an event from before the room's known history, at a place of the caller's choice.
pub(crate) fn insert_before(change: &mut Change, event: &Event, standing: &Standing<'_>, position: Position) {
    change.write(&INSERT, columns_of(event, standing).with(position));
}

fn columns_of(event: &Event, standing: &Standing<'_>) -> Cells {
    let pdu = &event.pdu;
    let transaction = event.transaction.as_ref();
    let relation = event.relation.as_ref();
    let auth = auth_json(standing.auth);
    Cells::new()
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
        .with(transaction.map(|transaction| transaction.session_number))
        .with(transaction.map(|transaction| transaction.id.as_str()))
        .with(relation.map(|relation| relation.event_id.as_str()))
        .with(relation.map(|relation| relation.rel_type.as_str()))
        .with(event.replaces)
        .with(pdu.json())
        .with(auth)
        .with(other_snapshot(event))
        .with(standing.is_ours)
        .with(event.delay_id.as_ref().map(DelayId::as_str))
}

/// A list of rows, as `json_each` takes it in both databases.
fn auth_json(auth: &[EventNumber]) -> String {
    use std::fmt::Write as _;
    let mut json = String::from("[");
    for (index, number) in auth.iter().enumerate() {
        let _ = write!(json, "{}[{number}]", if index == 0 { "" } else { "," });
    }
    json.push(']');
    json
}

fn other_snapshot(event: &Event) -> Option<SnapshotNumber> {
    Some(event.room_snapshot).filter(|snapshot| *snapshot != event.snapshot)
}

/// Makes a stored outlier part of the timeline; its position is that of `record`.
pub(crate) fn settle_at(change: &mut Change, event: &Event, standing: &Standing<'_>, record: RecordIndex) {
    change.write_at(&SETTLE, settled_columns(event, standing), record);
}

/// Says what became of a stored outlier that does not become part of the timeline.
pub(crate) fn settle_outside(change: &mut Change, event: &Event, standing: &Standing<'_>) {
    change.write(&SETTLE, settled_columns(event, standing).with(None::<i64>));
}

/// Makes a stored outlier part of the timeline, before the room's known history.
pub(crate) fn settle_before(change: &mut Change, event: &Event, standing: &Standing<'_>, position: Position) {
    change.write(&SETTLE, settled_columns(event, standing).with(position));
}

fn settled_columns(event: &Event, standing: &Standing<'_>) -> Cells {
    Cells::new()
        .with(event.number)
        .with(event.snapshot)
        .with(event.outcome as i64)
        .with(event.replaces)
        .with(other_snapshot(event))
        .with(standing.is_ours)
}

/// Remembers a redaction whose target is not here yet.
pub(crate) fn await_target(change: &mut Change, target: &EventId, redaction: EventNumber, room: RoomNumber) {
    change.write(
        &AWAIT_TARGET,
        Cells::new().with(target.as_str()).with(redaction).with(room),
    );
}

/// The redactions that wait for these events: target and redaction.
pub(crate) async fn waiting_for(
    database: &Database,
    room: RoomNumber,
    targets: &[&EventId],
) -> Result<Vec<(OwnedEventId, EventNumber)>, StorageError> {
    const SQL: &str = "
        SELECT redacts, redaction_number FROM pending_redactions
         WHERE redacts IN (SELECT value ->> 0 FROM json_each($1)) AND room_number = $2";
    let targets = list(targets.iter().map(|id| id.as_str()));
    let rows = database.fetch_all(SQL, &[targets, room.into()]).await?;
    let parsed = rows.iter().map(|row| {
        let target = parse_stored("pending_redactions.redacts", &row.text(0)?)?;
        Ok((target, EventNumber(row.int(1)?)))
    });
    parsed.collect()
}

/// The place of the first event of the room's timeline; 0 if there is none.
pub(crate) async fn oldest_position(database: &Database, room: RoomNumber) -> Result<Position, StorageError> {
    const SQL: &str = "
        SELECT position FROM events WHERE room_number = $1 AND position IS NOT NULL ORDER BY position LIMIT 1";
    let row = database.fetch_optional(SQL, &[room.into()]).await?;
    row.map_or(Ok(Position(0)), |row| row.int(0).map(Position))
}

/// Whether anything of the room's timeline was ever here. Invites from outside are not.
pub(crate) async fn has_timeline(database: &Database, room: RoomNumber) -> Result<bool, StorageError> {
    const SQL: &str = "
        SELECT 1 FROM events WHERE room_number = $1 AND position IS NOT NULL AND outcome = $2 LIMIT 1";
    let accepted = Outcome::Accepted as i64;
    Ok(database
        .fetch_optional(SQL, &[room.into(), accepted.into()])
        .await?
        .is_some())
}

/// Those of these events to which any event relates.
pub(crate) async fn related_among(
    database: &Database,
    ids: &[&EventId],
) -> Result<HashSet<OwnedEventId>, StorageError> {
    const SQL: &str = "
        SELECT DISTINCT relates_to FROM events
         WHERE relates_to IN (SELECT value ->> 0 FROM json_each($1))";
    let rows = database
        .fetch_all(SQL, &[list(ids.iter().map(|id| id.as_str()))])
        .await?;
    rows.iter()
        .map(|row| parse_stored("events.relates_to", &row.text(0)?))
        .collect()
}

/// The redactions that wait for this event.
pub(crate) async fn waiting_redactions(
    database: &Database,
    room: RoomNumber,
    target: &EventId,
) -> Result<Vec<EventNumber>, StorageError> {
    const SQL: &str = "
        SELECT redaction_number FROM pending_redactions WHERE redacts = $1 AND room_number = $2
         ORDER BY redaction_number LIMIT 20";
    let rows = database
        .fetch_all(SQL, &[target.as_str().into(), room.into()])
        .await?;
    rows.iter().map(|row| Ok(EventNumber(row.int(0)?))).collect()
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
                   THEN 1 ELSE 0 END AS BIGINT),
         events.room_snapshot_number, events.delay_id"
    };
}

/// An event's row, before its room tells by which rules to read the JSON.
pub(crate) struct StoredEvent {
    pub room: RoomNumber,
    number: EventNumber,
    event_id: OwnedEventId,
    sender: UserNumber,
    snapshot: SnapshotNumber,
    room_snapshot: SnapshotNumber,
    outcome: Outcome,
    transaction: Option<Transaction>,
    delay_id: Option<DelayId>,
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
            room_snapshot: SnapshotNumber(row.optional_int(15)?.map_or(row.int(4)?, |number| number)),
            outcome: outcome.ok_or_else(|| StorageError::corrupt("events.outcome", "unknown outcome"))?,
            transaction,
            delay_id: row.optional_text(16)?.map(DelayId::from),
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
            room_snapshot: self.room_snapshot,
            outcome: self.outcome,
            pdu: pdu.into(),
            transaction: self.transaction,
            delay_id: self.delay_id,
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

/// What authorises these events, for those of which it is stored: event numbers.
pub(crate) async fn auth_of(
    database: &Database,
    events: &[EventNumber],
) -> Result<Vec<(EventNumber, Vec<EventNumber>)>, StorageError> {
    // The whole way down in one query: chains are deep and narrow.
    const SQL: &str = "
        WITH RECURSIVE chain (event_number) AS (
            SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1)
            UNION
            SELECT CAST(auth.value ->> 0 AS BIGINT)
              FROM chain JOIN events ON events.event_number = chain.event_number
              JOIN json_each(events.auth_numbers) AS auth ON true)
        SELECT events.event_number, events.auth_numbers
          FROM chain JOIN events ON events.event_number = chain.event_number
         WHERE events.auth_numbers IS NOT NULL";
    let rows = database.fetch_all(SQL, &[list(events.iter().copied())]).await?;
    let parsed = rows.iter().map(|row| {
        let auth: Vec<[i64; 1]> = serde_json::from_str(&row.text(1)?)
            .map_err(|error| StorageError::corrupt("events.auth_numbers", error))?;
        let auth = auth.into_iter().map(|[number]| EventNumber(number));
        Ok((EventNumber(row.int(0)?), auth.collect()))
    });
    parsed.collect()
}
