use std::sync::atomic::{AtomicBool, AtomicI64};

use echorift_mail::Address;
use echorift_storage::{
    Cells, Database, Position, Row, Statement, StorageError, Timestamp, Tx, UserNumber, Value,
};
use parking_lot::Mutex;
use url::Url;

use crate::{
    pusher::{Channel, Letters, Pusher, PusherKey},
    web_push::{AckToken, Activation, KINDS, Subscription},
};

/// The names of `data` that the server itself looks at.
pub(crate) const FORMAT_ID_ONLY: &str = "event_id_only";

macro_rules! pushers_where {
    ($condition:literal) => {
        concat!(
            "SELECT user_number, app_id, pushkey, kind, device_id, app_display_name, device_display_name, profile_tag,
                    lang, data, is_enabled, set_ts, delivered_position, due_ts, mailed_ts, pause_ms, is_activated
               FROM pushers WHERE ",
            $condition,
            " ORDER BY user_number, app_id, pushkey"
        )
    };
}

fn read(row: &Row) -> Result<Pusher, StorageError> {
    let corrupt = |column: &'static str, what: &str| StorageError::corrupt(column, what);
    let key = PusherKey {
        user: UserNumber(row.int(0)?),
        app_id: row.text(1)?.into(),
        pushkey: row.text(2)?.into(),
    };
    let data: serde_json::Map<_, _> =
        serde_json::from_str(&row.text(9)?).map_err(|error| StorageError::corrupt("pushers.data", error))?;
    let channel = match row.text(3)?.as_str() {
        "http" => {
            let url = data.get("url").and_then(|url| Url::parse(url.as_str()?).ok());
            Channel::Http {
                url: url.ok_or_else(|| corrupt("pushers.data", "no URL"))?,
                is_id_only: data.get("format").and_then(|format| format.as_str()) == Some(FORMAT_ID_ONLY),
            }
        }
        "email" => Channel::Email(
            Address::parse(&key.pushkey).ok_or_else(|| corrupt("pushers.pushkey", "no address"))?,
        ),
        other => Channel::WebPush(Box::new(read_subscription(other, &key, &data)?)),
    };
    Ok(Pusher {
        key,
        channel,
        device_id: row.optional_text(4)?,
        app_display_name: row.text(5)?,
        device_display_name: row.text(6)?,
        profile_tag: row.optional_text(7)?,
        lang: row.text(8)?,
        data,
        is_enabled: row.flag(10)?,
        is_activated: AtomicBool::new(row.flag(16)?),
        set: Timestamp(row.int(11)?),
        delivered: AtomicI64::new(row.int(12)?),
        letters: Mutex::new(Letters {
            due: row.optional_int(13)?.map(Timestamp),
            mailed: row.optional_int(14)?.map(Timestamp),
            pause_ms: row.int(15)?,
        }),
    })
}

fn read_subscription(
    kind: &str,
    key: &PusherKey,
    data: &serde_json::Map<String, serde_json::Value>,
) -> Result<Subscription, StorageError> {
    let kind = KINDS.into_iter().find(|known| *known == kind);
    let kind = kind.ok_or_else(|| StorageError::corrupt("pushers.kind", "an unknown kind"))?;
    let url = data.get("url").and_then(|url| Url::parse(url.as_str()?).ok());
    let url = url.ok_or_else(|| StorageError::corrupt("pushers.data", "no URL"))?;
    let is_id_only = data.get("format").and_then(|format| format.as_str()) == Some(FORMAT_ID_ONLY);
    Subscription::parse(kind, url, &key.pushkey, data, is_id_only)
        .map_err(|error| StorageError::corrupt("pushers.data", error))
}

/// Every pusher of the server.
pub(crate) async fn all(database: &Database) -> Result<Vec<Pusher>, StorageError> {
    let rows = database.fetch_all(pushers_where!("true"), &[]).await?;
    rows.iter().map(read).collect()
}

/// The pushers of a user.
pub(crate) async fn of_user(database: &Database, user: UserNumber) -> Result<Vec<Pusher>, StorageError> {
    let rows = database
        .fetch_all(pushers_where!("user_number = $1"), &[user.into()])
        .await?;
    rows.iter().map(read).collect()
}

fn key_values(key: &PusherKey) -> [Value; 3] {
    [key.user.into(), (*key.app_id).into(), (*key.pushkey).into()]
}

/// Whether the pusher is still there: its device may have gone, and it with the device.
pub(crate) async fn exists(database: &Database, key: &PusherKey) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM pushers WHERE user_number = $1 AND app_id = $2 AND pushkey = $3";
    Ok(database.fetch_optional(SQL, &key_values(key)).await?.is_some())
}

/// What became of a pusher that was to be set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// Set; these other users had one with the same app and key, and have it no more.
    Done(Vec<UserNumber>),
    TooMany,
    /// Its device is gone.
    NoDevice,
}

