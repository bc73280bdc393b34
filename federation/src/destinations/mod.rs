//! Which servers answer, and when the others are due again.
//!
//! Only servers that failed of late are remembered, in memory and in the database; what is forgotten counts as due.

mod store;

#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use echorift_storage::{Change, Clock, Database, StorageError, Timestamp};
use quick_cache::sync::Cache;
use rand::Rng as _;
use ruma::{OwnedServerName, ServerName};
use tokio::sync::broadcast;

/// Failing servers remembered; whoever names more of them only makes the oldest be asked again.
const REMEMBERED_MAX: usize = 50_000;
/// After so many writes the table is brought back to that size.
const PRUNE_EVERY: u64 = 1_000;
/// Resets that a slow listener may miss before it has to look at everything.
const RESETS_KEPT: usize = 1_024;
/// The longest that an overloaded server can ask to be left alone.
const ASKED_DELAY_MAX: Duration = Duration::from_secs(3600);

/// The back-off of every destination. Cheap to clone.
#[derive(Clone)]
pub struct Destinations(Arc<Inner>);

struct Inner {
    /// Absent where nothing is to outlive the process.
    database: Option<Database>,
    clock: Clock,
    initial_ms: i64,
    max_ms: i64,
    failing: Cache<OwnedServerName, BackOff>,
    resets: broadcast::Sender<OwnedServerName>,
    writes: AtomicU64,
}

/// The state of a server that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BackOff {
    pub failures: i64,
    pub failing_since: Timestamp,
    pub next_attempt: Timestamp,
}

impl Destinations {
    /// Starts with what the database remembers.
    pub(crate) async fn start(
        database: &Database,
        clock: Clock,
        initial: Duration,
        max: Duration,
    ) -> Result<Self, StorageError> {
        let started = Self::new(Some(database.clone()), clock, (initial, max));
        for (server, back_off) in store::load(database, REMEMBERED_MAX).await? {
            started.0.failing.insert(server, back_off);
        }
        Ok(started)
    }

    /// Remembers until the process ends, for commands.
    pub(crate) fn forgetful(clock: Clock, delays: (Duration, Duration)) -> Self {
        Self::new(None, clock, delays)
    }

    fn new(database: Option<Database>, clock: Clock, (initial, max): (Duration, Duration)) -> Self {
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(Arc::new(Inner {
            database,
            clock,
            initial_ms: millis(initial).max(1),
            max_ms: millis(max).max(millis(initial)).max(1),
            failing: Cache::new(REMEMBERED_MAX),
            resets: broadcast::Sender::new(RESETS_KEPT),
            writes: AtomicU64::new(0),
        }))
    }

    /// Whether a request may be sent now.
    pub fn is_due(&self, server: &ServerName) -> bool {
        self.next_attempt(server).is_none()
    }

    /// When the server is due again; `None` if it is.
    pub fn next_attempt(&self, server: &ServerName) -> Option<Timestamp> {
        let back_off = self.0.failing.get(server)?;
        (back_off.next_attempt > self.0.clock.now()).then_some(back_off.next_attempt)
    }

    /// Since when the server has failed without a break; `None` if its last answer was a good one.
    pub fn failing_since(&self, server: &ServerName) -> Option<Timestamp> {
        self.0.failing.get(server).map(|back_off| back_off.failing_since)
    }

    /// The servers that fail, since when, and when each is asked again.
    pub fn failing(&self) -> Vec<(OwnedServerName, Timestamp, Timestamp)> {
        let all = self.0.failing.iter();
        all.map(|(server, back_off)| (server, back_off.failing_since, back_off.next_attempt))
            .collect()
    }

    /// The server is due from now on, whatever it did before; how it answers decides on the rest.
    pub async fn retry_now(&self, server: &ServerName) {
        let Some((server, _)) = self.0.failing.remove(server) else {
            return;
        };
        self.write(&server, None).await;
        // An error means that nobody listens.
        let _ = self.0.resets.send(server);
    }

    /// The server answered, or asked us something: it is due from now on.
    pub async fn note_success(&self, server: &ServerName) {
        let Some((server, _)) = self.0.failing.remove(server) else {
            return;
        };
        tracing::info!(%server, "a server can be reached again");
        self.write(&server, None).await;
        // An error means that nobody listens.
        let _ = self.0.resets.send(server);
    }

    /// The server failed. It is left alone twice as long as after the failure before, at least as long as it asked for.
    ///
    /// Requests that were under way together count as one: while a server is not due, nothing is added.
    pub async fn note_failure(&self, server: &ServerName, asked: Option<Duration>) {
        let inner = &self.0;
        let now = inner.clock.now();
        let earlier = inner.failing.get(server);
        if earlier.is_some_and(|earlier| earlier.next_attempt > now) {
            return;
        }
        let failures = earlier.map_or(0, |earlier| earlier.failures).saturating_add(1);
        let asked = asked.map_or(0, |asked| asked.min(ASKED_DELAY_MAX).as_millis());
        let asked_ms = i64::try_from(asked).unwrap_or(0);
        let delay_ms = self
            .delay_ms(failures, rand::rng().random_range(0.8..1.2))
            .max(asked_ms);
        let back_off = BackOff {
            failures,
            failing_since: earlier.map_or(now, |earlier| earlier.failing_since),
            next_attempt: now.plus_ms(delay_ms),
        };
        inner.failing.insert(server.to_owned(), back_off);
        metrics::counter!("echorift_federation_back_offs_total").increment(1);
        self.write(server, Some(back_off)).await;
    }

    /// Tells of servers that have become due before their time. A listener that lags looks at all that it waits for.
    pub fn resets(&self) -> broadcast::Receiver<OwnedServerName> {
        self.0.resets.subscribe()
    }

    /// Waits until the server is due, by time or because it was heard of.
    pub async fn due(&self, server: &ServerName) {
        let mut resets = self.resets();
        while let Some(next) = self.next_attempt(server) {
            let left = next.0.saturating_sub(self.0.clock.now().0);
            let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // Whatever it is, what is remembered decides; missed resets may have been this server's.
                reset = resets.recv() => if matches!(reset, Err(broadcast::error::RecvError::Closed)) {
                    return;
                },
            }
        }
    }

    /// `jitter` keeps servers that failed together from being asked together.
    fn delay_ms(&self, failures: i64, jitter: f64) -> i64 {
        let doublings = u32::try_from(failures.saturating_sub(1))
            .unwrap_or(u32::MAX)
            .min(40);
        let delay = self
            .0
            .initial_ms
            .saturating_mul(1_i64 << doublings)
            .min(self.0.max_ms);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a delay need not be exact to the millisecond"
        )]
        let jittered = (delay as f64 * jitter) as i64;
        jittered.clamp(1, self.0.max_ms)
    }

    /// Nobody waits for the disk: after a crash a server is asked once too often at worst.
    async fn write(&self, server: &ServerName, back_off: Option<BackOff>) {
        let Some(database) = &self.0.database else { return };
        let mut change = Change::new();
        store::put(&mut change, server, back_off);
        if self.0.writes.fetch_add(1, Ordering::Relaxed) % PRUNE_EVERY == PRUNE_EVERY - 1 {
            store::prune(&mut change, REMEMBERED_MAX);
        }
        let _ = database.writer().submit(change).await;
    }
}
