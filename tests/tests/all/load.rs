//! Many chats at once, and what they take. Run optimised, one test at a time:
//! `cargo test --release -p chatcore-tests --all-features -- --ignored --test-threads=1`

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatcore::{LlmClient, Provider, gather_with_limit};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::transport::Http1Transport;

const CHATS: usize = 2_000;

/// The server in a process of its own, so that its memory is not ours.
struct Loopback {
    child: Child,
    base: String,
}

impl Loopback {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_loopback"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut base = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut base).unwrap();
        Self {
            child,
            base: base.trim().to_owned(),
        }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn client(base: &str) -> LlmClient {
    // Each chat has a socket.
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let executor = Arc::new(SmolExecutor::new());
    let transport = Arc::new(Http1Transport::new(executor.clone()));
    LlmClient::builder(executor, transport)
        .provider(Provider::openai_compatible(base.to_owned(), "tiny"))
        .workers(CHATS)
        .queue_size(CHATS)
        .build()
        .unwrap()
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
    let server = Loopback::start();
    let client = client(&format!("{}/delay/50ms/v1", server.base));
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
    let server = Loopback::start();
    let client = client(&format!("{}/key/all/gate/all/v1", server.base));
    // What the first chat sets up belongs to the process.
    let warm = LlmClient::clone(&client);
    drop(smol::block_on(async {
        futures_lite::future::or(async { Some(warm.chat_async("warm").await) }, async {
            smol::Timer::after(Duration::from_millis(200)).await;
            None
        })
        .await
    }));
    let before = resident();
    let calls = (0..CHATS).map(|n| client.chat_async(format!("chat {n}")));
    let gathered = smol::spawn(gather_with_limit(calls.collect::<Vec<_>>(), CHATS));
    let deadline = Instant::now() + Duration::from_secs(30);
    while client.status().active < CHATS {
        assert!(Instant::now() < deadline, "{:?}", client.status());
        std::thread::sleep(Duration::from_millis(10));
    }
    // The server holds every answer back; what is in flight has settled.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(client.status().active, CHATS);
    let each = (resident() - before) as f64 / CHATS as f64;
    println!("{each:.1} KiB resident for each of {CHATS} chats in flight");
    drop(gathered);
    assert!(each <= 20.0, "{each:.1} KiB for each chat in flight");
}
