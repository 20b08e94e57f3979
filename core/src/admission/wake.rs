//! Wakes tasks without nesting.
//!
//! A waker is foreign code. It may run its task at once, or drop it, as an event loop that was
//! dropped does. The dropped task then returns what it holds, which wakes the next task inside the
//! first wake-up. Thousands of nested wake-ups overflow the stack. So a wake-up inside a wake-up is
//! queued, and the outermost one wakes them all, one after the other.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

thread_local! {
    /// The wakers to wake after the current ones on this thread; `None` while no wake-up runs.
    static NEXT: RefCell<Option<Vec<Waker>>> = const { RefCell::new(None) };
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
            *next = Some(Vec::new());
            true
        }
    });
    first.into_iter().chain(wakers).for_each(wake_one);
    if outermost == Ok(true) {
        while let Some(queue) = queued() {
            queue.into_iter().for_each(wake_one);
        }
    }
}

/// Takes all wakers that were queued. Ends the outermost wake-up if there are none.
fn queued() -> Option<Vec<Waker>> {
    NEXT.with_borrow_mut(|next| match next {
        Some(queue) if !queue.is_empty() => Some(std::mem::take(queue)),
        _ => {
            *next = None;
            None
        }
    })
}

/// Wakes one task. A panic in its waker must not cost the others their wake-up.
fn wake_one(waker: Waker) {
    let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
}