/// Sets a pusher. Unless `append`, other users' pushers with the same app and key go; a user has at most `max`. With an
/// `ack` it is not told anything until that comes back.
pub(crate) async fn put(
    tx: &mut Tx,
    (pusher, ack): (&Pusher, Option<&AckToken>),
    append: bool,
    max: i64,
) -> Result<Put, StorageError> {
    const COUNT: &str = "
        SELECT CAST(COUNT(*) AS BIGINT) FROM pushers
         WHERE user_number = $1 AND NOT (app_id = $2 AND pushkey = $3)";
    const DEVICE: &str = "SELECT 1 FROM devices WHERE user_number = $1 AND device_id = $2";
    const OTHERS: &str = "
        DELETE FROM pushers WHERE app_id = $2 AND pushkey = $3 AND user_number <> $1 RETURNING user_number";
    const SET: &str = "
        INSERT INTO pushers
               (user_number, app_id, pushkey, kind, device_id, app_display_name, device_display_name, profile_tag,
                lang, data, is_enabled, set_ts, delivered_position, is_activated, ack_token_hash, ack_expires_ts)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        ON CONFLICT (user_number, app_id, pushkey) DO UPDATE
           SET kind = excluded.kind, device_id = excluded.device_id, app_display_name = excluded.app_display_name,
               device_display_name = excluded.device_display_name, profile_tag = excluded.profile_tag,
               lang = excluded.lang, data = excluded.data, is_enabled = excluded.is_enabled, set_ts = excluded.set_ts,
               is_activated = excluded.is_activated, ack_token_hash = excluded.ack_token_hash,
               ack_expires_ts = excluded.ack_expires_ts";
    let key = key_values(&pusher.key);
    let count = tx.fetch_optional(COUNT, &key).await?;
    if count.map(|row| row.int(0)).transpose()?.unwrap_or(0) >= max {
        return Ok(Put::TooMany);
    }
    if let Some(device_id) = &pusher.device_id {
        let device = [pusher.key.user.into(), device_id.as_str().into()];
        if tx.fetch_optional(DEVICE, &device).await?.is_none() {
            return Ok(Put::NoDevice);
        }
    }
    let mut robbed = Vec::new();
    if !append {
        let rows = tx.fetch_all(OTHERS, &key).await?;
        for row in rows {
            robbed.push(UserNumber(row.int(0)?));
        }
    }
    let [user, app_id, pushkey] = key;
    let data = serde_json::Value::Object(pusher.data.clone()).to_string();
    let values = [
        user,
        app_id,
        pushkey,
        pusher.channel.kind().into(),
        pusher.device_id.clone().into(),
        pusher.app_display_name.as_str().into(),
        pusher.device_display_name.as_str().into(),
        pusher.profile_tag.clone().into(),
        pusher.lang.as_str().into(),
        data.into(),
        pusher.is_enabled.into(),
        pusher.set.into(),
        pusher.delivered().into(),
        ack.is_none().into(),
        ack.map(AckToken::hash).into(),
        ack.map(|ack| ack.expires.0).into(),
    ];
    tx.execute(SET, &values).await?;
    Ok(Put::Done(robbed))
}

/// Activates the user's pusher of this app that was told the token; from `from` on it is told of events.
pub(crate) async fn activate(
    tx: &mut Tx,
    (user, app_id): (UserNumber, &str),
    token_hash: &str,
    (now, from): (Timestamp, Position),
) -> Result<Activation, StorageError> {
    const FIND: &str = "
        SELECT pushkey, ack_token_hash, ack_expires_ts, is_activated FROM pushers
         WHERE user_number = $1 AND app_id = $2 AND kind IN ('webpush', 'org.matrix.msc4174.webpush')
         ORDER BY pushkey";
    const ACTIVATE: &str = "
        UPDATE pushers SET is_activated = 1, delivered_position = $4
         WHERE user_number = $1 AND app_id = $2 AND pushkey = $3 AND is_activated = 0";
    let rows = tx.fetch_all(FIND, &[user.into(), app_id.into()]).await?;
    if rows.is_empty() {
        return Ok(Activation::NoPusher);
    }
    for row in &rows {
        if row.optional_text(1)?.as_deref() != Some(token_hash) {
            continue;
        }
        let is_expired = row.optional_int(2)?.is_none_or(|expires| expires < now.0);
        if is_expired && !row.flag(3)? {
            return Ok(Activation::ExpiredToken);
        }
        let pushkey = row.text(0)?;
        let values = [user.into(), app_id.into(), pushkey.as_str().into(), from.into()];
        tx.execute(ACTIVATE, &values).await?;
        return Ok(Activation::Done { pushkey });
    }
    Ok(Activation::UnknownToken)
}

pub(crate) async fn remove(tx: &mut Tx, key: &PusherKey) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM pushers WHERE user_number = $1 AND app_id = $2 AND pushkey = $3";
    tx.execute(SQL, &key_values(key)).await.map(drop)
}

/// How far pushers have come. A pusher that is gone stays so.
pub(crate) static DELIVERED: Statement = Statement::upsert(
    3,
    "UPDATE pushers SET delivered_position = delivered.position
       FROM (SELECT CAST(value ->> 0 AS BIGINT) AS number, value ->> 1 AS app, value ->> 2 AS key,
                    CAST(value ->> 3 AS BIGINT) AS position
               FROM json_each($1)) AS delivered
      WHERE user_number = delivered.number AND app_id = delivered.app AND pushkey = delivered.key",
);

pub(crate) fn delivered(key: &PusherKey, position: Position) -> Cells {
    Cells::new()
        .with(key.user)
        .with(&*key.app_id)
        .with(&*key.pushkey)
        .with(position)
}

/// When e-mail pushers write.
pub(crate) static LETTERS: Statement = Statement::upsert(
    3,
    "UPDATE pushers SET due_ts = letters.due, mailed_ts = letters.mailed, pause_ms = letters.pause
       FROM (SELECT CAST(value ->> 0 AS BIGINT) AS number, value ->> 1 AS app, value ->> 2 AS key,
                    CAST(value ->> 3 AS BIGINT) AS due, CAST(value ->> 4 AS BIGINT) AS mailed,
                    CAST(value ->> 5 AS BIGINT) AS pause
               FROM json_each($1)) AS letters
      WHERE user_number = letters.number AND app_id = letters.app AND pushkey = letters.key",
);

pub(crate) fn letters(key: &PusherKey, letters: Letters) -> Cells {
    Cells::new()
        .with(key.user)
        .with(&*key.app_id)
        .with(&*key.pushkey)
        .with(letters.due)
        .with(letters.mailed)
        .with(letters.pause_ms)
}
