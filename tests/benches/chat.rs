//! The core's own cost of one chat: `cargo bench -p chatcore-tests --bench chat`.
//!
//! The transport is in memory and the executor does nothing, so what is left is the core: checks,
//! encoding, admission, decoding and folding. Beside the time stand the allocations of each chat.
//! `bare` is the part of the bench itself: the same transport without a client.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on must stop"
)]

use std::future::{Future, pending};
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use chatcore::{
    Adaptive, BoxFuture, ByteStream, CallEvent, CallInfo, Executor, Hedging, Instant, LlmClient,
    LlmClientBuilder, Observer, Provider, RateLimits, Transport, TransportError,
};
use divan::{AllocProfiler, Bencher};
use futures_lite::StreamExt;
use serde_json::json;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// No task, no timer that rings, and the real clock.
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

/// Answers each request at once, with the same bytes.
#[derive(Debug)]
struct Memory {
    content_type: &'static str,
    pieces: Arc<[Bytes]>,
}

#[async_trait::async_trait]
impl Transport for Memory {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ByteStream>, TransportError> {
        black_box(&request);
        let pieces = Arc::clone(&self.pieces);
        let mut next = 0;
        let body = futures_lite::stream::poll_fn(move |_| {
            let piece = pieces.get(next).cloned().map(Ok);
            next += 1;
            Poll::Ready(piece)
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

/// An answer of about 600 bytes, as an OpenAI-compatible provider writes it.
fn openai_whole() -> Memory {
    let body = json!({"id": "chatcmpl-123", "object": "chat.completion", "created": 1,
        "model": "deepseek-chat", "system_fingerprint": "fp_1", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": "The sky is blue. ".repeat(14)},
        "logprobs": null, "finish_reason": "stop"}], "usage": {"prompt_tokens": 12,
        "completion_tokens": 60, "total_tokens": 72, "prompt_tokens_details": {"cached_tokens": 0},
        "prompt_cache_hit_tokens": 0, "prompt_cache_miss_tokens": 12}});
    Memory {
        content_type: "application/json",
        pieces: [body.to_string().into()].into(),
    }
}

/// An answer of about 600 bytes, as Anthropic writes it.
fn anthropic_whole() -> Memory {
    let body = json!({"id": "msg_123", "type": "message", "role": "assistant",
        "model": "claude-haiku-4-5", "content": [{"type": "text",
        "text": "The sky is blue. ".repeat(18)}], "stop_reason": "end_turn",
        "stop_sequence": null, "usage": {"input_tokens": 12, "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0, "output_tokens": 60, "service_tier": "standard"}});
    Memory {
        content_type: "application/json",
        pieces: [body.to_string().into()].into(),
    }
}

/// A stream of 200 events of about 200 bytes, each in a piece of its own.
fn openai_stream() -> Memory {
    let event = |delta: serde_json::Value, finish: Option<&str>| {
        let chunk = json!({"id": "chatcmpl-123", "object": "chat.completion.chunk", "created": 1,
            "model": "deepseek-chat", "system_fingerprint": "fp_1", "choices": [{"index": 0,
            "delta": delta, "logprobs": null, "finish_reason": finish}]});
        Bytes::from(format!("data: {chunk}\n\n"))
    };
    let mut pieces = vec![event(json!({"content": " blue"}), None); 200];
    pieces.push(event(json!({}), Some("stop")));
    pieces.push("data: [DONE]\n\n".into());
    Memory {
        content_type: "text/event-stream",
        pieces: pieces.into(),
    }
}

/// Polls once: nothing here ever waits.
fn now_or_never<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("an in-memory chat waited"),
    }
}

fn client(
    transport: Memory,
    shape: impl FnOnce(LlmClientBuilder) -> LlmClientBuilder,
) -> LlmClient {
    let provider = match transport.pieces[0].starts_with(br#"{"content""#) {
        true => Provider::anthropic(),
        false => Provider::deepseek(),
    };
    let executor = Arc::new(Idle(std::time::Instant::now()));
    let builder = LlmClient::builder(executor, Arc::new(transport))
        .provider(provider.with_api_key("sk-bench"));
    shape(builder).build().unwrap()
}

fn chats(bencher: Bencher<'_, '_>, client: LlmClient) {
    bencher.bench_local(|| {
        now_or_never(client.chat_async("Why is the sky blue?").into_future()).unwrap()
    });
}

#[divan::bench]
fn bare(bencher: Bencher<'_, '_>) {
    let transport = openai_whole();
    bencher.bench_local(|| {
        now_or_never(async {
            let mut request = http::Request::new(Bytes::from_static(b"{}"));
            *request.method_mut() = http::Method::POST;
            let mut body = transport.send(request).await.unwrap().into_body();
            while let Some(piece) = body.next().await {
                black_box(piece.unwrap());
            }
        });
    });
}

#[divan::bench]
fn whole_openai(bencher: Bencher<'_, '_>) {
    chats(bencher, client(openai_whole(), |builder| builder));
}

#[divan::bench]
fn whole_anthropic(bencher: Bencher<'_, '_>) {
    chats(bencher, client(anthropic_whole(), |builder| builder));
}

#[divan::bench]
fn whole_with_rate_limits(bencher: Bencher<'_, '_>) {
    let limits = RateLimits::default()
        .requests_per_minute(1_000_000_000)
        .tokens_per_minute(1_000_000_000_000);
    chats(
        bencher,
        client(openai_whole(), |builder| builder.rate_limits(limits)),
    );
}

#[divan::bench]
fn whole_adaptive_and_hedged(bencher: Bencher<'_, '_>) {
    chats(
        bencher,
        client(openai_whole(), |builder| {
            builder
                .adaptive(Adaptive::default())
                .hedging(Hedging::at_quantile(0.95))
        }),
    );
}

#[derive(Debug)]
struct Listener;

impl Observer for Listener {
    fn observe(&self, call: &CallInfo, event: &CallEvent<'_>) {
        black_box((call, event));
    }
}

#[divan::bench]
fn whole_observed(bencher: Bencher<'_, '_>) {
    chats(
        bencher,
        client(openai_whole(), |builder| {
            builder.observer(Arc::new(Listener))
        }),
    );
}

/// 200 events of 200 bytes.
#[divan::bench]
fn stream_of_200(bencher: Bencher<'_, '_>) {
    let client = client(openai_stream(), |builder| builder);
    bencher.bench_local(|| {
        now_or_never(async {
            let mut stream = client.chat_async("Why is the sky blue?").stream();
            while let Some(event) = stream.next().await {
                black_box(event.unwrap());
            }
        });
    });
}
