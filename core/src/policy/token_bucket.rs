//! A token bucket in integers, which limits how much may be started at once beside a window.

use std::time::Duration;

use crate::time::Instant;

/// Longer times (above 73 years) count as this, so that the products below fit into 128 bits.
const LONGEST: u128 = 1 << 61;

/// A token bucket that holds `burst` tokens and refills `limit` tokens per span. Its level is
/// counted in units: each nanosecond adds `limit` units, and a token costs as many units as the
/// span has nanoseconds. So nothing is rounded, and nothing drifts.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    limit: u64,
    burst: u64,
    price: i128,
    /// Negative if more was used than was reserved.
    level: i128,
    at: Instant,
}

impl TokenBucket {
    pub(crate) fn new(limit: u64, burst: u64, span: Duration) -> Self {
        let price = span.as_nanos().min(LONGEST) as i128;
        Self {
            limit,
            burst,
            price,
            level: price * i128::from(burst),
            at: Instant::default(),
        }
    }

    pub(crate) fn burst(&self) -> u64 {
        self.burst
    }

    /// Refills the bucket up to `now`.
    pub(crate) fn advance(&mut self, now: Instant) {
        let passed = (now - self.at).as_nanos().min(LONGEST) as i128;
        self.at = self.at.max(now);
        self.add(passed * i128::from(self.limit));
    }

    /// How long until the bucket holds `amount`; zero if it does now.
    pub(crate) fn wait(&self, amount: u64) -> Duration {
        let missing = (i128::from(amount) * self.price).saturating_sub(self.level);
        if missing <= 0 {
            return Duration::ZERO;
        }
        let limit = i128::from(self.limit);
        let nanos = (missing + limit - 1) / limit;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Takes `amount`. The debt is capped at what a span refills, because the window forgets after
    /// a span, too.
    pub(crate) fn take(&mut self, amount: u64) {
        let most = i128::from(self.limit) * self.price;
        let level = self.level.saturating_sub(i128::from(amount) * self.price);
        self.level = level.max(-most);
    }

    pub(crate) fn give(&mut self, amount: u64) {
        self.add(i128::from(amount) * self.price);
    }

    fn add(&mut self, units: i128) {
        let full = i128::from(self.burst) * self.price;
        self.level = self.level.saturating_add(units).min(full);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_drifts() {
        // A second does not divide by seven, and after a million tokens the time is still exact to
        // the nanosecond.
        let mut bucket = TokenBucket::new(7, 2, Duration::from_secs(1));
        let mut now = Instant::default();
        for _ in 0..1_000_000 {
            bucket.take(1);
            now = now + bucket.wait(1);
            bucket.advance(now);
        }
        // The bucket began with two tokens, and one is left.
        let exact = (999_999_u128 * 1_000_000_000).div_ceil(7);
        assert_eq!(now.since_epoch().as_nanos(), exact);
    }

    #[test]
    fn the_greatest_numbers_do_not_overflow() {
        let mut bucket = TokenBucket::new(u64::MAX, u64::MAX, Duration::MAX);
        bucket.take(u64::MAX);
        bucket.take(u64::MAX);
        assert!(bucket.wait(u64::MAX) > Duration::ZERO);
        bucket.advance(Instant::from_epoch(Duration::MAX));
        bucket.give(u64::MAX);
        assert_eq!(bucket.wait(1), Duration::ZERO);
    }
}
