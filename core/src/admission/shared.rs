//! Limits that several clients share, and this client's part of them.

use std::fmt::Debug;
use std::time::Duration;

use crate::executor::BoxFuture;
use crate::time::Instant;

/// An amount of a provider's limits.
///
/// ```
/// use chatcore::LimitAmount;
///
/// let amount = LimitAmount { requests: 1, tokens: 300 };
/// # let _ = amount;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LimitAmount {
    /// Requests.
    pub requests: u64,
    /// Tokens, input and output together.
    pub tokens: u64,
}

/// The result of [`SharedLimits::draw`].
///
/// ```
/// use std::time::Duration;
/// use chatcore::{LimitAmount, LimitBlock};
///
/// let granted = LimitBlock::Granted(LimitAmount { requests: 5, tokens: 1_500 }, Duration::from_secs(2));
/// let refused = LimitBlock::Later(Duration::from_millis(300));
/// # let _ = (granted, refused);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitBlock {
    /// This amount is the client's own. What it has not used after this time is lost.
    Granted(LimitAmount, Duration),
    /// Nothing now. Draw again after this time.
    Later(Duration),
}

/// Limits that several clients share, for example all workers of a batch: requests and tokens per
/// minute.
///
/// A client draws a block of the limits and sends requests until it is used up, so that it need not
/// ask for each request. It never sends more than it has drawn. Its own
/// [`RateLimits`](crate::RateLimits) hold beside the shared ones.
///
/// The feature `journal-memory` of the crate `chatcore-adapters` has an implementation for the
/// clients of one process, and `postgres` one for many machines.
///
/// ```
/// use std::sync::Mutex;
/// use std::time::Duration;
/// use chatcore::{BoxFuture, LimitAmount, LimitBlock, SharedLimits};
///
/// /// So many requests for all clients together, and no more.
/// #[derive(Debug)]
/// struct Quota(Mutex<u64>);
///
/// impl SharedLimits for Quota {
///     fn draw(&self, need: LimitAmount, want: LimitAmount) -> BoxFuture<'_, LimitBlock> {
///         let mut left = self.0.lock().unwrap();
///         let requests = want.requests.min(*left);
///         let block = match requests >= need.requests {
///             true => {
///                 *left -= requests;
///                 let amount = LimitAmount { requests, ..want };
///                 LimitBlock::Granted(amount, Duration::from_secs(10))
///             }
///             false => LimitBlock::Later(Duration::from_secs(60)),
///         };
///         Box::pin(std::future::ready(block))
///     }
/// }
/// ```
pub trait SharedLimits: Debug + Send + Sync + 'static {
    /// Draws a block of at least `need`, which is what the first waiting request needs, and at most
    /// `want`, which is what all waiting requests need. A limit that does not exist grants what is
    /// wanted. A need beyond what a limit ever holds is granted when the limit is full, because its
    /// request would otherwise wait for ever.
    ///
    /// A client has one draw at a time, in a task of its executor. An implementation on a network
    /// retries by itself: requests wait until it grants something. Dropping the future may lose a
    /// block.
    fn draw(&self, need: LimitAmount, want: LimitAmount) -> BoxFuture<'_, LimitBlock>;
}

/// What a client has drawn and not used.
#[derive(Debug, Default)]
pub(super) struct Pool {
    requests: u64,
    /// Negative if requests used more than they had reserved.
    tokens: i64,
    /// When the rest is lost, and how long a block lasts.
    until: Instant,
    lasts: Duration,
    /// Tokens that the waiting requests need, all of them and the first.
    waiting_tokens: u64,
    first_tokens: u64,
    /// The first waiting request needs more than there is.
    is_short: bool,
    is_drawing: bool,
}

