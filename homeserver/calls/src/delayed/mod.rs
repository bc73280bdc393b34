//! Delayed events (MSC4140): what a client wants to have said at a later time, or when it can say nothing any more.
//!
//! - [`DelayedEvents`] keeps them in the database, where they are safe before anyone is told so (`schedule`).
//! - `timer` sends those whose time has come, `sending` is how one is sent, `actions` are what can be done before that.
//! - `overtaken` cancels what somebody else's state has made obsolete.
//!
//! An event is sent once: that it was sent is written in the same commit as the event. Actions on one event come one
//! after the other (`turns`), so one server may work on a database at a time.

mod actions;
mod error;
mod event;
mod http;
mod overtaken;
mod purge;
mod schedule;
mod sending;
mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod timer;
mod turns;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use echorift_accounts::Accounts;
use echorift_rooms::{DelayId, Rooms};
use echorift_storage::{Database, EventNumber, LogListener, Sequence, StorageError, Timestamp, UserNumber};
use echorift_web::RateLimits;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc, watch};

pub(crate) use self::http::routes;
pub use self::{
    actions::Asker,
    error::DelayedError,
    event::{DelayedEvent, Fate},
};
use self::{overtaken::Watcher, turns::Turns};

/// What the operator configures (`[calls]`).
#[derive(Debug, Clone, Copy)]
pub struct DelayedEventOptions {
    /// The longest delay; none at all if it is zero.
    pub delay_max: Duration,
    /// How many may wait at a time for one user; none at all if it is zero.
    pub per_user_max: u32,
    /// Whether who knows the ID of a delayed event may manage it without a token.
    pub unauthenticated: bool,
}

impl DelayedEventOptions {
    /// Whether events can be delayed here.
    pub fn is_on(&self) -> bool {
        !self.delay_max.is_zero() && self.per_user_max > 0
    }

    /// What clients are told of it (MSC4140 § Delayed event limits as a capability); nothing where it is off.
    pub fn capabilities(&self) -> Vec<(String, Value)> {
        let limits =
            json!({ "max_delay_ms": milliseconds(self.delay_max), "max_scheduled": self.per_user_max });
        let names = ["m.delayed_events", "org.matrix.msc4140.delayed_events"];
        let told = names.into_iter().filter(|_| self.is_on());
        told.map(|name| (name.to_owned(), limits.clone())).collect()
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The delayed events of this server. Cheap to clone.
#[derive(Clone)]
pub struct DelayedEvents(Arc<Inner>);

struct Inner {
    options: DelayedEventOptions,
    rooms: Rooms,
    accounts: Accounts,
    limits: Arc<RateLimits>,
    numbers: Sequence,
    /// What is done with one event is done one after the other, so that none is both sent and cancelled, or sent twice.
    turns: Turns<DelayId>,
    /// Of one user's requests to schedule, so that the limit holds.
    schedulers: Turns<UserNumber>,
    /// Tells the timer of an event that is due before the one that it waits for.
    sooner: Notify,
    /// What the timer waits for.
    next_due: AtomicI64,
    watcher: Arc<Watcher>,
}

/// What the log tells of, for [`DelayedEvents::run`].
pub struct Watched(mpsc::Receiver<EventNumber>);

impl DelayedEvents {
    /// Nothing is sent before [`DelayedEvents::run`].
    pub fn new(
        options: DelayedEventOptions,
        rooms: &Rooms,
        accounts: &Accounts,
        limits: Arc<RateLimits>,
    ) -> (Self, Watched) {
        let (watcher, watched) = Watcher::new();
        let delayed = Self(Arc::new(Inner {
            options,
            numbers: Sequence::new("delayed_number", rooms.database()),
            rooms: rooms.clone(),
            accounts: accounts.clone(),
            limits,
            turns: Turns::default(),
            schedulers: Turns::default(),
            sooner: Notify::new(),
            next_due: AtomicI64::new(i64::MAX),
            watcher: Arc::new(watcher),
        }));
        (delayed, Watched(watched))
    }

    /// Hears what is appended to rooms.
    pub fn listener(&self) -> Arc<dyn LogListener> {
        Arc::clone(&self.0.watcher) as Arc<dyn LogListener>
    }

    /// Sends what is due, from what was missed while the server was down on, until `stopping` turns true.
    pub fn run(&self, watched: Watched, stopping: watch::Receiver<bool>) {
        tokio::spawn(timer::run(self.clone(), stopping.clone()));
        tokio::spawn(overtaken::run(self.clone(), watched.0, stopping.clone()));
        tokio::spawn(purge::run(
            self.database().clone(),
            self.0.rooms.clock().clone(),
            stopping,
        ));
    }

    pub fn options(&self) -> &DelayedEventOptions {
        &self.0.options
    }

    /// The event with this ID, whatever became of it; `None` if there was none, or it was forgotten since.
    pub async fn find(&self, id: &DelayId) -> Result<Option<DelayedEvent>, StorageError> {
        store::find(self.database(), id).await
    }

    fn database(&self) -> &Database {
        self.0.rooms.database()
    }

    fn now(&self) -> Timestamp {
        self.0.rooms.clock().now()
    }

    /// Has the timer look again if it would otherwise sleep past this time.
    fn wake_by(&self, due: Timestamp) {
        if due.0 < self.0.next_due.load(Ordering::SeqCst) {
            self.0.sooner.notify_one();
        }
    }
}
