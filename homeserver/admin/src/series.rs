//! How the server has fared of late: a few numbers every quarter of a minute, kept in memory, coarser the older.

use std::{collections::VecDeque, time::Duration};

use echorift_storage::{CommitTotals, Timestamp};

use crate::traffic::{BUCKETS, Counts, percentile_ms};

/// How often numbers are taken.
pub(crate) const SAMPLED_EVERY: Duration = Duration::from_secs(15);

/// What each number is, and its unit, in the order of [`Point`].
pub(crate) const SERIES: [(&str, &str); SERIES_COUNT] = [
    ("requests_per_second", "1/s"),
    ("request_p50_ms", "ms"),
    ("request_p95_ms", "ms"),
    ("request_p99_ms", "ms"),
    ("events_per_second", "1/s"),
    ("database_commit_ms", "ms"),
    ("sync_streams", "count"),
    ("federation_queue", "count"),
    ("memory_bytes", "bytes"),
    ("calls_participants", "count"),
];
const SERIES_COUNT: usize = 10;
/// The last of them are measured at a moment, the first between two.
const GAUGES: usize = 4;

/// The numbers of one step; what could not be told is `None`.
type Point = [Option<f64>; SERIES_COUNT];

/// How far back one looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Range {
    Hour,
    Day,
    Week,
}

impl Range {
    const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// How many samples make a point.
    fn samples(self) -> u32 {
        match self {
            Self::Hour => 1,
            Self::Day => 20,
            Self::Week => 120,
        }
    }

    /// How many points are kept: an hour, a day, a week.
    fn points(self) -> usize {
        match self {
            Self::Hour => 240,
            Self::Day => 288,
            Self::Week => 336,
        }
    }

    pub(crate) fn step_ms(self) -> i64 {
        let sample_ms = i64::try_from(SAMPLED_EVERY.as_millis()).unwrap_or(i64::MAX);
        sample_ms.saturating_mul(i64::from(self.samples()))
    }
}

/// Numbers at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) at: Timestamp,
    pub(crate) counts: Counts,
    pub(crate) commits: CommitTotals,
    /// Streams, queue, memory, people in calls.
    pub(crate) gauges: [Option<f64>; GAUGES],
}

/// All that is kept.
#[derive(Debug)]
pub(crate) struct Series([Ring; 3]);

impl Default for Series {
    fn default() -> Self {
        Self(Range::ALL.map(Ring::new))
    }
}

impl Series {
    pub(crate) fn push(&mut self, sample: &Sample) {
        for ring in &mut self.0 {
            ring.push(sample);
        }
    }

    /// When the first point of a range was taken, and all its points, oldest first.
    pub(crate) fn of(&self, range: Range) -> (Option<Timestamp>, Vec<Point>) {
        let ring = self.0.iter().find(|ring| ring.range == range);
        let points = ring.map(|ring| &ring.points).into_iter().flatten();
        let first = points.clone().next().map(|(at, _)| *at);
        (first, points.map(|(_, point)| *point).collect())
    }
}

/// The points of one range, and the one in the making.
#[derive(Debug)]
struct Ring {
    range: Range,
    points: VecDeque<(Timestamp, Point)>,
    /// What the counters were when the point in the making began.
    begin: Option<Sample>,
    samples: u32,
    /// Sums of the gauges, and of how many samples.
    gauges: [(f64, u32); GAUGES],
}

impl Ring {
    fn new(range: Range) -> Self {
        Self {
            range,
            points: VecDeque::with_capacity(range.points()),
            begin: None,
            samples: 0,
            gauges: [(0.0, 0); GAUGES],
        }
    }

    fn push(&mut self, sample: &Sample) {
        let Some(begin) = &self.begin else {
            self.begin = Some(sample.clone());
            return;
        };
        for (sum, gauge) in self.gauges.iter_mut().zip(sample.gauges) {
            if let Some(value) = gauge {
                *sum = (sum.0 + value, sum.1.saturating_add(1));
            }
        }
        self.samples = self.samples.saturating_add(1);
        if self.samples < self.range.samples() {
            return;
        }
        let point = point_of(begin, sample, self.gauges);
        if self.points.len() == self.range.points() {
            self.points.pop_front();
        }
        self.points.push_back((sample.at, point));
        self.begin = Some(sample.clone());
        self.samples = 0;
        self.gauges = [(0.0, 0); GAUGES];
    }
}

/// What happened between two samples, and the means of what was measured.
#[expect(clippy::cast_precision_loss, reason = "counts of a few minutes")]
fn point_of(begin: &Sample, end: &Sample, gauges: [(f64, u32); GAUGES]) -> Point {
    let seconds = end.at.0.saturating_sub(begin.at.0).max(1) as f64 / 1e3;
    let rate = |from: u64, to: u64| Some(to.saturating_sub(from) as f64 / seconds);
    let mut durations = [0_u64; BUCKETS];
    let buckets = begin.counts.durations.iter().zip(end.counts.durations);
    for (count, (from, to)) in durations.iter_mut().zip(buckets) {
        *count = to.saturating_sub(*from);
    }
    let commits = end.commits.commits.saturating_sub(begin.commits.commits);
    let committing_us = end.commits.elapsed_us.saturating_sub(begin.commits.elapsed_us);
    let commit_ms = (commits > 0).then(|| committing_us as f64 / commits as f64 / 1e3);
    let [streams, queue, memory, people] =
        gauges.map(|(sum, samples)| (samples > 0).then(|| sum / f64::from(samples)));
    [
        rate(begin.counts.requests, end.counts.requests),
        percentile_ms(&durations, 0.5),
        percentile_ms(&durations, 0.95),
        percentile_ms(&durations, 0.99),
        rate(begin.counts.events, end.counts.events),
        commit_ms,
        streams,
        queue,
        memory,
        people,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::Traffic;

    fn sample(traffic: &Traffic, number: i64) -> Sample {
        Sample {
            at: Timestamp(number * 15_000),
            counts: traffic.counts(),
            commits: CommitTotals::default(),
            gauges: [Some(2.0), Some(number as f64), None, Some(0.0)],
        }
    }

    #[test]
    fn a_point_says_what_happened_since_the_one_before() {
        let (traffic, mut series) = (Traffic::default(), Series::default());
        series.push(&sample(&traffic, 0));
        for _ in 0..30 {
            traffic.answered(Some(Duration::from_millis(10)));
        }
        series.push(&sample(&traffic, 1));
        let (first, points) = series.of(Range::Hour);
        assert_eq!(first, Some(Timestamp(15_000)));
        let [point] = points[..] else { panic!("{points:?}") };
        assert_eq!(point[0], Some(2.0));
        assert!(point[1].is_some_and(|ms| (10.0..12.0).contains(&ms)));
        // Nothing was committed, and the memory is not known.
        assert_eq!((point[5], point[8]), (None, None));
        assert_eq!(series.of(Range::Day), (None, Vec::new()));
    }

    #[test]
    fn coarser_points_are_means_and_the_oldest_go() {
        let (traffic, mut series) = (Traffic::default(), Series::default());
        for number in 0..=1_000 {
            series.push(&sample(&traffic, number));
        }
        let (_, points) = series.of(Range::Hour);
        assert_eq!(points.len(), 240);
        let (_, points) = series.of(Range::Day);
        assert_eq!(points.len(), 50);
        // The mean of 1 to 20.
        assert_eq!(points[0][7], Some(10.5));
        assert_eq!(Range::Week.step_ms(), 1_800_000);
    }
}
