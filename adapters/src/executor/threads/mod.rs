//! A plain thread pool: workers for blocking calls, one thread for tasks, one for timers.
//!
//! ```text
//!  spawn_blocking ─► queue (bounded) ─► chatcore-worker-0 … chatcore-worker-N
//!  spawn ──────────► inbox ───────────► chatcore-tasks
//!  sleep ──────────► deadlines ───────► chatcore-timer
//! ```
//!
//! Tasks and timers never wait for a blocking call. Each thread is started when it is first needed:
//! a pool that is never used has no threads, and the number of workers never exceeds the largest
//! number of jobs that were in the pool at once.

mod blocking;
mod builder;
mod job_error;
mod sync;
mod tasks;
mod thread_group;
mod timer;
mod workers;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant as StdInstant};

use chatcore::{BoxFuture, Executor, Instant};

pub use blocking::Blocking;
pub use builder::{PoolError, ThreadPoolBuilder};
pub use job_error::JobError;
#[cfg(feature = "ureq")]
pub(crate) use sync::{lock, wait};
#[cfg(feature = "ureq")]
pub(crate) use workers::{Job, OnClose};

use tasks::Tasks;
use thread_group::ThreadGroup;
use timer::{Sleep, Timer};
use workers::Workers;

/// A thread pool that implements [`Executor`]. A clone is another handle to the same pool.
///
/// Dropping the last handle closes the pool: see [`close`](Self::close).
///
/// ```
/// use chatcore_adapters::executor::ThreadPool;
///
/// let pool = ThreadPool::new(2)?;
/// let answer = pool.spawn_blocking(|| 6 * 7);
/// assert_eq!(futures_lite::future::block_on(answer)?, 42);
/// assert_eq!(pool.status().max_workers, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ThreadPool {
    handle: Arc<Handle>,
}

/// A snapshot of a [`ThreadPool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// The maximum number of workers.
    pub max_workers: usize,
    /// The number of jobs that are running.
    pub active: usize,
    /// The number of jobs that wait for a worker.
    pub queued: usize,
}

/// The state behind all clones of a [`ThreadPool`]. The pool's threads hold the parts they need and
/// never a `Handle`, so that dropping the last `ThreadPool` closes the pool.
struct Handle {
    epoch: StdInstant,
    workers: Arc<Workers>,
    tasks: Arc<Tasks>,
    timer: Arc<Timer>,
    worker_threads: ThreadGroup,
    task_threads: ThreadGroup,
    timer_threads: Arc<ThreadGroup>,
    closing: Mutex<()>,
}

impl ThreadPool {
    /// A pool of at most `workers` workers, with the defaults of [`ThreadPoolBuilder`].
    ///
    /// # Errors
    ///
    /// [`PoolError::NoWorkers`] if `workers` is zero.
    pub fn new(workers: usize) -> Result<Self, PoolError> {
        Self::builder().workers(workers).build()
    }

    /// A builder with the defaults: 5 workers, a queue of 100 jobs, threads named `chatcore-…`.
    pub fn builder() -> ThreadPoolBuilder {
        ThreadPoolBuilder::default()
    }

    fn from_parts(name: &str, workers: usize, queue_size: usize) -> Self {
        Self {
            handle: Arc::new(Handle {
                epoch: StdInstant::now(),
                workers: Arc::new(Workers::new(workers, queue_size)),
                tasks: Arc::new(Tasks::new()),
                timer: Arc::new(Timer::new()),
                worker_threads: ThreadGroup::new(format!("{name}-worker")),
                task_threads: ThreadGroup::new(format!("{name}-tasks")),
                timer_threads: Arc::new(ThreadGroup::new(format!("{name}-timer"))),
                closing: Mutex::new(()),
            }),
        }
    }

    /// Runs `job` on a worker. The job is queued at once, even if the future is never polled.
    ///
    /// Dropping the future removes the job from the queue. If a worker has already started the job,
    /// the job runs to its end and its result is dropped. A panic in the job becomes
    /// [`JobError::Panicked`], and the worker continues.
    ///
    /// # Errors
    ///
    /// The future gives [`JobError::QueueFull`] at once if every worker is busy and the queue is
    /// full, and [`JobError::Closed`] if the pool is closed. It gives [`JobError::Thread`] if no
    /// worker is running and none can be started.
    pub fn spawn_blocking<T, F>(&self, job: F) -> Blocking<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        Blocking::submit(&self.handle.workers, &self.handle.worker_threads, job)
    }

    /// A consistent snapshot of the pool. A job is no longer counted by the time its result can be
    /// observed.
    pub fn status(&self) -> PoolStatus {
        self.handle.workers.status()
    }

    /// Closes the pool: refuses new work, finishes the queued jobs, and waits until every thread
    /// has ended.
    ///
    /// Tasks that still wait for something once the last job is done are dropped, and unfinished
    /// sleeps end early, so that nothing waits for a thread that no longer exists. Calling `close`
    /// again, or from several threads, is fine: each call returns once the pool is closed. A call
    /// from one of the pool's own threads neither waits for that thread nor for another call of
    /// `close` that is in progress.
    pub fn close(&self) {
        self.handle.close();
    }
}

#[cfg(feature = "ureq")]
impl ThreadPool {
    /// Queues `job` and returns its number for [`cancel`](Self::cancel).
    pub(crate) fn submit(&self, job: Job) -> Result<u64, JobError> {
        self.handle.workers.submit(&self.handle.worker_threads, job)
    }

    /// Removes a job from the queue, unless a worker has already started it.
    pub(crate) fn cancel(&self, id: u64) {
        self.handle.workers.cancel(id);
    }

    /// Calls `watcher` when the pool closes, unless [`unwatch_close`](Self::unwatch_close) is
    /// called first. Returns `None` if the pool is already closed.
    pub(crate) fn watch_close(&self, watcher: Arc<dyn OnClose>) -> Option<u64> {
        self.handle.workers.watch_close(watcher)
    }

    pub(crate) fn unwatch_close(&self, id: u64) {
        self.handle.workers.unwatch_close(id);
    }
}

impl Executor for ThreadPool {
    /// Runs `task` on the pool's task thread, which all tasks share: `task` must not block. A
    /// closed pool drops it.
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.handle.tasks.spawn(&self.handle.task_threads, task);
    }

    /// Ends once `duration` has passed, or when the pool closes. It does not keep the pool open.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(Sleep::new(
            Arc::clone(&self.handle.timer),
            Arc::clone(&self.handle.timer_threads),
            StdInstant::now().checked_add(duration),
        ))
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(self.handle.epoch.elapsed())
    }
}

impl Handle {
    fn close(&self) {
        self.workers.close();
        // Must not wait: a pool thread that waited for the `close` that is joining it would wait
        // forever.
        let _closing = if self.is_member() {
            match self.closing.try_lock() {
                Ok(guard) => guard,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            }
        } else {
            self.closing.lock().unwrap_or_else(PoisonError::into_inner)
        };
        // In this order, because tasks may wait for jobs, and tasks use sleeps.
        self.worker_threads.join();
        self.tasks.close();
        self.task_threads.join();
        self.timer.close();
        self.timer_threads.join();
    }

    fn is_member(&self) -> bool {
        self.worker_threads.is_member()
            || self.task_threads.is_member()
            || self.timer_threads.is_member()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