impl Pool {
    /// Whether there is enough for a request of `tokens` tokens. If not, the pool is short.
    pub(super) fn holds(&mut self, now: Instant, tokens: u64) -> bool {
        if now >= self.until {
            self.requests = 0;
            self.tokens = self.tokens.min(0);
        }
        self.is_short = self.requests == 0 || self.tokens < signed(tokens);
        self.first_tokens = tokens;
        !self.is_short
    }

    /// Takes what [`holds`](Self::holds) has found.
    pub(super) fn take(&mut self, tokens: u64) {
        self.requests = self.requests.saturating_sub(1);
        self.tokens = self.tokens.saturating_sub(signed(tokens));
    }

    /// Gives back what was taken for a request that was not sent.
    pub(super) fn give(&mut self, now: Instant, tokens: u64) {
        self.requests = self.requests.saturating_add(1);
        self.used(now, tokens, 0);
    }

    /// Replaces a request's estimate by what it used.
    pub(super) fn used(&mut self, now: Instant, estimate: u64, actual: u64) {
        let more = signed(estimate).saturating_sub(signed(actual));
        self.tokens = self.tokens.saturating_add(more);
        if more > 0 {
            self.until = self.until.max(now + self.lasts);
        }
    }

    pub(super) fn granted(&mut self, now: Instant, amount: LimitAmount, lasts: Duration) {
        self.requests = self.requests.saturating_add(amount.requests);
        self.tokens = self.tokens.saturating_add(signed(amount.tokens));
        self.lasts = lasts;
        self.until = now + lasts;
        self.is_drawing = false;
    }

    pub(super) fn joins(&mut self, tokens: u64) {
        self.waiting_tokens = self.waiting_tokens.saturating_add(tokens);
    }

    pub(super) fn leaves(&mut self, tokens: u64) {
        self.waiting_tokens = self.waiting_tokens.saturating_sub(tokens);
    }

    /// Whether a draw must be started. It then counts as started.
    pub(super) fn starts_drawing(&mut self) -> bool {
        self.is_short && !std::mem::replace(&mut self.is_drawing, true)
    }

    /// No draw is running any more.
    pub(super) fn stops_drawing(&mut self) {
        self.is_drawing = false;
    }

    /// The need and the want of the next draw, if `waiting` requests wait.
    pub(super) fn wants(&self, waiting: usize) -> (LimitAmount, LimitAmount) {
        let amount = |requests: u64, tokens: u64| LimitAmount {
            requests: requests.saturating_sub(self.requests),
            tokens: u64::try_from(signed(tokens).saturating_sub(self.tokens)).unwrap_or(0),
        };
        let need = amount(1, self.first_tokens);
        let waiting = amount(waiting as u64, self.waiting_tokens);
        let want = LimitAmount {
            requests: waiting.requests.max(need.requests),
            tokens: waiting.tokens.max(need.tokens),
        };
        (need, want)
    }
}

fn signed(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_epoch(Duration::from_millis(millis))
    }

    fn amount(requests: u64, tokens: u64) -> LimitAmount {
        LimitAmount { requests, tokens }
    }

    #[test]
    fn a_block_is_used_returned_and_lost() {
        let mut pool = Pool::default();
        assert!(!pool.holds(at(0), 10));
        assert!(pool.starts_drawing() && !pool.starts_drawing());
        pool.joins(10);
        pool.joins(30);
        assert_eq!(pool.wants(2), (amount(1, 10), amount(2, 40)));
        pool.granted(at(0), amount(2, 40), Duration::from_secs(1));
        assert!(pool.holds(at(1), 10));
        pool.take(10);
        // It used 25 more than it had reserved.
        pool.used(at(2), 10, 35);
        assert!(!pool.holds(at(3), 30));
        assert_eq!(pool.wants(1), (amount(0, 25), amount(0, 35)));
        pool.used(at(4), 30, 0);
        assert!(pool.holds(at(5), 30));
        pool.take(30);
        pool.give(at(6), 30);
        assert!(pool.holds(at(1_005), 30));
        assert!(!pool.holds(at(1_006), 0));
    }
}
