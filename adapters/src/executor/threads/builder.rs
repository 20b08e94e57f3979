//! How a pool is made.

use std::error::Error;
use std::fmt;

use super::ThreadPool;

/// Makes a [`ThreadPool`].
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
    /// How many jobs may run at once: 5 by default, as `LLM_ASYNC_WORKERS` (which the caller
    /// reads). Workers are started one by one, when there is a job and no idle worker for it.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// How many jobs may wait for a worker: 100 by default, as `LLM_ASYNC_QUEUE_SIZE`.
    #[must_use]
    pub fn queue_size(mut self, queue_size: usize) -> Self {
        self.queue_size = queue_size;
        self
    }

    /// What the names of the threads begin with: `chatcore` by default, which makes
    /// `chatcore-worker-0`, `chatcore-tasks` and `chatcore-timer`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Makes the pool. No thread is started before there is something to do, so that a thread
    /// that cannot be started shows as [`JobError::Thread`](super::JobError::Thread).
    ///
    /// # Errors
    ///
    /// [`PoolError::NoWorkers`] for zero workers, [`PoolError::Name`] for a name with a NUL.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolError {
    /// Zero workers were asked for.
    NoWorkers,
    /// The name of the threads has a NUL in it.
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
