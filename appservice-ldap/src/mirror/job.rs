//! The runs, of which there is one at a time.
//!
//! A *whole* run reads the whole directory; it is the truth, and comes at intervals and whenever something is not clear.
//! In between, a run reads what the directory told of, and works it into what the last run left.

use std::sync::Arc;
use std::time::Duration;

use echorift_accounts::{AccountError, Accounts, PasswordProvider as _};
use echorift_storage::{Timestamp, UserNumber};
use echorift_web::BoxFuture;
use tokio::sync::{Mutex, MutexGuard, watch};

use super::feed::Intake;
use super::pace::{self, Runs};
use super::plan::Plan;
use super::read::ReadError;
use super::run::{self, Base};
use super::snapshot::Snapshot;
use super::status::{MirrorStatus, Outcome, Reach, Run, RunCounts, Statuses};
use super::told::Told;
use crate::directory::Directory;

/// How long somebody who asks for a sync waits for the process that reads the directory.
const FEED_WAIT: Duration = Duration::from_secs(60);

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
    /// Where another process reads the directory: what it says.
    intake: Option<Intake>,
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
    #[error(
        "the process that reads the directory has told this one nothing yet; a running server shows what it was told (GET /_echorift/admin/v1/directory/plan)"
    )]
    NotFed,
    #[error("the process that reads the directory could not: {0}")]
    Fed(String),
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
        let intake = config.is_fed.then(Intake::default);
        Some(Self(Arc::new(Inner {
            statuses: Statuses::new(parts.directory.label()),
            parts,
            told: Told::default(),
            intake,
            running: Mutex::default(),
            latest: watch::Sender::new(None),
        })))
    }

    /// Runs until `stopping` turns true: at once, then at each interval and whenever there is a reason; or whenever another
    /// process says something.
    pub fn run(&self, mut stopping: watch::Receiver<bool>) {
        let mirror = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = stopping.wait_for(|stops| *stops) => {}
                () = mirror.go_on() => {}
            }
        });
    }

    async fn go_on(&self) {
        match &self.0.intake {
            Some(intake) => intake.attend(self).await,
            None => drop(tokio::join!(pace::go_on(self), self.listen())),
        }
    }

    async fn listen(&self) {
        let is_told = |is_told| self.set_told(is_told);
        super::notice::follow(&self.0.parts.directory, &self.0.told, &is_told).await;
    }

    /// Reads everything once more, soon.
    pub fn sync_soon(&self) {
        match &self.0.intake {
            None => self.0.told.whole(),
            Some(intake) => drop(intake.ask()),
        }
    }

    /// A run that may lock as many people as it wants, or the next one if nobody reads the directory now.
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
        let since = self.now().plus_ms(-interval);
        let lately = parts.accounts.count_locked_by(self.provider(), since).await?;
        Ok(plan.locks_max(config.locked_percent_max, lately))
    }

    pub fn status(&self) -> MirrorStatus {
        let mut status = self.0.statuses.get();
        if let Some(intake) = &self.0.intake {
            let heard = intake.heard(self.now());
            status.is_told &= heard.is_connected;
            status.feed = Some(heard);
        }
        status
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

    pub(super) fn intake(&self) -> Option<&Intake> {
        self.0.intake.as_ref()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.parts.accounts.clock().now()
    }

    pub(super) fn set_told(&self, is_told: bool) {
        self.0.statuses.change(|status| status.is_told = is_told);
    }

    pub(super) async fn lock_base(&self) -> MutexGuard<'_, Option<Base>> {
        self.0.running.lock().await
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

    /// One whole run, after any that goes on. Whatever goes wrong is logged here and noted in the status. Where another
    /// process reads the directory it is asked to, and waited for.
    pub async fn sync(&self) {
        match &self.0.intake {
            None => self.whole().await,
            Some(intake) => intake.ask_and_wait(FEED_WAIT).await,
        }
    }

    /// Notes how a run ended that began then.
    pub(super) fn noted(
        &self,
        begun: Timestamp,
        reach: Reach,
        ended: Result<(Outcome, RunCounts), MirrorError>,
    ) -> Outcome {
        match ended {
            Ok((outcome, counts)) => self.end(begun, reach, outcome, counts),
            Err(error) => {
                let reason = with_causes(&error);
                tracing::error!(
                    reason,
                    "the directory was not mirrored, and nothing was changed by this sync"
                );
                self.end(begun, reach, Outcome::Failed(reason), RunCounts::default())
            }
        }
    }

    /// Notes that a run that began has found nothing to do.
    pub(super) fn idle(&self) {
        self.0.statuses.change(|status| status.is_running = false);
    }

    pub(super) fn begin(&self) -> Timestamp {
        self.0.statuses.change(|status| status.is_running = true);
        self.now()
    }

    fn end(&self, started: Timestamp, reach: Reach, outcome: Outcome, counts: RunCounts) -> Outcome {
        self.0.statuses.ended(Run {
            started,
            ended: self.now(),
            reach,
            outcome: outcome.clone(),
            counts,
        });
        outcome
    }
}

impl Runs for Mirror {
    fn directory(&self) -> &Directory {
        &self.0.parts.directory
    }

    fn told(&self) -> &Told {
        &self.0.told
    }

    async fn whole(&self) {
        let mut base = self.lock_base().await;
        let begun = self.begin();
        let ended = self.run_whole(&mut base).await;
        self.noted(begun, Reach::Whole, ended);
    }

    async fn changes(&self) {
        let mut base = self.lock_base().await;
        let told = &self.0.told;
        let changed = told.take_entries();
        if changed.reads_nothing() && changed.people.is_empty() {
            return;
        }
        if base.is_none() {
            told.whole();
            return;
        }
        let begun = self.begin();
        match self.run_told(&changed, &mut base).await {
            Ok(run::Told::Nothing) => self.idle(),
            Ok(run::Told::Whole) => {
                self.idle();
                told.whole();
            }
            Ok(run::Told::Ran(outcome, counts)) => {
                self.noted(begun, Reach::Told, Ok((outcome, counts)));
            }
            Err(error) => {
                self.noted(begun, Reach::Told, Err(error));
                told.whole();
            }
        }
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
