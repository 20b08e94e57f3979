//! The outcome of each call. Every call ends in exactly one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::job::Job;
use super::{CallHeaders, Shared};
use crate::error::Error;
use crate::observe::{Asked, CallEvent, CallInfo, CallSpan, Observer, Summary};
use crate::secrets::Secrets;
use crate::time::Instant;

/// How many calls began, and how many ended in each outcome.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) started: AtomicU64,
    pub(crate) succeeded: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    /// Attempts after the first.
    pub(crate) retried: AtomicU64,
}

/// A client's observer.
#[derive(Clone, Debug)]
pub(crate) struct Observing {
    observer: Arc<dyn Observer>,
    /// Copies an error for it. A pointer, so that only a program with an observer has this code.
    copy: fn(&Error) -> Error,
}

impl Observing {
    pub(crate) fn new(observer: Arc<dyn Observer>) -> Self {
        let copy = Error::clone;
        Self { observer, copy }
    }
}

/// The outcome of one call. Dropping it before the call has ended counts the call as cancelled.
#[derive(Debug)]
pub(crate) struct Outcome {
    shared: Arc<Shared>,
    began: Instant,
    /// Set only if the client has an observer. Boxed, because most clients have none.
    info: Option<Box<CallInfo>>,
    span: CallSpan,
    attempts: u32,
    settled: bool,
}

impl Outcome {
    pub(super) fn begin(shared: &Arc<Shared>, asked: &Asked<'_>) -> Self {
        let id = shared.counters.started.fetch_add(1, Relaxed);
        Self {
            shared: Arc::clone(shared),
            began: shared.executor.now(),
            info: shared.observing.as_ref().map(|_| {
                Box::new(CallInfo {
                    id,
                    operation: asked.operation,
                    provider: Arc::clone(shared.endpoint.provider()),
                    model: asked.model.to_owned(),
                    mode: asked.mode,
                })
            }),
            span: CallSpan::begin(&shared.endpoint, asked),
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

    /// Remembers what this error says about the model.
    pub(super) fn learn(&self, job: &dyn Job, error: &Error) {
        job.learn(&self.shared, Some(error));
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

    pub(super) fn retrying(&self, error: &Error, wait: Duration, headers: &CallHeaders) {
        self.shared.counters.retried.fetch_add(1, Relaxed);
        self.span.retrying(self.attempts, error, wait);
        if let Some(observing) = &self.shared.observing {
            let error = &self.finish((observing.copy)(error), headers);
            let attempt = self.attempts;
            self.tell(|elapsed| CallEvent::Retrying {
                attempt,
                error,
                wait,
                elapsed,
            });
        }
    }

    /// The first content of a stream came `at` this time.
    pub(super) fn first_content(&self, at: Instant) {
        let elapsed = at - self.began;
        self.span.first_content(|| elapsed);
        self.tell(|_| CallEvent::FirstContent { elapsed });
    }

    /// The whole answer was handed over.
    pub(super) fn succeeded(&mut self, answer: &Summary<'_>) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        self.shared.counters.succeeded.fetch_add(1, Relaxed);
        let attempts = self.attempts;
        let redact = |text: &mut String| self.shared.redact(text);
        self.span.succeeded(attempts, answer, &redact);
        self.tell(|elapsed| CallEvent::Succeeded {
            attempts,
            usage: answer.usage,
            elapsed,
        });
    }

    /// The call ended with `error`. Returns the error for the caller, with attempts and provider
    /// filled in and secrets redacted, including those in the call's own `headers`.
    pub(super) fn failed(&mut self, error: Error, headers: &CallHeaders) -> Error {
        let error = self.finish(error, headers);
        if !std::mem::replace(&mut self.settled, true) {
            self.shared.counters.failed.fetch_add(1, Relaxed);
            let redact = |text: &mut String| self.shared.redact(text);
            self.span.failed(&error, &redact);
            self.tell(|elapsed| CallEvent::Failed {
                error: &error,
                elapsed,
            });
        }
        error
    }

    fn finish(&self, error: Error, headers: &CallHeaders) -> Error {
        let mut of_call = Secrets::new();
        headers.tell_secrets(&mut of_call);
        self.shared.finish_error(error, self.attempts, &of_call)
    }

    fn tell<'a>(&self, event: impl FnOnce(Duration) -> CallEvent<'a>) {
        if let (Some(observing), Some(info)) = (&self.shared.observing, &self.info) {
            let observer = &observing.observer;
            observer.observe(info, &event(self.shared.executor.now() - self.began));
        }
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        if !self.settled {
            self.shared.counters.cancelled.fetch_add(1, Relaxed);
            self.span.cancelled(self.attempts);
            self.tell(|elapsed| CallEvent::Cancelled { elapsed });
        }
    }
}
