//! The first of the two seams: the trait for a runtime.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::time::Instant;

/// A boxed future that may move between threads.
///
/// ```
/// use chatcore::BoxFuture;
///
/// fn later(text: String) -> BoxFuture<'static, usize> {
///     Box::pin(async move { text.len() })
/// }
/// # let _ = later("a".into());
/// ```
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the core needs from a runtime: background tasks, sleep, and monotonic time.
///
/// There are only three methods. An implementation for an event loop of your own takes fewer than
/// 60 lines; see the example program `custom_executor`.
///
/// The core calls [`sleep`](Executor::sleep) and [`now`](Executor::now) from any task or thread
/// that drives a chat, so both must work outside the executor's own threads.
///
/// ```
/// use std::thread;
/// use std::time::{Duration, Instant as StdInstant};
///
/// use chatcore::{BoxFuture, Executor, Instant};
/// use futures_lite::future::block_on;
///
/// /// A thread for each task and for each sleep: slow, and whole.
/// #[derive(Debug)]
/// struct Threads(StdInstant);
///
/// impl Executor for Threads {
///     fn spawn(&self, task: BoxFuture<'static, ()>) {
///         thread::spawn(move || block_on(task));
///     }
///
///     fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
///         let (wake, woken) = futures_channel::oneshot::channel();
///         thread::spawn(move || {
///             thread::sleep(duration);
///             wake.send(()).ok(); // nobody waits if the sleep was dropped
///         });
///         Box::pin(async move { woken.await.unwrap_or_default() })
///     }
///
///     fn now(&self) -> Instant {
///         Instant::from_epoch(self.0.elapsed())
///     }
/// }
///
/// let executor = Threads(StdInstant::now());
/// let before = executor.now();
/// block_on(executor.sleep(Duration::from_millis(5)));
/// assert!(executor.now() - before >= Duration::from_millis(5));
/// ```
pub trait Executor: Debug + Send + Sync + 'static {
    /// Runs `task` in the background, detached: it runs to its end, and nobody waits for it. A
    /// panic in the task must not reach anything else. An executor that is shutting down may drop
    /// the task without running it.
    fn spawn(&self, task: BoxFuture<'static, ()>);

    /// Completes once `duration` has passed since this call, measured by [`now`](Self::now): on
    /// completion, `now` has advanced by at least `duration`. The future may complete later, for
    /// example because an event loop checks its timers once per turn; time limits then end later,
    /// and nothing else changes. Dropping the future cancels the timer.
    ///
    /// An executor that is shutting down may complete the future early, so that no task waits for a
    /// timer that no longer exists. Time limits still hold then, because the core checks the time
    /// again; the waiting task is only polled more often.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Monotonic time: a duration since an epoch of the executor's choosing, which must not change
    /// while the executor lives. The time need not advance within one turn of an event loop. If it
    /// jumps ahead (after the computer slept), data that arrived meanwhile is handled before the
    /// time limits that the jump passed.
    fn now(&self) -> Instant;
}
