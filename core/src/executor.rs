//! The first of the two seams: what the core asks of a runtime.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::time::Instant;

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the core asks of a runtime: background tasks, sleep, and monotonic time.
///
/// Three methods and no more. An implementation for an event loop of your own is under 60 lines;
/// the example program `custom_executor` is one.
///
/// The core calls [`sleep`](Executor::sleep) and [`now`](Executor::now) from whichever task or
/// thread drives a chat, so both must work outside of the executor's own threads.
pub trait Executor: Debug + Send + Sync + 'static {
    /// Runs `task` in the background, detached: it goes on until it is done, and nobody waits
    /// for it. A panic in it must stay in it. An executor that is shutting down may drop the
    /// task without running it.
    fn spawn(&self, task: BoxFuture<'static, ()>);

    /// Completes once `duration` has passed, counted from this call and by [`now`](Self::now):
    /// when it completes, `now` has moved by `duration` at least. It may complete later (an event
    /// loop looks once in each turn): time limits then run out later, and nothing else changes.
    /// Dropping it cancels it.
    ///
    /// An executor that is shutting down may complete it early, so that nobody waits for a timer
    /// that is gone. Time limits hold all the same; who waits for one polls more often.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Monotonic time: a duration since an epoch of the executor's own choosing, which must not
    /// change while the executor lives. It need not move within one turn of an event loop. Where
    /// it jumps ahead (a computer that slept), what came in meanwhile counts before the time
    /// limits that the jump ran over.
    fn now(&self) -> Instant;
}
