//! When to send a request a second time, because the first is late.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::budget::Budget;
use crate::time::nanos;

/// Latencies that must be known before a quantile of them is used.
const ENOUGH: u64 = 20;
/// Latencies after which the old ones count half.
const WINDOW: u64 = 2_000;
/// Of how many requests a hedge may be one: 5 %.
const HEDGES: u64 = 20;
/// How many hedges may be saved up.
const RESERVE: u64 = 5;
/// Buckets in each doubling of the latency: they are 3 % wide at most.
const STEPS: usize = 32;
/// Doublings from one microsecond up: the last ends above an hour (2³² µs are 71 minutes).
const DOUBLINGS: usize = 32;

/// Hedging: a second request when the first content of the first is late. The first content of
/// either wins, and the other request is cancelled. Off unless it is set.
///
/// It shortens the slowest answers of a provider that is now and then slow for no reason in the
/// request. The price is more requests, at most 5 % (up to five of them at once), which cost
/// tokens as any others do. Both count against the rate limits.
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
    /// The quantiles between which [`at_quantile`](Self::at_quantile) holds its own.
    pub const QUANTILES: RangeInclusive<f64> = 0.5..=0.999;

    /// A second request after a fixed delay.
    pub fn after(delay: Duration) -> Self {
        Self(After::Delay(delay))
    }

    /// A second request once the first content is later than this share of those before, 0.95 for
    /// example; held within [`QUANTILES`](Self::QUANTILES). The first 20 requests only teach what is
    /// usual.
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

    /// A call was made: it pays in its share of a hedge. Its retries pay nothing, so that hedges stay
    /// a share of what was asked for while a provider fails.
    pub(crate) fn earn(&mut self) {
        self.budget.earn();
    }

    /// How long after the first request the second is sent; none while too little is known.
    pub(crate) fn delay(&self) -> Option<Duration> {
        match self.after {
            After::Delay(delay) => Some(delay),
            After::Quantile(quantile) => self.latencies.quantile(quantile),
        }
    }

    /// The first content of an attempt came after `latency`, or it was cancelled after that time
    /// because the other one won: it would have taken longer, and leaving it out would make the
    /// slow ones look rare.
    pub(crate) fn observe(&mut self, latency: Duration) {
        self.latencies.add(latency);
    }

    /// Whether a second request may be sent; if so, it is paid for.
    pub(crate) fn try_spend(&mut self) -> bool {
        self.budget.spend()
    }
}

/// Latencies in buckets of a fixed number, each a little wider than the one before.
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

    /// The upper end of the bucket in which the quantile is.
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

/// The doubling, and the step in it, of a latency.
fn bucket(latency: Duration) -> usize {
    // What is longer than all buckets is in the last one.
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
