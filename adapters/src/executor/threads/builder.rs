//! Builds a thread pool.

use std::error::Error;
use std::fmt;

use super::ThreadPool;

/// Builds a [`ThreadPool`].
///
/// ```
/// use chatcore_adapters::executor::ThreadPool;
///
/// let pool = ThreadPool::builder().workers(8).queue_size(1_000).name("llm").build()?;
/// assert_eq!(pool.status().max_workers, 8);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ThreadPoolBuilder {
    workers: usize,
    queue_size: usize,
    name: String,
}

impl Default for ThreadPoolBuilder {
    fn default() -> Self {
        Self {
            workers: 5,
            queue_size: 100,
            name: "chatcore".to_owned(),
        }
    }
}

impl ThreadPoolBuilder {
    /// Sets how many jobs may run at once: 5 by default, the same as `LLM_ASYNC_WORKERS` (this
    /// builder does not read the variable). A worker is started only when a job arrives and no
    /// worker is idle.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Sets how many jobs may wait for a worker: 100 by default, the same as
    /// `LLM_ASYNC_QUEUE_SIZE`.
    #[must_use]
    pub fn queue_size(mut self, queue_size: usize) -> Self {
        self.queue_size = queue_size;
        self
    }

    /// Sets the prefix of the threads' names: `chatcore` by default, which gives
    /// `chatcore-worker-0`, `chatcore-tasks` and `chatcore-timer`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Makes the pool. It starts no thread until there is work. A worker thread that cannot be
    /// started then is reported as [`JobError::Thread`](super::JobError::Thread).
    ///
    /// # Errors
    ///
    /// [`PoolError::NoWorkers`] for zero workers, [`PoolError::Name`] for a name that contains a
    /// NUL.
    pub fn build(self) -> Result<ThreadPool, PoolError> {
        if self.workers == 0 {
            return Err(PoolError::NoWorkers);
        }
        if self.name.contains('\0') {
            return Err(PoolError::Name);
        }
        Ok(ThreadPool::from_parts(
            &self.name,
            self.workers,
            self.queue_size,
        ))
    }
}

/// Why a pool could not be made.
///
/// ```
/// use chatcore_adapters::executor::{ThreadPool, threads::PoolError};
///
/// assert_eq!(ThreadPool::new(0).unwrap_err(), PoolError::NoWorkers);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolError {
    /// The builder was asked for zero workers.
    NoWorkers,
    /// The threads' name contains a NUL character.
    Name,
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoWorkers => "a thread pool needs at least one worker",
            Self::Name => "the name of a thread must not contain a NUL character",
        })
    }
}

impl Error for PoolError {}
