//! Whether it pays to look for an answer before asking the reactor for it.
//!
//! A task whose socket is empty can register it with the reactor, which costs system calls and,
//! where the reactor runs on another thread, a change of threads. Or it lets the executor's other
//! tasks go first and then looks again. With dozens of chats at a fast server the answer is there
//! by then. With one chat, or with a model that takes its time, it never is, and looking is a
//! system call for nothing. So each transport goes by what its last looks found; where they find
//! nothing, one wait in nine looks.

use std::sync::atomic::{AtomicI32, Ordering};

/// After a look that found nothing, as many waits register at once before the next look.
const PAUSE: i32 = 8;

/// The most looks in a row that may find nothing, after as many that found something.
const TRUST: i32 = 32;

/// What the last looks of a transport found. Not exact where threads race, which harms nothing.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    /// Below zero: how many waits must not look. Else: how many more looks may find nothing.
    balance: AtomicI32,
}

impl Lookout {
    /// Whether a task that has to wait should look first.
    pub(super) fn should_look(&self) -> bool {
        let balance = self.balance.load(Ordering::Relaxed);
        if balance < 0 {
            self.balance.store(balance + 1, Ordering::Relaxed);
        }
        balance >= 0
    }

    /// Whether looks nearly always find something, so that many tasks must be at work at once.
    pub(super) fn is_busy(&self) -> bool {
        self.balance.load(Ordering::Relaxed) > TRUST / 2
    }

    /// What the look found.
    pub(super) fn note(&self, found: bool) {
        let balance = self.balance.load(Ordering::Relaxed);
        let balance = match found {
            true => (balance + 1).min(TRUST),
            false if balance > 0 => balance - 1,
            false => -PAUSE,
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
        assert!(!lookout.is_busy());
        for _ in 0..100 {
            assert!(lookout.should_look());
            lookout.note(true);
        }
        assert!(lookout.is_busy());
        // Some may fail, as long as more succeed.
        for _ in 0..100 {
            for found in [false, false, true, true, true] {
                assert!(lookout.should_look());
                lookout.note(found);
            }
        }
    }

    #[test]
    fn looks_that_find_nothing_become_rare() {
        let lookout = Lookout::default();
        let waits = 100 * (1 + PAUSE);
        let looks = (0..waits)
            .filter(|_| {
                let looked = lookout.should_look();
                if looked {
                    lookout.note(false);
                }
                looked
            })
            .count();
        assert_eq!(looks, 100);
        assert!(!lookout.is_busy());
    }
}
