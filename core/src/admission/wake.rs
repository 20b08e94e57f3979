//! Wakes tasks without nesting.
//!
//! A waker is foreign code. It may run its task at once, or drop it, as an event loop that was
//! dropped does. The dropped task then returns what it holds, which wakes the next task inside the
//! first wake-up. Thousands of nested wake-ups overflow the stack. So a wake-up inside a wake-up is
//! queued, and the outermost one wakes them all, one after the other.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

thread_local! {
    /// The wakers to wake after the current one on this thread; `None` while no wake-up runs.
    static NEXT: RefCell<Option<VecDeque<Waker>>> = const { RefCell::new(None) };
}

/// Wakes `wakers` in their order. Call it without holding any lock.
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

/// Takes the next waker. Ends the outermost wake-up if there is none.
fn pop() -> Option<Waker> {
    NEXT.with_borrow_mut(|next| {
        let waker = next.as_mut().and_then(VecDeque::pop_front);
        if waker.is_none() {
            *next = None;
        }
        waker
    })
}

/// Wakes one task. A panic in its waker must not cost the others their wake-up.
fn wake_one(waker: Waker) {
    let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
}
