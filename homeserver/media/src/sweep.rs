//! Removing what nothing refers to any more: created media that were never uploaded, previews and their images whose
//! time is over, media of other servers that nobody reads, and blobs that a crash or a lost race has left in the store.

use std::sync::{Arc, Weak};
use std::time::Duration;

use echorift_storage::{Change, Database, StorageError, Timestamp, Tx};
use tokio::time::MissedTickBehavior;

use crate::blobs::BlobStore;
use crate::ids::ContentHash;
use crate::media::Inner;
use crate::{Media, MediaError, store};

const PERIOD: Duration = Duration::from_secs(60 * 60);
/// Media whose time is over stay this long, so that an upload that began in time can end.
const GRACE_MS: i64 = 24 * 60 * 60 * 1_000;
/// Rows and blobs that are removed in one go.
const BATCH: i64 = 200;
/// Thumbnails may be sources in their turn, but not of themselves.
const GENERATIONS: usize = 3;

/// Sweeps at the start and every hour, as long as the server lives.
pub(crate) fn start(media: &Media) {
    let media = Arc::downgrade(&media.0);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(inner) = Weak::<Inner>::upgrade(&media) else {
                return;
            };
            let swept = sweep(
                &inner.database,
                &*inner.blobs,
                inner.clock.now(),
                unread_since(&inner),
            )
            .await;
            if let Err(error) = swept {
                tracing::error!(%error, "media that nobody refers to could not be removed");
            }
        }
    });
}

/// Media of other servers that nobody has read since then is fetched again when it is wanted.
fn unread_since(inner: &Inner) -> Timestamp {
    let lifetime_ms = i64::try_from(inner.options.remote.lifetime.as_millis()).unwrap_or(i64::MAX);
    inner.clock.now().plus_ms(lifetime_ms.saturating_neg())
}

/// Removes all whose time was over at `now`, rows first, so that nothing refers to what is not there.
async fn sweep(
    database: &Database,
    blobs: &dyn BlobStore,
    now: Timestamp,
    unread_since: Timestamp,
) -> Result<(), MediaError> {
    while sweep_rows(database, now, unread_since).await? {}
    while sweep_blobs(database, blobs, now).await? {}
    Ok(())
}

/// Removes one batch of rows; whether there may be more.
async fn sweep_rows(
    database: &Database,
    now: Timestamp,
    unread_since: Timestamp,
) -> Result<bool, MediaError> {
    database
        .writer()
        .transact(move |tx| {
            Box::pin(async move {
                let previews = store::previews::remove_expired(tx, now, BATCH).await?;
                let before = now.plus_ms(-GRACE_MS);
                let (mut hashes, media) = store::media::remove_expired(tx, before, BATCH).await?;
                let (unread, remote) = store::remote::remove_unread(tx, unread_since, BATCH).await?;
                hashes.extend(unread);
                forget_contents(tx, hashes, now).await?;
                let batch = usize::try_from(BATCH).unwrap_or_default();
                let is_full = media >= batch || remote >= batch;
                Ok::<_, MediaError>(is_full || usize::try_from(previews).unwrap_or_default() >= batch)
            })
        })
        .await
}

/// Forgets those of these contents that nothing refers to any more, and the thumbnails made from them.
pub(crate) async fn forget_contents(
    tx: &mut Tx,
    mut hashes: Vec<ContentHash>,
    now: Timestamp,
) -> Result<(), StorageError> {
    for _ in 0..GENERATIONS {
        if hashes.is_empty() {
            break;
        }
        hashes = store::contents::forget_unused(tx, &hashes, now).await?;
    }
    Ok(())
}

/// Removes one batch of blobs; whether there may be more. A name is forgotten only when its blob is gone.
async fn sweep_blobs(database: &Database, blobs: &dyn BlobStore, now: Timestamp) -> Result<bool, MediaError> {
    let due = store::garbage::due(database, now, BATCH).await?;
    if due.is_empty() {
        return Ok(false);
    }
    for key in &due {
        blobs.remove(key.clone()).await?;
    }
    let mut change = Change::new();
    store::garbage::forget(&mut change, &due);
    database.writer().commit(change).await?;
    Ok(true)
}

#[cfg(test)]
mod tests;
