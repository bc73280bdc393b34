use echorift_storage::{
    Cells, Change, Database, Position, RecordIndex, RoomNumber, Statement, StorageError, UserNumber,
};
use ruma::{EventId, OwnedEventId};

use super::parse_stored;
use crate::thread_subscriptions::{Subscription, ThreadSubscription};

static SUBSCRIBE: Statement = Statement::upsert(
    3,
    "INSERT INTO thread_subscriptions (user_number, room_number, root_id, subscription, refused_up_to, position)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, CAST(value ->> 3 AS BIGINT), 0,
            CAST(value ->> 4 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (user_number, room_number, root_id) DO UPDATE
        SET subscription = excluded.subscription, position = excluded.position",
);

/// Whatever is in the log by now was acknowledged by who unsubscribes.
static UNSUBSCRIBE: Statement = Statement::upsert(
    3,
    "UPDATE thread_subscriptions
        SET subscription = 0, refused_up_to = CAST(ended.value ->> 3 AS BIGINT),
            position = CAST(ended.value ->> 3 AS BIGINT)
       FROM json_each($1) AS ended
      WHERE thread_subscriptions.user_number = CAST(ended.value ->> 0 AS BIGINT)
        AND thread_subscriptions.room_number = CAST(ended.value ->> 1 AS BIGINT)
        AND thread_subscriptions.root_id = ended.value ->> 2",
);

/// Writes that a user follows a thread; the position is that of `record`.
pub(crate) fn subscribe(
    change: &mut Change,
    (user, room, root): (UserNumber, RoomNumber, &EventId),
    is_automatic: bool,
    record: RecordIndex,
) {
    let subscription = if is_automatic { AUTOMATIC } else { MANUAL };
    let cells = Cells::new()
        .with(user)
        .with(room)
        .with(root.as_str())
        .with(subscription);
    change.write_at(&SUBSCRIBE, cells, record);
}

/// Writes that a user ceases to follow a thread.
pub(crate) fn unsubscribe(
    change: &mut Change,
    (user, room, root): (UserNumber, RoomNumber, &EventId),
    record: RecordIndex,
) {
    let cells = Cells::new().with(user).with(room).with(root.as_str());
    change.write_at(&UNSUBSCRIBE, cells, record);
}

/// All threads that a user follows or followed.
pub(crate) async fn of_user(
    database: &Database,
    user: UserNumber,
) -> Result<Vec<((RoomNumber, OwnedEventId), ThreadSubscription)>, StorageError> {
    const SQL: &str = "
        SELECT room_number, root_id, subscription, refused_up_to, position FROM thread_subscriptions
         WHERE user_number = $1";
    let rows = database.fetch_all(SQL, &[user.into()]).await?;
    let parsed = rows.iter().map(|row| {
        let root = parse_stored("thread_subscriptions.root_id", &row.text(1)?)?;
        let subscription = ThreadSubscription {
            subscription: parse_subscription(row.int(2)?)?,
            refused_up_to: Position(row.int(3)?),
            position: Position(row.int(4)?),
        };
        Ok(((RoomNumber(row.int(0)?), root), subscription))
    });
    parsed.collect()
}

const UNSUBSCRIBED: i64 = 0;
const AUTOMATIC: i64 = 1;
const MANUAL: i64 = 2;

fn parse_subscription(stored: i64) -> Result<Subscription, StorageError> {
    match stored {
        UNSUBSCRIBED => Ok(Subscription::Ended),
        AUTOMATIC => Ok(Subscription::Automatic),
        MANUAL => Ok(Subscription::Manual),
        other => Err(StorageError::corrupt("thread_subscriptions.subscription", other)),
    }
}
