use echorift_rooms::DelayId;
use echorift_storage::{
    Cells, Change, Database, Position, Row, Statement, StorageError, Timestamp, Tx, UserNumber, list,
};
use ruma::{DeviceId, OwnedTransactionId, events::sticky::StickyDurationMs};

use super::event::{DelayedEvent, Fate};

static FINALISE: Statement = Statement::upsert(
    1,
    "UPDATE delayed_events
        SET finalised_ts = CAST(ended.value ->> 1 AS BIGINT), event_id = ended.value ->> 2,
            error = ended.value ->> 3
       FROM json_each($1) AS ended
      WHERE delayed_events.delay_id = ended.value ->> 0 AND delayed_events.finalised_ts IS NULL",
);

static RESTART: Statement = Statement::upsert(
    1,
    "UPDATE delayed_events
        SET scheduled_ts = CAST(restarted.value ->> 1 AS BIGINT),
            due_ts = CAST(restarted.value ->> 1 AS BIGINT) + delayed_events.delay_ms
       FROM json_each($1) AS restarted
      WHERE delayed_events.delay_id = restarted.value ->> 0 AND delayed_events.finalised_ts IS NULL",
);

static PUT_OFF: Statement = Statement::upsert(
    1,
    "UPDATE delayed_events SET due_ts = CAST(later.value ->> 1 AS BIGINT)
       FROM json_each($1) AS later
      WHERE delayed_events.delay_id = later.value ->> 0 AND delayed_events.finalised_ts IS NULL
        AND delayed_events.due_ts < CAST(later.value ->> 1 AS BIGINT)",
);

static INSERT: Statement = Statement::insert(
    "INSERT INTO delayed_events (delay_id, delayed_number, user_number, device_id, session_number, transaction_id,
                                 room_id, event_type, state_key, content, sticky_duration_ms, delay_ms, scheduled_ts,
                                 due_ts, position)
     SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT), value ->> 3,
            CAST(value ->> 4 AS BIGINT), value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9,
            CAST(value ->> 10 AS BIGINT), CAST(value ->> 11 AS BIGINT), CAST(value ->> 12 AS BIGINT),
            CAST(value ->> 13 AS BIGINT), CAST(value ->> 14 AS BIGINT)
       FROM json_each($1)",
);

/// The request that an event comes from.
pub(super) struct Request {
    pub session_number: i64,
    pub transaction_id: Option<OwnedTransactionId>,
}

/// Writes a new event that waits. `number` is larger than that of any before.
pub(super) fn insert(change: &mut Change, event: &DelayedEvent, request: &Request, number: i64) {
    let sticky = event.sticky_duration_ms;
    let cells = Cells::new()
        .with(event.id.as_str())
        .with(number)
        .with(event.user)
        .with(event.device_id.as_str())
        .with(request.session_number)
        .with(request.transaction_id.as_ref().map(|id| id.as_str()))
        .with(event.room_id.as_str())
        .with(event.event_type.as_str())
        .with(event.state_key.as_deref())
        .with(event.content.get())
        .with(sticky.map(|duration| i64::from(duration.get())))
        .with(event.delay_ms)
        .with(event.scheduled_at)
        .with(event.due_at)
        .with(event.position);
    change.write(&INSERT, cells);
}

/// The event that the same request has made before.
pub(super) async fn find_repeated(
    database: &Database,
    event: &DelayedEvent,
    request: &Request,
) -> Result<Option<DelayId>, StorageError> {
    const SQL: &str = "
        SELECT delay_id FROM delayed_events
         WHERE session_number = $1 AND transaction_id = $2 AND room_id = $3 AND event_type = $4";
    let Some(transaction_id) = &request.transaction_id else {
        return Ok(None);
    };
    let values = [
        request.session_number.into(),
        transaction_id.as_str().into(),
        event.room_id.as_str().into(),
        event.event_type.as_str().into(),
    ];
    let row = database.fetch_optional(SQL, &values).await?;
    row.map(|row| Ok(DelayId::from(row.text(0)?))).transpose()
}

/// How many events of the user wait, and when the next of them is due.
pub(super) async fn count_waiting(
    database: &Database,
    user: UserNumber,
) -> Result<(i64, Option<Timestamp>), StorageError> {
    const SQL: &str = "
        SELECT COUNT(*), MIN(due_ts) FROM delayed_events WHERE user_number = $1 AND finalised_ts IS NULL";
    let row = database.fetch_optional(SQL, &[user.into()]).await?;
    let row = row.ok_or_else(|| StorageError::corrupt("delayed_events", "nothing was counted"))?;
    Ok((row.int(0)?, row.optional_int(1)?.map(Timestamp)))
}

