//! One other server: what waits for it, and how far it has what is ours.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use echorift_storage::{EventNumber, Position, Timestamp};
use parking_lot::Mutex;
use ruma::OwnedServerName;
use tokio::sync::Notify;

use super::{
    edu::RawEdu,
    live_edus::LiveEdu,
    live_edus::LiveEdus,
    transaction::{EDUS_MAX, PDUS_MAX},
};

/// How many events wait in memory for one destination; 16 KB. With more it lags, and reads them from the database.
const QUEUE_MAX: usize = 1_000;
/// Transactions with nothing but receipts and presence go out so far apart, so that those of many readers are merged.
const PACE: Duration = Duration::from_millis(500);

/// How far a destination is: with events, and with EDUs that must arrive.
pub(super) type Cursors = (Position, Position);

/// An event and its place in the log.
pub(super) type Queued = (Position, EventNumber);

pub(super) struct Destination {
    pub name: OwnedServerName,
    /// Taken for moments only, and nothing else is taken while it is held.
    state: Mutex<State>,
    /// How it answered last, for whoever operates the server. Taken for moments only.
    answers: Mutex<Answers>,
    /// Ends the worker's pause.
    wake: Notify,
}

/// How a destination answered last.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    /// When something last arrived.
    pub last_success: Option<Timestamp>,
    /// Why nothing has since.
    pub failure: Option<LastFailure>,
}

/// Why a transaction did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFailure {
    pub reason: String,
    /// Whether the server answered, and would not have it.
    pub is_refusal: bool,
}

/// How a destination answered of late, which decides out of which budget the next transaction is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    /// Not asked since the start.
    #[default]
    Untried,
    Proven,
    Failing,
}

#[derive(Default)]
struct State {
    standing: Standing,
    /// Every event of ours up to here that concerns the destination was sent, as long as `latest` is behind it; what
    /// came between it and `latest` was not.
    events_sent: Position,
    /// The last event that concerns the destination.
    latest: Position,
    /// Whether the queue does not hold all that waits: the rest is read from the database.
    is_lagging: bool,
    /// In log order; those under way stay until they are acknowledged.
    queue: VecDeque<Queued>,
    /// While it lags: up to where the queue holds all.
    queue_covers: Position,
    /// As the first two, for EDUs that must arrive.
    edus_sent: Position,
    edus_latest: Position,
    /// Boxed, for destinations that are away have none.
    live: Option<Box<LiveEdus>>,
    /// When the last transaction with nothing but live EDUs went out.
    last_live: Option<Instant>,
    is_running: bool,
    /// Whether it failed and is not due yet.
    is_resting: bool,
    /// Whether a transaction was refused as a whole: single items find out by which of them.
    is_careful: bool,
    /// The transaction that got no answer last.
    unanswered: Option<Box<Unanswered>>,
    /// How often it failed or was not asked since something last arrived.
    rests: u8,
    /// The cursors in the database, if it has a row.
    stored: Option<Cursors>,
}

/// A transaction that may have arrived or not: it is repeated before another is sent (SS API § Transactions).
struct Unanswered {
    transaction_id: String,
    held: Arrived,
}

/// What a worker does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Send,
    /// Fetch the events after this position, and say what came of it by [`Destination::fill`].
    CatchUp(Position),
    Pause(Duration),
    /// Nothing waits: the worker ends, and whoever brings something starts another.
    Done,
}

/// What the next transaction is made of.
#[derive(Debug)]
pub(super) struct Plan {
    pub events: Vec<Queued>,
    /// Of the live kind.
    pub edus: Vec<RawEdu>,
    /// Durable EDUs are wanted after this position, at most so many.
    pub durable: Option<(Position, usize)>,
    /// The last durable EDU that is known to wait.
    pub durable_latest: Position,
    /// The ID of the transaction that this repeats.
    pub transaction_id: Option<String>,
    /// Whether this is an item by itself, after a transaction was refused.
    pub is_careful: bool,
}

