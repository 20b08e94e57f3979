//! Waking, without nesting.
//!
//! A waker is foreign code. It may run the task that it wakes, or drop it (an event loop that is
//! gone does): that task gives back what it holds, which wakes the next one from inside of the
//! first wake-up. Thousands of waiters nested like that overflow the stack, so a wake-up within a
//! wake-up waits its turn: the outermost one does them all, one after the other.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

thread_local! {
    /// Those to wake after the one that is being woken on this thread; `None` while nobody is.
    static NEXT: RefCell<Option<VecDeque<Waker>>> = const { RefCell::new(None) };
}

/// Wakes them in their order. To be called outside of every lock.
pub(crate) fn wake(wakers: impl IntoIterator<Item = Waker>) {
    wake_all(&mut wakers.into_iter());
}

fn wake_all(wakers: &mut dyn Iterator<Item = Waker>) {
    let Some(first) = wakers.next() else {
        return;
    };
    let mut first = Some(first);
    let outermost = NEXT.try_with(|next| match &mut *next.borrow_mut() {
        Some(queue) => {
            queue.extend(first.take());
            queue.extend(&mut *wakers);
            false
        }
        next => {
            *next = Some(VecDeque::new());
            true
        }
    });
    first.into_iter().chain(wakers).for_each(wake_one);
    if outermost == Ok(true) {
        while let Some(waker) = pop() {
            wake_one(waker);
        }
    }
}

/// The next one, or the end of the outermost wake-up.
fn pop() -> Option<Waker> {
    NEXT.with_borrow_mut(|next| {
        let waker = next.as_mut().and_then(VecDeque::pop_front);
        if waker.is_none() {
            *next = None;
        }
        waker
    })
}

/// A panic in one task's waker must not cost the others their wake-up.
fn wake_one(waker: Waker) {
    let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
}
