//! What a chat costs in addition to its transport:
//! `cargo bench -p chatcore-tests --bench loopback`.
//!
//! Sends the same requests to a loopback server in its own process, once with the transport `http1`
//! alone and once as chats over it. It measures this process's CPU time, system calls included, not
//! wall-clock time. The two alternate, because the machine's load affects both. The minimum is the
//! cost with warm caches on an idle machine.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it prints figures, and a benchmark that cannot go on must stop"
)]

use std::future::Future;
use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatcore::{LlmClient, Provider, Transport};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::transport::Http1Transport;
use chatcore_conformance::server::Process;
use cpu_time::ProcessTime;
use futures_lite::StreamExt;

/// Odd, so that the median is one of the measurements.
const TURNS: usize = 25;

fn main() {
    let server = Process::start(&mut Command::new(env!("CARGO_BIN_EXE_loopback"))).unwrap();
    // About 600 bytes, as in the other benches.
    let whole = format!("{}/words/56/v1", server.base_url());
    // The server writes each event separately, but does not wait in between.
    let stream = format!("{}/words/200/v1", server.base_url());
    println!("microseconds of processor time each, of {TURNS} turns");
    println!("{:28} {:^26} {:^26}", "", "the median", "the least");
    let titles = format!("{:>8} {:>8} {:>8}", "bare", "chat", "added");
    println!("{:28} {titles} {titles}", "");
    for (name, url, streams, at_once, chats) in [
        ("chats, one after another", &whole, false, 1, 1000),
        ("chats, 64 at once", &whole, false, 64, 2048),
        ("streams of 200, one by one", &stream, true, 1, 50),
        ("streams of 200, 32 at once", &stream, true, 32, 96),
    ] {
        let pair = Arc::new(Pair::new(url, streams));
        let (mut bare, mut chat) = (Vec::new(), Vec::new());
        for turn in 0..=TURNS {
            let (first, second) = (Arc::clone(&pair), Arc::clone(&pair));
            let (one, other) = (
                measure(at_once, chats, move || Arc::clone(&first).bare()),
                measure(at_once, chats, move || Arc::clone(&second).chat()),
            );
            // The first turn opens the connections.
            if turn > 0 {
                bare.push(one);
                chat.push(other);
            }
        }
        bare.sort_by(f64::total_cmp);
        chat.sort_by(f64::total_cmp);
        print!("{name:28}");
        for nth in [TURNS / 2, 0] {
            let (bare, chat) = (bare[nth], chat[nth]);
            print!(" {bare:8.1} {chat:8.1} {:8.1}", chat - bare);
        }
        println!();
    }
}

/// Microseconds of CPU time per run, for `count` runs with `at_once` at a time.
fn measure<F: Future<Output = ()> + Send + 'static>(
    at_once: usize,
    count: usize,
    run: impl Fn() -> F + Clone + Send + 'static,
) -> f64 {
    let start = ProcessTime::now();
    let tasks = Arc::new(smol::Executor::new());
    let each = count / at_once;
    SmolExecutor::with(Arc::clone(&tasks)).block_on(async {
        let running: Vec<_> = (0..at_once)
            .map(|_| {
                let run = run.clone();
                tasks.spawn(async move {
                    for _ in 0..each {
                        run().await;
                    }
                })
            })
            .collect();
        for task in running {
            task.await;
        }
    });
    micros(start.elapsed()) / count as f64
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The same request with the transport alone, and as a chat over it.
struct Pair {
    transport: Arc<Http1Transport>,
    client: LlmClient,
    request: http::Request<Bytes>,
    streams: bool,
}

impl Pair {
    fn new(url: &str, streams: bool) -> Self {
        let executor = Arc::new(SmolExecutor::new());
        let transport = Arc::new(
            Http1Transport::builder(executor.clone())
                .max_idle(64)
                .build(),
        );
        let provider = Provider::openai_compatible(url.to_owned(), "tiny").with_api_key("sk-bench");
        let client = LlmClient::builder(executor, transport.clone())
            .provider(provider)
            .workers(64)
            .build()
            .unwrap();
        let body = format!(
            r#"{{"model":"tiny","messages":[{{"role":"user","content":"Why is the sky blue?"}}],"temperature":0.0,"max_tokens":256,"stream":{streams}}}"#
        );
        let request = http::Request::post(format!("{url}/chat/completions"))
            .header("content-type", "application/json")
            .header("authorization", "Bearer sk-bench")
            .body(body.into())
            .unwrap();
        Self {
            transport,
            client,
            request,
            streams,
        }
    }

    async fn bare(self: Arc<Self>) {
        let response = self.transport.send(self.request.clone()).await.unwrap();
        assert_eq!(response.status(), 200);
        let mut body = response.into_body();
        while let Some(piece) = body.next().await {
            black_box(piece.unwrap());
        }
    }

    async fn chat(self: Arc<Self>) {
        let call = self.client.chat_async("Why is the sky blue?");
        if self.streams {
            let mut stream = call.stream();
            while let Some(event) = stream.next().await {
                black_box(event.unwrap());
            }
        } else {
            black_box(call.await.unwrap());
        }
    }
}
