//! Metrics, for Prometheus and for the page.

use std::fmt;

use chatcore::{CallEvent, CallInfo, Observer, Status};
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts,
    Registry, TextEncoder, core::Collector,
};
use serde_json::{Value, json};

/// Bucket limits in seconds. A chat takes from a few milliseconds to minutes.
const SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
];

/// The metrics of one server.
pub(crate) struct Metrics {
    registry: Registry,
    calls: IntCounterVec,
    call_seconds: HistogramVec,
    first_content_seconds: Histogram,
    queue_seconds: Histogram,
    retries: IntCounterVec,
    tokens: IntCounterVec,
    in_flight: IntGauge,
    queued: IntGauge,
    workers: IntGauge,
    queue_size: IntGauge,
    requests: IntCounterVec,
    gone: IntCounter,
    connections: IntGauge,
}

impl Metrics {
    /// # Errors
    /// If a metric's name is invalid or used twice, which is a bug in this file.
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let seconds =
            |name: &str, help: &str| HistogramOpts::new(name, help).buckets(SECONDS.to_vec());
        let metrics = Self {
            calls: IntCounterVec::new(
                Opts::new("chatcore_calls_total", "Chats that ended, by outcome"),
                &["outcome"],
            )?,
            call_seconds: HistogramVec::new(
                seconds(
                    "chatcore_call_duration_seconds",
                    "Time from a chat's beginning to its end",
                ),
                &["outcome"],
            )?,
            first_content_seconds: Histogram::with_opts(seconds(
                "chatcore_time_to_first_content_seconds",
                "Time from a streamed chat's beginning to its first content",
            ))?,
            queue_seconds: Histogram::with_opts(seconds(
                "chatcore_queue_wait_seconds",
                "Time from a chat's beginning until it was sent first",
            ))?,
            retries: IntCounterVec::new(
                Opts::new(
                    "chatcore_retries_total",
                    "Attempts after a chat's first, by cause",
                ),
                &["cause"],
            )?,
            tokens: IntCounterVec::new(
                Opts::new(
                    "chatcore_tokens_total",
                    "Tokens, as the provider counts them",
                ),
                &["direction"],
            )?,
            in_flight: IntGauge::new("chatcore_in_flight", "Chats in flight to the provider")?,
            queued: IntGauge::new("chatcore_queue_length", "Chats that wait for their turn")?,
            workers: IntGauge::new("chatcore_workers", "Chats that may be in flight at once")?,
            queue_size: IntGauge::new("chatcore_queue_size", "Chats that may wait")?,
            requests: IntCounterVec::new(
                Opts::new(
                    "chatcore_http_requests_total",
                    "HTTP requests, by route and status",
                ),
                &["route", "status"],
            )?,
            gone: IntCounter::new(
                "chatcore_clients_gone_total",
                "Clients that went away before the end of their answer",
            )?,
            connections: IntGauge::new("chatcore_http_connections", "Open connections")?,
            registry,
        };
        let all: [Box<dyn Collector>; 13] = [
            Box::new(metrics.calls.clone()),
            Box::new(metrics.call_seconds.clone()),
            Box::new(metrics.first_content_seconds.clone()),
            Box::new(metrics.queue_seconds.clone()),
            Box::new(metrics.retries.clone()),
            Box::new(metrics.tokens.clone()),
            Box::new(metrics.in_flight.clone()),
            Box::new(metrics.queued.clone()),
            Box::new(metrics.workers.clone()),
            Box::new(metrics.queue_size.clone()),
            Box::new(metrics.requests.clone()),
            Box::new(metrics.gone.clone()),
            Box::new(metrics.connections.clone()),
        ];
        for collector in all {
            metrics.registry.register(collector)?;
        }
        // Created in advance, because a rate needs a series that exists before the first event.
        for outcome in ["succeeded", "failed", "cancelled"] {
            metrics.call_seconds.with_label_values(&[outcome]);
        }
        metrics.calls.with_label_values(&["succeeded"]);
        metrics.calls.with_label_values(&["cancelled"]);
        for direction in ["input", "output"] {
            metrics.tokens.with_label_values(&[direction]);
        }
        Ok(metrics)
    }

    /// Counts a response.
    pub(crate) fn answered(&self, route: &str, status: u16) {
        let status = status.to_string();
        self.requests.with_label_values(&[route, &status]).inc();
    }

    /// Counts a client that disconnected before the end of its answer.
    pub(crate) fn client_gone(&self) {
        self.gone.inc();
    }

    /// The gauge of open connections.
    pub(crate) fn connections(&self) -> &IntGauge {
        &self.connections
    }

    /// All metrics in Prometheus' text format. The gauges of the pool are set from `pool`.
    pub(crate) fn text(&self, pool: &Status) -> prometheus::Result<Vec<u8>> {
        let gauge = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        self.in_flight.set(gauge(pool.active));
        self.queued.set(gauge(pool.queued));
        self.workers.set(gauge(pool.max_workers));
        self.queue_size.set(gauge(pool.queue_size));
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }

    /// The figures that the page shows in addition to the pool's.
    pub(crate) fn figures(&self) -> Value {
        let tokens = |direction| self.tokens.with_label_values(&[direction]).get();
        json!({
            "connections": self.connections.get(),
            "clients_gone": self.gone.get(),
            "tokens": {"input": tokens("input"), "output": tokens("output")},
            "first_content": {
                "count": self.first_content_seconds.get_sample_count(),
                "sum_seconds": self.first_content_seconds.get_sample_sum(),
            },
        })
    }

    fn ended(&self, outcome: &str, kind: &str, elapsed: std::time::Duration) {
        self.calls.with_label_values(&[kind]).inc();
        let seconds = self.call_seconds.with_label_values(&[outcome]);
        seconds.observe(elapsed.as_secs_f64());
    }
}

impl Observer for Metrics {
    fn observe(&self, _: &CallInfo, event: &CallEvent<'_>) {
        match event {
            CallEvent::Started {
                attempt: 1,
                elapsed,
            } => {
                self.queue_seconds.observe(elapsed.as_secs_f64());
            }
            CallEvent::Retrying { error, .. } => {
                let cause = error.kind().as_str();
                self.retries.with_label_values(&[cause]).inc();
            }
            CallEvent::FirstContent { elapsed } => {
                self.first_content_seconds.observe(elapsed.as_secs_f64());
            }
            CallEvent::Succeeded { usage, elapsed, .. } => {
                self.ended("succeeded", "succeeded", *elapsed);
                if let Some(usage) = usage {
                    let count = |direction, tokens| {
                        self.tokens.with_label_values(&[direction]).inc_by(tokens);
                    };
                    count("input", usage.input_tokens);
                    count("output", usage.output_tokens);
                }
            }
            CallEvent::Failed { error, elapsed } => {
                self.ended("failed", error.kind().as_str(), *elapsed);
            }
            CallEvent::Cancelled { elapsed } => self.ended("cancelled", "cancelled", *elapsed),
            _ => {}
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
