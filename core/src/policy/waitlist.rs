//! Those who wait, first in first out.
//!
//! Only the one at the head may go on, so nobody overtakes. Who leaves, whether it goes on or
//! gives up, wakes the next one: no wake-up is lost with a waiter that is dropped.

use std::collections::BTreeMap;
use std::task::Waker;

/// A place in a [`WaitList`]: the lower, the longer it has waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// Those who wait. The lock around it is its owner's, and so is waking: outside of that lock, for
/// a waker may run the task that it wakes.
#[derive(Debug, Default)]
pub(crate) struct WaitList {
    next: u64,
    waiting: BTreeMap<Ticket, Waker>,
}

impl WaitList {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether it is the turn of `ticket`; one that has no ticket yet has its turn if nobody
    /// waits.
    pub(crate) fn is_turn(&self, ticket: Option<Ticket>) -> bool {
        self.waiting.keys().next().copied() == ticket
    }

    /// Waits at the end of the list, or goes on waiting in its place.
    pub(crate) fn wait(&mut self, ticket: &mut Option<Ticket>, waker: &Waker) {
        let ticket = ticket.get_or_insert_with(|| {
            self.next += 1;
            Ticket(self.next)
        });
        match self.waiting.get_mut(ticket) {
            Some(known) => known.clone_from(waker),
            None => {
                self.waiting.insert(*ticket, waker.clone());
            }
        }
    }

    /// Leaves the list. Gives the one to wake: it may have its turn now.
    pub(crate) fn leave(&mut self, ticket: &mut Option<Ticket>) -> Option<Waker> {
        if let Some(ticket) = ticket.take() {
            self.waiting.remove(&ticket);
        }
        self.head()
    }

    /// The one whose turn it is, to be woken.
    pub(crate) fn head(&self) -> Option<Waker> {
        self.waiting.values().next().cloned()
    }

    /// All of them, to be woken.
    pub(crate) fn all(&self) -> Vec<Waker> {
        self.waiting.values().cloned().collect()
    }
}
