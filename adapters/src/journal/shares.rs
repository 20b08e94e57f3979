//! Limits that the clients of one process share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatcore::{BoxFuture, Executor, Instant, LimitAmount, LimitBlock, SharedLimits};

use super::limits::Pace;

/// How long a block may be used.
const LASTS: Duration = Duration::from_secs(2);

/// Limits per minute that the clients of one process share, without a database.
///
/// In any minute, the clients together send at most the limit, and they use more than 97 % of it
/// if it is 60 or more.
///
/// ```
/// use std::sync::Arc;
/// use chatcore::{LlmClient, RateLimits};
/// use chatcore_adapters::journal::MemoryLimits;
///
/// # fn example(executor: Arc<dyn chatcore::Executor>, transport: Arc<dyn chatcore::Transport>)
/// #     -> Result<(), chatcore::Error> {
/// let limits = Arc::new(MemoryLimits::new(Arc::clone(&executor), Some(500), None));
/// let one = LlmClient::builder(Arc::clone(&executor), Arc::clone(&transport))
///     .shared_limits(limits.clone())
///     .build()?;
/// let other = LlmClient::builder(executor, transport).shared_limits(limits).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MemoryLimits {
    clock: Arc<dyn Executor>,
    buckets: Mutex<[Option<Bucket>; 2]>,
}

#[derive(Debug)]
struct Bucket {
    pace: Pace,
    level: f64,
    at: Instant,
}

impl MemoryLimits {
    /// Limits of so many requests and tokens per minute; `None` is no limit. `clock` measures the
    /// time.
    pub fn new(
        clock: Arc<dyn Executor>,
        requests_per_minute: Option<u64>,
        tokens_per_minute: Option<u64>,
    ) -> Self {
        let now = clock.now();
        let bucket = |limit: Option<u64>| {
            let pace = Pace::per_minute(limit?);
            Some(Bucket {
                pace,
                level: pace.most,
                at: now,
            })
        };
        let buckets = [bucket(requests_per_minute), bucket(tokens_per_minute)];
        Self {
            clock,
            buckets: Mutex::new(buckets),
        }
    }

    fn draw_now(&self, need: LimitAmount, want: LimitAmount) -> LimitBlock {
        let now = self.clock.now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = [(need.requests, want.requests), (need.tokens, want.tokens)];
        let mut wait = 0.0_f64;
        for (bucket, (need, want)) in buckets.iter_mut().zip(asked) {
            if let Some(bucket) = bucket {
                wait = wait.max(bucket.wait(now, need, want));
            }
        }
        if wait > 0.0 {
            return LimitBlock::Later(Duration::from_secs_f64(wait));
        }
        let mut granted = [want.requests, want.tokens];
        for ((bucket, (need, want)), granted) in buckets.iter_mut().zip(asked).zip(&mut granted) {
            if let Some(bucket) = bucket {
                *granted = bucket.take(need, want);
            }
        }
        let [requests, tokens] = granted;
        LimitBlock::Granted(LimitAmount { requests, tokens }, LASTS)
    }
}

impl Bucket {
    /// Refills the bucket. How many seconds it takes until it holds a block: half of the most, but
    /// no more than is wanted and no less than is needed.
    fn wait(&mut self, now: Instant, need: u64, want: u64) -> f64 {
        let passed = (now - self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.level = (self.level + self.pace.rate * passed).min(self.pace.most);
        let block = (want as f64).min((need as f64).max(self.pace.most / 2.0));
        let missing = block.min(self.pace.most) - self.level;
        // What is missing by rounding alone must not cost a wait that ends before its begin.
        if missing <= 1e-9 {
            0.0
        } else {
            missing / self.pace.rate
        }
    }

    fn take(&mut self, need: u64, want: u64) -> u64 {
        let held = (self.level + 1e-9).floor().max(0.0) as u64;
        let granted = want.min(held).max(need);
        self.level -= granted as f64;
        granted
    }
}

impl SharedLimits for MemoryLimits {
    fn draw(&self, need: LimitAmount, want: LimitAmount) -> BoxFuture<'_, LimitBlock> {
        Box::pin(async move { self.draw_now(need, want) })
    }
}
