//! Settings for concurrency, the queue and the time limit.

use std::time::Duration;

use super::parse::{self, Vars};
use super::table;
use crate::error::Error;

/// How many requests run at once, how many may wait, and how long a call may take: the
/// `LLM_ASYNC_…` variables, with the names of the old Python client.
///
/// ```
/// use chatcore::AsyncConfig;
///
/// let scheduling = AsyncConfig::default().with_workers(20).with_queue_size(1_000);
/// assert_eq!((scheduling.worker_count(), scheduling.queue_size()), (20, 1_000));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsyncConfig {
    workers: usize,
    queue_size: usize,
    /// `None` if it was not set.
    timeout: Option<Duration>,
    enabled: bool,
}

/// The time limit of a default call if none is set.
const TIMEOUT: Duration = Duration::from_secs(30);

impl AsyncConfig {
    /// Reads the settings from the process's environment.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) for a value that does not parse.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(parse::env)
    }

    /// Reads the settings from `get`, a function from a variable's name to its value.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) for a value that does not parse.
    pub fn from_vars(get: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        Self::read(&Vars::new(&get))
    }

    pub(super) fn read(vars: &Vars<'_>) -> Result<Self, Error> {
        Ok(Self {
            workers: vars.count(table::LLM_ASYNC_WORKERS)?,
            queue_size: vars.count(table::LLM_ASYNC_QUEUE_SIZE)?,
            timeout: vars.seconds_if_set(table::LLM_ASYNC_TIMEOUT)?,
            enabled: vars.boolean(table::LLM_ASYNC_ENABLED)?,
        })
    }

    /// The most requests in flight at once: `LLM_ASYNC_WORKERS`, default 5. A client has only one
    /// while [`is_async_enabled`](Self::is_async_enabled) is false.
    pub fn worker_count(&self) -> usize {
        self.workers
    }

    /// The most requests that may wait: `LLM_ASYNC_QUEUE_SIZE`, default 100.
    pub fn queue_size(&self) -> usize {
        self.queue_size
    }

    /// The time limit of one call over all its attempts, including its wait in the queue:
    /// `LLM_ASYNC_TIMEOUT`, default 30 s. If it is not set, a call that asks for more than a
    /// default call has more time; see [`Timeouts`](crate::Timeouts).
    pub fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(TIMEOUT)
    }

    /// The time limit, if it was set.
    pub(crate) fn own_timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Whether requests run concurrently: `LLM_ASYNC_ENABLED`, default true.
    pub fn is_async_enabled(&self) -> bool {
        self.enabled
    }

    /// Sets the most requests in flight at once. 0 counts as 1.
    #[must_use]
    pub fn with_workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Sets the most requests that may wait.
    #[must_use]
    pub fn with_queue_size(mut self, queue_size: usize) -> Self {
        self.queue_size = queue_size;
        self
    }

    /// Sets the time limit of one call.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets whether requests run concurrently.
    #[must_use]
    pub fn with_async_enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }
}

impl Default for AsyncConfig {
    /// The defaults of the table [`SETTINGS`](super::SETTINGS): 5 workers, a queue of 100, 30
    /// seconds, enabled.
    fn default() -> Self {
        Self {
            workers: 5,
            queue_size: 100,
            timeout: None,
            enabled: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_set_is_known_to_be() {
        let set =
            AsyncConfig::from_vars(|name| (name == "LLM_ASYNC_TIMEOUT").then(|| "30.0".to_owned()));
        assert_eq!(set.unwrap().own_timeout(), Some(TIMEOUT));
        assert_eq!(AsyncConfig::default().timeout(), TIMEOUT);
    }

    #[test]
    fn default_is_what_an_empty_environment_says() {
        assert_eq!(
            AsyncConfig::default(),
            AsyncConfig::from_vars(|_| None).unwrap()
        );
    }
}
