#![cfg_attr(
    not(all(feature = "gemini", feature = "limits", feature = "ollama")),
    allow(dead_code, unused_imports, reason = "some tests need these features")
)]

#[cfg(feature = "limits")]
mod adapting;
mod attempts;
mod credentials;
mod observing;
#[cfg(feature = "limits")]
mod queue;
#[cfg(all(feature = "gemini", feature = "ollama"))]
mod refusals;
mod streams;
mod time;
mod tokens;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::task::{Context, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{self, join_all};
use futures_util::{FutureExt, StreamExt, stream};
use http::Request;

use std::sync::atomic::Ordering::Relaxed;

use super::*;
use crate::chat::{ChatEvent, ChatResponse};
use crate::client::{LlmClient, LlmClientBuilder};
use crate::error::{ErrorKind, Phase};
use crate::executor::{BoxFuture, Executor};
use crate::observe::{CallEvent, CallInfo, Observer};
use crate::policy::timeouts::Timeouts;
#[cfg(feature = "limits")]
use crate::policy::{adaptive::Adaptive, hedge::Hedging, rate::RateLimits};
use crate::provider::Provider;
use crate::testing::Clockwork;
use crate::transport::{ByteStream, ConnectTimeout, Transport, TransportError, TransportErrorKind};

/// What the server does with one request.
#[derive(Debug)]
enum Answering {
    /// A good answer after this many seconds.
    Good(f64),
    /// This status, with this `Retry-After`.
    Status(u16, Option<&'static str>),
    /// This status after this many seconds.
    Late(f64, u16),
    Lost,
    Refused,
    /// Endless content, as fast as the client reads it.
    Flood,
    /// Pieces of a body, each this many seconds after the one before. The body never ends.
    Pieces(Vec<(f64, &'static str)>),
    /// The same, with this status.
    Broken(u16, Vec<(f64, &'static str)>),
    /// A response with this status and piece of a body, and then a lost connection.
    Cut(u16, &'static str),
    /// A body in one piece.
    Body(String),
}

const GOOD: &str = r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
const TEXT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n";
const FINISH: &str =
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// An extension that a caller sets for the transport.
#[derive(Clone)]
struct Told(&'static str);

#[derive(Debug)]
struct Script {
    executor: Arc<dyn Executor>,
    /// The connect timeout of each request.
    connect: Mutex<Vec<Duration>>,
    /// The [`Told`] extension of each request.
    told: Mutex<Vec<Option<&'static str>>>,
    answers: Mutex<VecDeque<Answering>>,
    sent: Mutex<Vec<f64>>,
    /// The `authorization` header of each request.
    authorized: Mutex<Vec<Option<String>>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<http::Response<ByteStream>, TransportError> {
        let at = self.executor.now().since_epoch().as_secs_f64();
        self.sent.lock().unwrap().push(at);
        let ConnectTimeout(connect) = request.extensions().get().copied().unwrap_or_default();
        self.connect.lock().unwrap().push(connect);
        let told = request.extensions().get::<Told>().map(|told| told.0);
        self.told.lock().unwrap().push(told);
        let authorized = request.headers().get(http::header::AUTHORIZATION);
        let authorized = authorized.map(|value| value.to_str().unwrap().to_owned());
        self.authorized.lock().unwrap().push(authorized);
        let next = self.answers.lock().unwrap().pop_front();
        let response = http::Response::builder();
        match next.unwrap_or(Answering::Good(0.0)) {
            Answering::Good(seconds) => {
                self.executor.sleep(Duration::from_secs_f64(seconds)).await;
                Ok(response.body(ByteStream::from_bytes(GOOD)).unwrap())
            }
            Answering::Status(status, retry_after) => {
                let response = response.status(status);
                let response = match retry_after {
                    Some(value) => response.header("retry-after", value),
                    None => response,
                };
                Ok(response.body(ByteStream::from_bytes("{}")).unwrap())
            }
            Answering::Late(seconds, status) => {
                self.executor.sleep(Duration::from_secs_f64(seconds)).await;
                let response = response.status(status);
                Ok(response.body(ByteStream::from_bytes("{}")).unwrap())
            }
            Answering::Lost => Err(TransportError::new(TransportErrorKind::Reset, "lost")),
            Answering::Refused => Err(TransportError::new(TransportErrorKind::Connect, "refused")),
            Answering::Flood => {
                let pieces = stream::repeat(()).map(|()| Ok(Bytes::from_static(TEXT.as_bytes())));
                Ok(response.body(ByteStream::new(pieces)).unwrap())
            }
            Answering::Body(body) => {
                let body = stream::iter([Ok(Bytes::from(body))]);
                Ok(response.body(ByteStream::new(body)).unwrap())
            }
            Answering::Pieces(pieces) => {
                let response = response.header("x-request-id", "req-1");
                Ok(response.body(self.pieces(pieces)).unwrap())
            }
            Answering::Broken(status, pieces) => {
                let response = response.status(status);
                Ok(response.body(self.pieces(pieces)).unwrap())
            }
            Answering::Cut(status, piece) => {
                let lost = TransportError::new(TransportErrorKind::Reset, "lost");
                let body = stream::iter([Ok(Bytes::from(piece)), Err(lost)]);
                let response = response.status(status);
                Ok(response.body(ByteStream::new(body)).unwrap())
            }
        }
    }
}

impl Script {
    /// A body that never ends.
    fn pieces(&self, pieces: Vec<(f64, &'static str)>) -> ByteStream {
        let executor = Arc::clone(&self.executor);
        let body = stream::iter(pieces).then(move |(seconds, piece)| {
            let wait = executor.sleep(Duration::from_secs_f64(seconds));
            async move {
                wait.await;
                Ok(Bytes::from(piece))
            }
        });
        ByteStream::new(body.chain(stream::pending()))
    }
}

struct Setup {
    clock: Arc<Clockwork>,
    client: LlmClient,
    script: Arc<Script>,
}

fn setup(
    answers: impl IntoIterator<Item = Answering>,
    change: impl FnOnce(LlmClientBuilder) -> LlmClientBuilder,
) -> Setup {
    let (clock, executor) = Clockwork::new();
    let script = Arc::new(Script {
        executor: Arc::clone(&executor),
        connect: Mutex::default(),
        told: Mutex::default(),
        answers: Mutex::new(answers.into_iter().collect()),
        sent: Mutex::default(),
        authorized: Mutex::default(),
    });
    let transport: Arc<dyn Transport> = script.clone();
    let builder = LlmClient::builder(executor, transport).provider(Provider::demo());
    Setup {
        clock,
        client: change(builder).build().unwrap(),
        script,
    }
}

impl Setup {
    fn chat(&self) -> Result<ChatResponse, Error> {
        self.clock.run(self.client.chat_async("hi").into_future())
    }

    fn sent(&self) -> Vec<f64> {
        self.script.sent.lock().unwrap().clone()
    }
}
