//! Runs one chat after another, on an in-memory transport and an executor that does nothing, so
//! that only the core's cost remains.

#![allow(dead_code, reason = "each benchmark uses a part")]

mod answers;

use std::any::Any;
use std::future::{Future, pending};
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use chatcore::{
    Adaptive, BoxFuture, ByteStream, CallEvent, CallInfo, Dialect, Executor, Hedging, Instant,
    LlmClient, LlmClientBuilder, Observer, Provider, RateLimits, Transport, TransportError,
};
use futures_lite::StreamExt;

/// The names of the cases. `bare` is the cost of the bench itself: the transport without a client.
pub(crate) const NAMES: [&str; 11] = [
    "bare",
    "openai",
    "anthropic",
    "openai_stream_of_200",
    "anthropic_stream_of_200",
    "with_rate_limits",
    "with_adaptive",
    "with_hedging",
    "with_observer",
    "with_all_of_these",
    "with_all_stream_of_200",
];

/// A function that runs one chat of the case `name`.
pub(crate) fn chat(name: &str) -> Box<dyn Fn()> {
    let plain = |builder| builder;
    match name {
        "bare" => bare(),
        "openai" => whole(client(answers::openai(), plain)),
        "anthropic" => whole(client(answers::anthropic(), plain)),
        "openai_stream_of_200" => stream(client(answers::openai_stream(), plain)),
        "anthropic_stream_of_200" => stream(client(answers::anthropic_stream(), plain)),
        "with_rate_limits" => whole(client(answers::openai(), with_rate_limits)),
        "with_adaptive" => whole(client(answers::openai(), with_adaptive)),
        "with_hedging" => whole(client(answers::openai(), with_hedging)),
        "with_observer" => whole(client(answers::openai(), with_observer)),
        "with_all_of_these" => whole(client(answers::openai(), with_all)),
        "with_all_stream_of_200" => stream(client(answers::openai_stream(), with_all)),
        _ => panic!("there is no case {name:?}"),
    }
}

/// The names of the cases with a waiting call.
pub(crate) const WAITING: [&str; 4] = [
    "for its headers",
    "for its headers, with all policies",
    "in its stream",
    "in its stream, with all policies",
];

/// Returns a function that starts a call of the case `name` and polls it until it waits.
pub(crate) fn waiting(name: &str) -> Box<dyn Fn() -> Box<dyn Any>> {
    let shape = match name.ends_with("policies") {
        true => with_all,
        false => |builder| builder,
    };
    if name.starts_with("for its headers") {
        let client = client(answers::none(), shape);
        return Box::new(move || {
            let mut call = client.chat_async(PROMPT).into_future();
            assert!(now_or_later(&mut call).is_none());
            Box::new(call)
        });
    }
    let client = client(answers::unfinished(), shape);
    Box::new(move || {
        let mut stream = client.chat_async(PROMPT).stream();
        while let Some(event) = now_or_later(stream.next()) {
            event.unwrap().unwrap();
        }
        Box::new(stream)
    })
}

/// The names of the answers that are decoded without a client.
pub(crate) const ANSWERS: [&str; 8] = [
    "openai",
    "anthropic",
    "gemini",
    "responses",
    "openai_stream_of_200",
    "anthropic_stream_of_200",
    "gemini_stream_of_200",
    "responses_stream_of_200",
];

/// The dialect and the pieces of the answer `name`.
pub(crate) fn answer(name: &str) -> (Arc<dyn Dialect>, Arc<[Bytes]>) {
    let memory = match name {
        "openai" => answers::openai(),
        "anthropic" => answers::anthropic(),
        "openai_stream_of_200" => answers::openai_stream(),
        "anthropic_stream_of_200" => answers::anthropic_stream(),
        "gemini" => answers::gemini(),
        "gemini_stream_of_200" => answers::gemini_stream(),
        "responses" => answers::responses(),
        "responses_stream_of_200" => answers::responses_stream(),
        _ => panic!("there is no answer {name:?}"),
    };
    (Arc::clone(memory.provider.dialect()), memory.pieces)
}

const PROMPT: &str = "Why is the sky blue?";

fn whole(client: LlmClient) -> Box<dyn Fn()> {
    Box::new(move || {
        black_box(finish(client.chat_async(PROMPT).into_future()).unwrap());
    })
}

