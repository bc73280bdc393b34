//! The runs: when they start, and that there is one at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use echorift_accounts::{AccountError, Accounts};
use echorift_storage::UserNumber;
use echorift_web::BoxFuture;
use tokio::sync::{Mutex, Notify, watch};

use super::apply::apply;
use super::plan::{Plan, Policy, plan};
use super::read::ReadError;
use super::snapshot::{Dn, Snapshot};
use super::status::{MirrorStatus, Outcome, Run, RunCounts, Statuses};
use crate::directory::Directory;
use crate::provider::NAME;

/// Changes that come together are answered by one run. Who renames a person puts the new name into the groups next, and
/// nobody who is in no group for that moment is to lose their sessions.
const SETTLE: Duration = Duration::from_secs(1);
/// How many times as long as the last run took the next one waits: a large directory that never rests, for it writes down
/// each log-in, say, takes a fifth of one core and no more.
const REST: u32 = 4;
/// Lines about single people in the log of one run; the administration API shows all of them.
const TROUBLES_LOGGED_MAX: usize = 20;

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
    wake: Notify,
    /// Held while a run goes on; other runs wait for it.
    running: Mutex<()>,
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
            .reserve_profile_fields(NAME, config.owned_fields.clone());
        Some(Self(Arc::new(Inner {
            parts,
            statuses: Statuses::default(),
            wake: Notify::new(),
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
        let interval = self.0.parts.directory.inner.config.mirror.interval;
        loop {
            let begun = Instant::now();
            self.sync().await;
            let pause = SETTLE.max(begun.elapsed().saturating_mul(REST)).min(interval);
            tokio::select! {
                () = tokio::time::sleep(interval) => {}
                () = self.0.wake.notified() => tokio::time::sleep(pause).await,
                () = self.0.parts.directory.inner.look_again.notified() => tokio::time::sleep(pause).await,
            }
        }
    }

    async fn listen(&self) {
        let told = |is_told| self.0.statuses.change(|status| status.is_told = is_told);
        super::notice::follow(&self.0.parts.directory, &told, &self.0.wake).await;
    }

    /// Runs once more, soon.
    pub fn sync_soon(&self) {
        self.0.wake.notify_one();
    }

    /// A run that may lock as many people as it wants.
    pub async fn sync_approved(&self) {
        self.0.statuses.change(|status| status.is_approved = true);
        self.sync().await;
    }

    /// How many people this plan may lock without somebody's word.
    pub fn locks_max(&self, plan: &Plan) -> usize {
        plan.locks_max(self.0.parts.directory.inner.config.mirror.locked_percent_max)
    }

    pub fn status(&self) -> MirrorStatus {
        self.0.statuses.get()
    }

    /// The snapshot after which the accounts were last brought into step; `None` before the first run. What is built
    /// upon groups follows it.
    pub fn snapshots(&self) -> watch::Receiver<Option<Arc<Snapshot>>> {
        self.0.latest.subscribe()
    }

    /// What a run would do now, without doing it.
    pub async fn plan(&self) -> Result<Plan, MirrorError> {
        Ok(self.look().await?.0)
    }

    /// Reads the directory and the accounts, and compares them.
    async fn look(&self) -> Result<(Plan, Snapshot, usize), MirrorError> {
        let Inner { parts, .. } = &*self.0;
        let reading = parts.directory.read().await?;
        let accounts = parts.accounts.mirrored_people(NAME).await?;
        let config = &parts.directory.inner.config;
        let login_group = Dn::parse(&config.login_group);
        let policy = Policy {
            config: &config.mirror,
            server_name: parts.accounts.server_name(),
            login_group: login_group.as_ref(),
            nested_groups: config.nested_groups,
        };
        let plan = plan(&reading.snapshot, &accounts, policy);
        let taken = parts.accounts.taken_names(&plan.new_names()).await?;
        let plan = plan.without_taken(&taken);
        let unusable = reading.unusable.len();
        for dn in reading.unusable.iter().take(TROUBLES_LOGGED_MAX) {
            tracing::warn!(dn, "an entry of the directory has no usable id or name");
        }
        Ok((plan, reading.snapshot, unusable))
    }

    /// One run, after any that goes on. Whatever goes wrong is logged here and noted in the status.
    pub async fn sync(&self) {
        let inner = &*self.0;
        let _one_at_a_time = inner.running.lock().await;
        let started = inner.parts.accounts.clock().now();
        inner.statuses.change(|status| status.is_running = true);
        let (outcome, counts) = match self.sync_once().await {
            Ok(ended) => ended,
            Err(error) => {
                let reason = with_causes(&error);
                tracing::error!(
                    reason,
                    "the directory was not mirrored, and nothing was changed by this sync"
                );
                (Outcome::Failed(reason), RunCounts::default())
            }
        };
        let ended = inner.parts.accounts.clock().now();
        inner.statuses.ended(Run {
            started,
            ended,
            outcome,
            counts,
        });
    }

    async fn sync_once(&self) -> Result<(Outcome, RunCounts), MirrorError> {
        let Inner {
            parts,
            statuses,
            latest,
            ..
        } = &*self.0;
        let (plan, snapshot, unusable) = self.look().await?;
        let found = RunCounts {
            people: snapshot.people.len(),
            groups: snapshot.groups.len(),
            troubles: plan.troubles.len() + unusable,
            ..RunCounts::default()
        };
        for trouble in plan.troubles.iter().take(TROUBLES_LOGGED_MAX) {
            tracing::warn!(who = trouble.who, "no account is made: {}", trouble.what);
        }
        let (locks, locks_max) = (plan.locks(), self.locks_max(&plan));
        let is_approved = statuses.change(|status| std::mem::take(&mut status.is_approved));
        if locks > locks_max && !is_approved {
            tracing::error!(
                locks,
                locks_max,
                active = plan.active,
                "the directory has lost so many people that nothing is changed before an administrator approves"
            );
            return Ok((Outcome::Stopped { locks, locks_max }, found));
        }
        let changes = plan.changes.len();
        let done = apply(plan, &parts.directory, &parts.accounts, parts.photos.as_deref()).await?;
        if done.created > 0 {
            // Photos are taken over where there is an account.
            self.sync_soon();
        }
        if changes > 0 {
            let RunCounts {
                created,
                updated,
                locked,
                unlocked,
                ..
            } = done;
            tracing::info!(
                created,
                updated,
                locked,
                unlocked,
                "the accounts are as the directory says"
            );
        }
        let snapshot = Arc::new(snapshot);
        latest.send_if_modified(|latest| {
            let differs = latest.as_ref().is_none_or(|latest| *latest != snapshot);
            if differs {
                *latest = Some(snapshot);
            }
            differs
        });
        Ok((
            Outcome::Done,
            RunCounts {
                people: found.people,
                groups: found.groups,
                troubles: found.troubles,
                ..done
            },
        ))
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
