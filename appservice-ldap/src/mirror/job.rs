//! The runs: when they start, and that there is one at a time.
//!
//! A *whole* run reads the whole directory; it is the truth, and comes at intervals and whenever something is not clear.
//! In between, a run reads what the directory told of, and works it into what the last run left.

use std::sync::Arc;
use std::time::Duration;

use echorift_accounts::{AccountError, Accounts, PasswordProvider as _};
use echorift_storage::{Timestamp, UserNumber};
use echorift_web::BoxFuture;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::plan::Plan;
use super::read::ReadError;
use super::run::{self, Base};
use super::snapshot::Snapshot;
use super::status::{MirrorStatus, Outcome, Reach, Run, RunCounts, Statuses};
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

/// Keeps photos where clients can fetch them.
pub trait PhotoStore: Send + Sync {
    /// The `mxc:` address of a photo that now belongs to this user. The error says what went wrong.
    fn keep<'a>(
        &'a self,
        user: UserNumber,
        photo: Vec<u8>,
        content_type: &'static str,
    ) -> BoxFuture<'a, Result<String, String>>;
}

/// What mirroring works on.
pub struct MirrorParts {
    pub directory: Directory,
    pub accounts: Accounts,
    /// Without it, photos are left alone.
    pub photos: Option<Arc<dyn PhotoStore>>,
}

/// Keeps the accounts in step with the directory. Clones share everything.
#[derive(Clone)]
pub struct Mirror(Arc<Inner>);

struct Inner {
    parts: MirrorParts,
    statuses: Statuses,
    told: Told,
    /// Held while a run goes on; other runs wait for it.
    running: Mutex<Option<Base>>,
    latest: watch::Sender<Option<Arc<Snapshot>>>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Accounts(#[from] AccountError),
}

impl Mirror {
    /// `None` where the settings do not ask for mirroring. Reserves the fields of profiles that the directory owns.
    pub fn new(parts: MirrorParts) -> Option<Self> {
        let config = &parts.directory.inner.config.mirror;
        if !config.is_enabled {
            return None;
        }
        parts
            .accounts
            .reserve_profile_fields(parts.directory.name(), config.owned_fields.clone());
        Some(Self(Arc::new(Inner {
            statuses: Statuses::new(parts.directory.label()),
            parts,
            told: Told::default(),
            running: Mutex::default(),
            latest: watch::Sender::new(None),
        })))
    }

    /// Runs until `stopping` turns true: at once, then at each interval and whenever there is a reason.
    pub fn run(&self, stopping: watch::Receiver<bool>) {
        let (mirror, mut ends) = (self.clone(), stopping.clone());
        tokio::spawn(async move {
            let stopped = ends.wait_for(|stops| *stops);
            tokio::select! {
                _ = stopped => {}
                () = mirror.run_on() => {}
            }
        });
        let (mirror, mut ends) = (self.clone(), stopping);
        tokio::spawn(async move {
            let stopped = ends.wait_for(|stops| *stops);
            tokio::select! {
                _ = stopped => {}
                () = mirror.listen() => {}
            }
        });
    }

