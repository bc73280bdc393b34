//! The process's side: reads the directory, and tells the server.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{Mutex, watch};
use tokio::time::sleep;

use super::parts::{PART_VALUES_MAX, parts_of, values_of};
use super::target::{FeedFailure, FeedTarget, Line};
use super::wire::{FedChanges, FedEntries, FedGroup, FedPerson, FedRun, FedState, FedTotals};
use crate::directory::Directory;
use crate::mirror::notice;
use crate::mirror::pace::{self, Runs};
use crate::mirror::read::{ReadError, Unclear};
use crate::mirror::records::{Changes, Records};
use crate::mirror::snapshot::{ImmutableId, Snapshot};
use crate::mirror::told::{Changed, Told};

/// How long the server is asked to wait until somebody wants everything read.
const STATE_WAIT: Duration = Duration::from_secs(45);
/// How soon what failed is tried again; each time after twice as long.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);

/// Feeds a server with one domain of the directory. Clones share everything.
#[derive(Clone)]
pub struct FeedSender(Arc<Inner>);

struct Inner {
    directory: Directory,
    line: Line,
    told: Told,
    /// Whether the directory tells of changes.
    is_told: watch::Sender<bool>,
    /// What the server knows. Held while something is read and sent.
    step: Mutex<Step>,
}

#[derive(Default)]
struct Step {
    known: Option<Known>,
    /// How long to wait after a failure.
    retry: Duration,
}

/// What the server has followed.
struct Known {
    state: FedState,
    records: Records,
    snapshot: Snapshot,
}

