//! Those who wait, first in first out.
//!
//! Only the one at the head may go on, so nobody overtakes. Who leaves, whether it goes on or
//! gives up, wakes the next one: no wake-up is lost with a waiter that is dropped.

use std::collections::VecDeque;
use std::task::Waker;

/// A place in a [`WaitList`]: the lower, the longer it has waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// Those who wait. The lock around it is its owner's, and so is waking: outside of that lock, for
/// a waker may run the task that it wakes.
#[derive(Debug, Default)]
pub(crate) struct WaitList {
    next: u64,
    /// By ticket. Who leaves before its turn leaves a gap behind, so that nobody has to move up;
    /// the first place is never one, and no more than half of them are.
    places: VecDeque<(Ticket, Option<Waker>)>,
    gaps: usize,
}

impl WaitList {
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.gaps
    }

    /// Whether it is the turn of `ticket`; one that has no ticket yet has its turn if nobody
    /// waits.
    pub(crate) fn is_turn(&self, ticket: Option<Ticket>) -> bool {
        self.places.front().map(|(first, _)| *first) == ticket
    }

    /// Waits at the end of the list, or goes on waiting in its place, if it has not left.
    pub(crate) fn wait(&mut self, ticket: &mut Option<Ticket>, waker: &Waker) {
        match *ticket {
            Some(ticket) => {
                if let Some(Some(known)) = self.place(ticket) {
                    known.clone_from(waker);
                }
            }
            None => {
                self.next += 1;
                let new = *ticket.insert(Ticket(self.next));
                self.places.push_back((new, Some(waker.clone())));
            }
        }
    }

    /// Leaves the list. Gives the one to wake: it may have its turn now.
    pub(crate) fn leave(&mut self, ticket: &mut Option<Ticket>) -> Option<Waker> {
        let place = ticket.take().and_then(|ticket| self.place(ticket));
        if place.and_then(Option::take).is_some() {
            self.gaps += 1;
            self.close_gaps();
        }
        self.head()
    }

    /// Takes the one whose turn it is from the list, to be woken.
    pub(crate) fn pop(&mut self) -> Option<(Ticket, Waker)> {
        let (ticket, waker) = self.places.pop_front()?;
        self.close_gaps();
        Some((ticket, waker?))
    }

    /// The one whose turn it is, to be woken.
    pub(crate) fn head(&self) -> Option<Waker> {
        self.places.front()?.1.clone()
    }

    /// All of them, to be woken.
    pub(crate) fn all(&self) -> Vec<Waker> {
        let wakers = self.places.iter().filter_map(|(_, waker)| waker.clone());
        wakers.collect()
    }

    fn place(&mut self, ticket: Ticket) -> Option<&mut Option<Waker>> {
        let found = self.places.binary_search_by_key(&ticket, |(held, _)| *held);
        Some(&mut self.places.get_mut(found.ok()?)?.1)
    }

    fn close_gaps(&mut self) {
        while let Some((_, None)) = self.places.front() {
            self.places.pop_front();
            self.gaps -= 1;
        }
        if self.gaps > self.places.len() / 2 {
            self.places.retain(|(_, waker)| waker.is_some());
            self.gaps = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Their tickets, of which `leaving` leave.
    fn list(length: usize, leaving: &[usize]) -> (WaitList, Vec<Option<Ticket>>) {
        let mut list = WaitList::default();
        let mut tickets = vec![None; length];
        for ticket in &mut tickets {
            list.wait(ticket, Waker::noop());
        }
        for &at in leaving {
            list.leave(&mut tickets[at]);
        }
        (list, tickets)
    }

    #[test]
    fn who_leaves_is_passed_over() {
        let (mut list, mut tickets) = list(6, &[1, 0, 4]);
        assert_eq!(list.len(), 3);
        assert_eq!(list.all().len(), 3);
        assert!(list.is_turn(tickets[2]));
        assert!(!list.is_turn(tickets[3]));
        for at in [2, 3, 5] {
            list.wait(&mut tickets[at], Waker::noop());
            assert_eq!(list.pop().map(|(ticket, _)| ticket), tickets[at]);
            // Its place is gone, and it gets no other one.
            list.wait(&mut tickets[at], Waker::noop());
        }
        assert!(list.pop().is_none());
        assert!(list.is_turn(None));
        assert_eq!((list.len(), list.places.len()), (0, 0));
    }

    #[test]
    fn gaps_take_no_more_room_than_those_who_wait() {
        let leaving: Vec<_> = (1..1000).rev().collect();
        let (mut list, tickets) = list(1000, &leaving);
        assert_eq!(list.len(), 1);
        assert!(list.places.len() <= 2, "{}", list.places.len());
        assert_eq!(list.pop().map(|(ticket, _)| ticket), tickets[0]);
    }
}
