//! Many clients at once. Run optimised:
//! `cargo test --release -p chatcore-server --test all -- --include-ignored --nocapture load::`

use std::time::Instant;

use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
use serde_json::json;
use smol::net::TcpStream;

use crate::harness::Server;

const CLIENTS: usize = 1_000;
const ROUNDS: u64 = 8;

/// One client. Returns what it read up to the end, or until it contains `until`.
async fn client(addr: std::net::SocketAddr, until: Option<&str>) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(addr).await?;
    let body = json!({"message": "Count from 1 to 60."}).to_string();
    let head = format!(
        "POST /api/chat/stream HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await?;
    let mut all = Vec::new();
    let mut bytes = [0; 8 << 10];
    loop {
        let count = stream.read(&mut bytes).await?;
        all.extend(&bytes[..count]);
        let text = String::from_utf8_lossy(&all);
        if count == 0 || until.is_some_and(|until| text.contains(until)) {
            return Ok(text.into_owned());
        }
    }
}

/// Runs all clients at once.
fn clients(server: &Server, until: Option<&'static str>) -> Vec<String> {
    smol::block_on(async {
        let addr = server.addr;
        let all: Vec<_> = (0..CLIENTS)
            .map(|_| smol::spawn(client(addr, until)))
            .collect();
        let mut answers = Vec::new();
        for one in all {
            answers.push(one.await.unwrap());
        }
        answers
    })
}

/// The server's resident memory, in KiB.
fn resident(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
#[ignore = "optimised only"]
fn a_thousand_streams_at_once_and_no_memory_is_kept() {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let thousand = CLIENTS.to_string();
    let server = Server::start(&[
        ("LLM_ASYNC_WORKERS", &thousand),
        ("LLM_ASYNC_QUEUE_SIZE", &thousand),
        ("CHATCORE_REQUESTS_PER_MINUTE", "0"),
    ]);
    let at_rest = || {
        let rest = server.reaches("rest", |status| {
            status["pool"]["active"] == 0 && status["connections"] == 1
        });
        (rest, resident(&server))
    };
    let (_, before) = at_rest();
    let mut kept = Vec::new();
    for round in 0..ROUNDS {
        let began = Instant::now();
        // In every other round, all clients disconnect in mid-answer.
        let leave = (round % 2 == 1).then_some("\"text\":\" 9\"");
        let answers = clients(&server, leave);
        let took = began.elapsed();
        assert_eq!(answers.len(), CLIENTS);
        if leave.is_none() {
            let whole = answers.iter().filter(|answer| {
                answer.contains("\"text\":\" 60\"") && answer.contains("\"type\":\"done\"")
            });
            assert_eq!(whole.count(), CLIENTS, "answers were lost");
        }
        let went = Instant::now();
        let (_, now) = at_rest();
        println!(
            "round {round}: {CLIENTS} clients in {took:?}, at rest {:?} after, {now} KiB",
            went.elapsed()
        );
        kept.push(now);
    }
    let (status, _) = at_rest();
    assert_eq!(status["pool"]["succeeded"], ROUNDS / 2 * CLIENTS as u64);
    assert_eq!(status["pool"]["failed"], 0);
    assert_eq!(status["pool"]["cancelled"], ROUNDS / 2 * CLIENTS as u64);
    // The first rounds fill the allocator's reserve; later rounds must add nothing.
    let growth = kept[7].saturating_sub(kept[3]);
    println!("{before} KiB before, {:?} KiB after the rounds", kept);
    assert!(
        growth <= 1024,
        "{growth} KiB were added by 4,000 clients: {kept:?}"
    );
}
