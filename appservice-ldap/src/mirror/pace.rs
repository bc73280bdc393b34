//! When the directory is read: all of it at intervals and whenever something is not clear, and in between what it told of.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::told::Told;
use crate::directory::Directory;

/// Changes that come together are answered by one run. Who renames a person puts the new name into the groups next, and
/// nobody who is in no group for that moment is to lose their sessions.
const SETTLE: Duration = Duration::from_secs(1);
/// How many times as long as the last run of its kind took the next one waits: a large directory that never rests, for it
/// writes down each log-in, say, takes a fifth of one core and no more.
const REST: u32 = 4;
/// How long the first reading waits until changes are told: what changes between the two is found at the next whole run.
const LISTEN_WAIT: Duration = Duration::from_secs(2);

/// Who reads, and has something done with it. What goes wrong is theirs to tell.
pub(super) trait Runs: Sync {
    fn directory(&self) -> &Directory;

    fn told(&self) -> &Told;

    /// Reads everything.
    fn whole(&self) -> impl Future<Output = ()> + Send;

    /// Reads what was told, or says that everything has to be read.
    fn changes(&self) -> impl Future<Output = ()> + Send;
}

/// Goes on for ever: a whole run at once, then at each interval and whenever there is a reason.
pub(super) async fn go_on(runs: &impl Runs) {
    let (directory, told) = (&runs.directory().inner, runs.told());
    let interval = directory.config.mirror.interval;
    let _ = timeout(LISTEN_WAIT, told.settled()).await;
    let mut pace = Pace::after(timed(runs.whole()).await, interval);
    let mut took = Duration::ZERO;
    loop {
        tokio::select! {
            () = sleep_until(pace.whole_at) => {
                pace = Pace::after(timed(runs.whole()).await, interval);
                continue;
            }
            () = told.changed() => {}
            () = directory.look_again.notified() => told.whole(),
        }
        sleep(rest(took).min(interval)).await;
        if told.is_whole() {
            pace.whole_soon();
        }
        if pace.whole_at > Instant::now() {
            took = timed(runs.changes()).await;
            if told.is_whole() {
                pace.whole_soon();
            }
        }
    }
}

async fn timed(run: impl Future<Output = ()>) -> Duration {
    let begun = Instant::now();
    run.await;
    begun.elapsed()
}

/// How long after a run that took so long the next one of its kind waits.
fn rest(took: Duration) -> Duration {
    SETTLE.max(took.saturating_mul(REST))
}

/// When everything is read next.
struct Pace {
    whole_at: Instant,
    /// Not before this, whatever is told.
    rests_until: Instant,
}

impl Pace {
    /// After a whole run that has just ended and took so long.
    fn after(took: Duration, interval: Duration) -> Self {
        let now = Instant::now();
        Self {
            whole_at: now + interval,
            rests_until: now + rest(took).min(interval),
        }
    }

    fn whole_soon(&mut self) {
        self.whole_at = self.whole_at.min(self.rests_until.max(Instant::now()));
    }
}
