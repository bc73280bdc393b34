use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};

use crate::{Chain, Change, Log, StorageError, Tx, database::Connections, tx::Committed};

/// How many changes may wait for the writer; whoever comes later waits for a place.
const QUEUE: usize = 4096;
/// How many changes one transaction takes at most: enough to share a disk sync among hundreds, small enough that the
/// first of them does not wait long.
const BATCH: usize = 512;
/// How many committed batches may wait to be told to the log's listeners.
const DISPATCH_QUEUE: usize = 256;

type BoxFuture<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;
/// Runs inside a transaction of its own; says whether to commit.
type Step = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, bool> + Send>;
type Answer = oneshot::Sender<Result<(), StorageError>>;

/// The way to change the database: a queue in front of the one task that writes.
///
/// The task takes whatever waits, writes it in one transaction and commits once (group commit). There is no timer: an
/// idle server commits at once, a busy one in batches. A change is answered after the commit that holds it, and after
/// the log's listeners were told.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
    commits: Arc<CommitCounters>,
}

/// How many transactions the writer has tried to commit since the start, and how long they took together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitTotals {
    pub commits: u64,
    pub elapsed_us: u64,
}

#[derive(Debug, Default)]
struct CommitCounters {
    commits: AtomicU64,
    elapsed_us: AtomicU64,
}

impl CommitCounters {
    fn add(&self, elapsed: Duration) {
        let elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.elapsed_us.fetch_add(elapsed_us, Ordering::Relaxed);
    }
}

struct Job {
    work: Work,
    answer: Answer,
}

enum Work {
    Change(Change),
    Step(Step),
}

/// Resolves after the commit. Dropping it does not take the change back.
#[must_use = "a change is acknowledged only after its commit"]
pub struct Commit(oneshot::Receiver<Result<(), StorageError>>);

impl Commit {
    pub async fn done(self) -> Result<(), StorageError> {
        self.0.await.unwrap_or(Err(StorageError::Closed))
    }
}

impl Writer {
    pub(crate) fn start(connections: Connections, log: Log) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (dispatch, committed) = mpsc::channel(DISPATCH_QUEUE);
        tokio::spawn(tell(committed, log));
        let commits = Arc::new(CommitCounters::default());
        tokio::spawn(run(jobs, connections, dispatch, Arc::clone(&commits)));
        Self { queue, commits }
    }

    pub fn commit_totals(&self) -> CommitTotals {
        CommitTotals {
            commits: self.commits.commits.load(Ordering::Relaxed),
            elapsed_us: self.commits.elapsed_us.load(Ordering::Relaxed),
        }
    }

    /// Queues a change behind all that were queued before it. Waits only for a place in the queue: whoever must keep
    /// an order (a room) calls this under its lock, and waits for the [`Commit`] outside of it.
    pub async fn submit(&self, change: Change) -> Commit {
        let (answer, done) = oneshot::channel();
        // If the writer has ended, the answer's sender is dropped, which `Commit::done` reports as `Closed`.
        let _ = self
            .queue
            .send(Job {
                work: Work::Change(change),
                answer,
            })
            .await;
        Commit(done)
    }

    /// Queues a change and waits for its commit.
    pub async fn commit(&self, change: Change) -> Result<(), StorageError> {
        self.submit(change).await.done().await
    }

    /// Runs `step` in a transaction of its own, for what must read before it writes (uniqueness, counters, tokens
    /// that may be used once). An error of `step` rolls everything back. It costs a commit of its own.
    pub async fn transact<T, E, F>(&self, step: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let slot = Arc::new(Mutex::new(None));
        let filled = Arc::clone(&slot);
        let step: Step = Box::new(move |tx| {
            Box::pin(async move {
                let result = step(tx).await;
                let commit = result.is_ok();
                if let Ok(mut slot) = filled.lock() {
                    *slot = Some(result);
                }
                commit
            })
        });
        let (answer, done) = oneshot::channel();
        let _ = self
            .queue
            .send(Job {
                work: Work::Step(step),
                answer,
            })
            .await;
        Commit(done).done().await?;
        let result = slot.lock().ok().and_then(|mut slot| slot.take());
        result.unwrap_or_else(|| Err(StorageError::Closed.into()))
    }
}

