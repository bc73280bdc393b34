use std::time::Duration;

use echorift_storage::{Clock, Database, StorageError};
use tokio::sync::watch;

use super::store;

/// How long finalised events are kept, and how many of one user (MSC4140 § Retention of finalised delayed events).
const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
const KEPT_PER_USER: i64 = 1_000;
const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Forgets finalised events, at once and then every hour.
pub(super) async fn run(database: Database, clock: Clock, mut stopping: watch::Receiver<bool>) {
    loop {
        if let Err(error) = forget(&database, &clock).await {
            tracing::warn!(%error, "old delayed events could not be removed");
        }
        let stopped = stopping.wait_for(|stop| *stop);
        if tokio::time::timeout(INTERVAL, stopped).await.is_ok() {
            return;
        }
    }
}

pub(super) async fn forget(database: &Database, clock: &Clock) -> Result<(), StorageError> {
    let before = clock.now().plus_ms(-KEPT_MS);
    let mut has_more = true;
    while has_more {
        let forgotten = database
            .writer()
            .transact(move |tx| Box::pin(async move { store::forget(tx, before, KEPT_PER_USER).await }));
        has_more = forgotten.await?;
    }
    Ok(())
}
