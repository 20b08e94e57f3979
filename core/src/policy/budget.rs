//! How many extra requests there may be, so that retries and hedges do not make an outage worse.

use std::sync::{Mutex, PoisonError};

/// Of how many requests a retry may be one: the attempts are at most 1.1 times the requests.
const RETRIES: u64 = 10;

/// A token bucket: each request pays in a share of an extra one, up to a limit.
///
/// It begins full, so that a program that makes few requests may retry at all. What it begins with
/// is a loan: the first requests pay it back before they pay in. So there are never more extra
/// requests than the share of all requests, or the reserve where that is more: when everything
/// fails, the attempts are at most 1.1 times the requests from ten times the reserve on.
#[derive(Debug)]
pub(crate) struct Budget {
    /// What one extra request costs; every request pays in 1.
    price: u64,
    most: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: u64,
    /// What is left of the loan.
    owed: u64,
}

impl Budget {
    /// A budget of one retry in ten requests, which holds at most `reserve` of them, and is full.
    pub(crate) fn new(reserve: u32) -> Self {
        Self::one_in(RETRIES, reserve)
    }

    /// A budget of one extra request in `price` requests, which holds at most `reserve` of them,
    /// and is full.
    pub(crate) fn one_in(price: u64, reserve: u32) -> Self {
        let most = u64::from(reserve).saturating_mul(price);
        Self {
            price,
            most,
            state: Mutex::new(State {
                tokens: most,
                owed: most,
            }),
        }
    }

    /// A request was made.
    pub(crate) fn earn(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.owed {
            0 => state.tokens = (state.tokens + 1).min(self.most),
            _ => state.owed -= 1,
        }
    }

    /// Takes the price of one extra request, if it is there.
    pub(crate) fn spend(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.tokens.checked_sub(self.price) {
            Some(left) => {
                state.tokens = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_all_fails_a_tenth_is_extra() {
        let budget = Budget::new(20);
        let mut extra = 0;
        for requests in 1..=10_000_u32 {
            budget.earn();
            extra += u32::from(budget.spend()) + u32::from(budget.spend());
            assert!(extra <= (requests / 10).max(20), "{extra} of {requests}");
        }
        assert_eq!(extra, 1_000);
    }

    #[test]
    fn a_few_requests_may_all_be_retried() {
        let budget = Budget::new(20);
        assert!((0..20).all(|_| budget.spend()));
        assert!(!budget.spend());
    }

    #[test]
    fn health_saves_no_more_than_the_reserve() {
        let budget = Budget::one_in(20, 5);
        (0..100_000).for_each(|_| budget.earn());
        assert!((0..5).all(|_| budget.spend()));
        assert!(!budget.spend());
        (0..19).for_each(|_| budget.earn());
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend());
    }
}
