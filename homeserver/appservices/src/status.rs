//! How each service is doing, for operators.

use std::sync::Arc;

use echorift_storage::{Position, Timestamp};
use parking_lot::Mutex;

/// How far a service has come, and what is in the way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Status(Arc<Mutex<Progress>>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Everything up to here is done with.
    pub position: Position,
    /// Whether it has been told all that concerns it.
    pub is_idle: bool,
    pub transactions: u64,
    pub last_success: Option<Timestamp>,
    pub failing: Option<Failing>,
}

/// What a service has not taken yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failing {
    pub since: Timestamp,
    pub attempts: u32,
    pub reason: String,
}

impl Status {
    pub fn of(&self) -> Progress {
        self.0.lock().clone()
    }

    /// The service is at this position, with nothing to do.
    pub fn rest_at(&self, position: Position) {
        let mut progress = self.0.lock();
        progress.position = position;
        progress.is_idle = true;
    }

    /// There is something to tell it after this position.
    pub fn work_after(&self, position: Position) {
        let mut progress = self.0.lock();
        progress.position = position;
        progress.is_idle = false;
    }

    pub fn succeed(&self, now: Timestamp) {
        let mut progress = self.0.lock();
        progress.transactions = progress.transactions.saturating_add(1);
        progress.last_success = Some(now);
        progress.failing = None;
    }

    /// How often it has failed without a break.
    pub fn fail(&self, reason: String, now: Timestamp) -> u32 {
        let mut progress = self.0.lock();
        let known = progress.failing.take();
        let attempts = known.as_ref().map_or(1, |known| known.attempts.saturating_add(1));
        progress.failing = Some(Failing {
            since: known.map_or(now, |known| known.since),
            attempts,
            reason,
        });
        attempts
    }
}

/// One service, as operators are shown it.
#[derive(Debug, Clone)]
pub struct ServiceStatus {
    pub id: String,
    /// `None` for a service that is told nothing.
    pub url: Option<String>,
    /// As whom it acts if it says nothing else.
    pub sender: String,
    /// How much of the log lies between what it has acknowledged and now; 0 if it was told all that concerns it.
    pub lag_positions: i64,
    /// Transactions that it has acknowledged since the server was started.
    pub transactions: u64,
    pub last_success: Option<Timestamp>,
    /// Since when it takes nothing.
    pub failing_since: Option<Timestamp>,
    /// How often it was tried without success.
    pub attempts: u32,
    pub last_error: Option<String>,
}
