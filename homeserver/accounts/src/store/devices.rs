use echorift_storage::{
    Cells, Change, Database, Record, RecordIndex, Row, Statement, StorageError, Timestamp, Tx, UserNumber,
    list,
};
use ruma::OwnedDeviceId;

use super::sessions::Revoked;

/// One row of `devices`.
#[derive(Debug, Clone)]
pub(crate) struct StoredDevice {
    pub(crate) device_id: String,
    pub(crate) display_name: Option<String>,
    pub(crate) last_seen: Option<Timestamp>,
    pub(crate) last_seen_ip: Option<String>,
}

fn read(row: &Row) -> Result<StoredDevice, StorageError> {
    Ok(StoredDevice {
        device_id: row.text(0)?,
        display_name: row.optional_text(1)?,
        last_seen: row.optional_int(2)?.map(Timestamp),
        last_seen_ip: row.optional_text(3)?,
    })
}

/// The devices of a user, by ID. Dehydrated ones are not used by anyone and left out.
pub(crate) async fn of_user(
    database: &Database,
    user: UserNumber,
) -> Result<Vec<StoredDevice>, StorageError> {
    const SQL: &str = "
        SELECT device_id, display_name, last_seen_ts, last_seen_ip FROM devices
         WHERE user_number = $1 AND dehydrated_data IS NULL ORDER BY device_id";
    database
        .fetch_all(SQL, &[user.into()])
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(crate) async fn find(
    database: &Database,
    user: UserNumber,
    device_id: &str,
) -> Result<Option<StoredDevice>, StorageError> {
    const SQL: &str = "
        SELECT device_id, display_name, last_seen_ts, last_seen_ip FROM devices
         WHERE user_number = $1 AND device_id = $2 AND dehydrated_data IS NULL";
    database
        .fetch_optional(SQL, &[user.into(), device_id.into()])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// Those of these devices that do not exist, in any order.
pub(crate) async fn absent(
    database: &Database,
    devices: &[(UserNumber, OwnedDeviceId)],
) -> Result<Vec<(UserNumber, OwnedDeviceId)>, StorageError> {
    const SQL: &str = "
        SELECT CAST(asked.value ->> 0 AS BIGINT), asked.value ->> 1 FROM json_each($1) AS asked
         WHERE NOT EXISTS (SELECT 1 FROM devices
                            WHERE devices.user_number = CAST(asked.value ->> 0 AS BIGINT)
                              AND devices.device_id = asked.value ->> 1)";
    let row = |(user, device): &(UserNumber, OwnedDeviceId)| {
        Cells::new().with(user.0).with(device.as_str()).into_row()
    };
    let rows: Vec<String> = devices.iter().map(row).collect();
    let rows = database
        .fetch_all(SQL, &[format!("[{}]", rows.join(",")).into()])
        .await?;
    let read = |row: &Row| Ok((UserNumber(row.int(0)?), OwnedDeviceId::from(row.text(1)?)));
    rows.iter().map(read).collect()
}

/// Makes a device that nobody has logged in with; `false` if it is there.
pub(crate) async fn create(
    tx: &mut Tx,
    (user, device_id): (UserNumber, &str),
    display_name: Option<&str>,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        INSERT INTO devices (user_number, device_id, display_name, created_ts) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_number, device_id) DO NOTHING";
    let values = [user.into(), device_id.into(), display_name.into(), now.into()];
    Ok(tx.execute(SQL, &values).await? > 0)
}

/// Whether there was such a device.
pub(crate) async fn rename(
    tx: &mut Tx,
    user: UserNumber,
    device_id: &str,
    display_name: &str,
) -> Result<bool, StorageError> {
    const SQL: &str = "UPDATE devices SET display_name = $3 WHERE user_number = $1 AND device_id = $2";
    let touched = tx
        .execute(SQL, &[user.into(), device_id.into(), display_name.into()])
        .await?;
    // Others are shown the name beside the device's keys.
    if have_keys(tx, user, &[device_id]).await? {
        tx.apply(change_of_list(user)).await?;
    }
    Ok(touched > 0)
}

static LIST_CHANGED: Statement = Statement::upsert(
    1,
    "INSERT INTO device_lists (user_number, position)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT) FROM json_each($1) WHERE true
     ON CONFLICT (user_number) DO UPDATE SET position = excluded.position",
);

/// Says, as part of `change`, that others see a change of the user's devices or keys. The record that says so.
pub fn device_list_changed(change: &mut Change, user: UserNumber) -> RecordIndex {
    let record = change.record(Record::DeviceList { user });
    change.write_at(&LIST_CHANGED, Cells::new().with(user), record);
    record
}

fn change_of_list(user: UserNumber) -> Change {
    let mut change = Change::new();
    device_list_changed(&mut change, user);
    change
}

async fn have_keys<C: echorift_storage::Cell>(
    tx: &mut Tx,
    user: UserNumber,
    device_ids: impl IntoIterator<Item = C>,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        SELECT 1 FROM device_keys
         WHERE user_number = $1 AND device_id IN (SELECT value ->> 0 FROM json_each($2)) LIMIT 1";
    let found = tx.fetch_optional(SQL, &[user.into(), list(device_ids)]).await?;
    Ok(found.is_some())
}

/// Tells others of the keys that go when all sessions but `kept` end, as part of the step that ends them.
pub(crate) async fn tell_of_lost_keys(
    tx: &mut Tx,
    user: UserNumber,
    kept: Option<i64>,
) -> Result<(), StorageError> {
    const SQL: &str = "
        SELECT 1 FROM device_keys
         WHERE user_number = $1 AND device_id NOT IN
               (SELECT device_id FROM sessions WHERE session_number = $2 AND user_number = $1) LIMIT 1";
    // Session numbers start at 1.
    let kept = kept.unwrap_or(0);
    let lost = tx.fetch_optional(SQL, &[user.into(), kept.into()]).await?;
    if lost.is_some() {
        tx.apply(change_of_list(user)).await?;
    }
    Ok(())
}

/// Deletes devices and ends their sessions, which are returned. IDs that do not exist are passed over.
pub(crate) async fn delete(
    tx: &mut Tx,
    user: UserNumber,
    device_ids: &[String],
    now: Timestamp,
) -> Result<Vec<Revoked>, StorageError> {
    const DEVICES: &str = "
        DELETE FROM devices WHERE user_number = $1 AND device_id IN (SELECT value ->> 0 FROM json_each($2))";
    const SESSIONS: &str = "
        UPDATE sessions SET revoked_ts = $3
         WHERE user_number = $1 AND device_id IN (SELECT value ->> 0 FROM json_each($2)) AND revoked_ts IS NULL
        RETURNING session_number";
    // Their keys go with the devices: the tables of keys say so.
    if have_keys(tx, user, device_ids).await? {
        tx.apply(change_of_list(user)).await?;
    }
    tx.execute(DEVICES, &[user.into(), list(device_ids)]).await?;
    let rows = tx
        .fetch_all(SESSIONS, &[user.into(), list(device_ids), now.into()])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Revoked {
                session: row.int(0)?,
                user,
                at: now,
                is_soft: false,
            })
        })
        .collect()
}

/// When and from where a device was last heard of.
pub(crate) static SEEN: Statement = Statement::upsert(
    2,
    "UPDATE devices SET last_seen_ts = seen.ts, last_seen_ip = COALESCE(seen.ip, last_seen_ip)
       FROM (SELECT CAST(value ->> 0 AS BIGINT) AS number, value ->> 1 AS id,
                    CAST(value ->> 2 AS BIGINT) AS ts, value ->> 3 AS ip
               FROM json_each($1)) AS seen
      WHERE user_number = seen.number AND device_id = seen.id",
);

pub(crate) fn seen(user: UserNumber, device_id: &str, at: Timestamp, ip: Option<&str>) -> Cells {
    Cells::new().with(user).with(device_id).with(at).with(ip)
}
