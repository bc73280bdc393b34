use std::{collections::VecDeque, sync::Arc};

use echorift_storage::{EventNumber, Position, RoomNumber, Timestamp};
use parking_lot::Mutex;
use ruma::push::Action;

/// How many notifications wait for one pusher. A phone that was away for longer shows the latest, and its client
/// fetches the rest.
const WAITING_MAX: usize = 50;

/// What one pusher is still to be told. At most one request is under way for it, so that notifications arrive in order.
#[derive(Default)]
pub(crate) struct Outbox(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// Whether the count of unread messages changed without a notification.
    wants_badge: bool,
    /// The count that was delivered last; `None` if that was not in this life of the server.
    badge: Option<u64>,
    is_running: bool,
    failures: u32,
}

/// A notification that was not delivered yet.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub room: RoomNumber,
    pub event: EventNumber,
    pub position: Position,
    pub actions: Arc<[Action]>,
    pub queued: Timestamp,
}

/// What to do next for a pusher.
#[derive(Debug, Clone)]
pub(crate) enum Job {
    Notify(Waiting),
    /// Only the count of unread messages.
    Badge,
}

impl Outbox {
    /// Adds a notification; whether somebody is to start delivering, and the position of the one that had to go.
    pub fn add(&self, waiting: Waiting) -> (bool, Option<Position>) {
        let mut state = self.0.lock();
        // The log is read again after a restart or an overflow.
        if state
            .waiting
            .back()
            .is_some_and(|last| last.position >= waiting.position)
        {
            return (false, None);
        }
        state.waiting.push_back(waiting);
        let excess = state.waiting.len() > WAITING_MAX;
        let gone = if excess { state.waiting.pop_front() } else { None };
        let is_first = !std::mem::replace(&mut state.is_running, true);
        (is_first, gone.map(|gone| gone.position))
    }

    /// Says that the count of unread messages is `badge` now; whether somebody is to start delivering.
    pub fn tell_badge(&self, badge: u64) -> bool {
        let mut state = self.0.lock();
        if state.badge == Some(badge) {
            return false;
        }
        state.wants_badge = true;
        !std::mem::replace(&mut state.is_running, true)
    }

    /// What is to be done now. With `None` nobody delivers any more until [`Outbox::add`] says so.
    pub fn next(&self) -> Option<Job> {
        let mut state = self.0.lock();
        let job = match state.waiting.front() {
            Some(waiting) => Some(Job::Notify(waiting.clone())),
            None => state.wants_badge.then_some(Job::Badge),
        };
        state.is_running = job.is_some();
        job
    }

    /// The job is done, `badge` is the count that was delivered with it.
    pub fn done(&self, job: &Job, badge: Option<u64>) {
        let mut state = self.0.lock();
        state.failures = 0;
        if badge.is_some() {
            state.badge = badge;
            state.wants_badge = false;
        }
        match job {
            Job::Notify(done) => state.waiting.retain(|waiting| waiting.position != done.position),
            Job::Badge => state.wants_badge = false,
        }
    }

    /// Counts a failure; how many there were in a row.
    pub fn failed(&self) -> u32 {
        let mut state = self.0.lock();
        state.failures = state.failures.saturating_add(1);
        state.failures
    }

    /// Forgets everything: the pusher is gone.
    pub fn clear(&self) {
        *self.0.lock() = State::default();
    }

    /// How many notifications wait, and the position of the first.
    pub fn waiting(&self) -> (usize, Option<Position>) {
        let state = self.0.lock();
        (
            state.waiting.len(),
            state.waiting.front().map(|first| first.position),
        )
    }

    pub fn is_idle(&self) -> bool {
        !self.0.lock().is_running
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(position: i64) -> Waiting {
        Waiting {
            room: RoomNumber(1),
            event: EventNumber(position),
            position: Position(position),
            actions: Arc::default(),
            queued: Timestamp(0),
        }
    }

    fn next_position(outbox: &Outbox) -> Option<i64> {
        match outbox.next() {
            Some(Job::Notify(waiting)) => Some(waiting.position.0),
            _ => None,
        }
    }

    #[test]
    fn one_delivers_in_order_and_the_oldest_make_room() {
        let outbox = Outbox::default();
        assert_eq!(outbox.add(waiting(1)), (true, None));
        for position in 2..=50 {
            assert_eq!(outbox.add(waiting(position)), (false, None));
        }
        assert_eq!(outbox.add(waiting(51)), (false, Some(Position(1))));
        assert_eq!(outbox.add(waiting(51)), (false, None), "heard before");
        assert_eq!(next_position(&outbox), Some(2));
        outbox.done(&Job::Notify(waiting(2)), Some(49));
        assert_eq!(next_position(&outbox), Some(3));
        assert_eq!(outbox.waiting(), (49, Some(Position(3))));
    }

    #[test]
    fn a_count_is_sent_once_and_not_beside_a_notification() {
        let outbox = Outbox::default();
        assert!(outbox.tell_badge(3));
        assert!(!outbox.tell_badge(4), "somebody delivers already");
        assert!(matches!(outbox.next(), Some(Job::Badge)));
        outbox.done(&Job::Badge, Some(4));
        assert!(outbox.next().is_none());
        assert!(!outbox.tell_badge(4), "that is what it shows");
        assert!(outbox.tell_badge(0));
        outbox.add(waiting(7));
        assert_eq!(next_position(&outbox), Some(7));
        outbox.done(&Job::Notify(waiting(7)), Some(1));
        assert!(outbox.next().is_none(), "the notification held the count");
    }

    #[test]
    fn failures_count_until_something_arrives() {
        let outbox = Outbox::default();
        outbox.add(waiting(1));
        assert_eq!((outbox.failed(), outbox.failed()), (1, 2));
        outbox.done(&Job::Notify(waiting(1)), None);
        assert_eq!(outbox.failed(), 1);
    }
}
