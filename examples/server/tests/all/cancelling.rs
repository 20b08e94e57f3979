//! A client that disconnects cancels its call at once.

use std::time::{Duration, Instant};

use chatcore_conformance::server::{By, Server as Upstream};
use serde_json::{Value, json};

use crate::harness::Server;
use crate::socket::Socket;

/// The most time that may pass from the client's disconnect to the close of the call's connection.
/// It takes a few milliseconds; a busy machine may take longer, but not forever.
const BAR: Duration = Duration::from_secs(5);

/// How often each case is tried. The median counts, because the machine may be busy.
const TRIES: usize = 5;

fn bodies() -> [(&'static str, Value); 7] {
    let messages = json!([{"role": "user", "content": "hi"}]);
    [
        ("/api/chat", json!({"message": "hi"})),
        ("/api/chat/stream", json!({"message": "hi"})),
        (
            "/v1/chat/completions",
            json!({"model": "tiny", "messages": messages}),
        ),
        (
            "/v1/chat/completions",
            json!({"model": "tiny", "messages": messages, "stream": true}),
        ),
        (
            "/v1/messages",
            json!({"model": "tiny", "messages": messages, "max_tokens": 9, "stream": true}),
        ),
        ("/v1/responses", json!({"model": "tiny", "input": "hi"})),
        ("/api/batch", json!({"prompts": ["hi"]})),
    ]
}

/// Starts a request on `server`, disconnects it, and returns the median time until its call ended.
fn median(behaviour: &str, start: impl Fn(&Server, &Upstream) -> Box<dyn FnOnce()>) -> Duration {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(
        &upstream.url(&format!("/key/k/{behaviour}/v1")),
        &[("CHATCORE_REQUESTS_PER_MINUTE", "0")],
    );
    let mut took = Vec::new();
    for n in 1..=TRIES {
        let go = start(&server, &upstream);
        smol::block_on(upstream.nth_request("k", n as u64)).unwrap();
        assert_eq!(server.status()["pool"]["active"], 1);
        let went = Instant::now();
        go();
        let (by, closed) = smol::block_on(upstream.closed("k")).unwrap();
        assert_eq!(by, By::Client);
        server.reaches("a free permit", |status| status["pool"]["active"] == 0);
        took.push(closed.saturating_duration_since(went));
    }
    let status = server.reaches("all cancelled", |status| {
        status["pool"]["cancelled"] == TRIES
    });
    assert_eq!(status["pool"]["failed"], 0);
    assert_eq!(status["clients_gone"], TRIES);
    took.sort();
    took[TRIES / 2]
}

#[test]
fn before_the_first_byte() {
    for (path, body) in bodies() {
        let took = median("silent", |server, _| {
            let mut connection = server.connect();
            connection.send("POST", path, &[], body.to_string().as_bytes());
            Box::new(move || drop(connection))
        });
        println!("{path}, before the first byte: {took:?}");
        assert!(took <= BAR, "{path}: {took:?}");
    }
}

#[test]
fn in_mid_answer() {
    for (path, body) in bodies() {
        if body["stream"] != true && path != "/api/chat/stream" {
            continue;
        }
        let took = median("words/99/gate/k", |server, upstream| {
            let mut connection = server.connect();
            connection.send("POST", path, &[], body.to_string().as_bytes());
            upstream.release("k", 4);
            assert_eq!(connection.head().unwrap().0, 200);
            connection.chunk().unwrap();
            // The provider sends nothing more, so only the client's disconnect can end the call.
            Box::new(move || drop(connection))
        });
        println!("{path}, in mid-answer: {took:?}");
        assert!(took <= BAR, "{path}: {took:?}");
    }
}

#[test]
fn with_a_socket() {
    let took = median("words/99/gate/k", |server, upstream| {
        let mut socket = Socket::open(server);
        socket.say(&json!({"type": "chat", "id": "a", "message": "hi"}));
        upstream.release("k", 4);
        socket.hear().unwrap();
        Box::new(move || drop(socket))
    });
    println!("socket: {took:?}");
    assert!(took <= BAR, "{took:?}");
}

#[test]
fn while_it_waits_in_the_queue() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(
        &upstream.url("/key/k/gate/k/v1"),
        &[("LLM_ASYNC_WORKERS", "1")],
    );
    let body = json!({"message": "hi"}).to_string();
    let mut first = server.connect();
    first.send("POST", "/api/chat", &[], body.as_bytes());
    smol::block_on(upstream.request("k")).unwrap();
    let mut second = server.connect();
    second.send("POST", "/api/chat", &[], body.as_bytes());
    server.reaches("one waits", |status| status["pool"]["queued"] == 1);
    drop(second);
    server.reaches("none waits", |status| status["pool"]["queued"] == 0);
    upstream.release("k", 9);
    assert_eq!(first.read().status, 200);
    assert_eq!(upstream.counts("k").requests, 1);
}

#[test]
fn when_it_takes_nothing_for_too_long() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(
        // More bytes at once than the buffers in between hold, and further bytes after them.
        &upstream.url("/key/k/pad/8m/words/100/v1"),
        &[("CHATCORE_WRITE_TIMEOUT", "0.3")],
    );
    let mut connection = server.connect();
    let body = json!({"message": "hi"}).to_string();
    connection.send("POST", "/api/chat/stream", &[], body.as_bytes());
    server.reaches("cancelled", |status| status["pool"]["cancelled"] == 1);
    let (by, _) = smol::block_on(upstream.closed("k")).unwrap();
    assert_eq!(by, By::Client);
}