/// Why a run came to nothing.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    #[error("the directory could not be read: {0}")]
    Read(#[from] ReadError),
    #[error(transparent)]
    Server(#[from] FeedFailure),
}

impl FeedSender {
    pub fn new(directory: Directory, target: FeedTarget) -> Self {
        let domain = directory.domain().to_owned();
        Self(Arc::new(Inner {
            directory,
            line: Line { target, domain },
            told: Told::default(),
            is_told: watch::Sender::new(false),
            step: Mutex::default(),
        }))
    }

    /// Goes on until `stopping` turns true. A server that is away is waited for.
    ///
    /// Error: at the start, a server that will never take this: it knows no such token, or reads the directory itself.
    pub async fn run(&self, mut stopping: watch::Receiver<bool>) -> Result<(), FeedFailure> {
        let run = async {
            self.meet().await?;
            tokio::join!(pace::go_on(self), self.listen(), self.attend());
            Ok(())
        };
        tokio::select! {
            _ = stopping.wait_for(|stops| *stops) => Ok(()),
            ended = run => ended,
        }
    }

    /// Waits until the server answers.
    async fn meet(&self) -> Result<(), FeedFailure> {
        let mut retry = RETRY_FIRST;
        loop {
            match self.0.line.state(Duration::ZERO, false).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is_final() => return Err(error),
                Err(error) => tracing::warn!(%error, "waiting for the server"),
            }
            sleep(retry).await;
            retry = later(retry);
        }
    }

    async fn listen(&self) {
        let Inner {
            directory,
            told,
            is_told,
            ..
        } = &*self.0;
        let note = |now| {
            is_told.send_replace(now);
        };
        notice::follow(directory, told, &note).await;
    }

    /// Asks the server whether somebody wants everything read, or whether it has forgotten what it knew.
    async fn attend(&self) {
        let mut retry = RETRY_FIRST;
        let mut is_told = self.0.is_told.subscribe();
        // A server that is back is asked first what it knows.
        let mut wait = Duration::ZERO;
        loop {
            let now = *is_told.borrow_and_update();
            let state = tokio::select! {
                state = self.0.line.state(wait, now) => state,
                // Said at once, for operators look at it.
                Ok(()) = is_told.changed() => continue,
            };
            match state {
                Ok(state) => {
                    (retry, wait) = (RETRY_FIRST, STATE_WAIT);
                    // While something is sent, what the server knows changes.
                    let step = self.0.step.lock().await;
                    let known = step.known.as_ref();
                    let is_forgotten = known.is_some_and(|known| known.state.reading_id != state.reading_id);
                    if state.wants_reading || is_forgotten {
                        self.0.told.whole();
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the server does not answer");
                    (retry, wait) = (later(retry), Duration::ZERO);
                }
            }
            sleep(retry).await;
        }
    }

    async fn send_whole(&self) -> Result<Option<Known>, NotSent> {
        let Inner { directory, line, .. } = &*self.0;
        // What changes after this the reading shows, or the next one is asked for.
        let reading_id = line.begin().await?;
        let reading = match directory.read().await {
            Ok(reading) => reading,
            Err(error) => {
                line.fail(&reading_id, &error.to_string()).await?;
                return Err(error.into());
            }
        };
        let mut totals = FedTotals {
            parts: 0,
            people: reading.records.people().count(),
            groups: reading.records.groups().count(),
            unusable: reading.unusable,
        };
        for part in parts_of(&reading.records) {
            line.put(&reading_id, totals.parts, &part).await?;
            totals.parts += 1;
        }
        let run = line.complete(&reading_id, &totals).await?;
        tell(&run, totals.people);
        self.send_photos(&run, &reading.snapshot).await;
        let known = run.state.reading_id.is_some().then_some(Known {
            state: run.state,
            records: reading.records,
            snapshot: reading.snapshot,
        });
        Ok(known)
    }

    async fn send_changes(&self, changed: &Changed, known: Known) -> Result<Option<Known>, NotSent> {
        let Inner {
            directory,
            line,
            told,
            ..
        } = &*self.0;
        let Known {
            records, snapshot, ..
        } = &known;
        let read = directory.read_changed(changed, records, snapshot).await;
        let changes = match read {
            Ok(changes) => changes,
            Err(Unclear::Whole(_)) => {
                told.whole();
                return Ok(Some(known));
            }
            Err(Unclear::Read(error)) => return Err(error.into()),
        };
        let sent = sent(&known.state, &changes);
        let merged = records.merge(snapshot, changes);
        if !merged.has_changed {
            return Ok(Some(known));
        }
        if values_of(&sent.entries) > PART_VALUES_MAX {
            told.whole();
            return Ok(Some(known));
        }
        let run = match line.changes(&sent).await {
            Err(error) if error.has_status(StatusCode::CONFLICT) => {
                told.whole();
                return Ok(None);
            }
            run => run?,
        };
        tell(&run, sent.entries.people.len() + sent.gone.len());
        self.send_photos(&run, &merged.snapshot).await;
        let known = run.state.reading_id.is_some().then_some(Known {
            state: run.state,
            records: merged.records,
            snapshot: merged.snapshot,
        });
        if known.is_none() {
            told.whole();
        }
        Ok(known)
    }

    /// Photos that cannot be sent are asked for again.
    async fn send_photos(&self, run: &FedRun, snapshot: &Snapshot) {
        let Inner { directory, line, .. } = &*self.0;
        for id in &run.photos {
            let Some(person) = snapshot.people.get(&ImmutableId::new(id.as_str())) else {
                continue;
            };
            match directory.photo(&person.dn).await {
                Ok(Some(photo)) => {
                    if let Err(error) = line.photo(id, photo).await {
                        tracing::warn!(dn = %person.dn, %error, "a photo was not taken");
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(dn = %person.dn, %error, "a photo could not be read"),
            }
        }
    }

    /// Takes note of how a run ended. After a failure everything is read again, later each time.
    async fn end(&self, step: &mut Step, ended: Result<Option<Known>, NotSent>) {
        match ended {
            Ok(known) => {
                *step = Step {
                    known,
                    retry: Duration::ZERO,
                }
            }
            Err(error) => {
                tracing::error!(%error, "the server was not told what the directory holds; everything is read again");
                step.known = None;
                step.retry = later(step.retry);
                sleep(step.retry).await;
                self.0.told.whole();
            }
        }
    }
}

impl Runs for FeedSender {
    fn directory(&self) -> &Directory {
        &self.0.directory
    }

    fn told(&self) -> &Told {
        &self.0.told
    }

    async fn whole(&self) {
        let mut step = self.0.step.lock().await;
        step.known = None;
        self.0.told.clear();
        let ended = self.send_whole().await;
        self.end(&mut step, ended).await;
    }

    async fn changes(&self) {
        let mut step = self.0.step.lock().await;
        let changed = self.0.told.take_entries();
        if changed.reads_nothing() {
            return;
        }
        let Some(known) = step.known.take() else {
            self.0.told.whole();
            return;
        };
        let ended = self.send_changes(&changed, known).await;
        self.end(&mut step, ended).await;
    }
}

fn later(retry: Duration) -> Duration {
    retry.saturating_mul(2).clamp(RETRY_FIRST, RETRY_MAX)
}

/// What follows what the server knows.
fn sent(state: &FedState, changes: &Changes) -> FedChanges {
    let (come, gone): (Vec<_>, Vec<_>) = changes.people.iter().partition(|(_, record)| record.is_some());
    let people = come.into_iter().filter_map(|(_, record)| record.as_ref());
    FedChanges {
        reading_id: state.reading_id.clone().unwrap_or_default(),
        revision: state.revision,
        entries: FedEntries {
            people: people.map(FedPerson::from).collect(),
            groups: changes.groups.values().map(FedGroup::from).collect(),
        },
        gone: gone.into_iter().map(|(id, _)| id.to_string()).collect(),
    }
}

fn tell(run: &FedRun, people: usize) {
    match run.reason.as_deref() {
        None => tracing::info!(people, "the server has followed the directory"),
        Some(reason) => tracing::error!(
            outcome = run.outcome,
            reason,
            "the server does not follow the directory"
        ),
    }
}
