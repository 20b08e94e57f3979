//! The network and the provider, as a [`Transport`].

mod answer;
mod body;
mod builder;
mod fault;
mod latency;
mod limits;
mod plan;
mod request;
mod server;
mod stats;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{
    ByteStream, ConnectTimeout, ToolCall, Transport, TransportError, TransportErrorKind,
};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

pub use builder::SimTransportBuilder;
pub use fault::{Fault, Script};
pub use latency::Latency;
pub use limits::{Limits, RetryAfter, Window};
pub use request::SimRequest;
pub use stats::Stats;

use super::SimExecutor;
use crate::answers::Form;
use crate::answers::openai_chat::OpenAiChatForm;
use answer::Answer;
use body::Body;
use latency::Timing;
use limits::Verdict;
use plan::Plan;
use server::{End, Exchange, Server};

/// Makes the provider's answer to a request.
type Say = dyn Fn(&SimRequest) -> String + Send + Sync;

/// Makes the calls of tools that the provider asks for.
type AskCalls = dyn Fn(&SimRequest) -> Vec<ToolCall> + Send + Sync;

/// A simulated network with one LLM provider at its end. The provider speaks OpenAI's chat
/// completions, and Anthropic's messages if the path ends in `/messages`, with the bytes of the
/// real protocols.
///
/// By default the network takes no time, has no limits and no faults, and the answer is `echo: `
/// followed by the user's last message. One word is one token. Each token of a stream is one chunk,
/// sent at its scheduled time whether or not the client reads.
///
/// A connection is kept and reused after an answer was read to its end. Dropping the future of
/// `send`, or a body before its end, closes the connection at once and frees the request's place at
/// the provider.
#[derive(Clone)]
pub struct SimTransport {
    server: Arc<Server>,
    timing: Timing,
    say: Arc<Say>,
    calls: Arc<AskCalls>,
}

impl SimTransport {
    /// A builder for a transport in this simulation.
    pub fn builder(sim: &SimExecutor) -> SimTransportBuilder {
        SimTransportBuilder::new(sim.clone())
    }

    /// The statistics of the network and the provider so far.
    pub fn stats(&self) -> Stats {
        self.server.stats()
    }

    /// Changes the provider's limits from now on. Its counts are reset, except for the requests
    /// that it is working on.
    pub fn set_limits(&self, limits: Limits) {
        self.server.set_limits(&limits);
    }

    /// Changes the faults of requests that are sent from now on, for example to begin or end an
    /// outage. The numbering of requests continues.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chatcore_adapters::sim::{Fault, Script, Sim, SimTransport};
    ///
    /// let sim = Sim::new(1);
    /// let transport = SimTransport::builder(&sim).build();
    /// let (clock, network) = (sim.executor(), transport.clone());
    /// sim.spawn(async move {
    ///     clock.sleep(Duration::from_secs(60)).await;
    ///     network.set_script(Script::new().always(Fault::ConnectRefused));
    ///     clock.sleep(Duration::from_secs(10)).await;
    ///     network.set_script(Script::new());
    /// });
    /// // … and the application runs beside it.
    /// # sim.run(sim.sleep(Duration::from_secs(100)));
    /// ```
    pub fn set_script(&self, script: Script) {
        self.server.set_script(script);
    }

    /// Checks that nothing is left after a drain.
    ///
    /// # Panics
    /// If a request is in flight, or if a connection is neither closed nor idle.
    #[track_caller]
    pub fn assert_idle(&self) {
        let stats = self.stats();
        assert!(
            stats.in_flight == 0 && stats.working == 0,
            "{} requests are in flight, and {} are worked on: {stats:?}",
            stats.in_flight,
            stats.working
        );
        assert_eq!(
            stats.connections_opened,
            stats.connections_closed + stats.connections_idle,
            "a connection is lost: {stats:?}"
        );
    }

    fn sim(&self) -> &SimExecutor {
        &self.server.sim
    }

    async fn connect(
        &self,
        exchange: &mut Exchange,
        fault: Option<Fault>,
        limit: Duration,
    ) -> Result<(), TransportError> {
        let is_refused = fault == Some(Fault::ConnectRefused);
        let hangs = fault == Some(Fault::ConnectHangs);
        if !is_refused && !hangs && exchange.reuse() {
            return Ok(());
        }
        let latency = self.timing.connect.sample(self.sim());
        if hangs || latency > limit {
            self.sim().sleep(limit).await;
            exchange.end(End::Failed);
            return Err(TransportError::new(
                TransportErrorKind::ConnectTimeout,
                format!("no simulated connection within {limit:?}"),
            ));
        }
        self.sim().sleep(latency).await;
        if is_refused {
            exchange.end(End::Failed);
            return Err(TransportError::new(
                TransportErrorKind::Connect,
                "the simulated connection was refused",
            ));
        }
        exchange.connected();
        Ok(())
    }

