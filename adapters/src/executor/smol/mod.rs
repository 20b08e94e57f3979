//! The smol executor.

mod block_on;
mod sleep;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chatcore::{BoxFuture, Executor, Instant};
use futures_lite::FutureExt;

use sleep::Sleep;

/// Runs background tasks on [smol](https://docs.rs/smol) and sleeps on its timers.
///
/// [`new`](Self::new) uses smol's global executor: one background thread unless the environment
/// variable `SMOL_THREADS` says otherwise. [`with`](Self::with) takes an executor that the
/// application runs itself. Cloning is cheap.
///
/// A panic in a spawned task ends that task and nothing else. Time is measured from the first
/// use of any `SmolExecutor` in the process.
///
/// ```
/// use std::time::Duration;
/// use chatcore::Executor;
/// use chatcore_adapters::executor::SmolExecutor;
///
/// let executor = SmolExecutor::new();
/// let before = executor.now();
/// smol::block_on(executor.sleep(Duration::from_millis(2)));
/// assert!(executor.now() - before >= Duration::from_millis(2));
/// ```
#[derive(Clone, Default)]
pub struct SmolExecutor {
    own: Option<Arc<::smol::Executor<'static>>>,
}

impl SmolExecutor {
    /// Runs background tasks on smol's global executor, which starts at the first task.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs background tasks on `executor`. They make progress while the application runs
    /// `executor` (through [`block_on`](Self::block_on) or its own `run`), and are dropped with it.
    pub fn with(executor: Arc<::smol::Executor<'static>>) -> Self {
        Self {
            own: Some(executor),
        }
    }
}

impl Executor for SmolExecutor {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        // The panic hook has already reported the panic, so it is discarded here.
        let task = async move {
            AssertUnwindSafe(task).catch_unwind().await.ok();
        };
        match &self.own {
            Some(executor) => executor.spawn(task).detach(),
            None => ::smol::spawn(task).detach(),
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(Sleep::after(duration))
    }

    fn now(&self) -> Instant {
        static EPOCH: OnceLock<std::time::Instant> = OnceLock::new();
        Instant::from_epoch(EPOCH.get_or_init(std::time::Instant::now).elapsed())
    }
}

impl fmt::Debug for SmolExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.own {
            Some(_) => "SmolExecutor(own)",
            None => "SmolExecutor(global)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::smol::{block_on, channel};

    #[test]
    fn a_panic_stays_in_its_task() {
        let own = Arc::new(::smol::Executor::new());
        for executor in [SmolExecutor::new(), SmolExecutor::with(own.clone())] {
            let (done, finished) = channel::bounded(1);
            executor.spawn(Box::pin(async { panic!("stays here") }));
            executor.spawn(Box::pin(async move {
                done.send(()).await.ok();
            }));
            block_on(own.run(async { finished.recv().await.unwrap() }));
        }
    }

    #[test]
    fn an_own_executor_runs_the_tasks_and_drops_them() {
        let own = Arc::new(::smol::Executor::new());
        let executor = SmolExecutor::with(own.clone());
        let (kept, dropped) = channel::bounded::<()>(1);
        executor.spawn(Box::pin(async move {
            std::future::pending::<()>().await;
            drop(kept);
        }));
        assert!(own.try_tick());
        assert!(!dropped.is_closed());
        drop((own, executor));
        assert!(dropped.is_closed());
    }

    #[test]
    fn sleep_counts_from_the_call_and_has_no_longest_time() {
        let executor = SmolExecutor::new();
        let never = executor.sleep(Duration::MAX);
        let first = executor.sleep(Duration::from_millis(5));
        let before = executor.now();
        block_on(first.or(never));
        assert!(executor.now() > before);
    }
}