/// What has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrived {
    pub events: Option<Position>,
    pub edus: Option<Position>,
}

impl Destination {
    /// One that has everything up to the position at which it first hears something.
    pub fn new(name: OwnedServerName) -> Self {
        Self {
            name,
            state: Mutex::default(),
            answers: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// One that was behind when the server stopped; `visible` is the end of the log.
    pub fn behind(name: OwnedServerName, (events, edus): Cursors, visible: Position) -> Self {
        let destination = Self::new(name);
        *destination.state.lock() = State {
            events_sent: events,
            latest: visible,
            is_lagging: true,
            edus_sent: edus,
            edus_latest: visible,
            stored: Some((events, edus)),
            ..State::default()
        };
        destination
    }

    /// Takes an event; positions only ever grow. Whether a worker must be started.
    pub fn push_event(&self, (position, event): Queued) -> bool {
        let mut state = self.state.lock();
        if position <= state.events_sent.max(state.latest) {
            return false;
        }
        if !state.has_events() {
            // What came before concerned others.
            state.events_sent = Position(position.0 - 1);
            state.is_lagging = state.is_resting;
        }
        state.latest = position;
        if !state.is_lagging {
            if state.queue.len() < QUEUE_MAX {
                state.queue.push_back((position, event));
            } else {
                state.lag();
            }
        }
        self.start(&mut state)
    }

    /// Has all that concerns it from this place on read from the database, and what else it is owed by then. Whether a
    /// worker must be started.
    pub fn fall_behind(&self, position: Position) -> bool {
        let mut state = self.state.lock();
        if position <= state.events_sent {
            return false;
        }
        if !state.has_events() {
            state.events_sent = Position(position.0 - 1);
        }
        state.latest = state.latest.max(position);
        state.lag();
        self.start(&mut state)
    }

    /// Says that durable EDUs wait with `after < position <= up_to`. Whether a worker must be started.
    pub fn push_durable(&self, after: Position, up_to: Position) -> bool {
        let mut state = self.state.lock();
        if up_to <= state.edus_sent.max(state.edus_latest) {
            return false;
        }
        if !state.has_durable() {
            state.edus_sent = state.edus_sent.max(after);
        }
        state.edus_latest = up_to;
        self.start(&mut state)
    }

    /// Takes news; whether it was taken, and whether a worker must be started.
    pub fn push_live(&self, edu: Arc<LiveEdu>) -> (bool, bool) {
        let mut state = self.state.lock();
        if state.is_resting {
            return (false, false);
        }
        let is_taken = state.live.get_or_insert_default().push(edu);
        (is_taken, self.start(&mut state))
    }

    fn start(&self, state: &mut State) -> bool {
        if state.is_running {
            self.wake.notify_one();
            return false;
        }
        if state.is_resting {
            return false;
        }
        state.is_running = true;
        true
    }

    /// The destination is due again, or `has_shown` that it lives. Whether a worker must be started.
    pub fn rouse(&self, has_shown: bool) -> bool {
        let mut state = self.state.lock();
        state.is_resting = false;
        if has_shown && state.standing == Standing::Failing {
            state.standing = Standing::Untried;
        }
        if state.is_running || state.is_idle() {
            return false;
        }
        state.is_running = true;
        true
    }

    pub fn standing(&self) -> Standing {
        self.state.lock().standing
    }

    /// Resolves when something was pushed since the last step.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    pub fn next_step(&self, now: Instant) -> Step {
        let mut state = self.state.lock();
        state.catch_live();
        if state.is_lagging && state.queue.is_empty() {
            return Step::CatchUp(state.events_sent);
        }
        if state.has_events() || state.has_durable() {
            return Step::Send;
        }
        let Some(live) = state.live.as_ref().filter(|live| !live.is_empty()) else {
            state.live = None;
            state.is_running = false;
            return Step::Done;
        };
        let pace = state.last_live.map_or(Duration::ZERO, |last| {
            (last + PACE).saturating_duration_since(now)
        });
        if live.is_urgent() || pace.is_zero() {
            Step::Send
        } else {
            Step::Pause(pace)
        }
    }

    /// What goes into the next transaction. The events stay queued until [`Destination::arrived`].
    pub fn plan(&self, now: Instant) -> Plan {
        let mut state = self.state.lock();
        if let Some(plan) = state.repetition() {
            return plan;
        }
        state.unanswered = None;
        let state = &mut *state;
        let pdus_max = if state.is_careful { 1 } else { PDUS_MAX };
        let events: Vec<Queued> = state.queue.iter().take(pdus_max).copied().collect();
        let mut edus = Vec::new();
        if !state.is_careful
            && let Some(live) = &mut state.live
        {
            edus = live.take();
            if events.is_empty() && !state.has_durable() {
                state.last_live = Some(now);
            }
        }
        let room = match state.is_careful {
            true if events.is_empty() => 1,
            true => 0,
            false => EDUS_MAX - edus.len().min(EDUS_MAX),
        };
        Plan {
            events,
            edus,
            durable: (state.has_durable() && room > 0).then_some((state.edus_sent, room)),
            durable_latest: state.edus_latest,
            transaction_id: None,
            is_careful: state.is_careful,
        }
    }

    /// A transaction got no answer. What is told by [`Plan::edus`] is not repeated with it.
    pub fn unanswered(&self, transaction_id: String, held: Arrived) {
        let held_anything = held.events.or(held.edus).is_some();
        let unanswered = Unanswered { transaction_id, held };
        self.state.lock().unanswered = held_anything.then(|| Box::new(unanswered));
    }

    /// The destination has acknowledged everything up to these positions.
    pub fn arrived(&self, arrived: Arrived) {
        let mut state = self.state.lock();
        state.standing = Standing::Proven;
        state.rests = 0;
        state.pass(arrived);
    }

    /// Goes on without what was refused for good.
    pub fn skip(&self, refused: Arrived) {
        let mut state = self.state.lock();
        state.is_careful = false;
        state.pass(refused);
    }

    /// A transaction of several items was refused: from now on they go one by one.
    pub fn be_careful(&self) {
        let mut state = self.state.lock();
        state.is_careful = true;
        state.unanswered = None;
    }

    /// Takes a page of what it missed: all events up to `covers`.
    pub fn fill(&self, events: Vec<Queued>, covers: Position) {
        let mut state = self.state.lock();
        if !state.is_lagging {
            return;
        }
        if events.is_empty() {
            state.events_sent = state.events_sent.max(covers);
        }
        // What comes from before is no part of the transaction that got no answer, and would go under its name.
        if events
            .first()
            .is_some_and(|(first, _)| *first <= state.events_sent)
        {
            state.unanswered = None;
        }
        state.queue = events.into();
        state.queue_covers = covers;
    }

    /// It did not answer, or is not asked: what waits for it in memory is let go of, and the worker ends. How often that
    /// was so before since something last arrived.
    pub fn rest(&self, has_failed: bool) -> u8 {
        let mut state = self.state.lock();
        if has_failed {
            state.standing = Standing::Failing;
        }
        state.lag();
        state.live = None;
        state.is_resting = true;
        state.is_running = false;
        let before = state.rests;
        state.rests = before.saturating_add(1);
        before
    }

    /// The worker ends although something may wait.
    pub fn stop(&self) {
        self.state.lock().is_running = false;
    }

    pub fn note_success(&self, now: Timestamp) {
        *self.answers.lock() = Answers {
            last_success: Some(now),
            failure: None,
        };
    }

    pub fn note_failure(&self, failure: LastFailure) {
        self.answers.lock().failure = Some(failure);
    }

    pub fn answers(&self) -> Answers {
        self.answers.lock().clone()
    }

    pub fn status(&self) -> Status {
        let state = self.state.lock();
        Status {
            is_lagging: state.is_lagging,
            is_resting: state.is_resting,
            events_sent: state.has_events().then_some(state.events_sent),
            edus_sent: state.has_durable().then_some(state.edus_sent),
            queued: state.queue.len(),
            live_edus: state.live.as_ref().map_or(0, |live| live.len()),
            stored: state.stored,
        }
    }

    pub fn set_stored(&self, stored: Option<Cursors>) {
        self.state.lock().stored = stored;
    }
}

impl State {
    fn has_events(&self) -> bool {
        self.latest > self.events_sent
    }