/// Tells the log's listeners and the callers, apart from the writer so that the next batch is written meanwhile.
async fn tell(mut committed: mpsc::Receiver<(Committed, Vec<Answer>)>, log: Log) {
    while let Some((committed, answers)) = committed.recv().await {
        for (first, effect) in committed.effects {
            effect(first);
        }
        log.tell(&committed.records);
        for answer in answers {
            let _ = answer.send(Ok(()));
        }
    }
}

async fn run(
    mut jobs: mpsc::Receiver<Job>,
    connections: Connections,
    dispatch: mpsc::Sender<(Committed, Vec<Answer>)>,
    commits: Arc<CommitCounters>,
) {
    let mut waiting = Vec::with_capacity(BATCH);
    while jobs.recv_many(&mut waiting, BATCH).await > 0 {
        let mut changes = Vec::with_capacity(waiting.len());
        for Job { work, answer } in waiting.drain(..) {
            match work {
                Work::Change(change) => changes.push((change, answer)),
                Work::Step(step) => {
                    write_batch(&connections, &dispatch, std::mem::take(&mut changes), &commits).await;
                    let started = Instant::now();
                    write_step(&connections, &dispatch, step, answer).await;
                    commits.add(started.elapsed());
                }
            }
        }
        write_batch(&connections, &dispatch, changes, &commits).await;
    }
}

/// Writes all changes in one transaction. A batch that fails cannot be told apart from one bad change in it, so all
/// of them fail, and the rooms they belong to start again from what the database holds.
async fn write_batch(
    connections: &Connections,
    dispatch: &mpsc::Sender<(Committed, Vec<Answer>)>,
    batch: Vec<(Change, Answer)>,
    commits: &CommitCounters,
) {
    let mut changes = Vec::with_capacity(batch.len());
    let mut answers = Vec::with_capacity(batch.len());
    let mut chains: Vec<Chain> = Vec::new();
    for (change, answer) in batch {
        if change.chain.as_ref().is_some_and(Chain::is_broken) {
            let _ = answer.send(Err(StorageError::ChainBroken));
            continue;
        }
        chains.extend(change.chain.clone());
        changes.push(change);
        answers.push(answer);
    }
    if changes.is_empty() {
        return;
    }
    let started = Instant::now();
    metrics::histogram!("echorift_storage_batch_changes")
        .record(u32::try_from(changes.len()).unwrap_or(u32::MAX));
    let result = async {
        let mut tx = connections.begin().await?;
        tx.apply_all(changes).await?;
        tx.commit().await
    }
    .await;
    let elapsed = started.elapsed();
    commits.add(elapsed);
    metrics::histogram!("echorift_storage_commit_seconds").record(elapsed);
    match result {
        Ok(committed) => {
            let _ = dispatch.send((committed, answers)).await;
        }
        Err(error) => {
            tracing::error!(%error, changes = answers.len(), "a batch of changes was not committed");
            for chain in chains {
                chain.break_it();
            }
            for answer in answers {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }
}

async fn write_step(
    connections: &Connections,
    dispatch: &mpsc::Sender<(Committed, Vec<Answer>)>,
    step: Step,
    answer: Answer,
) {
    let result = async {
        let mut tx = connections.begin().await?;
        if step(&mut tx).await {
            return tx.commit().await.map(Some);
        }
        tx.rollback().await.map(|()| None)
    }
    .await;
    match result {
        Ok(Some(committed)) => {
            let _ = dispatch.send((committed, vec![answer])).await;
        }
        // The step has left its own error for its caller.
        Ok(None) => {
            let _ = answer.send(Ok(()));
        }
        Err(error) => {
            tracing::error!(%error, "a change was not committed");
            let _ = answer.send(Err(error));
        }
    }
}
