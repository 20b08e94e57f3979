//! The step between two attempts: whether there is another one, and when.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::Shared;
use crate::error::Error;
use crate::policy::deadlines::Deadlines;
use crate::policy::retry::{Retry, RetryPolicy};

/// How long to wait before another attempt, or `None` if there is to be none. There is none if the
/// call's time limit would pass during the wait, because the error of this attempt says more than a
/// timeout would.
pub(super) fn may_retry(
    shared: &Shared,
    policy: &RetryPolicy,
    error: &Error,
    attempts: u32,
    deadlines: &Deadlines,
) -> Option<Duration> {
    let now = shared.executor.now();
    let counter = shared.counters.retried.load(Relaxed);
    // The core has no random source. Time, counter and attempt number differ between any two
    // attempts, which is enough for jitter.
    let jitter = now
        .nanos()
        .wrapping_mul(31)
        .wrapping_add(counter << 8)
        .wrapping_add(attempts.into());
    let Retry::After(wait) = policy.decide(error, attempts, jitter) else {
        return None;
    };
    let in_time = deadlines
        .in_backoff()
        .is_none_or(|deadline| now + wait < deadline.at);
    (in_time && shared.retry_budget.lock().spend(now)).then_some(wait)
}
