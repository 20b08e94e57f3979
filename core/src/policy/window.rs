//! One limit: at most a given amount in any window of time.
//!
//! Invariant: the sum of what was started in the last span and what is held is at most the limit,
//! unless more was used than was reserved.
//!
//! ```text
//!          hold ──► held ──► start ──► counts for a span ──► gone
//!                    │                   │
//!                    └─ release          └─ settle: less is given back, more is added
//! ```
//!
//! The window is a sliding log. What it admits satisfies a provider that counts by fixed windows
//! wherever they begin, by a sliding window, and by a token bucket as large as the limit: an
//! interval of `t` spans holds at most `⌈t⌉` limits, and the bucket allows `1 + t` of them. The log
//! consists of slots of 1/1024 of the span. A slot counts until its last entry is a span old, so
//! the log is small for any limit.

use std::collections::VecDeque;
use std::time::Duration;

use super::token_bucket::TokenBucket;
use crate::dialect::Quota;
use crate::time::{Instant, nanos};

/// Slots in a span.
const SLOTS: u32 = 1024;

/// Whether an amount may be held now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It may be held now.
    Now,
    /// Not before this moment, unless something is given back earlier.
    At(Instant),
    /// Not before something that is held is started or given back.
    Later,
    /// Never, because it is more than this maximum.
    Never(u64),
}

/// An amount that was started, for [`Window::settle`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    slot: u64,
    amount: u64,
    at: Instant,
    /// The sum of all that was ever started, this amount included.
    total: u64,
}

/// The state of one limit. See the module's documentation.
#[derive(Debug)]
pub(crate) struct Window {
    limit: u64,
    span: Duration,
    slots: VecDeque<Slot>,
    /// The number of the first slot. The slots after it are numbered consecutively.
    first: u64,
    /// The sum of the slots.
    counted: u64,
    held: u64,
    /// Set only if the burst is smaller than the limit.
    bucket: Option<TokenBucket>,
    /// The limit in the provider's headers, and until when it counts: for one span, so that one
    /// response does not slow a client down for good.
    hinted: Option<(u64, Instant)>,
    hint: Option<Hint>,
    total: u64,
    now: Instant,
}

#[derive(Debug)]
struct Slot {
    opened: Instant,
    last: Instant,
    amount: u64,
}

/// The remaining quota that a provider reported for a request. It refills evenly until it is full.
#[derive(Debug)]
struct Hint {
    remaining: u64,
    missing: u64,
    as_of: Instant,
    full: Instant,
    /// [`Window::total`] when that request was started.
    total: u64,
}

impl Window {
    /// Allows at most `limit` in any `span`, and at most `burst` of it at once.
    pub(crate) fn new(limit: u64, burst: u64, span: Duration) -> Self {
        let limit = limit.max(1);
        let burst = burst.max(1);
        Self {
            limit,
            span,
            slots: VecDeque::new(),
            first: 0,
            counted: 0,
            held: 0,
            // A bucket as large as the limit would never be stricter than the window.
            bucket: (burst < limit).then(|| TokenBucket::new(limit, burst, span)),
            hinted: None,
            hint: None,
            total: 0,
            now: Instant::default(),
        }
    }

    /// The maximum that may be held at once.
    pub(crate) fn most(&self) -> u64 {
        self.bucket.as_ref().map_or(self.limit, TokenBucket::burst)
    }

    /// Whether `amount` may be held.
    pub(crate) fn fits(&mut self, now: Instant, amount: u64) -> Fit {
        let now = self.advance(now);
        if amount > self.most() {
            return Fit::Never(self.most());
        }
        // A limit in headers may be wrong, so a larger amount is not refused, but started alone.
        let hinted = self.hinted.map_or(u64::MAX, |(limit, _)| limit);
        let limit = self.limit.min(hinted).max(amount);
        let mut over = (self.counted.saturating_add(self.held))
            .saturating_add(amount)
            .saturating_sub(limit);
        let mut at = now;
        for slot in &self.slots {
            if over == 0 {
                break;
            }
            over = over.saturating_sub(slot.amount);
            at = slot.last + self.span;
        }
        if over > 0 {
            return Fit::Later;
        }
        if let Some(bucket) = &self.bucket {
            at = at.max(now + bucket.wait(amount));
        }
        if let Some(hint) = &self.hint {
            let since = self.total.saturating_sub(hint.total);
            at = at.max(hint.allows(since.saturating_add(self.held).saturating_add(amount)));
        }
        if at > now { Fit::At(at) } else { Fit::Now }
    }

