use echorift_storage::{Cells, Change, RoomNumber, Statement, Timestamp, UserNumber};
use ruma::{EventId, UserId};

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
