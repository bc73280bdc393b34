//! The tables of the OAuth 2.0 API.

pub(crate) mod browsers;
pub(crate) mod clients;
pub(crate) mod codes;
pub(crate) mod devices;
pub(crate) mod resets;
pub(crate) mod upstream;

use echorift_storage::{StorageError, Timestamp, Tx};

/// A redeemed code is remembered for so long after its end, so that its second use is noticed.
const CODE_KEPT_MS: i64 = 3_600_000;
/// Clients that register and never come further, and those that nobody uses any more.
const UNUSED_CLIENT_KEPT_MS: i64 = 24 * 3_600_000;
const CLIENT_KEPT_MS: i64 = 90 * 24 * 3_600_000;

/// Forgets what is over.
pub(crate) async fn purge(tx: &mut Tx, now: Timestamp) -> Result<(), StorageError> {
    tx.execute(
        "DELETE FROM oauth_codes WHERE expires_ts < $1",
        &[now.plus_ms(-CODE_KEPT_MS).into()],
    )
    .await?;
    for sql in [
        "DELETE FROM oauth_device_codes WHERE expires_ts < $1",
        "DELETE FROM browser_sessions WHERE expires_ts < $1",
        "DELETE FROM upstream_logins WHERE expires_ts < $1",
        "DELETE FROM cross_signing_resets WHERE expires_ts < $1",
    ] {
        tx.execute(sql, &[now.into()]).await?;
    }
    // CS API § Dynamic client registration flow: a client with a session is never forgotten.
    const CLIENTS: &str = "
        DELETE FROM oauth_clients
         WHERE COALESCE(used_ts, created_ts) < $1 AND (used_ts IS NULL OR used_ts < $2)
           AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.client_id = oauth_clients.client_id)
           AND NOT EXISTS (SELECT 1 FROM oauth_codes WHERE oauth_codes.client_id = oauth_clients.client_id)
           AND NOT EXISTS (SELECT 1 FROM oauth_device_codes
                            WHERE oauth_device_codes.client_id = oauth_clients.client_id)";
    let (unused, used) = (now.plus_ms(-UNUSED_CLIENT_KEPT_MS), now.plus_ms(-CLIENT_KEPT_MS));
    tx.execute(CLIENTS, &[unused.into(), used.into()]).await.map(drop)
}