    /// Holds `amount` for a request that will be started.
    pub(crate) fn hold(&mut self, now: Instant, amount: u64) {
        self.advance(now);
        self.held = self.held.saturating_add(amount);
        if let Some(bucket) = &mut self.bucket {
            bucket.take(amount);
        }
    }

    /// Releases an amount that was held and will not be started.
    pub(crate) fn release(&mut self, now: Instant, amount: u64) {
        self.advance(now);
        self.held = self.held.saturating_sub(amount);
        if let Some(bucket) = &mut self.bucket {
            bucket.give(amount);
        }
    }

    /// Starts an amount that was held: from now on it counts for a span.
    pub(crate) fn start(&mut self, now: Instant, amount: u64) -> Started {
        let at = self.advance(now);
        self.held = self.held.saturating_sub(amount);
        let slot = self.count(amount);
        Started {
            slot,
            amount,
            at,
            total: self.total,
        }
    }

    /// Replaces a started amount by the `actual` amount. If that is less, the rest is returned as
    /// if it had never been started; if it is more, the excess counts from now.
    pub(crate) fn settle(&mut self, now: Instant, started: &mut Started, actual: u64) {
        self.advance(now);
        let less = started.amount.saturating_sub(actual);
        let more = actual.saturating_sub(started.amount);
        started.amount = actual;
        if less > 0 {
            // A slot that has expired has nothing to return.
            let slot = (started.slot.checked_sub(self.first))
                .and_then(|place| usize::try_from(place).ok())
                .and_then(|place| self.slots.get_mut(place));
            if let Some(slot) = slot {
                let less = less.min(slot.amount);
                slot.amount -= less;
                self.counted -= less;
            }
            // The part that the headers do not count yet is smaller, too.
            if let Some(hint) = &mut self.hint
                && started.total > hint.total
            {
                hint.total = hint.total.saturating_add(less);
            }
        }
        if more > 0 {
            self.count(more);
        }
        if let Some(bucket) = &mut self.bucket {
            bucket.give(less);
            bucket.take(more);
        }
    }

    /// Takes in the quota in the headers of the answer to `started`. The answer to the request that
    /// was sent last is the most current.
    pub(crate) fn hint(&mut self, now: Instant, started: &Started, quota: &Quota) {
        let now = self.advance(now);
        // Azure has sent a limit of 0.
        let limit = quota.limit.filter(|limit| *limit > 0);
        self.hinted = limit.map(|limit| (limit, now + self.span)).or(self.hinted);
        let Some(remaining) = quota.remaining else {
            return;
        };
        if self
            .hint
            .as_ref()
            .is_some_and(|hint| hint.as_of > started.at)
        {
            return;
        }
        let limit = limit.unwrap_or(self.limit);
        self.hint = Some(Hint {
            remaining,
            missing: limit.saturating_sub(remaining),
            as_of: started.at,
            full: now + quota.reset.unwrap_or(self.span).min(self.span),
            total: started.total,
        });
        self.advance(now);
    }

    /// How much could be held if there were no hints. For tests.
    #[cfg(test)]
    pub(crate) fn balance(&mut self, now: Instant) -> u64 {
        self.advance(now);
        self.limit.saturating_sub(self.counted + self.held)
    }

    fn count(&mut self, amount: u64) -> u64 {
        self.total = self.total.saturating_add(amount);
        self.counted = self.counted.saturating_add(amount);
        let grain = self.span / SLOTS;
        match self.slots.back_mut() {
            Some(slot) if self.now <= slot.opened + grain => {
                slot.last = self.now;
                slot.amount = slot.amount.saturating_add(amount);
            }
            _ => self.slots.push_back(Slot {
                opened: self.now,
                last: self.now,
                amount,
            }),
        }
        self.first + self.slots.len() as u64 - 1
    }

    /// Advances the time, never back: two threads may call this in another order than they read the
    /// clock.
    fn advance(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        while let Some(slot) = self.slots.front()
            && slot.last + self.span <= self.now
        {
            self.counted = self.counted.saturating_sub(slot.amount);
            self.slots.pop_front();
            self.first += 1;
        }
        if let Some(bucket) = &mut self.bucket {
            bucket.advance(self.now);
        }
        if self.hint.as_ref().is_some_and(|hint| hint.full <= self.now) {
            self.hint = None;
        }
        self.hinted = self.hinted.filter(|(_, until)| *until > self.now);
        self.now
    }
}

