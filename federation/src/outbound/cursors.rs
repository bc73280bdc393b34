//! Remembers how far every destination is, without a write for each transaction.
//!
//! Those that are served live share one cursor: the log is routed anew from there after a crash, and they get some
//! seconds of events twice, which they know already. Only who is behind has a cursor of its own.

use std::{sync::Arc, time::Duration};

use echorift_storage::{Change, Position, StorageError};

use super::{
    Outbound,
    destination::{Cursors, Destination, Status},
    store,
};

/// How often cursors are written, if any have changed.
const INTERVAL: Duration = Duration::from_secs(2);
/// A destination that is behind by so much of the log gets a cursor of its own, so as not to hold back that of the
/// others.
const HOLD_BACK_MAX: i64 = 1_000;
/// The common cursor is written at the latest when it is so far behind, even if all that came was for nobody else.
const IDLE_MAX: i64 = 10_000;

/// Writes cursors now and then until the server stops.
pub(super) async fn run(outbound: Outbound) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = outbound.stopping() => return,
        }
        if let Err(error) = flush(&outbound).await {
            tracing::error!(%error, "how far other servers are could not be written");
        }
    }
}

/// Writes what has changed. Must not run twice at a time.
pub(super) async fn flush(outbound: &Outbound) -> Result<(), StorageError> {
    let _alone = outbound.0.flushing.lock().await;
    // Before the destinations are looked at: what is routed meanwhile is behind this position.
    let routed = outbound.routed();
    let has_changed = outbound.take_changed();
    let mut others = routed;
    let mut change = Change::new();
    let mut written: Vec<(Arc<Destination>, Option<Cursors>)> = Vec::new();
    let mut count = Count::default();
    for destination in outbound.0.roster.all() {
        let status = destination.status();
        count.add(status, routed);
        let own = own_cursor(status, routed);
        match own {
            Some(cursors) if status.stored != Some(cursors) => {
                store::put_cursor(&mut change, &destination.name, cursors);
            }
            None if status.stored.is_some() => store::remove_cursor(&mut change, &destination.name),
            _ => {}
        }
        if own.is_none()
            && let Some(sent) = status.sent()
        {
            others = others.min(sent);
        }
        if own != status.stored {
            written.push((destination, own));
        }
    }
    count.publish();
    let stored = outbound.stored_others();
    let is_due = has_changed || others.0 - stored.0 > IDLE_MAX;
    let moves = others != stored && (is_due || !written.is_empty());
    if moves {
        store::put_others(&mut change, others);
    }
    if !moves && written.is_empty() {
        return Ok(());
    }
    outbound.database().writer().commit(change).await?;
    for (destination, own) in written {
        destination.set_stored(own);
    }
    if moves {
        outbound.set_stored_others(others);
    }
    Ok(())
}

/// The cursors of a destination that has its own, for events and for EDUs.
fn own_cursor(status: Status, routed: Position) -> Option<Cursors> {
    let sent = status.sent()?;
    let is_far = routed.0 - sent.0 > HOLD_BACK_MAX;
    if !(is_far || status.is_lagging || status.is_resting) {
        return None;
    }
    // Where nothing waits, an older cursor is as good, and saves the write.
    let old = status.stored.unwrap_or((routed, routed));
    Some((
        status.events_sent.unwrap_or(old.0),
        status.edus_sent.unwrap_or(old.1),
    ))
}

#[derive(Default)]
struct Count {
    live: u32,
    lagging: u32,
    backing_off: u32,
    live_lag: i64,
}

impl Count {
    fn add(&mut self, status: Status, routed: Position) {
        if status.is_resting {
            self.backing_off += 1;
        } else if status.is_lagging {
            self.lagging += 1;
        } else {
            self.live += 1;
            if let Some(sent) = status.sent() {
                self.live_lag = self.live_lag.max(routed.0 - sent.0);
            }
        }
    }

    fn publish(&self) {
        let gauge = |state: &'static str, count: u32| {
            metrics::gauge!("echorift_federation_destinations", "state" => state).set(count);
        };
        gauge("live", self.live);
        gauge("lagging", self.lagging);
        gauge("backing_off", self.backing_off);
        let lag = u32::try_from(self.live_lag).unwrap_or(u32::MAX);
        metrics::gauge!("echorift_federation_live_lag_positions").set(lag);
    }
}
