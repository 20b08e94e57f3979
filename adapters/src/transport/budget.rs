//! Makes a stream that is always ready yield to other tasks now and then.

use std::task::{Context, Poll};

/// How many pieces in a row a stream gives before it yields. A piece has at most 16 KiB, so a
/// reader handles this many in a few milliseconds.
const PIECES: u8 = 16;

/// Counts the pieces that a stream gives without waiting.
///
/// When a server sends faster than the reader reads, the stream is always ready. Without a budget
/// the executor would keep polling the reader, and neither other tasks nor timeouts would run.
#[derive(Debug, Default)]
pub(super) struct Budget {
    used: u8,
}

impl Budget {
    /// Call this before each piece. It is pending once after every 16 pieces in a row, and wakes
    /// the task at once, so that the task runs again after all other ready tasks.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.used < PIECES {
            self.used += 1;
            return Poll::Ready(());
        }
        self.used = 0;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Call this when the stream had to wait, because other tasks could run meanwhile.
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
        // A pending poll must wake its task, or this would hang.
        let mut budget = Budget { used: PIECES };
        block_on(poll_fn(|cx| budget.poll(cx)));
    }
}
