//! The core's own monotonic instant. `std::time::Instant::now` panics in a browser, and a simulator
//! has no wall clock.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment in monotonic time: a [`Duration`] since the epoch of the
/// [`Executor`](crate::Executor) that gave it. Instants of two executors cannot be compared.
///
/// The range is 584 years after the epoch. A later moment counts as the last one.
///
/// ```
/// use std::time::Duration;
/// use chatcore::Instant;
///
/// let began = Instant::from_epoch(Duration::from_secs(3));
/// let ended = began + Duration::from_secs(2);
/// assert_eq!(ended - began, Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant {
    nanos: u64,
}

/// The nanoseconds of a duration, at most `u64::MAX` (584 years).
pub(crate) const fn nanos(duration: Duration) -> u64 {
    const MOST: u64 = u64::MAX / 1_000_000_000;
    match duration.as_secs() < MOST {
        true => duration.as_secs() * 1_000_000_000 + duration.subsec_nanos() as u64,
        false => u64::MAX,
    }
}

impl Instant {
    /// The moment `since_epoch` after the executor's epoch.
    pub const fn from_epoch(since_epoch: Duration) -> Self {
        Self {
            nanos: nanos(since_epoch),
        }
    }

    /// How long after the executor's epoch this moment is.
    pub const fn since_epoch(self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// The nanoseconds since the epoch.
    pub(crate) const fn nanos(self) -> u64 {
        self.nanos
    }

    /// How long after `earlier` this moment is; zero if it is not after it.
    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos.saturating_sub(earlier.nanos))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates at the last instant.
    fn add(self, duration: Duration) -> Self {
        Self {
            nanos: self.nanos.saturating_add(nanos(duration)),
        }
    }
}

impl Sub<Instant> for Instant {
    type Output = Duration;

    /// Saturates at zero.
    fn sub(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instant({:?})", self.since_epoch())
    }
}

/// Like [`Duration::from_secs_f64`], for values below 500 years: this links no code that refuses
/// other values.
pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::from_nanos((seconds * 1e9).round_ties_even() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        let early = Instant::from_epoch(Duration::from_secs(1));
        let late = early + Duration::from_secs(2);
        assert_eq!(late - early, Duration::from_secs(2));
        assert_eq!(early - late, Duration::ZERO);
        assert_eq!(late + Duration::MAX, Instant::from_epoch(Duration::MAX));
    }
}
