//! Durations drawn from a distribution.

use std::time::Duration;

use super::super::executor::SimExecutor;

/// How long something takes. Each sample is drawn from this distribution with the seed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Latency {
    /// Always the same.
    Constant(Duration),
    /// Evenly distributed between two durations.
    Uniform {
        /// The shortest duration.
        from: Duration,
        /// The longest duration.
        to: Duration,
    },
    /// Mostly fast and occasionally slow: the tail latency that hedging is for.
    TwoPeaks {
        /// The duration of a fast sample.
        fast: Duration,
        /// The duration of a slow sample.
        slow: Duration,
        /// The share of slow samples, from 0 to 1.
        slow_share: f64,
    },
    /// Memoryless, like the times between independent arrivals.
    Exponential {
        /// The mean duration.
        mean: Duration,
    },
}

impl Latency {
    /// No time.
    pub const ZERO: Self = Self::Constant(Duration::ZERO);

    /// Always `millis` milliseconds.
    pub const fn millis(millis: u64) -> Self {
        Self::Constant(Duration::from_millis(millis))
    }

    pub(in crate::sim) fn sample(self, sim: &SimExecutor) -> Duration {
        match self {
            // Draws no random number if there is no choice.
            Self::Constant(latency) => latency,
            Self::Uniform { from, to } => {
                let nanos = to.saturating_sub(from).as_nanos() as u64;
                from + Duration::from_nanos(sim.random_below(nanos.saturating_add(1)))
            }
            Self::TwoPeaks {
                fast,
                slow,
                slow_share,
            } => match sim.random_chance(slow_share) {
                true => slow,
                false => fast,
            },
            // 1 - unit is never 0, so the logarithm is finite.
            Self::Exponential { mean } => mean.mul_f64(-(1.0 - sim.random_unit()).ln()),
        }
    }
}

impl From<Duration> for Latency {
    fn from(latency: Duration) -> Self {
        Self::Constant(latency)
    }
}

/// How long each part of an answer takes. By default nothing takes time.
///
/// The headers of a streamed answer arrive after `connect + headers`, its first token `first_token`
/// later, and each further token `token` later. The headers and body of a whole answer arrive at
/// the time when its stream would end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Timing {
    pub(super) connect: Latency,
    pub(super) headers: Latency,
    pub(super) first_token: Latency,
    pub(super) token: Latency,
}

#[cfg(test)]
mod tests {
    use super::super::super::executor::Sim;
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn samples(latency: Latency) -> Vec<Duration> {
        let sim = Sim::new(11);
        (0..10_000).map(|_| latency.sample(&sim)).collect()
    }

    fn mean(latency: Latency) -> f64 {
        let samples = samples(latency);
        samples.iter().map(Duration::as_secs_f64).sum::<f64>() / samples.len() as f64
    }

    #[test]
    fn each_distribution_has_its_shape() {
        assert!(samples(Latency::millis(3)).iter().all(|&s| s == ms(3)));

        let uniform = Latency::Uniform {
            from: ms(10),
            to: ms(20),
        };
        assert!(
            samples(uniform)
                .iter()
                .all(|s| (ms(10)..=ms(20)).contains(s))
        );
        assert!((mean(uniform) - 0.015).abs() < 0.0002);

        let peaks = Latency::TwoPeaks {
            fast: ms(10),
            slow: ms(1_000),
            slow_share: 0.02,
        };
        let slow = samples(peaks).iter().filter(|&&s| s == ms(1_000)).count();
        assert!((150..250).contains(&slow), "{slow}");

        let exponential = Latency::Exponential { mean: ms(100) };
        assert!((mean(exponential) - 0.1).abs() < 0.004);
        let late = samples(exponential)
            .iter()
            .filter(|&&s| s > ms(230))
            .count();
        assert!((850..1_150).contains(&late), "e^-2.3 is a tenth: {late}");
    }
}
