use echorift_storage::{Cells, Change, Database, Statement, StorageError, Timestamp, Tx};
use serde_json::{Map, Value};

static PUT: Statement = Statement::upsert(
    1,
    "INSERT INTO url_previews (preview_key, properties, expires_ts)
     SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT) FROM json_each($1) WHERE true
     ON CONFLICT (preview_key) DO UPDATE SET properties = excluded.properties, expires_ts = excluded.expires_ts",
);

/// The preview under this key, if it is still good.
pub(crate) async fn find(
    database: &Database,
    key: &str,
    now: Timestamp,
) -> Result<Option<Map<String, Value>>, StorageError> {
    const SQL: &str = "SELECT properties FROM url_previews WHERE preview_key = $1 AND expires_ts > $2";
    let row = database.fetch_optional(SQL, &[key.into(), now.into()]).await?;
    row.map(|row| {
        serde_json::from_str(&row.text(0)?)
            .map_err(|error| StorageError::corrupt("url_previews.properties", error))
    })
    .transpose()
}

pub(crate) fn put(change: &mut Change, key: &str, properties: &Map<String, Value>, expires: Timestamp) {
    let properties = Value::Object(properties.clone()).to_string();
    change.write(&PUT, Cells::new().with(key).with(properties).with(expires));
}

/// Removes some previews whose time is over; how many there were.
pub(crate) async fn remove_expired(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<u64, StorageError> {
    const SQL: &str = "
        DELETE FROM url_previews WHERE preview_key IN (
            SELECT preview_key FROM url_previews WHERE expires_ts < $1 ORDER BY expires_ts, preview_key LIMIT $2)";
    tx.execute(SQL, &[now.into(), limit.into()]).await
}
