//! Adaptive concurrency: finds by trial how many requests a provider takes at once.

use crate::error::{Error, ErrorKind, Phase};
use crate::time::Instant;

/// The minimum number of successes before the limit is raised after it was lowered. A round of
/// requests below a small limit is short, so without this minimum the client would probe for more
/// too often. An overload costs one or two refusals, so this keeps refusals below 2 %.
const PATIENCE: u32 = 128;

/// Adaptive concurrency: the number of requests in flight follows what the provider can take. Off
/// unless it is set.
///
/// The limit grows by one at a time while answers come. It shrinks by a tenth when the provider
/// reports an overload (429, 503, 529) or does not answer in time: additive increase,
/// multiplicative decrease. At the start it doubles with every round of answers until the first
/// refusal. After an outage, in which nothing was answered at all, it doubles again, up to four
/// fifths of the limit at which the outage began. In a client the adaptive limit replaces the
/// number of workers.
///
/// ```
/// use chatcore::Adaptive;
///
/// let adaptive = Adaptive::default().start(10).max(200);
/// assert_eq!(adaptive.min, 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adaptive {
    /// The limit at the start. Default 5, like `LLM_ASYNC_WORKERS`.
    pub start: usize,
    /// The lowest limit. Default 1; 0 counts as 1.
    pub min: usize,
    /// The highest limit. Default 1,000; a value below `min` counts as `min`.
    pub max: usize,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self {
            start: 5,
            min: 1,
            max: 1_000,
        }
    }
}

impl Adaptive {
    /// Sets the limit at the start.
    #[must_use]
    pub fn start(mut self, start: usize) -> Self {
        self.start = start;
        self
    }

    /// Sets the lowest limit.
    #[must_use]
    pub fn min(mut self, min: usize) -> Self {
        self.min = min;
        self
    }

    /// Sets the highest limit.
    #[must_use]
    pub fn max(mut self, max: usize) -> Self {
        self.max = max;
        self
    }
}

/// The adaptive limit for one provider. The pipeline reports the end of every attempt, and gets
/// back how many permits there should be.
#[derive(Debug)]
pub(crate) struct AdaptiveLimit {
    min: usize,
    max: usize,
    limit: usize,
    /// The limit that last turned out too high while answers came; `usize::MAX` until then.
    ceiling: usize,
    /// Whether an answer has come since the limit was last lowered.
    bears: bool,
    /// How many successes the next raise needs, and how many there have been.
    needed: u32,
    successes: u32,
    /// When the limit was last lowered.
    lowered: Option<Instant>,
}

impl AdaptiveLimit {
    pub(crate) fn new(settings: &Adaptive) -> Self {
        let min = settings.min.max(1);
        let max = settings.max.max(min);
        Self {
            min,
            max,
            limit: settings.start.clamp(min, max),
            ceiling: usize::MAX,
            bears: false,
            needed: PATIENCE,
            successes: 0,
            lowered: None,
        }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// An attempt succeeded while `in_flight` attempts ran, itself included. Returns the limit.
    pub(crate) fn on_success(&mut self, in_flight: usize) -> usize {
        self.bears = true;
        // A limit that is not used up says nothing about a higher one.
        if in_flight.saturating_mul(4) < self.limit.saturating_mul(3) {
            return self.limit;
        }
        self.successes = self.successes.saturating_add(1);
        let round = u32::try_from(self.limit).unwrap_or(u32::MAX);
        let far_below = self.limit < self.ceiling / 5 * 4;
        let needed = match far_below {
            true => 1,
            false => self.needed.max(round),
        };
        if self.successes >= needed && self.limit < self.max {
            self.limit += 1;
            self.successes = 0;
            if !far_below {
                // Each raise without an overload halves the successes that the next one needs,
                // because the provider evidently takes more now.
                self.needed = (needed / 2).max(1);
            }
        }
        self.limit
    }

    /// An attempt that began at `began` got a 429, 503 or 529, or no answer in time. Returns the
    /// limit.
    ///
    /// An attempt that began before the limit was last lowered says nothing about the new limit, so
    /// a burst of refusals counts as one overload.
    pub(crate) fn on_overload(&mut self, now: Instant, began: Instant) -> usize {
        if self.lowered.is_some_and(|lowered| began <= lowered) {
            return self.limit;
        }
        self.lowered = Some(now);
        // If nothing is answered at all, the limit is not what is wrong.
        if std::mem::replace(&mut self.bears, false) {
            self.ceiling = self.limit;
        }
        self.successes = 0;
        // At least four rounds, so that a large limit is not probed too often either.
        let round = u32::try_from(self.limit).unwrap_or(u32::MAX);
        self.needed = PATIENCE.max(round.saturating_mul(4));
        let tenth = (self.limit / 10).max(1);
        self.limit = self.limit.saturating_sub(tenth).max(self.min);
        self.limit
    }
}

/// Whether an error means that too many requests run at once.
pub(crate) fn is_overload(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::RateLimited | ErrorKind::Overloaded => true,
        ErrorKind::Server => error.status().is_some_and(|status| status == 503),
        // A wait in the client's own queue is not the provider's doing.
        ErrorKind::Timeout => error.phase() != Some(Phase::Queue),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;
    use std::time::Duration;

    use super::*;

    /// The time that the limit gets to settle.
    const WARM_UP: Duration = Duration::from_secs(120);

    /// What a simulation measured after the warm-up.
    #[derive(Debug)]
    struct Seen {
        /// The mean number of requests that the provider works on, as a share of `bears`.
        used: f64,
        refused: f64,
    }

    /// Simulates a provider that works on `bears` requests at once, each for 0.5 to 1.5 s, and
    /// refuses any more within 50 ms, and a client that always has more to send. Only the time
    /// after the warm-up counts.
    fn simulate(bears: usize, settings: &Adaptive, seconds: u64) -> (Seen, AdaptiveLimit) {
        let mut limit = AdaptiveLimit::new(settings);
        let mut ends: BinaryHeap<Reverse<(u64, u64, u64, bool)>> = BinaryHeap::new();
        let (mut now, mut seed, mut number) = (0_u64, 1_u64, 0_u64);
        let mut working = 0;
        let (mut done, mut refused, mut area) = (0_u64, 0_u64, 0_u64);
        let at = |millis| Instant::from_epoch(Duration::from_millis(millis));
        let warm = WARM_UP.as_millis() as u64;
        while now < seconds * 1_000 {
            while ends.len() < limit.limit() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                number += 1;
                let accepted = working < bears;
                let takes = match accepted {
                    true => 500 + (seed >> 33) % 1_000,
                    false => 20 + (seed >> 33) % 30,
                };
                working += usize::from(accepted);
                ends.push(Reverse((now + takes, number, now, accepted)));
            }
            let in_flight = ends.len();
            let Reverse((end, _, began, accepted)) = ends.pop().unwrap();
            if end > warm {
                area += (end - now.max(warm)) * working as u64;
            }
            now = end;
            let counts = u64::from(now > warm);
            if accepted {
                working -= 1;
                done += counts;
                limit.on_success(in_flight);
            } else {
                refused += counts;
                limit.on_overload(at(now), at(began));
            }
        }
        let seen = Seen {
            used: area as f64 / ((now - warm) * bears as u64) as f64,
            refused: refused as f64 / (refused + done) as f64,
        };
        (seen, limit)
    }

