//! Lets others go on beside a stream that always has more.

use std::task::{Context, Poll};

/// How many pieces in a row a stream gives without a pause. A piece has at most 16 KiB, so this
/// is what a reader gets through in a few milliseconds.
const PIECES: u8 = 16;

/// Counts the pieces that a stream gives one after another.
///
/// A server that sends faster than a reader reads makes a stream that is always ready. An executor
/// would stay with its reader then, and neither other tasks nor time limits had their turn.
#[derive(Debug, Default)]
pub(super) struct Budget {
    used: u8,
}

impl Budget {
    /// Called before each piece. Pending once after every 16 pieces in a row; the task is woken at
    /// once, behind all others that can go on.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.used < PIECES {
            self.used += 1;
            return Poll::Ready(());
        }
        self.used = 0;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The stream had to wait, so others have had their turn.
    pub(super) fn waited(&mut self) {
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::{block_on, poll_fn, poll_once};

    use super::*;

    #[test]
    fn a_pause_comes_after_so_many_in_a_row_and_wakes_the_task() {
        let mut budget = Budget::default();
        let mut poll = move || block_on(poll_once(poll_fn(|cx| budget.poll(cx)))).is_some();
        for _ in 0..2 {
            assert!((0..PIECES).all(|_| poll()));
            assert!(!poll());
        }
        let mut budget = Budget::default();
        for _ in 0..100 {
            assert!(block_on(poll_once(poll_fn(|cx| budget.poll(cx)))).is_some());
            budget.waited();
        }
        // It wakes the tasks that it made wait, or this would hang.
        let mut budget = Budget { used: PIECES };
        block_on(poll_fn(|cx| budget.poll(cx)));
    }
}
