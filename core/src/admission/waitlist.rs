//! A list of waiting tasks, first in, first out.
//!
//! Only the first task may go on, so no task overtakes another. A task that leaves the list,
//! because it goes on or gives up, wakes the next one, so that no wake-up is lost when a waiter is
//! dropped.

use std::collections::VecDeque;
use std::task::Waker;

/// A place in a [`WaitList`]. A lower number has waited longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// The list. Its owner locks it, and wakes the tasks outside that lock, because a waker may run its
/// task at once.
#[derive(Debug, Default)]
pub(crate) struct WaitList {
    next: u64,
    /// Ordered by ticket. A task that leaves before its turn leaves a gap (`None`), so that no
    /// other entry has to move. The first entry is never a gap, and at most half of the entries are
    /// gaps.
    places: VecDeque<(Ticket, Option<Waker>)>,
    gaps: usize,
}

impl WaitList {
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.gaps
    }

    /// Whether it is the turn of `ticket`. Without a ticket: whether the list is empty.
    #[cfg(feature = "limits")]
    pub(crate) fn is_turn(&self, ticket: Option<Ticket>) -> bool {
        self.places.front().map(|(first, _)| *first) == ticket
    }

    /// Joins the end of the list, or updates the waker of a ticket that is still in it.
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

    /// Leaves the list. Returns the waker of the first task, which may have its turn now.
    pub(crate) fn leave(&mut self, ticket: &mut Option<Ticket>) -> Option<Waker> {
        let place = ticket.take().and_then(|ticket| self.place(ticket));
        if place.and_then(Option::take).is_some() {
            self.gaps += 1;
            self.close_gaps();
        }
        self.head()
    }

    /// Removes the first task and returns its ticket and waker.
    pub(crate) fn pop(&mut self) -> Option<(Ticket, Waker)> {
        let (ticket, waker) = self.places.pop_front()?;
        self.close_gaps();
        Some((ticket, waker?))
    }

    /// The waker of the first task.
    pub(crate) fn head(&self) -> Option<Waker> {
        self.places.front()?.1.clone()
    }

    /// The wakers of all tasks.
    #[cfg(feature = "limits")]
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

#[cfg(all(test, feature = "limits"))]
mod tests {
    use super::*;

    /// A list of `length` tasks with their tickets, after the tasks `leaving` have left.
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
            // A ticket that was removed does not join again.
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
