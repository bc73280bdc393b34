//! What is known of the runs, for whoever operates the server.

use std::sync::{Mutex, PoisonError};

use echorift_storage::Timestamp;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The accounts are as the directory says.
    Done,
    /// Nothing was changed, for a reason that the next run may not meet.
    Failed(String),
    /// Nothing was changed: too many would have been locked. Waits for an administrator's word.
    Stopped { locks: usize, locks_max: usize },
}

impl Outcome {
    /// Its name in metrics and the administration API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed(_) => "failed",
            Self::Stopped { .. } => "stopped",
        }
    }
}

/// How much of the directory a run has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Whole,
    /// What the directory told of, and what followed from it.
    Told,
}

impl Reach {
    /// Its name in metrics and the administration API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Told => "changes",
        }
    }
}

/// What a run has found and done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunCounts {
    pub people: usize,
    pub groups: usize,
    pub created: usize,
    pub updated: usize,
    pub locked: usize,
    pub unlocked: usize,
    /// People and entries that were left as they are, each with a line in the log.
    pub troubles: usize,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub started: Timestamp,
    pub ended: Timestamp,
    pub reach: Reach,
    pub outcome: Outcome,
    pub counts: RunCounts,
}

/// How mirroring fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MirrorStatus {
    pub is_running: bool,
    /// Whether changes are known within seconds at present: the directory tells of them, or counts them and is asked.
    pub is_told: bool,
    pub last: Option<Run>,
    /// When a run was last done with.
    pub last_done: Option<Timestamp>,
    /// Whether the next run may lock as many as it wants.
    pub is_approved: bool,
    /// Where another process reads the directory: what was heard of it.
    pub feed: Option<Heard>,
}

/// What was heard of the process that reads the directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// When it last said anything, since this server's start.
    pub last: Option<Timestamp>,
    /// Whether that is so short a time ago that it is there.
    pub is_connected: bool,
}

/// Guards a few values; nothing is awaited while it is held.
#[derive(Debug)]
pub(super) struct Statuses {
    /// What metrics call the domain.
    domain: String,
    status: Mutex<MirrorStatus>,
}

impl Statuses {
    /// Of the domain that metrics call so.
    pub(super) fn new(domain: &str) -> Self {
        Self {
            domain: domain.to_owned(),
            status: Mutex::default(),
        }
    }

    pub(super) fn get(&self) -> MirrorStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut MirrorStatus) -> T) -> T {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes the end of a run, and tells the metrics.
    pub(super) fn ended(&self, run: Run) {
        let seconds = run.ended.0.saturating_sub(run.started.0) as f64 / 1000.0;
        let (reach, outcome) = (run.reach.as_str(), run.outcome.as_str());
        metrics::histogram!("echorift_directory_sync_seconds", "reach" => reach).record(seconds);
        metrics::counter!("echorift_directory_syncs_total", "outcome" => outcome, "reach" => reach)
            .increment(1);
        let set = |name: &'static str, value: f64| {
            metrics::gauge!(name, "domain" => self.domain.clone()).set(value);
        };
        let is_stopped = matches!(run.outcome, Outcome::Stopped { .. });
        set(
            "echorift_directory_safety_stop",
            if is_stopped { 1.0 } else { 0.0 },
        );
        if run.outcome == Outcome::Done {
            set(
                "echorift_directory_last_sync_timestamp_seconds",
                run.ended.0 as f64 / 1000.0,
            );
            set("echorift_directory_people", run.counts.people as f64);
            set("echorift_directory_groups", run.counts.groups as f64);
        }
        self.change(|status| {
            status.is_running = false;
            if run.outcome == Outcome::Done {
                status.last_done = Some(run.ended);
            }
            status.last = Some(run);
        });
    }
}
