//! Building a client.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::endpoint::EndpointBackend;
use super::limits::Limits;
use super::{Inner, LlmClient};
use crate::admission::queue::Admission;
use crate::config::{AsyncConfig, Config};
use crate::dialect::Caps;
use crate::error::Error;
use crate::executor::Executor;
use crate::observe::Observer;
use crate::pipeline::{Counters, Locked, Observing, Shared};
use crate::policy::adaptive::AdaptiveLimit;
use crate::policy::budget::RetryBudget;
use crate::policy::defaults::{Lessons, Wishes};
use crate::policy::learned::Learned;
use crate::policy::retry::RetryPolicy;
use crate::policy::timeouts::Timeouts;
use crate::provider::Provider;
use crate::transport::Transport;

/// Builds an [`LlmClient`]. Without a [`config`](Self::config) the provider is DeepSeek without a
/// key, and everything else has the defaults in the table [`SETTINGS`](crate::SETTINGS).
///
/// ```
/// # use std::sync::Arc;
/// # use chatcore::{Executor, Transport};
/// use std::time::Duration;
/// # #[cfg(feature = "limits")]
/// use chatcore::{LlmClient, Provider, RateLimits};
///
/// # #[cfg(feature = "limits")]
/// # fn example(executor: Arc<dyn Executor>, transport: Arc<dyn Transport>) -> Result<(), chatcore::Error> {
/// let client = LlmClient::builder(executor, transport)
///     .provider(Provider::deepseek().with_api_key("sk-…"))
///     .workers(20)
///     .rate_limits(RateLimits::default().requests_per_minute(500))
///     .timeout(Duration::from_secs(60))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct LlmClientBuilder {
    executor: Arc<dyn Executor>,
    transport: Arc<dyn Transport>,
    provider: Provider,
    scheduling: AsyncConfig,
    timeouts: Timeouts,
    retry: RetryPolicy,
    observing: Option<Observing>,
    pub(super) limits: Limits,
    caps: Caps,
    max_request_bytes: usize,
    fetches_as_stream: Option<bool>,
}

impl LlmClientBuilder {
    /// The default of [`max_request_bytes`](Self::max_request_bytes), in bytes of JSON: Anthropic's
    /// limit.
    pub const DEFAULT_MAX_REQUEST_BYTES: usize = 32 << 20;

    pub(super) fn new(executor: Arc<dyn Executor>, transport: Arc<dyn Transport>) -> Self {
        Self {
            executor,
            transport,
            provider: Provider::deepseek(),
            scheduling: AsyncConfig::default(),
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            observing: None,
            limits: Limits::default(),
            caps: Caps::default(),
            max_request_bytes: Self::DEFAULT_MAX_REQUEST_BYTES,
            fetches_as_stream: None,
        }
    }

    /// Takes the provider, the scheduling and the number of attempts from `config`.
    pub fn config(mut self, config: Config) -> Self {
        self.retry = self.retry.max_attempts(config.max_attempts);
        self.provider(config.provider).scheduling(config.scheduling)
    }

    /// Sets where to send chats.
    pub fn provider(mut self, provider: Provider) -> Self {
        self.provider = provider;
        self
    }

    /// Sets how many requests run at once, how many may wait, and the overall time limit if
    /// `scheduling` has one.
    pub fn scheduling(mut self, scheduling: AsyncConfig) -> Self {
        if let Some(timeout) = scheduling.own_timeout() {
            self.timeouts.set_overall(Some(timeout));
        }
        self.scheduling = scheduling;
        self
    }

    /// Sets how many requests run at once; 0 counts as 1.
    pub fn workers(mut self, workers: usize) -> Self {
        self.scheduling = self.scheduling.with_workers(workers);
        self
    }

    /// Sets how many requests may wait.
    pub fn queue_size(mut self, queue_size: usize) -> Self {
        self.scheduling = self.scheduling.with_queue_size(queue_size);
        self
    }

    /// Sets a fixed overall time limit for each call. Default: 30 s for a default call, and more
    /// for a call that requests a longer answer; see [`Timeouts`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.set_overall(Some(timeout));
        self
    }

    /// Sets all time limits of each call.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets when a failed attempt is retried.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets how many attempts a call has in all, the first one included; 1 means no retries.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.retry = self.retry.max_attempts(attempts);
        self
    }

    /// Sets an observer that is notified of every call.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observing = Some(Observing::new(observer));
        self
    }

    /// Sets how large an answer may be.
    pub fn caps(mut self, caps: Caps) -> Self {
        self.caps = caps;
        self
    }

    /// Sets how large a request may be, in bytes of JSON. Default: 32 MiB, which is Anthropic's
    /// limit.
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// Sets whether whole answers are fetched as streams. Default: only answers that may take long;
    /// see [`ChatCall::fetch_as_stream`](crate::ChatCall::fetch_as_stream).
    pub fn fetch_as_stream(mut self, fetch_as_stream: bool) -> Self {
        self.fetches_as_stream = Some(fetch_as_stream);
        self
    }

    /// Checks the settings and creates the client.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if a key is missing, or if no request can be sent to
    /// the provider; see [`Provider::endpoint`].
    pub fn build(mut self) -> Result<LlmClient, Error> {
        self.timeouts.let_idle_follow();
        let workers = match self.scheduling.is_async_enabled() {
            true => self.scheduling.worker_count(),
            false => 1,
        };
        let queue_size = self.scheduling.queue_size();
        // With async disabled, exactly one request runs at a time, so the adaptive limit is
        // ignored.
        let adaptive = self.limits.adaptive();
        let adaptive = adaptive.filter(|_| self.scheduling.is_async_enabled());
        let permits = adaptive.as_ref().map_or(workers, AdaptiveLimit::limit);
        let max_workers = adaptive.as_ref().map_or(workers, AdaptiveLimit::max);
        let mut given = Lessons::default();
        if self.provider.dialect().refuses_sampling() {
            given.refused.add(Wishes::TEMPERATURE);
        }
        let endpoint = self.provider.endpoint()?;
        let mut secrets = endpoint.secrets().clone();
        self.transport.tell_secrets(&mut secrets);
        let executor = Arc::clone(&self.executor);
        let timeouts = Arc::new(self.timeouts);
        let retry = Arc::new(self.retry);
        let shared = Shared {
            endpoint,
            credentials: self.provider.credentials().cloned(),
            secrets,
            own_headers: self.provider.headers().clone(),
            dialect: Arc::clone(self.provider.dialect()),
            admission: Admission::new(permits, queue_size),
            limiter: self.limits.limiter(&executor, queue_size),
            adaptive: adaptive.map(Locked::new),
            hedge: self.limits.hedge().map(Locked::new),
            counters: Counters::default(),
            observing: self.observing,
            retry_budget: Locked::new(RetryBudget::new()),
            given,
            learned: Locked::new(Learned::default()),
            has_learned: AtomicBool::new(false),
            fetches_as_stream: self.fetches_as_stream,
            caps: self.caps,
            max_request_bytes: self.max_request_bytes,
            max_workers,
            queue_size,
            executor: self.executor,
            transport: self.transport,
        };
        let backend = Arc::new(EndpointBackend(Arc::new(shared)));
        Ok(LlmClient {
            inner: Arc::new(Inner {
                backend,
                executor,
                timeouts,
                retry,
            }),
        })
    }
}