fn stream(client: LlmClient) -> Box<dyn Fn()> {
    Box::new(move || {
        finish(async {
            let mut stream = client.chat_async(PROMPT).stream();
            while let Some(event) = stream.next().await {
                black_box(event.unwrap());
            }
        });
    })
}

fn bare() -> Box<dyn Fn()> {
    let transport = answers::openai();
    Box::new(move || {
        finish(async {
            let mut request = http::Request::new(Bytes::from_static(b"{}"));
            *request.method_mut() = http::Method::POST;
            let mut body = transport.send(request).await.unwrap().into_body();
            while let Some(piece) = body.next().await {
                black_box(piece.unwrap());
            }
        });
    })
}

/// A client for the provider that `transport` imitates.
pub(crate) fn client(
    transport: Memory,
    shape: impl FnOnce(LlmClientBuilder) -> LlmClientBuilder,
) -> LlmClient {
    let provider = transport.provider.clone();
    let executor = Arc::new(Idle(std::time::Instant::now()));
    let builder = LlmClient::builder(executor, Arc::new(transport))
        .provider(provider.with_api_key("sk-bench"));
    shape(builder).build().unwrap()
}

fn with_rate_limits(builder: LlmClientBuilder) -> LlmClientBuilder {
    // So high that no call ever waits.
    let limits = RateLimits::default()
        .requests_per_minute(1_000_000_000)
        .tokens_per_minute(1_000_000_000_000);
    builder.rate_limits(limits)
}

fn with_adaptive(builder: LlmClientBuilder) -> LlmClientBuilder {
    builder.adaptive(Adaptive::default())
}

fn with_hedging(builder: LlmClientBuilder) -> LlmClientBuilder {
    builder.hedging(Hedging::at_quantile(0.95))
}

fn with_observer(builder: LlmClientBuilder) -> LlmClientBuilder {
    builder.observer(Arc::new(Listener))
}

fn with_all(builder: LlmClientBuilder) -> LlmClientBuilder {
    with_rate_limits(with_adaptive(with_hedging(with_observer(builder))))
}

#[derive(Debug)]
struct Listener;

impl Observer for Listener {
    fn observe(&self, call: &CallInfo, event: &CallEvent<'_>) {
        black_box((call, event));
    }
}

/// An executor that runs no task and whose timers never fire. It uses the real clock.
#[derive(Debug)]
struct Idle(std::time::Instant);

impl Executor for Idle {
    fn spawn(&self, _: BoxFuture<'static, ()>) {}

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(pending())
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(self.0.elapsed())
    }
}

/// A transport that answers each request at once, with the same bytes.
#[derive(Debug)]
pub(crate) struct Memory {
    provider: Provider,
    content_type: &'static str,
    pieces: Arc<[Bytes]>,
    end: End,
}

/// How much of an answer arrives.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Whole,
    /// Waits after the last piece.
    InBody,
    /// No answer arrives.
    NoHeaders,
}

#[async_trait::async_trait]
impl Transport for Memory {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ByteStream>, TransportError> {
        black_box(&request);
        if self.end == End::NoHeaders {
            return pending().await;
        }
        let (pieces, end) = (Arc::clone(&self.pieces), self.end);
        let mut next = 0;
        let body = futures_lite::stream::poll_fn(move |_| {
            let piece = pieces.get(next).cloned().map(Ok);
            next += 1;
            match end {
                End::InBody if piece.is_none() => Poll::Pending,
                _ => Poll::Ready(piece),
            }
        });
        let mut response = http::Response::new(ByteStream::new(body));
        let headers = response.headers_mut();
        headers.insert(
            "content-type",
            http::HeaderValue::from_static(self.content_type),
        );
        headers.insert("x-request-id", http::HeaderValue::from_static("req-1"));
        Ok(response)
    }
}

/// Polls until the future is done. Nothing waits here, but a long stream yields now and then.
fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    // Far more polls than any answer needs.
    (0..1000)
        .find_map(|_| now_or_later(future.as_mut()))
        .unwrap_or_else(|| panic!("an in-memory chat waited"))
}

/// Polls once.
fn now_or_later<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
