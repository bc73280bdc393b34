use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};

use crate::{encryption::Inner, store, transactions};

/// How often what is over is deleted.
const PERIOD: Duration = Duration::from_secs(60 * 60);

/// Forgets old transactions until nobody holds the encryption any more.
pub(crate) async fn run(encryption: Weak<Inner>) {
    let mut interval = interval(PERIOD);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once: a server that has just started has more urgent things to write.
    interval.tick().await;
    loop {
        interval.tick().await;
        let Some(encryption) = encryption.upgrade() else {
            return;
        };
        tidy(&encryption).await;
    }
}

async fn tidy(encryption: &Arc<Inner>) {
    let before = encryption.rooms.clock().now().plus_ms(-transactions::LIFETIME_MS);
    let step = encryption
        .database
        .writer()
        .transact(move |tx| Box::pin(async move { store::to_device::purge_transactions(tx, before).await }));
    if let Err(error) = step.await {
        tracing::warn!(%error, "old transactions could not be forgotten");
    }
}
