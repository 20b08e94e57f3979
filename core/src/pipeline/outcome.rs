//! What became of each call: every one ends in exactly one outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::{CallHeaders, Core};
use crate::chat::{ChatRequest, ChatResponse};
use crate::dialect::Mode;
use crate::error::Error;
use crate::observe::{CallEvent, CallInfo, CallSpan};
use crate::policy::defaults::Lessons;
use crate::secrets::Secrets;
use crate::time::Instant;

/// How many calls began, and how many ended in what.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) started: AtomicU64,
    pub(crate) succeeded: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    /// Attempts after the first.
    pub(crate) retried: AtomicU64,
}

/// The account of one call. Dropped before its end is known, the call was cancelled.
#[derive(Debug)]
pub(crate) struct Outcome {
    core: Arc<Core>,
    began: Instant,
    /// Only where someone wants to hear of it.
    info: Option<CallInfo>,
    span: CallSpan,
    /// Searched for secrets only when there is an error.
    headers: CallHeaders,
    attempts: u32,
    settled: bool,
}

impl Outcome {
    pub(super) fn begin(
        core: &Arc<Core>,
        request: &ChatRequest,
        headers: &CallHeaders,
        mode: Mode,
    ) -> Self {
        let id = core.counters.started.fetch_add(1, Relaxed);
        Self {
            core: Arc::clone(core),
            began: core.executor.now(),
            info: core.observer.as_ref().map(|_| CallInfo {
                id,
                provider: Arc::clone(core.endpoint.provider()),
                model: request
                    .model
                    .as_deref()
                    .unwrap_or(core.endpoint.model())
                    .to_owned(),
                mode,
            }),
            span: CallSpan::begin(&core.endpoint, request, mode),
            headers: headers.clone(),
            attempts: 0,
            settled: false,
        }
    }

    pub(super) fn span(&self) -> &CallSpan {
        &self.span
    }

    pub(super) fn began(&self) -> Instant {
        self.began
    }

    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The call has found this out about the model that it named, or the endpoint's own.
    pub(super) fn learn(&self, named: Option<&str>, lessons: Lessons) {
        self.core.learn(named, lessons);
    }

    pub(super) fn queued(&self) {
        self.tell(|elapsed| CallEvent::Queued { elapsed });
    }

    pub(super) fn started(&mut self) {
        self.attempts += 1;
        let attempt = self.attempts;
        self.span.started(attempt);
        self.tell(|elapsed| CallEvent::Started { attempt, elapsed });
    }

    pub(super) fn retrying(&self, error: &Error, wait: Duration) {
        self.core.counters.retried.fetch_add(1, Relaxed);
        self.span.retrying(self.attempts, error, wait);
        if self.info.is_some() {
            let error = &self.finish(error.clone());
            let attempt = self.attempts;
            self.tell(|elapsed| CallEvent::Retrying {
                attempt,
                error,
                wait,
                elapsed,
            });
        }
    }

    pub(super) fn first_content(&self) {
        self.span
            .first_content(|| self.core.executor.now() - self.began);
        self.tell(|elapsed| CallEvent::FirstContent { elapsed });
    }

    /// The whole answer was handed over.
    pub(super) fn succeeded(&mut self, response: &ChatResponse) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        self.core.counters.succeeded.fetch_add(1, Relaxed);
        let attempts = self.attempts;
        let redact = |text: &mut String| self.core.redact(text);
        self.span.succeeded(attempts, response, &redact);
        self.tell(|elapsed| CallEvent::Succeeded {
            attempts,
            usage: response.usage.as_ref(),
            elapsed,
        });
    }

    /// It ended with `error`, which is made ready for the caller.
    pub(super) fn failed(&mut self, error: Error) -> Error {
        let error = self.finish(error);
        if !std::mem::replace(&mut self.settled, true) {
            self.core.counters.failed.fetch_add(1, Relaxed);
            let redact = |text: &mut String| self.core.redact(text);
            self.span.failed(&error, &redact);
            self.tell(|elapsed| CallEvent::Failed {
                error: &error,
                elapsed,
            });
        }
        error
    }

    fn finish(&self, error: Error) -> Error {
        let mut of_call = Secrets::new();
        self.headers.tell_secrets(&mut of_call);
        self.core.finish_error(error, self.attempts, &of_call)
    }

    fn tell<'a>(&self, event: impl FnOnce(Duration) -> CallEvent<'a>) {
        if let (Some(observer), Some(info)) = (&self.core.observer, &self.info) {
            observer.observe(info, &event(self.core.executor.now() - self.began));
        }
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        if !self.settled {
            self.core.counters.cancelled.fetch_add(1, Relaxed);
            self.span.cancelled(self.attempts);
            self.tell(|elapsed| CallEvent::Cancelled { elapsed });
        }
    }
}
