//! Whether it pays to look for an answer before asking the reactor for it.
//!
//! A task whose socket is empty can register it with the reactor, which costs system calls and,
//! where the reactor runs on another thread, a change of threads. Or it lets the executor's other
//! tasks go first and then looks again. With dozens of chats at a fast server the answer is there
//! by then. With one chat, or with a model that takes its time, it never is, and looking is a
//! system call for nothing. So each transport goes by what its last looks found; where they find
//! nothing, one wait in nine looks.

use std::sync::atomic::{AtomicI32, Ordering};

/// After looks that found nothing, as many waits register at once before the next look.
const PAUSE: i32 = 8;

/// The most waits whose looks may find nothing, after as many that found something.
const TRUST: i32 = 32;

/// How often a task looks where looks nearly always find something. It goes on to look while its
/// answer is on the way, because to register takes as long as a dozen looks.
const LOOKS: u8 = 16;

/// What the last looks of a transport found. Not exact where threads race, which harms nothing.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    /// Below zero: how many waits must not look. Else: how many more may look and find nothing.
    balance: AtomicI32,
}

impl Lookout {
    /// How often a task that has to wait should look before it registers.
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

    /// Whether looks nearly always find something, so that many tasks must be at work at once.
    pub(super) fn is_busy(&self) -> bool {
        self.balance.load(Ordering::Relaxed) > TRUST / 2
    }

    /// A look found something.
    pub(super) fn found(&self) {
        let balance = self.balance.load(Ordering::Relaxed);
        self.balance
            .store((balance + 1).min(TRUST), Ordering::Relaxed);
    }

    /// A wait has used up its looks and found nothing.
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
        // Some may fail, as long as more succeed.
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
