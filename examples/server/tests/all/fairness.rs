//! A client that sends without pause neither blocks other clients nor fills the memory.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chatcore_conformance::server::Server as Upstream;
use serde_json::json;

use crate::harness::Server;
use crate::socket::Socket;

/// How many requests another client makes while one sends without pause.
const OTHERS: usize = 50;

/// Sends `bytes` repeatedly on `stream`, and reads the responses, while `meanwhile` runs.
fn flood(stream: &TcpStream, bytes: &[u8], meanwhile: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut stream = stream;
            while stream.write_all(bytes).is_ok() {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        scope.spawn(|| {
            let mut stream = stream;
            let mut sink = vec![0; 64 << 10];
            while stream.read(&mut sink).is_ok_and(|count| count > 0) {}
        });
        meanwhile();
        is_over.store(true, Ordering::Relaxed);
        let _ = stream.shutdown(std::net::Shutdown::Both);
    });
}

#[test]
fn a_connection_that_pipelines_without_pause() {
    let server = Server::start(&[]);
    let one = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.addr);
    let flooding = server.connect();
    flood(&flooding.stream, one.repeat(2000).as_bytes(), || {
        // The harness's timeout limits how long each request may wait.
        for _ in 0..OTHERS {
            assert_eq!(server.get("/healthz").status, 200);
        }
    });
}

#[test]
fn a_socket_that_sends_frames_without_pause() {
    let server = Server::start(&[]);
    let socket = Socket::open(&server);
    // A masked text frame of two bytes, `{}`; the mask is zero.
    let frames = [0x81, 0x82, 0, 0, 0, 0, b'{', b'}'].repeat(8000);
    flood(socket.stream(), &frames, || {
        for _ in 0..OTHERS {
            assert_eq!(server.get("/healthz").status, 200);
        }
    });
}

/// Writes until the server accepts no more for a while. Returns how many bytes it accepted, at most
/// `most`.
fn taken(mut stream: &TcpStream, bytes: &[u8], most: usize) -> usize {
    let patience = Some(Duration::from_millis(500));
    stream.set_write_timeout(patience).unwrap();
    let mut taken = 0;
    while taken < most {
        match stream.write(bytes) {
            Ok(count) => taken += count,
            Err(error) => {
                let kind = error.kind();
                assert!(
                    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut),
                    "{error}"
                );
                break;
            }
        }
    }
    taken
}

/// More than the buffers of two sockets hold.
const ENDLESS: usize = 64 << 20;

#[test]
fn what_is_sent_while_an_answer_is_made_is_not_collected() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(&upstream.url("/key/k/gate/k/v1"), &[]);
    let mut connection = server.connect();
    let body = json!({"message": "hi"}).to_string();
    connection.send("POST", "/api/chat", &[], body.as_bytes());
    smol::block_on(upstream.request("k")).unwrap();
    let taken = taken(&connection.stream, &[b'x'; 64 << 10], ENDLESS);
    assert!(taken < ENDLESS, "the server takes whatever is sent");
    upstream.release("k", 9);
    assert_eq!(connection.read().json()["response"], "echo: hi");
}

#[test]
fn pings_of_a_client_that_reads_no_pongs_are_not_collected() {
    let server = Server::start(&[]);
    let socket = Socket::open(&server);
    let ping = [&[0x89, 0xfd, 0, 0, 0, 0][..], &[b'p'; 125]].concat();
    let taken = taken(socket.stream(), &ping.repeat(500), ENDLESS);
    assert!(taken < ENDLESS, "the server takes whatever is sent");
}
