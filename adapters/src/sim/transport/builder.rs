//! Builds a simulated network and provider.

use std::fmt;
use std::sync::Arc;

use chatcore::ToolCall;

use super::fault::Script;
use super::latency::{Latency, Timing};
use super::limits::Limits;
use super::request::SimRequest;
use super::server::Server;
use super::{AskCalls, Say, SimTransport};
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
    calls: Arc<AskCalls>,
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
            calls: Arc::new(|_| Vec::new()),
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

    /// Sets the calls of tools that the provider asks for after the text of its answer. They may
    /// depend only on the request. Default: none.
    ///
    /// ```
    /// use std::future::IntoFuture;
    /// use chatcore::{LlmClient, Provider, Tool, ToolCall};
    /// use chatcore_adapters::sim::{Sim, SimTransport};
    /// # use chatcore::serde_json::json;
    ///
    /// let sim = Sim::new(1);
    /// let transport = SimTransport::builder(&sim.executor())
    ///     .answer(|_| String::new())
    ///     .calls(|_| vec![ToolCall::new("call_1", "weather", r#"{"city": "Lyon"}"#)])
    ///     .build();
    /// let client = LlmClient::builder(sim.executor(), transport)
    ///     .provider(Provider::deepseek().with_api_key("sk-simulated"))
    ///     .build()?;
    /// let weather = Tool::new("weather", json!({"type": "object"}));
    /// let answer = sim.run(client.ask("Is it raining?").tool(weather).into_future())?;
    /// assert_eq!(answer.tool_calls().next().unwrap().name, "weather");
    /// # Ok::<(), chatcore::Error>(())
    /// ```
    pub fn calls(
        mut self,
        calls: impl Fn(&SimRequest) -> Vec<ToolCall> + Send + Sync + 'static,
    ) -> Self {
        self.calls = Arc::new(calls);
        self
    }

    /// Makes the transport.
    pub fn build(self) -> Arc<SimTransport> {
        Arc::new(SimTransport {
            server: Server::new(self.sim, self.script, &self.limits),
            timing: self.timing,
            say: self.say,
            calls: self.calls,
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
