use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};

use crate::{Encryption, encryption::Inner, remote, store, transactions};

/// How often what is over is deleted.
const PERIOD: Duration = Duration::from_secs(60 * 60);

/// How many EDUs with messages to devices may wait for one server; the oldest make room.
const WAITING_MAX: i64 = 50_000;

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
    let now = encryption.rooms.clock().now();
    let before = now.plus_ms(-transactions::LIFETIME_MS);
    let received_before = now.plus_ms(-remote::LIFETIME_MS);
    let step = encryption.database.writer().transact(move |tx| {
        Box::pin(async move {
            store::to_device::purge_transactions(tx, before).await?;
            store::remote_messages::purge_received(tx, received_before).await?;
            store::remote_messages::trim(tx, WAITING_MAX).await
        })
    });
    match step.await {
        Ok(0) => {}
        Ok(messages) => {
            tracing::warn!(
                messages,
                "servers that are away for long have lost messages to their devices"
            );
        }
        Err(error) => tracing::warn!(%error, "old transactions could not be forgotten"),
    }
    if let Err(error) = Encryption(Arc::clone(encryption)).sweep_lists().await {
        tracing::warn!(%error, "unused lists of devices could not be forgotten");
    }
}