    async fn run_on(&self) {
        let Inner { parts, told, .. } = &*self.0;
        let directory = &parts.directory.inner;
        let interval = directory.config.mirror.interval;
        let _ = timeout(LISTEN_WAIT, told.settled()).await;
        let mut pace = Pace::after(self.timed(self.sync()).await, interval);
        let mut took = Duration::ZERO;
        loop {
            tokio::select! {
                () = sleep_until(pace.whole_at) => {
                    pace = Pace::after(self.timed(self.sync()).await, interval);
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
                took = self.timed(self.sync_told()).await;
                if told.is_whole() {
                    pace.whole_soon();
                }
            }
        }
    }

    async fn timed(&self, run: impl Future<Output = ()>) -> Duration {
        let begun = Instant::now();
        run.await;
        begun.elapsed()
    }

    async fn listen(&self) {
        let is_told = |is_told| self.0.statuses.change(|status| status.is_told = is_told);
        super::notice::follow(&self.0.parts.directory, &self.0.told, &is_told).await;
    }

    /// Reads everything once more, soon.
    pub fn sync_soon(&self) {
        self.0.told.whole();
    }

    /// A run that may lock as many people as it wants.
    pub async fn sync_approved(&self) {
        self.0.statuses.change(|status| status.is_approved = true);
        self.sync().await;
    }

    /// How many people this plan may lock without somebody's word: fewer, if some were locked a moment ago.
    ///
    /// Many small runs together may lock no more people than one large one, also where the server was restarted in between:
    /// the accounts remember it.
    pub async fn locks_max(&self, plan: &Plan) -> Result<usize, AccountError> {
        let parts = &self.0.parts;
        let config = &parts.directory.inner.config.mirror;
        let interval = i64::try_from(config.interval.as_millis()).unwrap_or(i64::MAX);
        let since = parts.accounts.clock().now().plus_ms(-interval);
        let lately = parts.accounts.count_locked_by(self.provider(), since).await?;
        Ok(plan.locks_max(config.locked_percent_max, lately))
    }

    pub fn status(&self) -> MirrorStatus {
        self.0.statuses.get()
    }

    /// The snapshot after which the accounts were last brought into step; `None` before the first run. What is built
    /// upon groups follows it.
    pub fn snapshots(&self) -> watch::Receiver<Option<Arc<Snapshot>>> {
        self.0.latest.subscribe()
    }

    pub(super) fn parts(&self) -> &MirrorParts {
        &self.0.parts
    }

    /// Whose accounts these are.
    pub(super) fn provider(&self) -> &'static str {
        self.0.parts.directory.name()
    }

    pub(super) fn told(&self) -> &Told {
        &self.0.told
    }

    /// Whether an administrator has approved this run; that holds for one.
    pub(super) fn take_approval(&self) -> bool {
        let statuses = &self.0.statuses;
        statuses.change(|status| std::mem::take(&mut status.is_approved))
    }

    /// Hands a snapshot on, if it is another one than the last.
    pub(super) fn publish(&self, snapshot: &Arc<Snapshot>) {
        self.0.latest.send_if_modified(|latest| {
            let differs = latest.as_ref() != Some(snapshot);
            if differs {
                *latest = Some(Arc::clone(snapshot));
            }
            differs
        });
    }

    /// One whole run, after any that goes on. Whatever goes wrong is logged here and noted in the status.
    pub async fn sync(&self) {
        let mut base = self.0.running.lock().await;
        let begun = self.begin();
        match self.run_whole(&mut base).await {
            Ok((outcome, counts)) => self.end(begun, Reach::Whole, outcome, counts),
            Err(error) => self.failed(begun, Reach::Whole, &error),
        }
    }

    /// One run over what was told, if it can be worked in. What cannot be has everything read.
    async fn sync_told(&self) {
        let mut base = self.0.running.lock().await;
        let changed = self.0.told.take_entries();
        if changed.reads_nothing() && changed.people.is_empty() {
            return;
        }
        if base.is_none() {
            self.0.told.whole();
            return;
        }
        let begun = self.begin();
        match self.run_told(&changed, &mut base).await {
            Ok(run::Told::Nothing) => self.0.statuses.change(|status| status.is_running = false),
            Ok(run::Told::Whole) => {
                self.0.statuses.change(|status| status.is_running = false);
                self.0.told.whole();
            }
            Ok(run::Told::Ran(outcome, counts)) => self.end(begun, Reach::Told, outcome, counts),
            Err(error) => {
                self.failed(begun, Reach::Told, &error);
                self.0.told.whole();
            }
        }
    }

    fn begin(&self) -> Timestamp {
        self.0.statuses.change(|status| status.is_running = true);
        self.0.parts.accounts.clock().now()
    }

    fn end(&self, started: Timestamp, reach: Reach, outcome: Outcome, counts: RunCounts) {
        let ended = self.0.parts.accounts.clock().now();
        self.0.statuses.ended(Run {
            started,
            ended,
            reach,
            outcome,
            counts,
        });
    }

    fn failed(&self, started: Timestamp, reach: Reach, error: &MirrorError) {
        let reason = with_causes(error);
        tracing::error!(
            reason,
            "the directory was not mirrored, and nothing was changed by this sync"
        );
        self.end(started, reach, Outcome::Failed(reason), RunCounts::default());
    }
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

/// The error and what caused it, for one line.
fn with_causes(error: &MirrorError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
