//! What a room's worker could not finish yet, and when it tries that again.

use std::{collections::HashSet, time::Duration};

use tokio::time::Instant;

/// How soon it is tried again, at first and at the most.
const RETRY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(600));

/// The staged events of one room that lack what nobody could give.
pub(super) struct Deferred {
    numbers: HashSet<i64>,
    delay: Duration,
    due: Option<Instant>,
}

impl Deferred {
    pub fn new() -> Self {
        Self {
            numbers: HashSet::new(),
            delay: RETRY.0,
            due: None,
        }
    }

    pub fn contains(&self, number: i64) -> bool {
        self.numbers.contains(&number)
    }

    pub fn insert(&mut self, number: i64) {
        self.numbers.insert(number);
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Before each look at what is staged: what is due is looked at with the rest. So news that never pauses does not keep
    /// it waiting.
    pub fn begin(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.numbers.clear();
            self.due = None;
            self.pause_longer();
        }
    }

    /// After each look.
    pub fn looked(&mut self, now: Instant) {
        if self.numbers.is_empty() {
            self.due = None;
        } else {
            self.due.get_or_insert(now + self.delay);
        }
    }

    /// Something else has come, and may be what they lack.
    pub fn news(&mut self, now: Instant) {
        self.delay = RETRY.0;
        self.due = self.due.map(|due| due.min(now + self.delay));
    }

    /// How long to pause after a failure of our own.
    pub fn failed(&mut self) -> Duration {
        let delay = self.delay;
        self.pause_longer();
        delay
    }

    /// When to look again if nothing comes.
    pub fn due(&self, now: Instant) -> Instant {
        self.due.unwrap_or(now + self.delay)
    }

    fn pause_longer(&mut self) {
        self.delay = (self.delay * 2).min(RETRY.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deferred_is_tried_again_while_news_never_pauses() {
        let (start, mut deferred) = (Instant::now(), Deferred::new());
        deferred.insert(1);
        for step in 0..=20 {
            let now = start + Duration::from_millis(100) * step;
            deferred.begin(now);
            deferred.looked(now);
            deferred.news(now);
        }
        assert!(deferred.is_empty(), "two seconds have passed");
    }

    #[test]
    fn pauses_grow_without_news_and_begin_anew_with_it() {
        let (mut now, mut deferred) = (Instant::now(), Deferred::new());
        for seconds in [2, 4, 8] {
            deferred.insert(1);
            deferred.looked(now);
            assert_eq!(deferred.due(now), now + Duration::from_secs(seconds));
            now = deferred.due(now);
            deferred.begin(now);
            assert!(!deferred.contains(1));
        }
        deferred.insert(1);
        deferred.looked(now);
        deferred.news(now);
        assert_eq!(deferred.due(now), now + RETRY.0);
    }
}
