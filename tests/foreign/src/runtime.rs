//! tokio, on one thread shared with busy tasks, and with two workers.

use std::sync::Arc;
use std::time::{Duration, Instant as StdInstant};

use chatcore::{BoxFuture, Executor, Instant};
use chatcore_conformance::Host;
use tokio::runtime::{Builder, Handle, Runtime};

/// Background tasks and timers on a tokio runtime.
///
/// The handle can be used on any thread, but the runtime must run, in `block_on` or on its workers.
#[derive(Debug)]
pub struct TokioExecutor {
    runtime: Handle,
    began: StdInstant,
}

impl TokioExecutor {
    /// Uses the runtime of this handle; inside the runtime, pass `Handle::current()`.
    pub fn new(runtime: Handle) -> Self {
        let began = StdInstant::now();
        Self { runtime, began }
    }
}

impl Executor for TokioExecutor {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        // Dropping the returned handle detaches the task; tokio catches a panic in it.
        self.runtime.spawn(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // A timer belongs to the runtime in which it is created.
        let _guard = self.runtime.enter();
        Box::pin(tokio::time::sleep(duration))
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(self.began.elapsed())
    }
}

/// How long one poll of a busy task takes.
const BUSY: Duration = Duration::from_millis(1);

/// A task that is always ready, and occupies its thread for 1 ms in each poll.
async fn always_busy() {
    loop {
        let began = StdInstant::now();
        while began.elapsed() < BUSY {
            std::hint::spin_loop();
        }
        tokio::task::yield_now().await;
    }
}

fn host(runtime: std::io::Result<Runtime>, busy: usize) -> Result<Host, std::io::Error> {
    let runtime = runtime?;
    let executor = Arc::new(TokioExecutor::new(runtime.handle().clone()));
    Ok(Host::new(executor, move |case| {
        for _ in 0..busy {
            runtime.spawn(always_busy());
        }
        let task = runtime.spawn(case);
        let outcome = runtime.block_on(task);
        outcome.unwrap_or_else(|error| Err(error.to_string()))
    }))
}

/// A runtime on the calling thread only, with `busy` tasks that occupy the thread for 1 ms in each
/// poll.
///
/// # Errors
/// If the runtime cannot be created.
pub fn current_thread_beside(busy: usize) -> std::io::Result<Host> {
    host(Builder::new_current_thread().enable_time().build(), busy)
}

/// A runtime with two worker threads.
///
/// # Errors
/// If the runtime cannot be created.
pub fn two_workers() -> std::io::Result<Host> {
    let mut builder = Builder::new_multi_thread();
    host(builder.worker_threads(2).enable_time().build(), 0)
}
