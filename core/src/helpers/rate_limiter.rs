//! The old client's `RateLimiter`.

use std::sync::Arc;
use std::time::Duration;

use crate::admission::limiter::Limiter;
use crate::admission::queue::WhenFull;
use crate::executor::Executor;
use crate::policy::rate::Rate;

/// Lets at most so many calls through in any period of time: for any work of yours, chats or not.
///
/// It is fair: who came first goes first. Clones share one limit. A client keeps its provider's
/// limits by itself, see [`RateLimits`](crate::RateLimits); this is for what else you call.
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
    /// At most `calls` in any `period`, wherever it begins, and all of them at once where they
    /// come at once. 0 calls count as 1; in a period of zero there is no limit.
    pub fn new(executor: Arc<dyn Executor>, calls: u32, period: Duration) -> Self {
        Self::build(executor, calls, period, calls)
    }

    /// The same limit, of which only `burst` may go at once: after these, the calls are spread
    /// evenly over the period. 0 counts as 1. It begins anew: what was let through before does
    /// not count, so say it where the limiter is made.
    #[must_use]
    pub fn burst(self, burst: u32) -> Self {
        Self::build(self.executor, self.calls, self.period, burst)
    }

    /// Waits until a call may go, and counts it.
    ///
    /// Cancel-safe: a future that is dropped has given up its place and counted nothing.
    pub async fn acquire(&self) {
        // One call is never too large, and one who waits finds no queue full.
        if let Ok(mut call) = self.limiter.acquire(0, WhenFull::Wait).await {
            call.sent();
        }
    }

    /// Whether a call may go now; if so, it is counted. Never while others wait.
    pub fn try_acquire(&self) -> bool {
        match self.limiter.try_acquire(0) {
            Some(mut call) => {
                call.sent();
                true
            }
            None => false,
        }
    }

    /// How many wait.
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
