//! What all calls of a client share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use http::{HeaderMap, Request};

use super::{Counters, Locked};
use crate::admission::limiter::Limiter;
use crate::admission::queue::Admission;
use crate::chat::ChatRequest;
use crate::credentials::Credentials;
use crate::dialect::{Caps, Dialect, Endpoint};
use crate::error::Error;
use crate::executor::Executor;
use crate::observe::Observer;
use crate::policy::adaptive::{AdaptiveLimit, is_overload};
use crate::policy::budget::RetryBudget;
use crate::policy::defaults::{Defaults, Lessons};
use crate::policy::hedge::Hedge;
use crate::policy::learned::Learned;
use crate::policy::plan::Plan;
use crate::secrets::Secrets;
use crate::time::Instant;
use crate::transport::Transport;

/// What all clones of a client share.
pub(crate) struct Shared {
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) dialect: Arc<dyn Dialect>,
    pub(crate) endpoint: Endpoint,
    /// What proves who asks, where it acts once per attempt.
    pub(crate) credentials: Option<Arc<dyn Credentials>>,
    /// The endpoint's secrets, and the transport's.
    pub(crate) secrets: Secrets,
    /// The headers that the client's user set, which a call may replace.
    pub(crate) own_headers: HeaderMap,
    pub(crate) admission: Arc<Admission>,
    pub(crate) limiter: Option<Arc<Limiter>>,
    pub(crate) adaptive: Option<Locked<AdaptiveLimit>>,
    pub(crate) hedge: Option<Locked<Hedge>>,
    pub(crate) counters: Counters,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) retry_budget: Locked<RetryBudget>,
    /// What is known of every model, from the dialect.
    pub(crate) given: Lessons,
    pub(crate) learned: Locked<Learned>,
    /// Whether there is anything in `learned`.
    pub(crate) has_learned: AtomicBool,
    /// Whether whole answers are fetched as streams, where the client says so.
    pub(crate) fetches_as_stream: Option<bool>,
    pub(crate) caps: Caps,
    pub(crate) max_request_bytes: usize,
    pub(crate) max_workers: usize,
    pub(crate) queue_size: usize,
}

impl Shared {
    /// Fills in what the caller left open in `request`.
    pub(super) fn fill_in(&self, request: &mut ChatRequest, defaults: &Defaults) -> Plan {
        let rule = self.endpoint.model_rule(request.model.as_deref());
        let mut lessons = self.given;
        if self.has_learned.load(Relaxed) {
            let model = request.model.as_deref().unwrap_or(self.endpoint.model());
            lessons.add(self.learned.lock().of(model));
        }
        let options = self.dialect.facts().options_member();
        Plan::fill_in(request, defaults, rule, options, lessons)
    }

    /// Remembers what a call has found out about the model that it named, or else about the
    /// endpoint's own.
    pub(super) fn learn(&self, named: Option<&str>, lessons: Lessons) {
        if !lessons.is_empty() {
            let model = named.unwrap_or(self.endpoint.model());
            self.learned.lock().learn(model, lessons);
            self.has_learned.store(true, Relaxed);
        }
    }

    /// A call was made: it pays in for retries and hedges.
    pub(super) fn earn(&self, now: Instant) {
        self.retry_budget.lock().earn(now);
        if let Some(hedge) = &self.hedge {
            hedge.lock().earn();
        }
    }

    /// Moves the number of permits, where it adapts: an attempt that began at `began` has ended.
    pub(super) fn adapt(&self, error: Option<&Error>, began: Instant) {
        let Some(adaptive) = &self.adaptive else {
            return;
        };
        let limit = {
            let mut adaptive = adaptive.lock();
            match error {
                // The attempt itself may have given its permit back already.
                None => adaptive.on_success(self.admission.snapshot().active.max(1)),
                Some(error) if is_overload(error) => {
                    adaptive.on_overload(self.executor.now(), began)
                }
                Some(_) => return,
            }
        };
        // Outside of the lock: it wakes, and whom it wakes may come here.
        self.admission.set_permits(limit);
    }

    /// Refuses a request to another origin than that of the base URL: what proves who asks is in it.
    pub(super) fn check_origin(&self, request: &Request<Bytes>) -> Result<(), Error> {
        if self.endpoint.is_own(request.uri()) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the request would go to another origin than that of the base URL of {}; the dialect \
             {} or the credentials changed it",
            self.endpoint.provider(),
            self.dialect.facts().name()
        )))
    }

    /// Takes the client's secrets out of a text that came from outside.
    pub(super) fn redact(&self, text: &mut String) {
        self.secrets.redact(text);
        if let Some(credentials) = &self.credentials {
            credentials.redact(text);
        }
    }

    /// Adds what only the pipeline knows, and takes the secrets out of what came from outside:
    /// the client's, and those `of_call`.
    pub(crate) fn finish_error(&self, mut error: Error, attempts: u32, of_call: &Secrets) -> Error {
        error.set_attempts(attempts);
        error.set_provider(self.endpoint.provider());
        self.endpoint.advise(&mut error);
        error.redact(&|text| {
            self.redact(text);
            of_call.redact(text);
        });
        error
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("endpoint", &self.endpoint)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}
