//! The old client's `RateLimiter`.

use std::sync::Arc;
use std::time::Duration;

use crate::admission::limiter::Limiter;
use crate::admission::queue::WhenFull;
use crate::executor::Executor;
use crate::policy::rate::Rate;

/// Admits at most a given number of calls in any period of time, for any work of yours.
///
/// The limiter is fair: calls are admitted in the order in which they came. Clones share one limit.
/// A client keeps its provider's limits itself (see [`RateLimits`](crate::RateLimits)); this
/// limiter is for anything else that you call.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use chatcore::{Executor, RateLimiter};
/// # async fn example(executor: Arc<dyn Executor>) {
/// // 10 calls a second, 3 of them at once.
/// let limiter = RateLimiter::new(executor, 10, Duration::from_secs(1)).burst(3);
/// for page in 0..100 {
///     limiter.acquire().await;
///     println!("fetching page {page}");
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RateLimiter {
    executor: Arc<dyn Executor>,
    calls: u32,
    period: Duration,
    limiter: Arc<Limiter>,
}

impl RateLimiter {
    /// Admits at most `calls` in any `period`, wherever it begins, and all of them at once if they
    /// come at once. 0 calls count as 1. A period of zero means no limit.
    pub fn new(executor: Arc<dyn Executor>, calls: u32, period: Duration) -> Self {
        Self::build(executor, calls, period, calls)
    }

    /// Admits only `burst` of the calls at once, and spreads the rest evenly over the period. 0
    /// counts as 1. The limiter starts anew and forgets the calls it has admitted, so set the burst
    /// where you create the limiter.
    #[must_use]
    pub fn burst(self, burst: u32) -> Self {
        Self::build(self.executor, self.calls, self.period, burst)
    }

    /// Waits until a call is admitted, and counts it.
    ///
    /// Cancel-safe: dropping the future leaves the queue, and counts nothing.
    pub async fn acquire(&self) {
        // This cannot fail: one call is never too large, and `WhenFull::Wait` never finds the queue
        // full.
        if let Ok(mut call) = self.limiter.acquire(0, WhenFull::Wait).await {
            call.sent();
        }
    }

    /// Whether a call is admitted now. If so, this counts it. Always false while other calls wait.
    pub fn try_acquire(&self) -> bool {
        match self.limiter.try_acquire(0) {
            Some(mut call) => {
                call.sent();
                true
            }
            None => false,
        }
    }

    /// How many calls wait.
    pub fn waiting(&self) -> usize {
        self.limiter.waiting()
    }

    fn build(executor: Arc<dyn Executor>, calls: u32, period: Duration, burst: u32) -> Self {
        let rate = Rate::calls(calls, period, burst);
        Self {
            limiter: Limiter::new(Arc::clone(&executor), rate, usize::MAX),
            executor,
            calls,
            period,
        }
    }
}

#[cfg(test)]
mod tests;
