//! How many extra requests there may be, so that retries and hedges do not make an outage worse.

use std::time::Duration;

use crate::time::Instant;

/// Of how many calls a retry may be one: when everything fails, the attempts are at most 1.1
/// times the calls.
const RETRIES: u64 = 10;
/// How many retries are there at the start: the two of each of five calls at once, which is what
/// `LLM_MAX_RETRIES` and `LLM_ASYNC_WORKERS` are by default.
const LOAN: u64 = 10;
/// How many retries may be saved up: as many as a thousand calls at once pay for.
const SAVINGS: u64 = 100;
/// Calls and retries in a minute, this one included, up to which a client is quiet.
const QUIET: usize = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// A count of what calls have paid in for extra requests, up to a limit.
///
/// It begins with something in it, so that the first calls may be retried at all. That is a loan:
/// the first calls pay it back before they pay in. So there are never more extra requests than
/// the share of all calls, or the loan where that is more.
#[derive(Debug)]
struct Tokens {
    /// What one extra request costs; every call pays in 1.
    price: u64,
    most: u64,
    there: u64,
    /// What is left of the loan.
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

    /// Takes the price of one extra request though it is not there.
    fn borrow(&mut self) {
        self.owed = (self.owed + self.price).min(LOAN * self.price);
    }

    fn give_back(&mut self, extra: u64) {
        let price = self.price.saturating_mul(extra);
        self.there = self.there.saturating_add(price).min(self.most);
    }
}

/// The budget of hedges.
#[derive(Debug)]
pub(crate) struct Budget(Tokens);

impl Budget {
    /// A budget of one extra request in `price` calls, which holds at most `reserve` of them, and
    /// is full.
    pub(crate) fn one_in(price: u64, reserve: u64) -> Self {
        Self(Tokens::new(price, reserve, reserve))
    }

    /// A call was made.
    pub(crate) fn earn(&mut self) {
        self.0.earn();
    }

    /// Takes the price of one extra request, if it is there.
    pub(crate) fn spend(&mut self) -> bool {
        self.0.spend()
    }
}

/// The budget of retries: see [`RetryPolicy`](super::retry::RetryPolicy) for its rule.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    tokens: Tokens,
    /// When the last calls and retries began, in a ring.
    recent: [Option<Instant>; QUIET],
    /// The place of the oldest.
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

    /// A call was made.
    pub(crate) fn earn(&mut self, now: Instant) {
        self.tokens.earn();
        self.note(now);
    }

    /// Takes the price of one retry, if it is there. A quiet client need not have it.
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

    /// So many retries of a call were of use: it has its answer.
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
        // Three calls a minute, for a day, and nothing but failures.
        for call in 0..3 * 24 * 60 {
            let now = at(20 * call);
            budget.earn(now);
            assert!(budget.spend(now + SECOND) && budget.spend(now + SECOND * 2));
        }
        // A crowd after it is held back, and pays what the quiet time has borrowed.
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
        // And brings no more than may be saved.
        budget.give_back(1_000);
        let spent = (0..2_000).filter(|_| budget.spend(at(1_000))).count();
        assert_eq!(spent, 100);
    }

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
