//! On SIGTERM the server accepts nothing new, finishes what runs, and exits successfully.

use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chatcore_conformance::server::Server as Upstream;
use serde_json::json;

use crate::harness::{CAP, Server};
use crate::socket::Socket;

const BODY: &[u8] = b"{\"message\": \"hi\"}";

#[test]
fn what_runs_is_finished() {
    let upstream = Upstream::start().unwrap();
    let workers = [
        ("LLM_ASYNC_WORKERS", "10"),
        ("CHATCORE_REQUESTS_PER_MINUTE", "0"),
    ];
    let mut server = Server::before(&upstream.url("/key/k/words/5/gate/k/v1"), &workers);
    let mut running: Vec<_> = (0..40)
        .map(|n| {
            let mut connection = server.connect();
            let path = ["/api/chat", "/api/chat/stream"][n % 2];
            connection.send("POST", path, &[], BODY);
            connection
        })
        .collect();
    let mut socket = Socket::open(&server);
    socket.say(&json!({"type": "chat", "id": "a", "message": "hi"}));
    let mut idle = server.connect();
    idle.ask("GET", "/healthz", &[], b"");
    server.reaches("ten run, the rest waits", |status| {
        status["pool"]["active"] == 10 && status["pool"]["queued"] == 31
    });
    server.terminate();
    // A connection without a request is closed, and no new connection is accepted.
    assert!(idle.try_read().is_err());
    let began = Instant::now();
    while TcpStream::connect(server.addr).is_ok() {
        assert!(began.elapsed() < CAP, "new connections are accepted");
    }
    socket.say(&json!({"type": "chat", "id": "b", "message": "hi"}));
    let refused = socket.hear().unwrap();
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&json!("b"), &json!("shutting_down"))
    );
    upstream.release("k", 10_000);
    for (n, connection) in running.iter_mut().enumerate() {
        let answer = connection.read();
        assert_eq!(answer.status, 200, "{n}");
        match n % 2 {
            0 => assert_eq!(answer.json()["finish_reason"], "stop"),
            _ => assert_eq!(answer.events().last().unwrap()["type"], "done"),
        }
    }
    let mut last = None;
    while let Some(message) = socket.hear() {
        last = Some(message);
    }
    assert_eq!(last.unwrap()["type"], "done");
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn under_load_no_accepted_request_is_lost() {
    for round in 0..3 {
        let mut server = Server::start(&[
            ("LLM_ASYNC_WORKERS", "64"),
            ("CHATCORE_REQUESTS_PER_MINUTE", "0"),
        ]);
        let (answered, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for thread in 0..16 {
                let (server, answered, is_over) = (&server, &answered, &is_over);
                scope.spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        // A connection that is refused was not accepted.
                        let Ok(mut connection) = server.try_connect() else {
                            return;
                        };
                        let path = ["/api/chat", "/api/chat/stream"][thread % 2];
                        connection.send("POST", path, &[], BODY);
                        let answer = connection.try_read();
                        let answer = answer.unwrap_or_else(|error| panic!("lost: {error}"));
                        assert_eq!(answer.status, 200, "{}", answer.text());
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(400 + round * 37));
            server.terminate();
            std::thread::sleep(Duration::from_millis(600));
            is_over.store(true, Ordering::Relaxed);
        });
        assert_eq!(server.ended().code(), Some(0));
        assert!(answered.into_inner() > 16);
    }
}

#[test]
fn a_request_that_was_sent_already_is_answered() {
    let upstream = Upstream::start().unwrap();
    let mut server = Server::before(&upstream.url("/key/k/delay/300ms/v1"), &[]);
    // Two requests on one connection: the second is still in the socket when the signal arrives.
    let mut connection = server.connect();
    connection.send("POST", "/api/chat", &[], BODY);
    connection.send("POST", "/api/chat", &[], BODY);
    smol::block_on(upstream.request("k")).unwrap();
    server.terminate();
    let first = connection.read();
    assert_eq!(
        (first.status, first.header("connection")),
        (200, Some("close"))
    );
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn what_never_ends_is_cut_after_the_grace_period() {
    let upstream = Upstream::start().unwrap();
    let mut server = Server::before(
        &upstream.url("/key/k/silent/v1"),
        &[("CHATCORE_GRACE", "0.3")],
    );
    let mut connection = server.connect();
    connection.send("POST", "/api/chat", &[], BODY);
    smol::block_on(upstream.request("k")).unwrap();
    server.terminate();
    let began = Instant::now();
    assert_eq!(server.ended().code(), Some(0));
    assert!(
        began.elapsed() >= Duration::from_millis(250),
        "{:?}",
        began.elapsed()
    );
    assert!(connection.try_read().is_err());
}