    /// The provider's reply to a request that has arrived.
    async fn answer(
        &self,
        exchange: &mut Exchange,
        ask: Result<SimRequest, (u16, String)>,
        fault: Option<Fault>,
    ) -> Reply {
        let headers = self.timing.headers.sample(self.sim());
        let ask = match ask {
            Ok(ask) => ask,
            Err((status, message)) => {
                self.sim().sleep(headers).await;
                return Reply::error(&OpenAiChatForm, status, &message);
            }
        };
        let text = (self.say)(&ask);
        let calls = (self.calls)(&ask);
        let answer = Answer::new(&ask, &text, &calls, fault != Some(Fault::NoUsage));
        let tokens = answer.tokens.len();
        let verdict = exchange.admit(ask.input_tokens, tokens as u64);
        let due = match verdict {
            Verdict::TooFast { wait } => self.sim().now().since_epoch() + wait,
            _ => Duration::ZERO,
        };
        let mut wait = |place: usize| match place {
            0 => self.timing.first_token.sample(self.sim()),
            _ => self.timing.token.sample(self.sim()),
        };
        let mut reply = match (verdict, fault) {
            (Verdict::TooMany { status }, _) => {
                Reply::error(ask.form, status, "too many requests at once")
            }
            (Verdict::TooFast { .. }, _) => {
                Reply::error(ask.form, 429, "too many requests or tokens in a minute")
            }
            (Verdict::Accepted, Some(Fault::Status(status))) => {
                Reply::error(ask.form, status, "a simulated failure")
            }
            (Verdict::Accepted, Some(Fault::WrongContentType)) => {
                let page = "<!DOCTYPE html><html><body>a simulated web page</body></html>";
                Reply::new(200, "text/html", Plan::whole(page, 0))
            }
            (Verdict::Accepted, fault) if ask.streams => {
                let plan = Plan::of_stream(&answer, fault, wait);
                Reply::new(200, "text/event-stream; charset=utf-8", plan)
            }
            (Verdict::Accepted, fault) => {
                // Nothing is sent before the whole answer is ready.
                let waits = (0..tokens).map(&mut wait);
                let generation = waits.fold(Duration::ZERO, Duration::saturating_add);
                self.sim().sleep(generation).await;
                Reply::new(200, "application/json", Plan::of_whole(&answer, fault))
            }
        };
        self.sim().sleep(headers).await;
        exchange.describe_limits(ask.is_anthropic, &mut reply.headers);
        if matches!(verdict, Verdict::TooFast { .. }) {
            exchange.announce_wait(due, &mut reply.headers);
        }
        reply
    }
}

#[async_trait]
impl Transport for SimTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<Response<ByteStream>, TransportError> {
        let (number, mut exchange) = self.server.begin(request.body());
        let fault = self.server.fault(number);
        if fault.is_some() {
            exchange.befall();
        }
        let limit = request.extensions().get::<ConnectTimeout>();
        let ConnectTimeout(limit) = limit.copied().unwrap_or_default();
        self.connect(&mut exchange, fault, limit).await?;
        exchange.arrived();
        match fault {
            Some(Fault::HeadersHang) => pending().await,
            Some(Fault::ResetBeforeHeaders) => {
                let latency = self.timing.headers.sample(self.sim());
                self.sim().sleep(latency).await;
                exchange.end(End::Failed);
                return Err(TransportError::new(
                    TransportErrorKind::Reset,
                    "the simulated connection was reset before the headers",
                ));
            }
            _ => {}
        }
        let ask = SimRequest::read(number, &request);
        let reply = self.answer(&mut exchange, ask, fault).await;
        Ok(reply.into_response(number, exchange))
    }
}

impl fmt::Debug for SimTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimTransport")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A response whose body is not connected to its `Exchange` yet.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    plan: Plan,
}

impl Reply {
    fn new(status: u16, content_type: &'static str, plan: Plan) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers,
            plan,
        }
    }

    fn error(form: &dyn Form, status: u16, message: &str) -> Self {
        let error = answer::error(form, status, message);
        Self::new(status, "application/json", Plan::whole(error, 0))
    }

    fn into_response(mut self, number: u64, exchange: Exchange) -> Response<ByteStream> {
        if let Ok(id) = HeaderValue::try_from(format!("sim-{number}")) {
            self.headers.insert("x-request-id", id);
        }
        let is_answer = self.status == StatusCode::OK;
        let body = Body::new(self.plan, exchange, is_answer);
        let mut response = Response::new(ByteStream::new(body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