/// Says what became of an event, unless that is known already. Nothing is said of one that waits.
pub(super) fn finalise(change: &mut Change, id: &DelayId, fate: &Fate) {
    let (at, event_id, error) = match fate {
        Fate::Waiting => return,
        Fate::Sent { event_id, at } => (at, Some(event_id.as_str()), None),
        Fate::Failed { error, at } => (at, None, Some(error.get())),
        Fate::Cancelled { at } => (at, None, None),
    };
    let cells = Cells::new()
        .with(id.as_str())
        .with(*at)
        .with(event_id)
        .with(error);
    change.write(&FINALISE, cells);
}

/// Has an event that waits begin to wait anew.
pub(super) fn restart(change: &mut Change, id: &DelayId, now: Timestamp) {
    change.write(&RESTART, Cells::new().with(id.as_str()).with(now));
}

/// Has an event that waits be sent no sooner than at `until`. What clients are told does not change.
pub(super) fn put_off(change: &mut Change, id: &DelayId, until: Timestamp) {
    change.write(&PUT_OFF, Cells::new().with(id.as_str()).with(until));
}

macro_rules! columns {
    () => {
        "delay_id, room_id, user_numbers.user_id, user_number, device_id, event_type, state_key, content,
         sticky_duration_ms, delay_ms, scheduled_ts, due_ts, position, finalised_ts, event_id, error
         FROM delayed_events JOIN user_numbers USING (user_number) "
    };
}

pub(super) async fn find(database: &Database, id: &DelayId) -> Result<Option<DelayedEvent>, StorageError> {
    const SQL: &str = concat!("SELECT ", columns!(), "WHERE delay_id = $1");
    let row = database.fetch_optional(SQL, &[id.as_str().into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The user's events that wait, in the order in which they were promised to be sent.
pub(super) async fn waiting_of(
    database: &Database,
    user: UserNumber,
) -> Result<Vec<DelayedEvent>, StorageError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        "WHERE user_number = $1 AND finalised_ts IS NULL ORDER BY scheduled_ts + delay_ms, delayed_number"
    );
    let rows = database.fetch_all(SQL, &[user.into()]).await?;
    rows.iter().map(read).collect()
}

/// The user's events that wait and that this device has asked for.
pub(super) async fn waiting_of_device(
    database: &Database,
    user: UserNumber,
    device: &DeviceId,
) -> Result<Vec<DelayedEvent>, StorageError> {
    let mut events = waiting_of(database, user).await?;
    events.retain(|event| event.device_id == device);
    Ok(events)
}

fn read(row: &Row) -> Result<DelayedEvent, StorageError> {
    fn parsed<T, E: ToString>(place: &'static str, parsed: Result<T, E>) -> Result<T, StorageError> {
        parsed.map_err(|error| StorageError::corrupt(place, error))
    }
    let json = |place, text| parsed(place, serde_json::value::RawValue::from_string(text));
    let fate = match (
        row.optional_int(13)?.map(Timestamp),
        row.optional_text(14)?,
        row.optional_text(15)?,
    ) {
        (None, ..) => Fate::Waiting,
        (Some(at), Some(event_id), _) => Fate::Sent {
            event_id: parsed(
                "delayed_events.event_id",
                event_id.try_into() as Result<_, ruma::IdParseError>,
            )?,
            at,
        },
        (Some(at), None, Some(error)) => Fate::Failed {
            error: json("delayed_events.error", error)?,
            at,
        },
        (Some(at), None, None) => Fate::Cancelled { at },
    };
    let sticky = row.optional_int(8)?.map(u32::try_from).transpose();
    let sticky = parsed("delayed_events.sticky_duration_ms", sticky)?;
    Ok(DelayedEvent {
        id: DelayId::from(row.text(0)?),
        room_id: parsed("delayed_events.room_id", ruma::RoomId::parse(row.text(1)?))?,
        user_id: parsed("user_numbers.user_id", ruma::UserId::parse(row.text(2)?))?,
        user: UserNumber(row.int(3)?),
        device_id: row.text(4)?.into(),
        event_type: row.text(5)?,
        state_key: row.optional_text(6)?,
        content: json("delayed_events.content", row.text(7)?)?,
        sticky_duration_ms: sticky.map(StickyDurationMs::new_clamped),
        delay_ms: row.int(9)?,
        scheduled_at: Timestamp(row.int(10)?),
        due_at: Timestamp(row.int(11)?),
        position: Position(row.int(12)?),
        fate,
    })
}

/// An event that waits, as far as the timer looks at it.
#[derive(Debug)]
pub(super) struct Upcoming {
    pub id: DelayId,
    pub room_id: String,
    pub due_at: Timestamp,
}

/// The next events to be sent, but for those into the rooms named, in the order in which they are due.
pub(super) async fn upcoming(
    database: &Database,
    without: impl IntoIterator<Item = &String>,
    limit: i64,
) -> Result<Vec<Upcoming>, StorageError> {
    const SQL: &str = "
        SELECT delay_id, room_id, due_ts FROM delayed_events
         WHERE finalised_ts IS NULL AND room_id NOT IN (SELECT value ->> 0 FROM json_each($1))
         ORDER BY due_ts, delayed_number LIMIT $2";
    let rows = database.fetch_all(SQL, &[list(without), limit.into()]).await?;
    let read = |row: &Row| {
        Ok(Upcoming {
            id: DelayId::from(row.text(0)?),
            room_id: row.text(1)?,
            due_at: Timestamp(row.int(2)?),
        })
    };
    rows.iter().map(read).collect()
}

/// State that somebody has set.
pub(super) struct SetState<'a> {
    pub room_id: &'a str,
    pub event_type: String,
    pub state_key: &'a str,
    pub sender: UserNumber,
    pub position: Position,
}

