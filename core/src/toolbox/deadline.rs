//! A time limit on the executor's clock.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::executor::{BoxFuture, Executor};
use crate::time::Instant;

/// A time limit. Its timer is set at the first poll, because most of what is limited ends at once.
pub(super) struct Deadline {
    executor: Arc<dyn Executor>,
    /// `None` if there is no limit.
    at: Option<Instant>,
    sleep: Option<BoxFuture<'static, ()>>,
}

/// The time limit was reached.
#[derive(Debug)]
pub(super) struct TimeUp;

impl Deadline {
    /// A limit that begins now. `None` is no limit.
    pub(super) fn after(executor: &Arc<dyn Executor>, limit: Option<Duration>) -> Self {
        Self {
            executor: Arc::clone(executor),
            at: limit.map(|limit| executor.now() + limit),
            sleep: None,
        }
    }

    /// Whether the limit is reached.
    pub(super) fn is_reached(&self) -> bool {
        self.at.is_some_and(|at| self.executor.now() >= at)
    }

    /// Completes once the limit is reached.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else {
            return Poll::Pending;
        };
        let now = self.executor.now();
        if now >= at {
            return Poll::Ready(());
        }
        let sleep = self
            .sleep
            .get_or_insert_with(|| self.executor.sleep(at.saturating_duration_since(now)));
        if sleep.as_mut().poll(cx).is_ready() {
            // Too early, because the executor is shutting down.
            self.sleep = None;
            if self.is_reached() {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Runs `future` until it ends or the limit is reached. A future that is complete at the limit
    /// counts as complete.
    pub(super) async fn limit<F: Future>(&mut self, future: F) -> Result<F::Output, TimeUp> {
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => self.poll(cx).map(|()| Err(TimeUp)),
        })
        .await
    }
}
