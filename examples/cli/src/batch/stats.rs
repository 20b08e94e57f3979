//! Statistics of a run: counts, latencies, tokens, cost.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chatcore::journal::{Counts, Outcome, Recorded};
use hdrhistogram::Histogram;

use crate::price::Price;

/// How many points of the progress plot are kept. When there are more, every second one is dropped.
const POINTS: usize = 240;

/// The window over which the pace is measured.
const PACE: Duration = Duration::from_secs(30);

/// Statistics of a run so far, in constant memory.
pub(super) struct Stats {
    /// Counts of the whole run, including earlier processes.
    counts: Counts,
    /// Tokens of earlier processes.
    tokens_before: (u64, u64),
    /// Answers in this process.
    pub(super) done_now: u64,
    pub(super) failed_now: u64,
    price: Option<Price>,
    /// What requests with long prompts cost more, in this process.
    more: f64,
    began: Instant,
    /// Milliseconds of each answer.
    pub(super) latency: Histogram<u64>,
    /// Errors by kind, in this process.
    pub(super) errors: BTreeMap<&'static str, u64>,
    pub(super) course: Course,
    /// Recent samples: the time, the finished items and the tokens.
    recent: Vec<(Instant, u64, u64)>,
}

impl Stats {
    pub(super) fn new(counts: &Counts, price: Option<Price>) -> Self {
        Self {
            counts: *counts,
            tokens_before: (counts.input_tokens, counts.output_tokens),
            done_now: 0,
            failed_now: 0,
            price,
            more: 0.0,
            began: Instant::now(),
            latency: histogram(),
            errors: BTreeMap::new(),
            course: Course::default(),
            recent: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, outcome: &Outcome, recorded: Recorded) {
        if recorded == Recorded::Already {
            return;
        }
        self.counts.add(&outcome.result);
        let millis = u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX);
        match &outcome.result {
            Ok(answer) => {
                if let (Some(price), Some(usage)) = (self.price, &answer.usage) {
                    self.more += price.more_if_long(usage);
                }
                self.done_now += 1;
                self.latency.saturating_record(millis.max(1));
            }
            Err(error) => {
                self.failed_now += 1;
                *self.errors.entry(error.kind().as_str()).or_default() += 1;
            }
        }
    }

    /// Takes a sample of the progress.
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        let finished = self.done_now + self.failed_now;
        let tokens = self.counts.input_tokens + self.counts.output_tokens;
        self.recent.push((now, finished, tokens));
        self.recent.retain(|(at, ..)| now - *at <= PACE);
        self.course.add(self.elapsed(), finished);
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn total(&self) -> u64 {
        self.counts.total.unwrap_or(self.finished())
    }

    pub(super) fn done(&self) -> u64 {
        self.counts.done
    }

    pub(super) fn failed(&self) -> u64 {
        self.counts.failed
    }

    pub(super) fn finished(&self) -> u64 {
        self.counts.finished()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.finished() >= self.total()
    }

    pub(super) fn tokens(&self) -> (u64, u64) {
        (self.counts.input_tokens, self.counts.output_tokens)
    }

    /// Tokens of prompts and of answers in this process.
    pub(super) fn tokens_now(&self) -> (u64, u64) {
        let (input, output) = self.tokens();
        (input - self.tokens_before.0, output - self.tokens_before.1)
    }

    /// The cost of the run in dollars, if its price is known.
    pub(super) fn cost(&self) -> Option<f64> {
        let (input, output) = self.tokens();
        self.price.map(|price| price.of(input, output) + self.more)
    }

    /// Items and tokens per second over the last [`PACE`].
    pub(super) fn pace(&self) -> (f64, f64) {
        match (self.recent.first(), self.recent.last()) {
            (Some(first), Some(last)) if last.0 > first.0 => {
                let seconds = (last.0 - first.0).as_secs_f64();
                let items = (last.1 - first.1) as f64 / seconds;
                (items, (last.2 - first.2) as f64 / seconds)
            }
            _ => (0.0, 0.0),
        }
    }

    /// The estimated time for the remaining items at the current pace.
    pub(super) fn left(&self) -> Option<Duration> {
        let (items, _) = self.pace();
        let left = self.total().saturating_sub(self.finished()) as f64;
        Duration::try_from_secs_f64(left / items).ok()
    }
}

/// A histogram of up to 10 hours with three significant digits.
pub(super) fn histogram() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "the bounds are constants that it takes")]
    Histogram::new_with_bounds(1, 36_000_000, 3).expect("bounds in their order")
}

/// The number of finished items over time, in a bounded number of points.
#[derive(Debug, Default)]
pub(super) struct Course {
    pub(super) points: Vec<(Duration, u64)>,
    /// How many samples one point represents.
    stride: usize,
    skipped: usize,
}

impl Course {
    fn add(&mut self, at: Duration, finished: u64) {
        self.skipped += 1;
        if self.skipped < self.stride {
            return;
        }
        self.skipped = 0;
        self.points.push((at, finished));
        if self.points.len() == POINTS {
            let mut place = 0;
            self.points.retain(|_| {
                place += 1;
                place % 2 == 0
            });
            self.stride = 2 * self.stride.max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_course_of_a_long_run_stays_short() {
        let mut course = Course::default();
        for n in 0..100_000 {
            course.add(Duration::from_millis(n), n);
        }
        assert!(course.points.len() < POINTS && course.points.len() > POINTS / 4);
        assert!(course.points.is_sorted());
        let (last, _) = course.points[course.points.len() - 1];
        assert!(last > Duration::from_secs(99), "{last:?}");
    }
}
