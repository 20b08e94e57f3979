//! Errors of blocking jobs.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a blocking job has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum JobError {
    /// Every worker is busy and the queue is full. Try again later, or raise `LLM_ASYNC_QUEUE_SIZE`
    /// or `LLM_ASYNC_WORKERS`.
    QueueFull {
        /// The size of the queue.
        queue_size: usize,
    },
    /// The pool is closed.
    Closed,
    /// The job panicked. Holds the panic's message, or `(no message)`.
    Panicked(String),
    /// No worker is running, and the first one could not be started.
    Thread(io::Error),
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QueueFull { queue_size } => write!(
                f,
                "every worker is busy and {queue_size} jobs are already waiting: try again later, \
                 or raise LLM_ASYNC_QUEUE_SIZE or LLM_ASYNC_WORKERS"
            ),
            Self::Closed => f.write_str("the thread pool is closed"),
            Self::Panicked(message) => write!(f, "the job panicked: {message}"),
            Self::Thread(_) => f.write_str("no worker thread could be started"),
        }
    }
}

impl Error for JobError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Thread(error) => Some(error),
            _ => None,
        }
    }
}
