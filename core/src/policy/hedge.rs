//! Decides when to send a request a second time because the first attempt is late.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::budget::Budget;
use crate::time::nanos;

/// How many latencies must be known before a quantile of them is used.
const ENOUGH: u64 = 20;
/// After this many latencies the old ones count half.
const WINDOW: u64 = 2_000;
/// The price of a hedge in calls: hedges are at most 5 % of them.
const HEDGES: u64 = 20;
/// The maximum number of saved hedges.
const RESERVE: u64 = 5;
/// Buckets in each doubling of the latency, each at most 3 % wide.
const STEPS: usize = 32;
/// Doublings from one microsecond up. The last one ends above an hour (2³² µs are 71 minutes).
const DOUBLINGS: usize = 32;

/// Hedging: sends a second request when the first content of the first one is late. The request
/// with the earlier content wins, and the other one is cancelled. Off unless it is set.
///
/// Hedging shortens the slowest answers of a provider that is sometimes slow for reasons that have
/// nothing to do with the request. Its price is at most 5 % more requests (up to five of them at
/// once), which cost tokens like any others. Both requests count towards the rate limits.
///
/// ```
/// use std::time::Duration;
/// use chatcore::Hedging;
///
/// let after_two_seconds = Hedging::after(Duration::from_secs(2));
/// let later_than_most = Hedging::at_quantile(0.95);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hedging(After);

#[derive(Clone, Copy, Debug, PartialEq)]
enum After {
    Delay(Duration),
    Quantile(f64),
}

impl Hedging {
    /// The range of quantiles that [`at_quantile`](Self::at_quantile) accepts.
    pub const QUANTILES: RangeInclusive<f64> = 0.5..=0.999;

    /// Sends the second request after a fixed delay.
    pub fn after(delay: Duration) -> Self {
        Self(After::Delay(delay))
    }

    /// Sends the second request once the first content is later than this share of earlier ones,
    /// 0.95 for example. The share is clamped to [`QUANTILES`](Self::QUANTILES), and NaN counts as
    /// 0.95. The first 20 requests are not hedged, because they only measure what is usual.
    pub fn at_quantile(quantile: f64) -> Self {
        let quantile = match quantile.is_nan() {
            true => 0.95,
            false => quantile.clamp(*Self::QUANTILES.start(), *Self::QUANTILES.end()),
        };
        Self(After::Quantile(quantile))
    }
}

/// The state of hedging for one provider.
#[derive(Debug)]
pub(crate) struct Hedge {
    after: After,
    latencies: Histogram,
    budget: Budget,
}

impl Hedge {
    pub(crate) fn new(settings: Hedging) -> Self {
        Self {
            after: settings.0,
            latencies: Histogram::default(),
            budget: Budget::one_in(HEDGES, RESERVE),
        }
    }

    /// Pays in for one call. Its retries pay nothing, so that hedges stay a share of the calls
    /// while a provider fails.
    pub(crate) fn earn(&mut self) {
        self.budget.earn();
    }

    /// How long after the first request to send the second one; `None` while too few latencies are
    /// known.
    pub(crate) fn delay(&self) -> Option<Duration> {
        match self.after {
            After::Delay(delay) => Some(delay),
            After::Quantile(quantile) => self.latencies.quantile(quantile),
        }
    }

    /// Records the `latency` of a first attempt, or the time after which it was cancelled because
    /// the second one won. A cancelled attempt would have taken longer still, and leaving it out
    /// would make slow ones look rare.
    pub(crate) fn observe(&mut self, latency: Duration) {
        self.latencies.add(latency);
    }

    /// Whether a second request may be sent. If so, this spends its price.
    pub(crate) fn try_spend(&mut self) -> bool {
        self.budget.spend()
    }
}

/// Latencies in a fixed number of buckets, each a little wider than the one before.
#[derive(Debug)]
struct Histogram {
    counts: Box<[u32]>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; STEPS * DOUBLINGS].into_boxed_slice(),
            total: 0,
        }
    }
}

impl Histogram {
    fn add(&mut self, latency: Duration) {
        if self.total >= WINDOW {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.total = self.counts.iter().map(|count| u64::from(*count)).sum();
        }
        if let Some(count) = self.counts.get_mut(bucket(latency)) {
            *count += 1;
            self.total += 1;
        }
    }

