//! The span of a call, with the names of OpenTelemetry's GenAI conventions.
//!
//! Numbers are recorded as `i64` and `f64`, because OpenTelemetry has no other numbers and its
//! layer writes an unsigned integer as a string.
//!
//! `span_off.rs` has the same functions for builds without the feature `tracing`.

use std::future::Future;
use std::time::Duration;

use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::{Asked, Summary};
use crate::dialect::{Endpoint, Mode};
use crate::error::Error;

/// The span of one call with all its attempts. It closes when the call's outcome is dropped.
#[derive(Clone, Debug)]
pub(crate) struct CallSpan(Span);

impl CallSpan {
    /// Opens the span as a child of the span that is current where the call begins.
    pub(crate) fn begin(endpoint: &Endpoint, asked: &Asked<'_>) -> Self {
        let (operation, model) = (asked.operation.as_str(), asked.model);
        let span = tracing::info_span!(
            "chat",
            otel.name = Empty,
            otel.kind = "client",
            otel.status_code = Empty,
            otel.status_description = Empty,
            gen_ai.operation.name = operation,
            gen_ai.provider.name = &**endpoint.provider(),
            gen_ai.request.model = (!model.is_empty()).then_some(model),
            gen_ai.request.stream = matches!(asked.mode, Mode::Stream),
            gen_ai.request.temperature = asked.temperature,
            gen_ai.request.top_p = asked.top_p,
            gen_ai.request.max_tokens = asked.max_tokens.map(i64::from),
            gen_ai.request.seed = asked.seed,
            server.address = endpoint.host(),
            server.port = i64::from(endpoint.port()),
            gen_ai.response.id = Empty,
            gen_ai.response.model = Empty,
            gen_ai.response.finish_reasons = Empty,
            gen_ai.response.time_to_first_chunk = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty,
            gen_ai.usage.reasoning.output_tokens = Empty,
            error.type = Empty,
            chatcore.attempts = Empty,
            chatcore.outcome = Empty,
        );
        if !span.is_disabled() {
            let name = format!("{operation} {model}");
            span.record("otel.name", name.trim_end());
        }
        Self(span)
    }

    /// Runs `future` inside the span, so that what a transport logs belongs to it.
    pub(crate) fn around<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        future.instrument(self.0)
    }

    /// Runs `function` inside the span.
    pub(crate) fn enter<R>(&self, function: impl FnOnce() -> R) -> R {
        self.0.in_scope(function)
    }

    pub(crate) fn started(&self, attempt: u32) {
        tracing::debug!(parent: &self.0, attempt = i64::from(attempt), "attempt");
    }

    pub(crate) fn retrying(&self, attempt: u32, error: &Error, wait: Duration) {
        tracing::warn!(
            parent: &self.0,
            attempt = i64::from(attempt),
            error.type = error.kind().as_str(),
            status = error.status().map(|status| i64::from(status.as_u16())),
            wait_seconds = wait.as_secs_f64(),
            "attempt failed, will retry"
        );
    }

    pub(crate) fn first_content(&self, elapsed: impl FnOnce() -> Duration) {
        if !self.0.is_disabled() {
            let seconds = elapsed().as_secs_f64();
            self.0
                .record("gen_ai.response.time_to_first_chunk", seconds);
        }
    }

    pub(crate) fn succeeded(
        &self,
        attempts: u32,
        answer: &Summary<'_>,
        redact: &dyn Fn(&mut String),
    ) {
        if self.0.is_disabled() {
            return;
        }
        self.answered(answer, redact);
        self.0.record("chatcore.attempts", i64::from(attempts));
        self.0.record("chatcore.outcome", "succeeded");
    }

    /// Records the error that the caller gets, which holds no secrets.
    pub(crate) fn failed(&self, error: &Error, redact: &dyn Fn(&mut String)) {
        if self.0.is_disabled() {
            return;
        }
        if let Some(partial) = error.partial() {
            self.answered(&Summary::of(partial), redact);
        }
        self.0.record("otel.status_code", "ERROR");
        self.0.record("otel.status_description", error.to_string());
        self.0.record("error.type", error.kind().as_str());
        self.0
            .record("chatcore.attempts", i64::from(error.attempts()));
        self.0.record("chatcore.outcome", "failed");
    }

    pub(crate) fn cancelled(&self, attempts: u32) {
        self.0.record("chatcore.attempts", i64::from(attempts));
        self.0.record("chatcore.outcome", "cancelled");
    }

    fn answered(&self, answer: &Summary<'_>, redact: &dyn Fn(&mut String)) {
        // A server may echo a secret in these fields.
        let text = |name: &'static str, text: &str| {
            let mut text = text.to_owned();
            redact(&mut text);
            self.0.record(name, text);
        };
        if !answer.id.is_empty() {
            text("gen_ai.response.id", answer.id);
        }
        if !answer.model.is_empty() {
            text("gen_ai.response.model", answer.model);
        }
        if let Some(reason) = answer.finish_reason {
            // OpenTelemetry expects an array. Tracing has no arrays, so this is one in JSON.
            let reasons = format!("[{:?}]", reason.as_str());
            text("gen_ai.response.finish_reasons", &reasons);
        }
        let Some(usage) = answer.usage else {
            return;
        };
        let count = |name: &'static str, tokens: Option<u64>| {
            if let Some(tokens) = tokens {
                self.0
                    .record(name, i64::try_from(tokens).unwrap_or(i64::MAX));
            }
        };
        count("gen_ai.usage.input_tokens", Some(usage.input_tokens));
        count("gen_ai.usage.output_tokens", Some(usage.output_tokens));
        count(
            "gen_ai.usage.cache_read.input_tokens",
            usage.cache_read_tokens,
        );
        count(
            "gen_ai.usage.reasoning.output_tokens",
            usage.reasoning_tokens,
        );
    }
}
