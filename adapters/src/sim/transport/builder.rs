//! Building a simulated network and provider.

use std::fmt;
use std::sync::Arc;

use super::fault::Script;
use super::latency::{Latency, Timing};
use super::limits::Limits;
use super::request::SimRequest;
use super::server::Server;
use super::{Say, SimTransport};
use crate::sim::SimExecutor;

/// Builds a [`SimTransport`]. By default nothing takes time, nothing is limited and nothing goes
/// wrong.
///
/// A streamed answer has its headers after `connect + headers`, its first token `first_token`
/// later, and each further token `token` later. A whole answer has its headers and its body at
/// once, when the stream of it would be at its end.
#[must_use]
pub struct SimTransportBuilder {
    sim: SimExecutor,
    timing: Timing,
    limits: Limits,
    script: Script,
    say: Arc<Say>,
}

impl SimTransportBuilder {
    pub(super) fn new(sim: SimExecutor) -> Self {
        Self {
            sim,
            timing: Timing {
                connect: Latency::ZERO,
                headers: Latency::ZERO,
                first_token: Latency::ZERO,
                token: Latency::ZERO,
            },
            limits: Limits::new(),
            script: Script::new(),
            say: Arc::new(|ask| format!("echo: {}", ask.prompt)),
        }
    }

    /// Sets how long a new connection takes.
    pub fn connect(mut self, latency: Latency) -> Self {
        self.timing.connect = latency;
        self
    }

    /// Sets how long a request takes from its arrival to its headers.
    pub fn headers(mut self, latency: Latency) -> Self {
        self.timing.headers = latency;
        self
    }

    /// Sets how long the first token takes after the headers.
    pub fn first_token(mut self, latency: Latency) -> Self {
        self.timing.first_token = latency;
        self
    }

    /// Sets how long each token after the first one takes.
    pub fn token(mut self, latency: Latency) -> Self {
        self.timing.token = latency;
        self
    }

    /// Sets the limits that the provider keeps.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets what goes wrong.
    pub fn script(mut self, script: Script) -> Self {
        self.script = script;
        self
    }

    /// Sets what the provider says. It must depend on nothing but the request, or runs differ.
    pub fn answer(mut self, say: impl Fn(&SimRequest) -> String + Send + Sync + 'static) -> Self {
        self.say = Arc::new(say);
        self
    }

    /// Makes the transport.
    pub fn build(self) -> Arc<SimTransport> {
        Arc::new(SimTransport {
            server: Server::new(self.sim, self.script, &self.limits),
            timing: self.timing,
            say: self.say,
        })
    }
}

impl fmt::Debug for SimTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimTransportBuilder")
            .field("timing", &self.timing)
            .field("limits", &self.limits)
            .field("script", &self.script)
            .finish_non_exhaustive()
    }
}