    fn has_durable(&self) -> bool {
        self.edus_latest > self.edus_sent
    }

    fn is_idle(&self) -> bool {
        !self.has_events() && !self.has_durable() && self.live.as_ref().is_none_or(|live| live.is_empty())
    }

    fn lag(&mut self) {
        self.queue = VecDeque::new();
        self.queue_covers = Position::default();
        self.is_lagging = true;
    }

    /// Once it has caught up with what was routed meanwhile, it is served from memory again.
    fn catch_live(&mut self) {
        if self.is_lagging && self.queue.is_empty() && !self.has_events() {
            self.is_lagging = false;
            self.queue = VecDeque::new();
        }
    }

    /// What the unanswered transaction held and the destination still lacks, but for what came by the way; `None` if
    /// there is nothing of the kind.
    fn repetition(&self) -> Option<Plan> {
        let unanswered = self.unanswered.as_ref()?;
        let events_to = unanswered.held.events.unwrap_or_default();
        let events = self.queue.iter().take(PDUS_MAX);
        let events = events.take_while(|(position, _)| *position <= events_to);
        let events: Vec<Queued> = events.copied().collect();
        let edus_to = unanswered.held.edus.filter(|up_to| *up_to > self.edus_sent);
        let is_any = !events.is_empty() || edus_to.is_some();
        is_any.then(|| Plan {
            events,
            edus: Vec::new(),
            durable: edus_to.map(|_| (self.edus_sent, EDUS_MAX)),
            durable_latest: edus_to.unwrap_or(self.edus_latest),
            transaction_id: Some(unanswered.transaction_id.clone()),
            is_careful: false,
        })
    }

