//! What holds a client's requests back, or sends one twice: its rate limits, its adaptive limit and
//! its hedging. The feature `limits`.

use std::sync::Arc;

use super::LlmClientBuilder;
use crate::admission::limiter::Limiter;
use crate::admission::shared::SharedLimits;
use crate::executor::Executor;
use crate::policy::adaptive::{Adaptive, AdaptiveLimit};
use crate::policy::hedge::{Hedge, Hedging};
use crate::policy::rate::{Rate, RateLimits};

/// The settings, as the builder collects them.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    rate: Option<RateLimits>,
    shared: Option<Arc<dyn SharedLimits>>,
    adaptive: Option<Adaptive>,
    hedging: Option<Hedging>,
}

impl Limits {
    /// The limiter, if there are rate limits.
    pub(super) fn limiter(
        &self,
        executor: &Arc<dyn Executor>,
        queue_size: usize,
    ) -> Option<Arc<Limiter>> {
        (self.rate.is_some() || self.shared.is_some()).then(|| {
            let rate = Rate::per_minute(&self.rate.clone().unwrap_or_default());
            let executor = Arc::clone(executor);
            Limiter::with_shared(executor, rate, queue_size, self.shared.clone())
        })
    }

    /// The limit that takes the place of the number of workers.
    pub(super) fn adaptive(&self) -> Option<AdaptiveLimit> {
        self.adaptive.as_ref().map(AdaptiveLimit::new)
    }

    pub(super) fn hedge(&self) -> Option<Hedge> {
        self.hedging.map(Hedge::new)
    }
}

impl LlmClientBuilder {
    /// Limits the requests and tokens per minute. Default: no limits.
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.limits.rate = Some(limits);
        self
    }

    /// Sets limits that this client shares with others. Its own [`rate_limits`](Self::rate_limits)
    /// hold beside them. Default: none.
    pub fn shared_limits(mut self, limits: Arc<dyn SharedLimits>) -> Self {
        self.limits.shared = Some(limits);
        self
    }

    /// Adapts the number of requests in flight to the load that the provider accepts. Default: off.
    /// The number of workers is then ignored, because `adaptive` has its own bounds. Has no effect
    /// if async is not [enabled](crate::AsyncConfig::is_async_enabled).
    pub fn adaptive(mut self, adaptive: Adaptive) -> Self {
        self.limits.adaptive = Some(adaptive);
        self
    }

    /// Sends a request a second time if its first content is late. Default: off.
    pub fn hedging(mut self, hedging: Hedging) -> Self {
        self.limits.hedging = Some(hedging);
        self
    }
}
