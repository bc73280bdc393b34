//! Fetches stale lists of devices again, in the background, until it has them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Duration,
};

use echorift_storage::{StorageError, UserNumber};
use futures_util::{StreamExt as _, stream};

use super::lists::RemoteUserId;
use crate::{Encryption, encryption::Inner, store};

/// How many lists are looked at in one round.
const ROUND: i64 = 200;
/// How many of them may be of one server.
const OF_SERVER: i64 = 10;
/// How many servers are asked at a time.
const SERVERS_AT_ONCE: usize = 8;
/// How long after a failure a server is asked again; the time doubles with each one.
const RETRY_MS: i64 = 30 * 1000;
/// The longest such time.
const RETRY_MAX_MS: i64 = 6 * 60 * 60 * 1000;
/// How often it is looked for lists that are due, at least.
const PERIOD: Duration = Duration::from_secs(60);
/// The shortest pause between rounds.
const PAUSE: Duration = Duration::from_millis(100);

/// Fetches what is stale until nobody holds the encryption any more.
pub(super) async fn run(encryption: Weak<Inner>) {
    loop {
        let Some(inner) = encryption.upgrade() else { return };
        let stale = Arc::clone(&inner.remote.stale);
        let pause = match Encryption(inner).resync_round().await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::warn!(%error, "stale lists of devices could not be looked for");
                PERIOD
            }
        };
        // Whether it was woken or has waited for long enough, it looks again.
        let _ = tokio::time::timeout(pause, stale.notified()).await;
    }
}

impl Encryption {
    /// Fetches the lists that are due; how long to wait for the next ones.
    pub(super) async fn resync_round(&self) -> Result<Duration, StorageError> {
        let now = self.0.rooms.clock().now();
        let due = store::remote_lists::due(&self.0.database, now, ROUND, OF_SERVER).await?;
        if due.is_empty() {
            let next = store::remote_lists::next_due(&self.0.database).await?;
            let wait = next.map_or(i64::MAX, |next| next.0.saturating_sub(now.0).max(0));
            let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
            return Ok(wait.clamp(PAUSE, PERIOD));
        }
        let users: Vec<UserNumber> = due.iter().map(|list| list.user).collect();
        let shared = self.0.rooms.shared_since(&users).await?;
        let ids = self.0.rooms.user_ids(&users).await?;
        let mut unshared = Vec::new();
        let mut by_server: BTreeMap<String, Vec<RemoteUserId>> = BTreeMap::new();
        for (list, id) in due.into_iter().zip(ids) {
            if shared.contains_key(&list.user) {
                let number = list.user;
                by_server
                    .entry(list.server)
                    .or_default()
                    .push(RemoteUserId { number, id });
            } else {
                unshared.push(list.user);
            }
        }
        self.forget_lists(unshared).await?;
        let servers = by_server.into_values().map(|users| self.resync_of_server(users));
        let mut servers = stream::iter(servers).buffer_unordered(SERVERS_AT_ONCE);
        while let Some(done) = servers.next().await {
            done?;
        }
        Ok(PAUSE)
    }

    /// Fetches lists of one server, one after the other. After the first failure the rest is put off with it: the server
    /// is likely to be away.
    async fn resync_of_server(&self, users: Vec<RemoteUserId>) -> Result<(), StorageError> {
        let mut left = users.iter();
        for user in left.by_ref() {
            if let Err(failure) = self.fetch_list(user.number, &user.id).await {
                tracing::debug!(user_id = %user.id, %failure, "a list of devices could not be fetched");
                let mut failed = vec![user.number];
                // A server that answers and refuses is not away.
                if failure.errcode == "M_UNREACHABLE" {
                    failed.extend(left.map(|user| user.number));
                    return self.put_off(failed).await;
                }
                self.put_off(failed).await?;
            }
        }
        Ok(())
    }

    async fn put_off(&self, users: Vec<UserNumber>) -> Result<(), StorageError> {
        let now = self.0.rooms.clock().now();
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let retry = |failures: i64| now.plus_ms(retry_after_ms(failures));
                store::remote_lists::put_off(tx, &users, retry).await
            })
        });
        step.await
    }

    /// Forgets lists of users with whom no room is shared.
    pub(super) async fn forget_lists(&self, users: Vec<UserNumber>) -> Result<(), StorageError> {
        if users.is_empty() {
            return Ok(());
        }
        let forgotten = users.clone();
        let step = self
            .0
            .database
            .writer()
            .transact(move |tx| Box::pin(async move { store::remote_lists::forget(tx, &users).await }));
        step.await?;
        for user in forgotten {
            self.0.keys.forget(user);
        }
        Ok(())
    }

    /// Forgets the lists of all users with whom no room is shared any more.
    pub(crate) async fn sweep_lists(&self) -> Result<(), StorageError> {
        let mut last = UserNumber(i64::MIN);
        loop {
            let users = store::remote_lists::page(&self.0.database, last, ROUND).await?;
            let Some(end) = users.last() else { return Ok(()) };
            last = *end;
            let shared = self.0.rooms.shared_since(&users).await?;
            let unshared = users.into_iter().filter(|user| !shared.contains_key(user));
            self.forget_lists(unshared.collect()).await?;
        }
    }
}

/// How long after so many failures it is tried again.
fn retry_after_ms(failures: i64) -> i64 {
    let doublings = u32::try_from(failures.saturating_sub(1).clamp(0, 20)).unwrap_or(0);
    RETRY_MS.saturating_mul(1 << doublings).min(RETRY_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        assert_eq!(retry_after_ms(1), 30_000);
        assert_eq!(retry_after_ms(3), 120_000);
        assert_eq!(retry_after_ms(i64::MAX), RETRY_MAX_MS);
    }
}
