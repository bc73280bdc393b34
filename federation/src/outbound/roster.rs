//! All destinations, and who of them is asked again when.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use dashmap::DashMap;
use echorift_storage::{Position, Timestamp};
use parking_lot::Mutex;
use ruma::{OwnedServerName, ServerName};
use tokio::sync::{Notify, Semaphore};

use super::destination::{Cursors, Destination, Standing};

/// How many transactions are under way to servers that answered the last one.
const IN_FLIGHT: usize = 256;
/// How many are under way to servers that were not asked yet since the start: many may turn out to be away, and those
/// that answered shall not wait for their timeouts.
const IN_FLIGHT_UNTRIED: usize = 64;
/// How many servers that failed are asked again at a time.
const IN_FLIGHT_FAILING: usize = 32;
/// How many destinations read what they missed from the database at a time.
const CATCHING_UP: usize = 4;
/// The longest sleep of who asks failed servers again, in case the clock is set.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

pub(super) struct Roster {
    destinations: DashMap<OwnedServerName, Arc<Destination>>,
    /// Those that failed, by when they are due.
    due: Mutex<Due>,
    due_changed: Notify,
    proven: Semaphore,
    untried: Semaphore,
    failing: Semaphore,
    pub catching_up: Semaphore,
}

/// Each server stands here once.
#[derive(Default)]
struct Due {
    in_order: BTreeSet<(Timestamp, OwnedServerName)>,
    of_server: HashMap<OwnedServerName, Timestamp>,
}

impl Due {
    fn put(&mut self, server: &ServerName, due: Timestamp) {
        if let Some(earlier) = self.of_server.insert(server.to_owned(), due) {
            self.in_order.remove(&(earlier, server.to_owned()));
        }
        self.in_order.insert((due, server.to_owned()));
    }

    fn next(&self) -> Option<Timestamp> {
        self.in_order.first().map(|(due, _)| *due)
    }

    fn take_due(&mut self, now: Timestamp) -> Vec<OwnedServerName> {
        let mut taken = Vec::new();
        while self.next().is_some_and(|due| due <= now)
            && let Some((_, server)) = self.in_order.pop_first()
        {
            self.of_server.remove(&server);
            taken.push(server);
        }
        taken
    }
}

impl Roster {
    pub fn new() -> Self {
        Self {
            destinations: DashMap::new(),
            due: Mutex::default(),
            due_changed: Notify::new(),
            proven: Semaphore::new(IN_FLIGHT),
            untried: Semaphore::new(IN_FLIGHT_UNTRIED),
            failing: Semaphore::new(IN_FLIGHT_FAILING),
            catching_up: Semaphore::new(CATCHING_UP),
        }
    }

    pub fn find(&self, server: &ServerName) -> Option<Arc<Destination>> {
        self.destinations.get(server).map(|found| Arc::clone(&found))
    }

    /// The destination, made if need be.
    pub fn destination(&self, server: &ServerName) -> Arc<Destination> {
        if let Some(found) = self.find(server) {
            return found;
        }
        let made = self.destinations.entry(server.to_owned());
        Arc::clone(&made.or_insert_with(|| Arc::new(Destination::new(server.to_owned()))))
    }

    /// Takes one that was behind when the server stopped.
    pub fn add_behind(&self, server: OwnedServerName, cursors: Cursors, visible: Position) {
        let destination = Destination::behind(server.clone(), cursors, visible);
        self.destinations.insert(server, Arc::new(destination));
    }

    pub fn all(&self) -> Vec<Arc<Destination>> {
        self.destinations.iter().map(|entry| Arc::clone(&entry)).collect()
    }

    /// The budget out of which the next transaction to such a destination is sent.
    pub fn budget(&self, standing: Standing) -> &Semaphore {
        match standing {
            Standing::Proven => &self.proven,
            Standing::Untried => &self.untried,
            Standing::Failing => &self.failing,
        }
    }

    /// How many transactions are under way.
    pub fn in_flight(&self) -> usize {
        let free = self.proven.available_permits()
            + self.untried.available_permits()
            + self.failing.available_permits();
        (IN_FLIGHT + IN_FLIGHT_UNTRIED + IN_FLIGHT_FAILING).saturating_sub(free)
    }

    /// Has the destination asked again at this time.
    pub fn retry_at(&self, server: &ServerName, due: Timestamp) {
        self.due.lock().put(server, due);
        self.due_changed.notify_one();
    }

    /// Those that are due; resolves when there are any. `now` is asked again and again.
    pub async fn due(&self, now: impl Fn() -> Timestamp) -> Vec<OwnedServerName> {
        loop {
            let sleep = {
                let mut waiting = self.due.lock();
                let now = now();
                let due = waiting.take_due(now);
                if !due.is_empty() {
                    return due;
                }
                let pause = waiting.next().map(|next| next.0.saturating_sub(now.0));
                let pause = pause.and_then(|pause| u64::try_from(pause).ok());
                pause.map_or(LOOK_AGAIN, |pause| LOOK_AGAIN.min(Duration::from_millis(pause)))
            };
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = self.due_changed.notified() => {}
            }
        }
    }
}
