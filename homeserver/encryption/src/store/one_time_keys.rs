use std::collections::{BTreeMap, HashMap};

use echorift_storage::{Cells, Database, Row, StorageError, Tx, UserNumber};
use ruma::{DeviceId, OneTimeKeyAlgorithm, OwnedOneTimeKeyId, UInt, serde::Raw};
use serde_json::value::RawValue;

use super::rows_of;
use crate::{
    KeyCounts,
    claim::{Claimed, Wanted},
    upload::UploadedKey,
};

/// How many one-time keys of each algorithm a device has, and which of its fallback keys nobody was given.
pub(crate) async fn counts(
    database: &Database,
    user: UserNumber,
    device: &DeviceId,
) -> Result<KeyCounts, StorageError> {
    const SQL: &str = "
        SELECT CAST(0 AS BIGINT), algorithm, COUNT(*) FROM one_time_keys
         WHERE user_number = $1 AND device_id = $2 GROUP BY algorithm
        UNION ALL
        SELECT CAST(1 AS BIGINT), algorithm, CAST(1 AS BIGINT) FROM fallback_keys
         WHERE user_number = $1 AND device_id = $2 AND is_used = 0";
    let rows = database
        .fetch_all(SQL, &[user.into(), device.as_str().into()])
        .await?;
    let mut counts = KeyCounts::default();
    counts
        .one_time
        .insert(OneTimeKeyAlgorithm::SignedCurve25519, UInt::default());
    for row in rows {
        let algorithm = OneTimeKeyAlgorithm::from(row.text(1)?);
        if row.flag(0)? {
            counts.unused_fallback.push(algorithm);
        } else {
            counts
                .one_time
                .insert(algorithm, UInt::try_from(row.int(2)?).unwrap_or(UInt::MAX));
        }
    }
    counts.unused_fallback.sort();
    Ok(counts)
}

/// The one-time keys of a device that nobody has claimed.
#[derive(Debug, Default)]
pub(crate) struct KnownKeys {
    /// The keys by algorithm and name.
    pub(crate) by_id: HashMap<(String, String), String>,
    /// The place of the key that was uploaded last.
    pub(crate) last_place: i64,
}

pub(crate) async fn known(
    tx: &mut Tx,
    user: UserNumber,
    device: &DeviceId,
) -> Result<KnownKeys, StorageError> {
    const SQL: &str = "
        SELECT algorithm, key_id, key, place FROM one_time_keys WHERE user_number = $1 AND device_id = $2";
    let mut known = KnownKeys::default();
    for row in tx.fetch_all(SQL, &[user.into(), device.as_str().into()]).await? {
        known.last_place = known.last_place.max(row.int(3)?);
        known.by_id.insert((row.text(0)?, row.text(1)?), row.text(2)?);
    }
    Ok(known)
}

/// Adds one-time keys behind `last_place`.
pub(crate) async fn insert(
    tx: &mut Tx,
    user: UserNumber,
    device: &DeviceId,
    last_place: i64,
    keys: &[UploadedKey],
) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO one_time_keys (user_number, device_id, algorithm, place, key_id, key)
        SELECT $1, $2, value ->> 0, CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3 FROM json_each($3)";
    let rows = (last_place.saturating_add(1)..).zip(keys).map(|(place, key)| {
        Cells::new()
            .with(&key.algorithm)
            .with(place)
            .with(&key.name)
            .with(&key.json)
    });
    tx.execute(SQL, &[user.into(), device.as_str().into(), rows_of(rows)])
        .await
        .map(drop)
}

/// Puts fallback keys in the place of those of the same algorithm; one that stands there already stays as used as
/// it is.
pub(crate) async fn put_fallback(
    tx: &mut Tx,
    user: UserNumber,
    device: &DeviceId,
    keys: &[UploadedKey],
) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO fallback_keys (user_number, device_id, algorithm, key_id, key)
        SELECT $1, $2, value ->> 0, value ->> 1, value ->> 2 FROM json_each($3) WHERE true
        ON CONFLICT (user_number, device_id, algorithm) DO UPDATE
           SET is_used = CASE WHEN fallback_keys.key_id = excluded.key_id AND fallback_keys.key = excluded.key
                              THEN fallback_keys.is_used ELSE 0 END,
               key_id = excluded.key_id, key = excluded.key";
    let rows = keys
        .iter()
        .map(|key| Cells::new().with(&key.algorithm).with(&key.name).with(&key.json));
    tx.execute(SQL, &[user.into(), device.as_str().into(), rows_of(rows)])
        .await
        .map(drop)
}

/// Takes the first key for each of `wanted` out of the table.
pub(crate) async fn take(tx: &mut Tx, wanted: &[Wanted]) -> Result<BTreeMap<Wanted, Claimed>, StorageError> {
    const SQL: &str = "
        DELETE FROM one_time_keys WHERE (user_number, device_id, algorithm, place) IN
            (SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2,
                    (SELECT MIN(first.place) FROM one_time_keys AS first
                      WHERE first.user_number = CAST(value ->> 0 AS BIGINT) AND first.device_id = value ->> 1
                        AND first.algorithm = value ->> 2)
               FROM json_each($1))
        RETURNING user_number, device_id, algorithm, key_id, key";
    let rows = tx.fetch_all(SQL, &[rows_of(wanted.iter().map(cells))]).await?;
    rows.iter().map(|row| read(row, "one_time_keys.key")).collect()
}

/// The fallback keys for each of `wanted` that has one, which are used from now on.
pub(crate) async fn use_fallback(
    tx: &mut Tx,
    wanted: &[&Wanted],
) -> Result<BTreeMap<Wanted, Claimed>, StorageError> {
    const SQL: &str = "
        UPDATE fallback_keys SET is_used = 1 WHERE (user_number, device_id, algorithm) IN
            (SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2 FROM json_each($1))
        RETURNING user_number, device_id, algorithm, key_id, key";
    let rows = wanted.iter().map(|wanted| cells(wanted));
    let rows = tx.fetch_all(SQL, &[rows_of(rows)]).await?;
    rows.iter().map(|row| read(row, "fallback_keys.key")).collect()
}

fn cells(wanted: &Wanted) -> Cells {
    Cells::new()
        .with(wanted.user)
        .with(wanted.device.as_str())
        .with(wanted.algorithm.as_str())
}

fn read(row: &Row, place: &'static str) -> Result<(Wanted, Claimed), StorageError> {
    let (algorithm, name) = (row.text(2)?, row.text(3)?);
    let id = OwnedOneTimeKeyId::try_from(format!("{algorithm}:{name}"))
        .map_err(|error| StorageError::corrupt(place, error))?;
    let key = RawValue::from_string(row.text(4)?).map_err(|error| StorageError::corrupt(place, error))?;
    let wanted = Wanted {
        user: UserNumber(row.int(0)?),
        device: row.text(1)?.into(),
        algorithm: algorithm.into(),
    };
    Ok((wanted, (id, Raw::from_json(key))))
}
