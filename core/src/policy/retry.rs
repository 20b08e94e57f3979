//! Decides whether to try again, and when.

use std::time::Duration;

use crate::error::Error;
use crate::time::nanos;

/// Whether and when another attempt follows a failed one.
///
/// Errors that [are retryable](Error::is_retryable) are retried: no connection, a lost connection,
/// 408, 409, 429 and 5xx, errors in a stream before its first content, and a time limit that ran
/// out while connecting or after bytes of the answer had come. A time limit that ran out in silence
/// is not retried, because the provider may be at work and charges for it.
///
/// The wait doubles with each attempt, up to a cap. It is shortened by a varying part of up to a
/// quarter, so that calls that failed together do not come back together. If the provider says how
/// long to wait, the wait is exactly that long. If the provider asks for more than
/// [`max_retry_after`](Self::max_retry_after), the call fails at once, and its error holds that
/// time.
///
/// A request that the provider refuses because of one of chatcore's [`Defaults`](crate::Defaults)
/// is sent again at once without that default. A request whose [`Credentials`](crate::Credentials)
/// renew themselves after a 401 is sent again at once, too. Neither counts as an attempt here, nor
/// towards the budget.
///
/// # The budget
/// All calls of a client share a budget, so that retries do not make an outage worse:
///
/// - Each call pays in a tenth of a retry. At most a hundred retries are saved. Ten are available
///   at the start, as a loan that the first calls pay back.
/// - A retry that leads to an answer gets its price back. So all failures of a provider that fails
///   only now and then are retried.
/// - A client is not held back while it is quiet, with fewer than ten calls and retries in the last
///   minute. So a lone call has all its attempts, however long the outage.
///
/// So when everything fails, a client that is not quiet makes at most 1.1 attempts per call, or ten
/// more attempts than calls if that is more. A call that finds the budget empty returns the error
/// of its last attempt at once.
///
/// ```
/// use std::time::Duration;
/// use chatcore::RetryPolicy;
///
/// let patient = RetryPolicy::default()
///     .max_attempts(5)
///     .max_retry_after(Duration::from_secs(300));
/// assert_eq!(patient.base, Duration::from_millis(500));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The total number of attempts, the first one included. Default 3, from `LLM_MAX_RETRIES`; 0
    /// counts as 1.
    pub max_attempts: u32,
    /// The wait before the second attempt. Default 0.5 s.
    pub base: Duration,
    /// The longest wait that chatcore chooses itself. Default 8 s.
    pub cap: Duration,
    /// The longest wait that the provider may ask for. Default 60 s.
    pub max_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(60),
        }
    }
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Another attempt, after this wait.
    After(Duration),
    /// No other attempt: the call returns the error.
    GiveUp,
}

impl RetryPolicy {
    /// Sets the total number of attempts, the first one included. 1 means no retries.
    #[must_use]
    pub fn max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts.max(1);
        self
    }

    /// Sets the wait before the second attempt. It doubles before each further one.
    #[must_use]
    pub fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the longest wait that chatcore chooses itself.
    #[must_use]
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// Sets the longest wait that the provider may ask for. A call that is asked to wait longer
    /// fails.
    #[must_use]
    pub fn max_retry_after(mut self, max_retry_after: Duration) -> Self {
        self.max_retry_after = max_retry_after;
        self
    }

    /// What follows attempt number `attempt`, counted from 1. `jitter` is any number; the same
    /// number gives the same result.
    pub(crate) fn decide(&self, error: &Error, attempt: u32, jitter: u64) -> Retry {
        if attempt >= self.max_attempts || !error.is_retryable() {
            return Retry::GiveUp;
        }
        match error.retry_after() {
            Some(asked) if asked <= self.max_retry_after => Retry::After(asked),
            Some(_) => Retry::GiveUp,
            None => Retry::After(self.backoff(attempt, jitter)),
        }
    }

    fn backoff(&self, attempt: u32, jitter: u64) -> Duration {
        let mut wait = nanos(self.base);
        for _ in 1..attempt.min(32) {
            wait = wait.saturating_add(wait);
        }
        let wait = wait.min(nanos(self.cap));
        // Shortens the wait by 0 to a quarter of it, in 2¹⁶ steps.
        let share = mix(jitter) >> 48;
        Duration::from_nanos(wait - (wait >> 18) * share)
    }
}

