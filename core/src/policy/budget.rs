//! Budgets for extra requests, so that retries and hedges do not make an outage worse.

use std::time::Duration;

use crate::time::Instant;

/// The price of a retry in calls. When everything fails, attempts are at most 1.1 times the calls.
const RETRIES: u64 = 10;
/// Retries available at the start: two for each of five concurrent calls, to match the defaults of
/// `LLM_MAX_RETRIES` and `LLM_ASYNC_WORKERS`.
const LOAN: u64 = 10;
/// The maximum number of saved retries: what a thousand calls pay for.
const SAVINGS: u64 = 100;
/// A client is quiet while at most this many calls and retries, the next one included, begin in a
/// minute.
const QUIET: usize = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// What calls have paid in for extra requests, up to a maximum.
///
/// The count starts with a loan, so that the first calls may be retried at all. The first calls pay
/// the loan back before they pay in. So extra requests never exceed their share of all calls, or
/// the loan if that is more.
#[derive(Debug)]
struct Tokens {
    /// The cost of one extra request. Every call pays in 1.
    price: u64,
    most: u64,
    there: u64,
    /// The part of the loan that is not paid back yet.
    owed: u64,
}

impl Tokens {
    fn new(price: u64, loan: u64, savings: u64) -> Self {
        Self {
            price,
            most: savings * price,
            there: loan * price,
            owed: loan * price,
        }
    }

    fn earn(&mut self) {
        match self.owed {
            0 => self.there = (self.there + 1).min(self.most),
            _ => self.owed -= 1,
        }
    }

    fn spend(&mut self) -> bool {
        match self.there.checked_sub(self.price) {
            Some(left) => {
                self.there = left;
                true
            }
            None => false,
        }
    }

    /// Takes the price of one extra request although it was not paid in.
    fn borrow(&mut self) {
        self.owed = (self.owed + self.price).min(LOAN * self.price);
    }

    fn give_back(&mut self, extra: u64) {
        let price = self.price.saturating_mul(extra);
        self.there = self.there.saturating_add(price).min(self.most);
    }
}

/// The budget of hedges.
#[cfg(feature = "limits")]
#[derive(Debug)]
pub(crate) struct Budget(Tokens);

#[cfg(feature = "limits")]
impl Budget {
    /// A budget of one extra request per `price` calls. It holds at most `reserve` extra requests,
    /// and starts full.
    pub(crate) fn one_in(price: u64, reserve: u64) -> Self {
        Self(Tokens::new(price, reserve, reserve))
    }

    /// Pays in for one call.
    pub(crate) fn earn(&mut self) {
        self.0.earn();
    }

    /// Takes the price of one extra request, if it was paid in.
    pub(crate) fn spend(&mut self) -> bool {
        self.0.spend()
    }
}

/// The budget of retries: see [`RetryPolicy`](super::retry::RetryPolicy) for its rule.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    tokens: Tokens,
    /// When the last calls and retries began, as a ring buffer.
    recent: [Option<Instant>; QUIET],
    /// The index of the oldest entry.
    oldest: usize,
}

impl RetryBudget {
    pub(crate) fn new() -> Self {
        Self {
            tokens: Tokens::new(RETRIES, LOAN, SAVINGS),
            recent: [None; QUIET],
            oldest: 0,
        }
    }

    /// Pays in for one call.
    pub(crate) fn earn(&mut self, now: Instant) {
        self.tokens.earn();
        self.note(now);
    }

    /// Takes the price of one retry, if it was paid in. A quiet client may borrow it.
    pub(crate) fn spend(&mut self, now: Instant) -> bool {
        if !self.tokens.spend() {
            if !self.is_quiet(now) {
                return false;
            }
            self.tokens.borrow();
        }
        self.note(now);
        true
    }

    /// Returns the price of the `retries` of a call that got its answer.
    pub(crate) fn give_back(&mut self, retries: usize) {
        self.tokens.give_back(retries as u64);
    }

    fn note(&mut self, now: Instant) {
        if let Some(oldest) = self.recent.get_mut(self.oldest) {
            *oldest = Some(now);
        }
        self.oldest = (self.oldest + 1) % QUIET;
    }

    /// Whether fewer than [`QUIET`] calls and retries began in the last minute.
    fn is_quiet(&self, now: Instant) -> bool {
        match self.recent.get(self.oldest) {
            Some(Some(oldest)) => now - *oldest >= MINUTE,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u32) -> Instant {
        Instant::from_epoch(SECOND * seconds)
    }

    #[test]
    fn when_all_fails_a_tenth_is_extra() {
        let mut budget = RetryBudget::new();
        let mut extra = 0;
        for calls in 1..=10_000_u32 {
            let now = at(calls);
            budget.earn(now);
            extra += u32::from(budget.spend(now)) + u32::from(budget.spend(now));
            assert!(extra <= (calls / 10).max(10), "{extra} of {calls}");
        }
        assert_eq!(extra, 1_000);
    }

    #[test]
    fn a_quiet_client_is_never_held_back() {
        let mut budget = RetryBudget::new();
        // Three calls a minute for a day, all of which fail.
        for call in 0..3 * 24 * 60 {
            let now = at(20 * call);
            budget.earn(now);
            assert!(budget.spend(now + SECOND) && budget.spend(now + SECOND * 2));
        }
        // A burst of calls after that is held back until the calls have paid back what was
        // borrowed.
        let now = at(100_000);
        (0..99).for_each(|_| budget.earn(now));
        assert!(!budget.spend(now));
        (0..11).for_each(|_| budget.earn(now));
        assert!(budget.spend(now));
        assert!(!budget.spend(now));
    }

    #[test]
    fn five_at_once_have_all_their_attempts_and_a_hundred_do_not() {
        for (calls, retries) in [(5, 10), (100, 10), (1_000, 100)] {
            let mut budget = RetryBudget::new();
            (0..calls).for_each(|_| budget.earn(at(1)));
            let spent = (0..2 * calls).filter(|_| budget.spend(at(2))).count();
            assert_eq!(spent, retries);
        }
    }

    #[test]
    fn a_retry_that_was_of_use_costs_nothing() {
        let mut budget = RetryBudget::new();
        for call in 0..1_000 {
            budget.earn(at(call));
            assert!(budget.spend(at(call)) && budget.spend(at(call)));
            budget.give_back(2);
        }
        // It also saves no more than the maximum.
        budget.give_back(1_000);
        let spent = (0..2_000).filter(|_| budget.spend(at(1_000))).count();
        assert_eq!(spent, 100);
    }

    #[cfg(feature = "limits")]
    #[test]
    fn health_saves_no_more_than_the_reserve() {
        let mut budget = Budget::one_in(20, 5);
        (0..100_000).for_each(|_| budget.earn());
        assert!((0..5).all(|_| budget.spend()));
        assert!(!budget.spend());
        (0..19).for_each(|_| budget.earn());
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend());
    }
}
