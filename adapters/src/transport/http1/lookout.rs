//! Decides whether to look for a response before registering the socket with the reactor.
//!
//! A task whose socket is empty has two choices. It can register the socket with the reactor, which
//! costs system calls and, if the reactor runs on another thread, a thread switch. Or it lets the
//! executor's other tasks run first and then looks again. With dozens of chats at a fast server,
//! the response has arrived by then. With one chat, or with a slow model, it never has, and the
//! look is a wasted system call. So each transport follows the results of its recent looks. While
//! they find nothing, only one wait in nine looks.

use std::sync::atomic::{AtomicI32, Ordering};

/// After a wait whose looks found nothing, this many waits register without looking.
const PAUSE: i32 = 8;

/// How far `balance` can rise: after this many successful looks, this many waits may find nothing.
const TRUST: i32 = 32;

/// How often a task looks while nearly all looks succeed. It keeps looking while its response is on
/// the way, because registering takes as long as a dozen looks.
const LOOKS: u8 = 16;

/// The results of a transport's recent looks. Races between threads make it inexact, which is
/// harmless.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    /// Below zero: how many waits must still register without looking. Otherwise: how many more
    /// waits may look and find nothing before that.
    balance: AtomicI32,
}

impl Lookout {
    /// How many times a task that has to wait should look before it registers.
    pub(super) fn looks(&self) -> u8 {
        match self.balance.load(Ordering::Relaxed) {
            balance @ ..0 => {
                self.balance.store(balance + 1, Ordering::Relaxed);
                0
            }
            _ if self.is_busy() => LOOKS,
            _ => 1,
        }
    }

    /// Whether nearly all looks succeed, which means that many tasks are active at once.
    pub(super) fn is_busy(&self) -> bool {
        self.balance.load(Ordering::Relaxed) > TRUST / 2
    }

    /// Call this when a look found something.
    pub(super) fn found(&self) {
        let balance = self.balance.load(Ordering::Relaxed);
        self.balance
            .store((balance + 1).min(TRUST), Ordering::Relaxed);
    }

    /// Call this when a wait has used all its looks and found nothing.
    pub(super) fn found_nothing(&self) {
        let balance = match self.balance.load(Ordering::Relaxed) {
            balance @ 1.. => balance - 1,
            _ => -PAUSE,
        };
        self.balance.store(balance, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_go_on_as_long_as_they_find_something() {
        let lookout = Lookout::default();
        assert_eq!(lookout.looks(), 1);
        for _ in 0..100 {
            assert!(lookout.looks() > 0);
            lookout.found();
        }
        assert!(lookout.is_busy());
        assert_eq!(lookout.looks(), LOOKS);
        // Some looks may fail, as long as more succeed.
        for _ in 0..100 {
            lookout.found_nothing();
            lookout.found_nothing();
            for _ in 0..3 {
                assert_eq!(lookout.looks(), LOOKS);
                lookout.found();
            }
        }
    }

    #[test]
    fn looks_that_find_nothing_become_rare() {
        let lookout = Lookout::default();
        let waits = 100 * (1 + PAUSE);
        let looks = (0..waits)
            .filter(|_| {
                let looks = lookout.looks();
                assert!(looks <= 1);
                if looks == 1 {
                    lookout.found_nothing();
                }
                looks == 1
            })
            .count();
        assert_eq!(looks, 100);
        assert!(!lookout.is_busy());
    }
}