/// Mixes the bits of a number (splitmix64's finalizer).
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, Phase};

    fn error(kind: ErrorKind) -> Error {
        Error::new(kind, "no")
    }

    #[test]
    fn what_is_retried() {
        let policy = RetryPolicy::default();
        let retried = |error: &Error| policy.decide(error, 1, 0) != Retry::GiveUp;
        for kind in [
            ErrorKind::Connection,
            ErrorKind::RateLimited,
            ErrorKind::Overloaded,
            ErrorKind::Server,
            ErrorKind::Truncated,
        ] {
            assert!(retried(&error(kind)), "{kind:?}");
        }
        for kind in [
            ErrorKind::BadRequest,
            ErrorKind::Auth,
            ErrorKind::QuotaExceeded,
            ErrorKind::Protocol,
            ErrorKind::QueueFull,
            ErrorKind::Closed,
        ] {
            assert!(!retried(&error(kind)), "{kind:?}");
        }
        let late = |phase| Error::timeout(phase, Duration::ZERO);
        assert!(retried(&late(Phase::Connect)));
        assert!(!retried(&late(Phase::Overall)));
        // What the provider says about retries takes precedence.
        assert!(!retried(
            &error(ErrorKind::Server).with_should_retry(Some(false))
        ));
        assert!(retried(
            &error(ErrorKind::BadRequest).with_should_retry(Some(true))
        ));
    }

    #[test]
    fn waits_double_up_to_the_cap_less_a_quarter() {
        let policy = RetryPolicy::default().max_attempts(100);
        for (attempt, most) in [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (60, 8.0)] {
            let mut waits = std::collections::BTreeSet::new();
            for jitter in 0..200 {
                let Retry::After(wait) = policy.decide(&error(ErrorKind::Server), attempt, jitter)
                else {
                    panic!("no retry");
                };
                let wait = wait.as_secs_f64();
                assert!((0.75 * most..=most).contains(&wait), "{attempt}: {wait}");
                waits.insert(wait.to_bits());
            }
            assert!(waits.len() > 150, "the waits hardly differ");
        }
    }

    #[test]
    fn the_longest_waits_do_not_overflow() {
        let policy = RetryPolicy {
            base: Duration::MAX,
            cap: Duration::MAX,
            ..RetryPolicy::default()
        };
        for jitter in 0..100 {
            let wait = policy.decide(&error(ErrorKind::Server), 1, jitter);
            // The wait is still centuries long.
            let least = Duration::from_nanos(u64::MAX / 2);
            assert!(matches!(wait, Retry::After(wait) if wait > least));
        }
    }

    #[test]
    fn retry_after_is_kept_to_the_letter_or_not_at_all() {
        let policy = RetryPolicy::default();
        let asked = |seconds| {
            let asked = Some(Duration::from_secs(seconds));
            policy.decide(&error(ErrorKind::RateLimited).with_retry_after(asked), 1, 7)
        };
        assert_eq!(asked(60), Retry::After(Duration::from_secs(60)));
        assert_eq!(asked(0), Retry::After(Duration::ZERO));
        assert_eq!(asked(61), Retry::GiveUp);
    }

    #[test]
    fn attempts_are_counted_from_one() {
        let policy = RetryPolicy::default();
        assert_ne!(
            policy.decide(&error(ErrorKind::Server), 2, 0),
            Retry::GiveUp
        );
        assert_eq!(
            policy.decide(&error(ErrorKind::Server), 3, 0),
            Retry::GiveUp
        );
        let once = RetryPolicy::default().max_attempts(0);
        assert_eq!(once.decide(&error(ErrorKind::Server), 1, 0), Retry::GiveUp);
    }
}
