//! What goes through the server, counted as it goes: an atomic or two for each request and each commit.

use std::{
    array,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use echorift_storage::{LogListener, Position, Record};

/// Upper bounds of durations grow by the fourth root of two from a tenth of a millisecond on: 64 of them reach to 6.5
/// seconds, and no percentile is further off than a fifth.
pub(crate) const BUCKETS: usize = 64;
const FIRST_BOUND_US: f64 = 100.0;
const PER_DOUBLING: f64 = 4.0;

/// The counters. Shared by all that count and by who samples them.
#[derive(Debug)]
pub struct Traffic {
    requests: AtomicU64,
    events: AtomicU64,
    /// Requests that wait for news now.
    streams: AtomicI64,
    durations: [AtomicU64; BUCKETS],
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            requests: AtomicU64::new(0),
            events: AtomicU64::new(0),
            streams: AtomicI64::new(0),
            durations: array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

/// A request that waits for news, until it is dropped.
#[derive(Debug)]
pub struct Stream<'a>(&'a AtomicI64);

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The counters at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) events: u64,
    pub(crate) streams: i64,
    pub(crate) durations: [u64; BUCKETS],
}

impl Traffic {
    /// Notes a request of a route that waits for news, until what this returns is dropped. `None` for other routes.
    pub fn stream(&self, route: &str) -> Option<Stream<'_>> {
        // Its duration says how quiet it was, and nothing of the server.
        let is_client = route.starts_with("/_matrix/client/");
        let waits = is_client && (route.ends_with("/sync") || route.ends_with("/events"));
        if !waits {
            return None;
        }
        self.streams.fetch_add(1, Ordering::Relaxed);
        Some(Stream(&self.streams))
    }

    /// Notes an answered request, with how long it took unless it waited for news.
    pub fn answered(&self, elapsed: Option<Duration>) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(elapsed) = elapsed
            && let Some(bucket) = self.durations.get(bucket_of(elapsed))
        {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            requests: self.requests.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
            streams: self.streams.load(Ordering::Relaxed),
            durations: array::from_fn(|index| {
                let bucket = self.durations.get(index);
                bucket.map_or(0, |bucket| bucket.load(Ordering::Relaxed))
            }),
        }
    }
}

impl LogListener for Traffic {
    fn on_records(&self, records: &[(Position, Record)]) {
        let events = records
            .iter()
            .filter(|(_, record)| matches!(record, Record::Event { .. }))
            .count();
        if events > 0 {
            let events = u64::try_from(events).unwrap_or(u64::MAX);
            self.events.fetch_add(events, Ordering::Relaxed);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is clamped to what there is"
)]
fn bucket_of(elapsed: Duration) -> usize {
    let doublings = (elapsed.as_secs_f64() * 1e6 / FIRST_BOUND_US).max(1.0).log2();
    ((doublings * PER_DOUBLING).ceil() as usize).min(BUCKETS - 1)
}

/// The duration below which this part of the requests stayed, in milliseconds, by how many fell into each bucket; `None` if
/// there were none.
#[expect(clippy::cast_precision_loss, reason = "counts of requests in a few seconds")]
pub(crate) fn percentile_ms(buckets: &[u64; BUCKETS], part: f64) -> Option<f64> {
    let all: u64 = buckets.iter().sum();
    let wanted = all as f64 * part;
    let mut below = 0_u64;
    for (index, count) in buckets.iter().enumerate() {
        below = below.saturating_add(*count);
        if *count > 0 && below as f64 >= wanted {
            let bound_us = FIRST_BOUND_US * (index as f64 / PER_DOUBLING).exp2();
            return Some(bound_us / 1e3);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_percentile_is_not_far_off() {
        let traffic = Traffic::default();
        for ms in 1..=100 {
            traffic.answered(Some(Duration::from_millis(ms)));
        }
        let counts = traffic.counts();
        assert_eq!(counts.requests, 100);
        for (part, ms) in [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0)] {
            let told = percentile_ms(&counts.durations, part).unwrap();
            assert!((ms..ms * 1.2).contains(&told), "{told} for {ms}");
        }
        assert_eq!(percentile_ms(&[0; BUCKETS], 0.5), None);
    }

    #[test]
    fn who_waits_for_news_is_counted_as_long_as_they_wait() {
        let traffic = Traffic::default();
        let stream = traffic.stream("/_matrix/client/v3/sync");
        assert!(traffic.stream("/_matrix/client/v3/login").is_none());
        assert_eq!(traffic.counts().streams, 1);
        drop(stream);
        assert_eq!(traffic.counts().streams, 0);
    }

    #[test]
    fn durations_out_of_all_bounds_have_a_bucket() {
        assert_eq!(bucket_of(Duration::ZERO), 0);
        assert_eq!(bucket_of(Duration::from_secs(3_600)), BUCKETS - 1);
    }
}
