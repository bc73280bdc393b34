use echorift_storage::{
    Cells, Change, Database, RoomNumber, Row, Statement, StorageError, Timestamp, Tx, UserNumber,
};
use ruma::{EventId, UserId};

use crate::administration::{ReportOverview, ReportsQuery, Resolution};

static INSERT: Statement = Statement::insert(
    "INSERT INTO reports (report_number, reporter_number, room_number, event_id, reported_user, reason, ts)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT), value ->> 3,
            value ->> 4, value ->> 5, CAST(value ->> 6 AS BIGINT)
       FROM json_each($1)",
);

/// What a report is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reported<'a> {
    Event(RoomNumber, &'a EventId),
    Room(RoomNumber),
    User(&'a UserId),
}

pub(crate) fn insert(
    change: &mut Change,
    number: i64,
    reporter: UserNumber,
    reported: Reported<'_>,
    (reason, now): (&str, Timestamp),
) {
    let (room, event, user) = match reported {
        Reported::Event(room, event) => (Some(room), Some(event.as_str()), None),
        Reported::Room(room) => (Some(room), None, None),
        Reported::User(user) => (None, None, Some(user.as_str())),
    };
    let cells = Cells::new()
        .with(number)
        .with(reporter)
        .with(room)
        .with(event)
        .with(user)
        .with(reason)
        .with(now);
    change.write(&INSERT, cells);
}

/// The latest reports, latest first.
pub(crate) async fn page(
    database: &Database,
    query: &ReportsQuery,
) -> Result<Vec<ReportOverview>, StorageError> {
    const SQL: &str = "
        SELECT reports.report_number, reports.ts, reporters.user_id, room_numbers.room_id, reports.event_id,
               reports.reported_user, reports.reason, reports.resolved_ts, reports.resolved_by, reports.note
          FROM reports
               JOIN user_numbers AS reporters ON reporters.user_number = reports.reporter_number
               LEFT JOIN room_numbers ON room_numbers.room_number = reports.room_number
         WHERE reports.report_number < $1
           AND CASE $2 WHEN 1 THEN reports.resolved_ts IS NOT NULL
                       WHEN 0 THEN reports.resolved_ts IS NULL
                       ELSE TRUE END
         ORDER BY reports.report_number DESC LIMIT $3";
    let values = [
        query.before.unwrap_or(i64::MAX).into(),
        query.is_done.map_or(-1, i64::from).into(),
        i64::from(query.limit).into(),
    ];
    let rows = database.fetch_all(SQL, &values).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<ReportOverview, StorageError> {
    let resolution = match (row.optional_int(7)?, row.optional_text(8)?) {
        (Some(at), Some(administrator)) => Some(Resolution {
            at: Timestamp(at),
            administrator,
            note: row.optional_text(9)?,
        }),
        _ => None,
    };
    Ok(ReportOverview {
        number: row.int(0)?,
        reported: Timestamp(row.int(1)?),
        reporter: row.text(2)?,
        room_id: row.optional_text(3)?,
        event_id: row.optional_text(4)?,
        user_id: row.optional_text(5)?,
        reason: row.text(6)?,
        resolution,
    })
}

/// Notes that a report is settled; whether there is such a report.
pub(crate) async fn resolve(
    tx: &mut Tx,
    number: i64,
    (administrator, now): (&UserId, Timestamp),
    note: Option<&str>,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        UPDATE reports SET resolved_ts = $2, resolved_by = $3, note = $4 WHERE report_number = $1";
    let values = [
        number.into(),
        now.into(),
        administrator.as_str().into(),
        note.into(),
    ];
    Ok(tx.execute(SQL, &values).await? > 0)
}
