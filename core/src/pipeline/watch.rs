//! One timer per call, however often its deadline moves.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::Error;
use crate::executor::{BoxFuture, Executor};
use crate::policy::deadlines::Deadline;
use crate::time::Instant;

/// Watches the clock for one call. Moving a deadline back costs nothing, because the running timer
/// is kept and replaced only after it has fired too early.
pub(crate) struct Watch {
    executor: Arc<dyn Executor>,
    timer: Option<(Instant, BoxFuture<'static, ()>)>,
}

impl Watch {
    pub(crate) fn new(executor: Arc<dyn Executor>) -> Self {
        Self {
            executor,
            timer: None,
        }
    }

    /// Moves the timer into the result, and leaves none behind.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            executor: Arc::clone(&self.executor),
            timer: self.timer.take(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.executor.now()
    }

    /// Ready with the error of `deadline` once the deadline has passed. Pending for ever without
    /// one.
    pub(crate) fn poll(&mut self, deadline: Option<Deadline>, cx: &mut Context<'_>) -> Poll<Error> {
        let Some(deadline) = deadline else {
            return Poll::Pending;
        };
        let mut rang_at_once = false;
        loop {
            match &mut self.timer {
                Some((rings, timer)) if *rings <= deadline.at => {
                    if timer.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    self.timer = None;
                }
                _ => {
                    let now = self.executor.now();
                    if now >= deadline.at {
                        return Poll::Ready(deadline.error());
                    }
                    if rang_at_once {
                        // An executor that shuts down may complete its sleeps early. Yield instead
                        // of looping, so that the watched future can still run.
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    let timer = self.executor.sleep(deadline.at - now);
                    self.timer = Some((deadline.at, timer));
                    rang_at_once = true;
                }
            }
        }
    }

    /// Runs `future`, unless `deadline` passes first.
    pub(crate) fn limit<F: Future + Unpin>(
        &mut self,
        deadline: Option<Deadline>,
        mut future: F,
    ) -> impl Future<Output = Result<F::Output, Error>> {
        poll_fn(move |cx| match Pin::new(&mut future).poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => self.poll(deadline, cx).map(Err),
        })
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("rings", &self.timer.as_ref().map(|(rings, _)| rings))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
    use std::time::Duration;

    use futures_lite::future::{block_on, yield_now};

    use super::*;
    use crate::error::Phase;

    /// An executor that shuts down: its sleeps complete at once, whatever the time is.
    #[derive(Debug, Default)]
    struct Closing(AtomicU64);

    impl Executor for Closing {
        fn spawn(&self, _: BoxFuture<'static, ()>) {}

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }

        fn now(&self) -> Instant {
            Instant::from_epoch(Duration::from_secs(self.0.load(SeqCst)))
        }
    }

    #[test]
    fn sleeps_that_end_early_neither_block_nor_cut_short() {
        let executor = Arc::new(Closing::default());
        let mut watch = Watch::new(Arc::clone(&executor) as Arc<dyn Executor>);
        let deadline = Deadline {
            at: Instant::from_epoch(Duration::from_secs(5)),
            phase: Phase::Overall,
            limit: Duration::from_secs(5),
            again: true,
        };
        let soon = Box::pin(async {
            for _ in 0..3 {
                yield_now().await;
            }
            7
        });
        assert_eq!(block_on(watch.limit(Some(deadline), soon)).unwrap(), 7);
        let never = Box::pin(async {
            loop {
                executor.0.fetch_add(1, SeqCst);
                yield_now().await;
            }
        });
        let late: Result<(), _> = block_on(watch.limit(Some(deadline), never));
        assert_eq!(late.unwrap_err().phase(), Some(Phase::Overall));
        assert_eq!(executor.0.load(SeqCst), 5);
    }
}