    fn pass(&mut self, arrived: Arrived) {
        self.unanswered = None;
        if let Some(up_to) = arrived.events {
            self.events_sent = self.events_sent.max(up_to);
            while self.queue.front().is_some_and(|(position, _)| *position <= up_to) {
                self.queue.pop_front();
            }
            if self.queue.is_empty() {
                self.is_careful = false;
                if self.is_lagging {
                    self.events_sent = self.events_sent.max(self.queue_covers);
                }
            }
        }
        if let Some(up_to) = arrived.edus {
            self.edus_sent = self.edus_sent.max(up_to);
            if self.queue.is_empty() && !self.has_durable() {
                self.is_careful = false;
            }
        }
    }
}

/// A look at a destination.
#[derive(Debug, Clone, Copy)]
pub(super) struct Status {
    pub is_lagging: bool,
    pub is_resting: bool,
    /// How far it has the events, if some wait.
    pub events_sent: Option<Position>,
    /// How far it has the EDUs that must arrive, if some wait.
    pub edus_sent: Option<Position>,
    pub queued: usize,
    /// How many news of the moment wait.
    pub live_edus: usize,
    pub stored: Option<Cursors>,
}

impl Status {
    /// How far it has everything, if something waits.
    pub fn sent(&self) -> Option<Position> {
        match (self.events_sent, self.edus_sent) {
            (Some(events), Some(edus)) => Some(events.min(edus)),
            (events, edus) => events.or(edus),
        }
    }
}

#[cfg(test)]
mod tests;
