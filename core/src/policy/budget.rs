//! How many extra requests there may be, so that retries do not make an outage worse.

use std::sync::{Mutex, PoisonError};

/// Tokens that one success earns, out of the price of one extra request.
const EARNED: u64 = 1;
/// The price of one extra request: so one in ten requests may be extra.
const PRICE: u64 = 10;

/// A token bucket: every request pays in a tenth of an extra one, up to a limit.
///
/// When everything fails, the attempts are at most 1.1 times the requests, and a reserve beyond
/// that: the reserve lets a program that makes few requests retry at all.
#[derive(Debug)]
pub(crate) struct Budget {
    tokens: Mutex<u64>,
    most: u64,
}

impl Budget {
    /// A budget that holds at most `reserve` extra requests, and is full.
    pub(crate) fn new(reserve: u32) -> Self {
        let most = u64::from(reserve) * PRICE;
        Self {
            tokens: Mutex::new(most),
            most,
        }
    }

    /// A request was made.
    pub(crate) fn earn(&self) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        *tokens = (*tokens + EARNED).min(self.most);
    }

    /// Takes the price of one extra request, if it is there.
    pub(crate) fn spend(&self) -> bool {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        match tokens.checked_sub(PRICE) {
            Some(left) => {
                *tokens = left;
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
        let extra = (0..10_000)
            .map(|_| {
                budget.earn();
                u32::from(budget.spend()) + u32::from(budget.spend())
            })
            .sum::<u32>();
        assert!((1_000..=1_020).contains(&extra), "{extra}");
    }

    #[test]
    fn a_few_requests_may_all_be_retried() {
        let budget = Budget::new(20);
        assert!((0..20).all(|_| budget.spend()));
        assert!(!budget.spend());
    }
}
