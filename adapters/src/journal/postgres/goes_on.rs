//! Work that a dropped future does not end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use chatcore::{BoxFuture, Executor};

/// A future that runs in the task of its caller. If it is dropped before its end, it goes on in the
/// background, and `abandoned` gets what it returns. It does not begin there, because that would
/// wake another thread for each piece of work.
pub(super) struct GoesOn<'a, T: Send + 'static, A: Abandoned<T>> {
    /// `None` once it has ended, and while it is polled: one that panicked must not go on.
    rest: Option<(BoxFuture<'static, T>, A)>,
    executor: &'a Arc<dyn Executor>,
}

/// What happens to a result that nobody waits for.
pub(super) trait Abandoned<T>:
    FnOnce(T) -> BoxFuture<'static, ()> + Send + Unpin + 'static
{
}

impl<T, A: FnOnce(T) -> BoxFuture<'static, ()> + Send + Unpin + 'static> Abandoned<T> for A {}

impl<'a, T: Send + 'static, A: Abandoned<T>> GoesOn<'a, T, A> {
    pub(super) fn new(
        executor: &'a Arc<dyn Executor>,
        work: BoxFuture<'static, T>,
        abandoned: A,
    ) -> Self {
        Self {
            rest: Some((work, abandoned)),
            executor,
        }
    }
}

impl<T: Send + 'static, A: Abandoned<T>> Future for GoesOn<'_, T, A> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some((mut work, abandoned)) = self.rest.take() else {
            return Poll::Pending;
        };
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.rest = Some((work, abandoned));
        }
        polled
    }
}

impl<T: Send + 'static, A: Abandoned<T>> Drop for GoesOn<'_, T, A> {
    fn drop(&mut self) {
        if let Some((work, abandoned)) = self.rest.take() {
            self.executor.spawn(Box::pin(async move {
                abandoned(work.await).await;
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_channel::oneshot;
    use futures_lite::future::{block_on, poll_once};

    use super::*;
    use crate::executor::SmolExecutor;

    fn executor() -> Arc<dyn Executor> {
        Arc::new(SmolExecutor::new())
    }

    /// Work that returns what it is sent, and tells when nobody waits for that.
    fn work(
        executor: &Arc<dyn Executor>,
    ) -> (
        oneshot::Sender<u32>,
        mpsc::Receiver<u32>,
        GoesOn<'_, u32, impl Abandoned<u32>>,
    ) {
        let (end, ended) = oneshot::channel();
        let (tell, abandoned) = mpsc::channel();
        let work = Box::pin(async move { ended.await.unwrap_or(0) });
        let goes_on = GoesOn::new(executor, work, move |value| {
            let _ = tell.send(value);
            Box::pin(std::future::ready(()))
        });
        (end, abandoned, goes_on)
    }

    #[test]
    fn what_ends_is_not_abandoned() {
        let executor = executor();
        let (end, abandoned, goes_on) = work(&executor);
        end.send(7).unwrap();
        assert_eq!(block_on(goes_on), 7);
        assert!(abandoned.recv().is_err(), "its closure was dropped");
    }

    #[test]
    fn what_is_dropped_goes_on_whether_it_was_polled_or_not() {
        let executor = executor();
        for polls in 0..2 {
            let (end, abandoned, mut goes_on) = work(&executor);
            for _ in 0..polls {
                assert!(block_on(poll_once(&mut goes_on)).is_none());
            }
            drop(goes_on);
            end.send(7).unwrap();
            assert_eq!(abandoned.recv(), Ok(7));
        }
    }

    #[test]
    fn what_panicked_does_not_go_on() {
        let executor = executor();
        let (tell, told) = mpsc::channel::<()>();
        let work: BoxFuture<'static, ()> = Box::pin(async { panic!("as bugs do") });
        let goes_on = GoesOn::new(&executor, work, move |()| {
            let _ = tell.send(());
            Box::pin(std::future::ready(()))
        });
        let run = std::panic::AssertUnwindSafe(|| block_on(goes_on));
        std::panic::catch_unwind(run).unwrap_err();
        assert!(told.recv().is_err());
    }
}
