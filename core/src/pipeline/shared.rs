//! The state that all calls of a client share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use http::{HeaderMap, Request};

use super::{Counters, Locked, Observing};
use crate::admission::limiter::Limiter;
use crate::admission::queue::Admission;
use crate::chat::ChatRequest;
use crate::credentials::Credentials;
use crate::dialect::{Caps, Dialect, Endpoint};
use crate::error::Error;
use crate::executor::Executor;
use crate::policy::adaptive::{AdaptiveLimit, is_overload};
use crate::policy::budget::RetryBudget;
use crate::policy::defaults::{Defaults, Lessons};
use crate::policy::hedge::Hedge;
use crate::policy::learned::Learned;
use crate::policy::plan::Plan;
use crate::secrets::Secrets;
use crate::time::Instant;
use crate::transport::Transport;

/// The state that all clones of a client share.
pub(crate) struct Shared {
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) dialect: Arc<dyn Dialect>,
    pub(crate) endpoint: Endpoint,
    /// Credentials that act once per attempt; `None` for a fixed key.
    pub(crate) credentials: Option<Arc<dyn Credentials>>,
    /// The secrets of the endpoint and of the transport, for redaction.
    pub(crate) secrets: Secrets,
    /// The headers that the user set on the client. A call may replace them.
    pub(crate) own_headers: HeaderMap,
    pub(crate) admission: Arc<Admission>,
    pub(crate) limiter: Option<Arc<Limiter>>,
    pub(crate) adaptive: Option<Locked<AdaptiveLimit>>,
    pub(crate) hedge: Option<Locked<Hedge>>,
    pub(crate) counters: Counters,
    pub(crate) observing: Option<Observing>,
    pub(crate) retry_budget: Locked<RetryBudget>,
    /// What the dialect says about every model.
    pub(crate) given: Lessons,
    pub(crate) learned: Locked<Learned>,
    /// Whether `learned` has an entry: saves most calls the lock.
    pub(crate) has_learned: AtomicBool,
    /// Whether to fetch whole answers as streams, if the client's user decided that.
    pub(crate) fetches_as_stream: Option<bool>,
    pub(crate) caps: Caps,
    pub(crate) max_request_bytes: usize,
    pub(crate) max_workers: usize,
    pub(crate) queue_size: usize,
}

impl Shared {
    /// Fills in what `request` leaves open.
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

    /// Whether the client has rate limits.
    pub(super) fn is_limited(&self) -> bool {
        cfg!(feature = "limits") && self.limiter.is_some()
    }

    /// Remembers what a call has found out about the model `named`, or about the endpoint's own
    /// model.
    pub(super) fn learn(&self, named: Option<&str>, lessons: Lessons) {
        if !lessons.is_empty() {
            let model = named.unwrap_or(self.endpoint.model());
            self.learned.lock().learn(model, lessons);
            self.has_learned.store(true, Relaxed);
        }
    }

    /// Credits a new call to the budgets for retries and hedges.
    pub(super) fn earn(&self, now: Instant) {
        self.retry_budget.lock().earn(now);
        if let Some(hedge) = &self.hedge {
            hedge.lock().earn();
        }
    }

    /// Adapts the number of permits, if that is enabled, to the end of an attempt that began at
    /// `began`.
    pub(super) fn adapt(&self, error: Option<&Error>, began: Instant) {
        let Some(adaptive) = &self.adaptive else {
            return;
        };
        let limit = {
            let mut adaptive = adaptive.lock();
            match error {
                // The attempt itself may have returned its permit already.
                None => adaptive.on_success(self.admission.snapshot().active.max(1)),
                Some(error) if is_overload(error) => {
                    adaptive.on_overload(self.executor.now(), began)
                }
                Some(_) => return,
            }
        };
        // Outside the lock, because this wakes waiting calls, and a woken call may run at once and
        // come back here.
        self.admission.set_permits(limit);
    }

    /// Refuses a request to another origin than the base URL's, because the request holds the
    /// credentials.
    pub(super) fn check_origin(&self, request: &Request<Bytes>) -> Result<(), Error> {
        if self.endpoint.is_own(request.uri()) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the request would go to another origin than the base URL of {}: the dialect {} or the \
             credentials changed its URI",
            self.endpoint.provider(),
            self.dialect.facts().name()
        )))
    }

    /// Redacts the client's secrets in a text that came from outside.
    pub(super) fn redact(&self, text: &mut String) {
        self.secrets.redact(text);
        if let Some(credentials) = &self.credentials {
            credentials.redact(text);
        }
    }

    /// Adds to an error what only the pipeline knows, and redacts the client's secrets and those
    /// `of_call` in what came from outside.
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