/// The events that wait to set one of these states, and that others have asked for before it was set.
pub(super) async fn overtaken_by(
    database: &Database,
    states: &[SetState<'_>],
) -> Result<Vec<DelayId>, StorageError> {
    const SQL: &str = "
        SELECT DISTINCT delayed_events.delay_id
          FROM json_each($1) AS state
          JOIN delayed_events
            ON delayed_events.room_id = state.value ->> 0 AND delayed_events.event_type = state.value ->> 1
           AND delayed_events.state_key = state.value ->> 2
           AND delayed_events.user_number <> CAST(state.value ->> 3 AS BIGINT)
           AND delayed_events.position < CAST(state.value ->> 4 AS BIGINT)
         WHERE delayed_events.finalised_ts IS NULL AND delayed_events.state_key IS NOT NULL";
    let rows = states.iter().map(|state| {
        let cells = Cells::new()
            .with(state.room_id)
            .with(state.event_type.as_str())
            .with(state.state_key)
            .with(state.sender)
            .with(state.position);
        cells.into_row()
    });
    let rows = format!("[{}]", rows.collect::<Vec<_>>().join(","));
    let found = database.fetch_all(SQL, &[rows.into()]).await?;
    found.iter().map(|row| Ok(DelayId::from(row.text(0)?))).collect()
}

/// How many events are forgotten in one step, so that others do not wait long for the writer.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// Forgets events that were finalised before `before`, and all but the newest `kept` of each user. Says whether there
/// may be more.
pub(super) async fn forget(tx: &mut Tx, before: Timestamp, kept: i64) -> Result<bool, StorageError> {
    const OLD: &str = "
        DELETE FROM delayed_events
         WHERE delay_id IN (SELECT delay_id FROM delayed_events WHERE finalised_ts < $1 LIMIT $2)";
    const TOO_MANY: &str = "
        DELETE FROM delayed_events
         WHERE delay_id IN (
               SELECT delay_id
                 FROM (SELECT delay_id, ROW_NUMBER() OVER (PARTITION BY user_number
                                                           ORDER BY finalised_ts DESC, delayed_number DESC) AS place
                         FROM delayed_events WHERE finalised_ts IS NOT NULL) AS placed
                WHERE place > $1 LIMIT $2)";
    let limit = FORGOTTEN_AT_ONCE;
    let old = tx.execute(OLD, &[before.into(), limit.into()]).await?;
    let too_many = tx.execute(TOO_MANY, &[kept.into(), limit.into()]).await?;
    Ok(old.max(too_many) >= u64::try_from(limit).unwrap_or(u64::MAX))
}
