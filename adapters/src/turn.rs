//! How long a thread runs tasks before it looks at its sockets again.
//!
//! [`SmolExecutor::block_on`](crate::executor::SmolExecutor::block_on) works in turns: after each, the
//! reactor says what has come. Where many tasks can go on at once, and above all where they are all
//! part of one future, a turn would last until the last of them has to wait; so those that begin
//! something new give way once it has lasted long enough. Elsewhere there are no turns, and nothing
//! here does anything.

use std::cell::Cell;
#[cfg(feature = "http1")]
use std::future::poll_fn;
#[cfg(feature = "http1")]
use std::task::Poll;
#[cfg(feature = "smol")]
use std::time::Duration;
use std::time::Instant;

/// How long a turn may last. Smol's reactor thread takes the sockets over from a thread that has not
/// asked for them some 50 to 100 µs long, and each time that costs more than a chat does.
#[cfg(feature = "smol")]
const LENGTH: Duration = Duration::from_micros(100);

thread_local! {
    static END: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Whether this thread's turn has lasted long enough.
pub(crate) fn is_over() -> bool {
    END.get().is_some_and(|end| Instant::now() >= end)
}

/// Runs `work` as a turn of its own.
#[cfg(feature = "smol")]
pub(crate) fn take<T>(work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Instant>);

    impl Drop for Restore {
        fn drop(&mut self) {
            END.set(self.0);
        }
    }

    let _restore = Restore(END.replace(Some(Instant::now() + LENGTH)));
    work()
}

/// Lets others go first where the turn is over: once, since whoever polls may know of no turns.
#[cfg(feature = "http1")]
pub(crate) async fn give_way() {
    let mut gave = false;
    poll_fn(|cx| {
        if gave || !is_over() {
            return Poll::Ready(());
        }
        gave = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(all(test, feature = "smol", feature = "http1"))]
mod tests {
    use futures_lite::future::{block_on, poll_once};

    use super::*;

    fn wait_for_the_end() {
        while !is_over() {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn who_gives_way_does_so_once_and_only_in_a_turn_that_is_over() {
        assert!(block_on(poll_once(give_way())).is_some());
        take(|| {
            assert!(block_on(poll_once(give_way())).is_some());
            wait_for_the_end();
            assert!(block_on(poll_once(give_way())).is_none());
            // It ends where nobody begins another turn, too.
            block_on(give_way());
        });
    }

    #[test]
    fn a_turn_within_another_is_one_of_its_own() {
        take(|| {
            wait_for_the_end();
            take(|| assert!(!is_over()));
            assert!(is_over());
            std::panic::catch_unwind(|| take(|| panic!("stays here"))).unwrap_err();
            assert!(is_over());
        });
        assert!(!is_over());
    }
}