    /// The upper end of the bucket that holds the quantile.
    fn quantile(&self, quantile: f64) -> Option<Duration> {
        if self.total < ENOUGH {
            return None;
        }
        let rank = (quantile * self.total as f64).ceil() as u64;
        let mut below = 0;
        let place = self.counts.iter().position(|count| {
            below += u64::from(*count);
            below >= rank
        })?;
        Some(upper_end(place))
    }
}

/// The index of the bucket for a latency.
fn bucket(latency: Duration) -> usize {
    // A latency above all buckets goes into the last one.
    let micros = (nanos(latency) / 1_000).clamp(1, 1 << DOUBLINGS);
    let doubling = micros.ilog2() as usize;
    let base = 1_u64 << doubling;
    let step = ((micros - base) * STEPS as u64 / base) as usize;
    (doubling * STEPS + step).min(STEPS * DOUBLINGS - 1)
}

fn upper_end(bucket: usize) -> Duration {
    let base = 1_u64 << (bucket / STEPS);
    let steps = (bucket % STEPS) as u64 + 1;
    Duration::from_micros(base + (base * steps).div_ceil(STEPS as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn a_bucket_holds_what_is_in_it_within_3_percent() {
        for micros in [
            1,
            2,
            3,
            31,
            32,
            33,
            999,
            1_000,
            123_456,
            60_000_000,
            3_600_000_000,
        ] {
            let latency = Duration::from_micros(micros);
            let end = upper_end(bucket(latency));
            assert!(end >= latency, "{latency:?}: {end:?}");
            let above = (end - latency).as_micros() as f64;
            assert!(above <= 1.0 + micros as f64 / 32.0, "{latency:?}: {end:?}");
        }
        assert_eq!(bucket(Duration::MAX), STEPS * DOUBLINGS - 1);
        assert_eq!(bucket(Duration::ZERO), 0);
    }

    #[test]
    fn a_quantile_is_learned_and_unlearned() {
        let mut hedge = Hedge::new(Hedging::at_quantile(0.95));
        for i in 1..=ENOUGH as u32 {
            assert_eq!(hedge.delay(), None);
            hedge.observe(MILLI * i);
        }
        for _ in 0..10 {
            (1..=100).for_each(|i| hedge.observe(MILLI * i));
        }
        let delay = hedge.delay().unwrap().as_secs_f64();
        assert!((0.094..0.099).contains(&delay), "{delay}");
        // The provider is ten times slower from now on.
        for _ in 0..100 {
            (1..=100).for_each(|i| hedge.observe(MILLI * 10 * i));
        }
        let delay = hedge.delay().unwrap().as_secs_f64();
        assert!((0.93..0.99).contains(&delay), "{delay}");
    }

    #[test]
    fn a_fixed_delay_needs_no_learning() {
        let hedge = Hedge::new(Hedging::after(MILLI));
        assert_eq!(hedge.delay(), Some(MILLI));
        assert_eq!(Hedging::at_quantile(7.0), Hedging::at_quantile(0.999));
        assert_eq!(Hedging::at_quantile(f64::NAN), Hedging::at_quantile(0.95));
    }

    /// Two peaks: 98.5 % in about 100 ms, the others in about 10 s.
    #[test]
    fn the_slowest_are_ten_times_faster_for_5_percent_more() {
        let mut hedge = Hedge::new(Hedging::at_quantile(0.95));
        let mut seed = 3_u64;
        let mut draw = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let slow = (seed >> 33) % 1_000 < 15;
            let spread = (seed >> 20) % 50;
            MILLI * (if slow { 10_000 } else { 80 } + spread as u32)
        };
        let (mut alone, mut hedged, mut extra) = (Vec::new(), Vec::new(), 0);
        const REQUESTS: usize = 100_000;
        for _ in 0..REQUESTS {
            hedge.earn();
            let first = draw();
            alone.push(first);
            let delay = hedge.delay();
            let answer = match delay.filter(|delay| *delay < first && hedge.try_spend()) {
                None => {
                    hedge.observe(first);
                    first
                }
                Some(delay) => {
                    extra += 1;
                    let second = draw();
                    let answer = first.min(delay + second);
                    hedge.observe(answer);
                    hedge.observe(answer - delay);
                    answer
                }
            };
            hedged.push(answer);
        }
        alone.sort_unstable();
        hedged.sort_unstable();
        let place = REQUESTS * 999 / 1_000;
        println!(
            "p99.9 {:?} to {:?}, {extra} extra",
            alone[place], hedged[place]
        );
        assert!(hedged[place] * 10 <= alone[place], "{:?}", hedged[place]);
        assert!(extra * 20 <= REQUESTS, "{extra}");
    }
}
