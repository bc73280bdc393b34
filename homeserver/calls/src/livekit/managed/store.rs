use echorift_storage::{Cells, Change, Database, Statement, StorageError};

use super::{SfuPorts, UdpPorts};

/// What this server and the SFU know each other by.
#[derive(Clone, PartialEq, Eq)]
pub struct SfuKey {
    pub key: String,
    /// Signs tokens and webhooks. LiveKit wants 32 characters at least.
    pub secret: String,
}

impl SfuKey {
    /// A new pair: 96 random bits name it, 256 keep the secret.
    pub(super) fn generate() -> Self {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        Self {
            key: format!("ER{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 12]>())),
            secret: URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()),
        }
    }
}

/// What is kept of the SFU from one start to the next.
pub(super) struct Kept {
    pub(super) key: SfuKey,
    pub(super) ports: SfuPorts,
}

/// `None` before the first start.
pub(super) async fn load(database: &Database) -> Result<Option<Kept>, StorageError> {
    const SQL: &str = "
        SELECT api_key, api_secret, signal_port, rtc_tcp_port, rtc_udp_first, rtc_udp_last
          FROM managed_sfu
         WHERE name = ''";
    let Some(row) = database.fetch_optional(SQL, &[]).await? else {
        return Ok(None);
    };
    let port = |column| {
        let number = row.int(column)?;
        u16::try_from(number).map_err(|error| StorageError::corrupt("managed_sfu", error))
    };
    let (first, last) = (port(4)?, port(5)?);
    Ok(Some(Kept {
        key: SfuKey {
            key: row.text(0)?,
            secret: row.text(1)?,
        },
        ports: SfuPorts {
            signal: port(2)?,
            rtc_tcp: port(3)?,
            rtc_udp: if first == last {
                UdpPorts::One(first)
            } else {
                UdpPorts::Range(first, last)
            },
        },
    }))
}

static KEEP: Statement = Statement::upsert(
    1,
    "INSERT INTO managed_sfu (name, api_key, api_secret, signal_port, rtc_tcp_port, rtc_udp_first, rtc_udp_last)
     SELECT value ->> 0, value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT), CAST(value ->> 4 AS BIGINT),
            CAST(value ->> 5 AS BIGINT), CAST(value ->> 6 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (name) DO UPDATE
        SET api_key = excluded.api_key, api_secret = excluded.api_secret, signal_port = excluded.signal_port,
            rtc_tcp_port = excluded.rtc_tcp_port, rtc_udp_first = excluded.rtc_udp_first,
            rtc_udp_last = excluded.rtc_udp_last",
);

pub(super) async fn keep(database: &Database, key: &SfuKey, ports: SfuPorts) -> Result<(), StorageError> {
    let (first, last) = match ports.rtc_udp {
        UdpPorts::One(port) => (port, port),
        UdpPorts::Range(first, last) => (first, last),
    };
    let row = Cells::new()
        .with("")
        .with(&key.key)
        .with(&key.secret)
        .with(i64::from(ports.signal))
        .with(i64::from(ports.rtc_tcp))
        .with(i64::from(first))
        .with(i64::from(last));
    let mut change = Change::new();
    change.write(&KEEP, row);
    database.writer().commit(change).await
}
