//! Builds a simulated network and provider.

use std::fmt;
use std::sync::Arc;

use super::fault::Script;
use super::latency::{Latency, Timing};
use super::limits::Limits;
use super::request::SimRequest;
use super::server::Server;
use super::{Say, SimTransport};
use crate::sim::SimExecutor;

/// Builds a [`SimTransport`]. By default nothing takes time, nothing is limited and no request has
/// a fault.
///
/// The headers of a streamed answer arrive after `connect + headers`, its first token `first_token`
/// later, and each further token `token` later. The headers and body of a whole answer arrive
/// together, at the time when its stream would end.
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

    /// Sets the time from a request's arrival to its headers.
    pub fn headers(mut self, latency: Latency) -> Self {
        self.timing.headers = latency;
        self
    }

    /// Sets the time from the headers to the first token.
    pub fn first_token(mut self, latency: Latency) -> Self {
        self.timing.first_token = latency;
        self
    }

    /// Sets the time before each further token.
    pub fn token(mut self, latency: Latency) -> Self {
        self.timing.token = latency;
        self
    }

    /// Sets the provider's limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the faults.
    pub fn script(mut self, script: Script) -> Self {
        self.script = script;
        self
    }

    /// Sets the provider's answers. An answer may depend only on the request, or runs do not
    /// repeat.
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
