//! Many concurrent chats, and the time and memory that they take. Run optimised, one test at a
//! time:
//! `cargo test --release -p chatcore-tests --all-features -- --ignored --test-threads=1`

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chatcore::{LlmClient, Provider, Timeouts, Transport, gather_with_limit};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::transport::Http1Transport;
use chatcore_conformance::server::Process;
use futures_lite::future::or;
use http::Request;

const CHATS: usize = 2_000;

/// Starts the server in its own process, so that its memory does not count.
fn loopback() -> Process {
    Process::start(&mut Command::new(env!("CARGO_BIN_EXE_loopback"))).unwrap()
}

fn client(base: &str) -> LlmClient {
    // Each chat needs a file descriptor.
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let executor = Arc::new(SmolExecutor::new());
    let transport = Arc::new(Http1Transport::new(executor.clone()));
    // On a busy machine, thousands of connections take longer than the default timeouts.
    let mut patient = Timeouts::default();
    patient.connect = Some(Duration::from_secs(60));
    (patient.byte_idle, patient.overall) = (None, None);
    LlmClient::builder(executor, transport)
        .provider(Provider::openai_compatible(base.to_owned(), "tiny"))
        .timeouts(patient)
        .workers(CHATS)
        .queue_size(CHATS)
        .build()
        .unwrap()
}

/// Waits until the server has seen `count` requests with the key `all`.
async fn seen(base: &str, count: usize) {
    let transport = Http1Transport::new(Arc::new(SmolExecutor::new()));
    let request = Request::get(format!("{base}/_wait_request/all/{count}"));
    let answer = transport.send(request.body(Bytes::new()).unwrap()).await;
    assert_eq!(answer.unwrap().status(), 200, "the requests do not arrive");
}

/// Resident memory of this process, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

#[test]
#[ignore = "optimised only"]
fn two_thousand_chats_at_50_ms_are_all_answered() {
    let server = loopback();
    let client = client(&format!("{}/delay/50ms/v1", server.base_url()));
    for round in 0..3 {
        let began = Instant::now();
        let calls = (0..CHATS).map(|n| client.chat_async(format!("chat {n}")));
        let answers = smol::block_on(gather_with_limit(calls, CHATS));
        for (n, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.unwrap().text(), format!("echo: chat {n}"));
        }
        println!(
            "round {round}: {CHATS} chats of 50 ms in {:?}",
            began.elapsed()
        );
    }
    let status = client.status();
    assert_eq!(status.succeeded, 3 * CHATS as u64);
    assert_eq!((status.failed, status.active, status.queued), (0, 0, 0));
}

#[test]
#[ignore = "optimised only"]
fn a_chat_in_flight_takes_at_most_20_kib() {
    let server = loopback();
    let client = client(&format!("{}/key/all/gate/all/v1", server.base_url()));
    // A first chat allocates what the process needs only once.
    let warm = LlmClient::clone(&client);
    smol::block_on(or(
        async {
            let answer = warm.chat_async("warm").await;
            panic!("answered behind a closed gate: {answer:?}");
        },
        seen(server.base_url(), 1),
    ));
    let before = resident();
    let calls = (0..CHATS).map(|n| client.chat_async(format!("chat {n}")));
    let gathered = smol::spawn(gather_with_limit(calls.collect::<Vec<_>>(), CHATS));
    // The server holds back every answer.
    smol::block_on(seen(server.base_url(), 1 + CHATS));
    assert_eq!(client.status().active, CHATS);
    let each = (resident() - before) as f64 / CHATS as f64;
    println!("{each:.1} KiB resident for each of {CHATS} chats in flight");
    drop(gathered);
    assert!(each <= 20.0, "{each:.1} KiB for each chat in flight");
}