impl Hint {
    /// When `amount` may have been started since the hint.
    fn allows(&self, amount: u64) -> Instant {
        let lacking = amount.saturating_sub(self.remaining);
        let missing = self.missing;
        if lacking == 0 {
            return self.as_of;
        }
        if lacking >= missing {
            return self.full;
        }
        // `lacking * refill / missing`, in two parts that fit into 64 bits. `lacking` is less than
        // `missing`, so neither part can exceed `refill`. If the product of the second part
        // overflows, the part is rounded up to `rest`: too late, and never too early.
        let refill = nanos(self.full - self.as_of);
        let (each, rest) = (refill / missing, refill % missing);
        let rest = lacking
            .checked_mul(rest)
            .map_or(rest, |rest| rest.div_ceil(missing));
        self.as_of + Duration::from_nanos(lacking * each + rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Instant {
        Instant::from_epoch(SECOND * seconds as u32)
    }

    fn run(window: &mut Window, now: Instant, amount: u64) -> Started {
        assert_eq!(window.fits(now, amount), Fit::Now);
        window.hold(now, amount);
        window.start(now, amount)
    }

    #[test]
    fn what_was_started_counts_for_a_span() {
        let mut window = Window::new(10, 10, MINUTE);
        run(&mut window, at(0), 4);
        run(&mut window, at(5), 6);
        assert_eq!(window.fits(at(6), 4), Fit::At(at(60)));
        assert_eq!(window.fits(at(6), 5), Fit::At(at(65)));
        assert_eq!(window.fits(at(6), 11), Fit::Never(10));
        assert_eq!(window.fits(at(60), 4), Fit::Now);
        assert_eq!(window.balance(at(65)), 10);
    }

    #[test]
    fn what_is_held_counts_from_its_start() {
        let mut window = Window::new(10, 10, MINUTE);
        window.hold(at(0), 10);
        assert_eq!(window.fits(at(100), 1), Fit::Later);
        window.start(at(100), 10);
        assert_eq!(window.fits(at(101), 1), Fit::At(at(160)));
        window.hold(at(160), 10);
        window.release(at(161), 10);
        assert_eq!(window.balance(at(161)), 10);
    }

    #[test]
    fn settling_gives_back_and_takes_more() {
        let mut window = Window::new(100, 100, MINUTE);
        let mut first = run(&mut window, at(0), 60);
        window.settle(at(1), &mut first, 10);
        assert_eq!(window.balance(at(1)), 90);
        let mut second = run(&mut window, at(2), 80);
        window.settle(at(10), &mut second, 200);
        // A debt: 10 + 80 + 120, where the last part counts from when it was known.
        assert_eq!(window.balance(at(10)), 0);
        assert_eq!(window.fits(at(10), 1), Fit::At(at(70)));
        assert_eq!(window.balance(at(70)), 100);
        // The slot has expired, so nothing is returned.
        window.settle(at(200), &mut first, 0);
        assert_eq!(window.balance(at(200)), 100);
    }

    #[test]
    fn a_burst_is_paced() {
        let mut window = Window::new(60, 2, MINUTE);
        run(&mut window, at(10), 2);
        assert_eq!(window.fits(at(10), 1), Fit::At(at(11)));
        assert_eq!(window.fits(at(10), 3), Fit::Never(2));
        let mut started = run(&mut window, at(11), 1);
        window.settle(at(11), &mut started, 0);
        assert_eq!(window.fits(at(11), 1), Fit::Now);
    }

    fn quota(limit: u64, remaining: u64, reset: u64) -> Quota {
        Quota {
            limit: Some(limit),
            remaining: Some(remaining),
            reset: Some(SECOND * reset as u32),
        }
    }

    #[test]
    fn hints_tighten_and_never_loosen() {
        let mut window = Window::new(100, 100, MINUTE);
        let first = run(&mut window, at(0), 1);
        // Other clients have used the limit, too: 0 are left, and 100 in 50 seconds.
        window.hint(at(0), &first, &quota(100, 0, 50));
        assert_eq!(
            window.fits(at(0), 1),
            Fit::At(Instant::from_epoch(SECOND / 2))
        );
        assert_eq!(window.fits(at(10), 20), Fit::Now);
        assert_eq!(
            window.fits(at(10), 21),
            Fit::At(Instant::from_epoch(SECOND * 21 / 2))
        );
        // The headers do not count what was started since.
        let second = run(&mut window, at(10), 20);
        assert_ne!(window.fits(at(10), 1), Fit::Now);
        // An answer to an earlier request says nothing new.
        window.hint(at(11), &second, &quota(100, 5, 50));
        window.hint(at(12), &first, &quota(100, 99, 1));
        assert_ne!(window.fits(at(12), 10), Fit::Now);
        // A hint expires, and never raises the limit.
        assert_eq!(window.fits(at(70), 100), Fit::Now);
        let third = run(&mut window, at(70), 100);
        window.hint(at(70), &third, &quota(1_000_000, 999_999, 30));
        assert_eq!(window.fits(at(71), 1), Fit::At(at(130)));
    }

    #[test]
    fn a_smaller_limit_in_headers_holds_but_refuses_nothing() {
        let mut window = Window::new(100, 100, MINUTE);
        let first = run(&mut window, at(0), 10);
        window.hint(at(0), &first, &quota(20, 20, 0));
        assert_eq!(window.fits(at(1), 10), Fit::Now);
        assert_eq!(window.fits(at(1), 11), Fit::At(at(60)));
        // More than the headers allow is started alone.
        assert_eq!(window.fits(at(1), 50), Fit::At(at(60)));
        // Azure's 0 is no limit.
        window.hint(at(1), &first, &quota(0, 0, 0));
        assert_eq!(window.fits(at(1), 10), Fit::Now);
    }

    #[test]
    fn hints_hold_for_a_span_at_most_whatever_they_say() {
        for quota in [
            quota(1, 0, 4_000_000),
            quota(u64::MAX, 0, u64::from(u32::MAX)),
            quota(1, u64::MAX, 0),
            Quota {
                limit: Some(1),
                remaining: Some(0),
                reset: None,
            },
        ] {
            let mut window = Window::new(100, 100, MINUTE);
            let first = run(&mut window, at(0), 1);
            window.hint(at(0), &first, &quota);
            assert_eq!(window.fits(at(60), 100), Fit::Now, "{quota:?}");
        }
    }

    #[test]
    fn what_was_used_beyond_the_limit_is_a_debt_of_a_span_at_most() {
        let mut window = Window::new(60, 2, MINUTE);
        let mut started = run(&mut window, at(0), 1);
        window.settle(at(0), &mut started, 1_000_000_000_000);
        assert_ne!(window.fits(at(59), 1), Fit::Now);
        // A span until the debt is paid, and a second for the token itself.
        assert_eq!(window.fits(at(61), 1), Fit::Now);
    }

    #[test]
    fn a_slot_counts_until_its_last_entry_is_a_span_old() {
        let mut window = Window::new(2, 2, MINUTE);
        let late = Duration::from_millis(50);
        run(&mut window, at(0), 1);
        run(&mut window, at(0) + late, 1);
        assert_eq!(window.slots.len(), 1);
        assert_eq!(window.fits(at(60), 1), Fit::At(at(60) + late));
    }

    #[test]
    fn the_log_stays_small() {
        let mut window = Window::new(1_000_000, 1_000_000, MINUTE);
        for step in 0..200_000_u32 {
            let now = Instant::from_epoch(Duration::from_millis(1) * step);
            run(&mut window, now, 1);
        }
        assert!(window.slots.len() <= SLOTS as usize + 2);
    }

    proptest! {
        #[test]
        fn a_hint_divides_as_128_bits_would(
            refill in 1u64..1_000_000_000_000_000_000,
            missing in prop_oneof![2u64..4_000_000_000, 2u64..=u64::MAX],
            share in 0.0f64..1.0,
        ) {
            let as_of = Instant::from_epoch(SECOND);
            let hint = Hint { as_of, full: as_of + Duration::from_nanos(refill), remaining: 0, missing, total: 0 };
            let lacking = ((missing as f64 * share) as u64).clamp(1, missing - 1);
            let exact = (u128::from(lacking) * u128::from(refill)).div_ceil(u128::from(missing));
            let given = (hint.allows(lacking) - as_of).as_nanos();
            prop_assert!(exact <= given && given <= u128::from(refill));
            if missing < 4_000_000_000 {
                prop_assert_eq!(given, exact);
            }
        }
    }
}