    #[test]
    fn nine_tenths_of_a_hidden_limit_and_hardly_a_refusal() {
        for bears in [3, 8, 20, 50, 100, 400] {
            let (seen, _) = simulate(bears, &Adaptive::default(), 3_600);
            println!("bears {bears}: {seen:?}");
            assert!(seen.used >= 0.9, "{bears}: {seen:?}");
            assert!(seen.refused < 0.02, "{bears}: {seen:?}");
        }
    }

    #[test]
    fn it_stays_between_its_bounds() {
        let settings = Adaptive::default().min(2).max(30);
        let (seen, limit) = simulate(100, &settings, 600);
        assert_eq!(limit.limit(), 30);
        assert_eq!(seen.refused, 0.0);
        let mut limit = AdaptiveLimit::new(&settings);
        for second in 1..100 {
            let now = Instant::from_epoch(Duration::from_secs(second));
            limit.on_overload(now, now);
        }
        assert_eq!(limit.limit(), 2);
    }

    #[test]
    fn a_burst_of_refusals_is_one_overload() {
        let mut limit = AdaptiveLimit::new(&Adaptive::default().start(50));
        let at = |second| Instant::from_epoch(Duration::from_secs(second));
        assert_eq!(limit.on_overload(at(10), at(9)), 45);
        assert_eq!(limit.on_overload(at(11), at(10)), 45);
        assert_eq!(limit.on_overload(at(12), at(11)), 41);
    }

    #[test]
    fn a_limit_that_is_not_used_does_not_grow() {
        let mut limit = AdaptiveLimit::new(&Adaptive::default().start(10));
        (0..1_000).for_each(|_| {
            limit.on_success(7);
        });
        assert_eq!(limit.limit(), 10);
        assert_eq!(limit.on_success(8), 11);
    }

    #[test]
    fn what_is_an_overload() {
        let kind = |kind| is_overload(&Error::new(kind, "no"));
        assert!(kind(ErrorKind::RateLimited) && kind(ErrorKind::Overloaded));
        assert!(!kind(ErrorKind::Server) && !kind(ErrorKind::Connection));
        let unavailable =
            Error::new(ErrorKind::Server, "no").with_status(http::StatusCode::SERVICE_UNAVAILABLE);
        assert!(is_overload(&unavailable));
        let late = |phase| is_overload(&Error::timeout(phase, Duration::ZERO));
        assert!(late(Phase::Headers) && !late(Phase::Queue));
    }

    #[test]
    fn it_comes_back_after_an_outage() {
        let mut limit = AdaptiveLimit::new(&Adaptive::default().start(100));
        limit.on_success(100);
        for second in 1..100 {
            let now = Instant::from_epoch(Duration::from_secs(second));
            limit.on_overload(now, now);
        }
        assert_eq!(limit.limit(), 1);
        (0..200).for_each(|_| {
            limit.on_success(limit.limit());
        });
        // Fast up to four fifths of what was too much, and slowly from there on.
        assert!((80..=82).contains(&limit.limit()), "{limit:?}");
    }
}
