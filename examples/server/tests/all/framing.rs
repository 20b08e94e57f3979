//! Where a request ends and the next begins.

use std::io::Write;

use chatcore_conformance::server::Server as Upstream;
use serde_json::json;

use crate::harness::{Connection, Server};

/// Chunk sizes that overflow a careless parser.
const BOMBS: [&str; 4] = [
    "ffffffffffffffff",
    "fffffffffffffffe",
    "FFFFFFFFFFFFFFFD;x=y",
    "0000000000000001",
];

fn head(path: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
}

fn send(connection: &mut Connection, text: &str) {
    connection.stream.write_all(text.as_bytes()).unwrap();
}

/// Waits until the only connection is the one that asks for the status.
fn nothing_is_left(server: &Server) {
    server.reaches("no other connection", |status| status["connections"] == 1);
}

#[test]
fn a_chunk_of_any_size_is_answered() {
    let server = Server::start(&[]);
    for bomb in BOMBS {
        for before in ["", "3\r\n{\"m\r\n"] {
            for is_apart in [false, true] {
                let mut connection = server.connect();
                if is_apart {
                    send(&mut connection, &head("/api/chat"));
                    for piece in format!("{before}{bomb}\r\nx").as_bytes().chunks(1) {
                        // The server may already have closed the connection.
                        let _ = connection.stream.write_all(piece);
                    }
                } else {
                    let all = format!("{}{before}{bomb}\r\nx", head("/api/chat"));
                    send(&mut connection, &all);
                }
                let answer = connection.read();
                assert_eq!(
                    (answer.status, answer.code().as_str()),
                    (413, "body_too_large"),
                    "{bomb} {before:?} {is_apart}"
                );
                assert_eq!(answer.header("connection"), Some("close"));
            }
        }
    }
    nothing_is_left(&server);
}

#[test]
fn a_chunk_of_any_size_that_nobody_reads_does_no_harm() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(&upstream.url("/key/k/gate/k/v1"), &[]);
    for bomb in BOMBS {
        // Refused before the body is read.
        let mut connection = server.connect();
        send(&mut connection, &format!("{}{bomb}\r\nx", head("/nowhere")));
        let answer = connection.read();
        assert_eq!(answer.status, 404);
        assert_eq!(answer.header("connection"), Some("close"));
        // After another request, sent before that request is answered.
        let mut connection = server.connect();
        let first = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        send(
            &mut connection,
            &format!("{first}{}{bomb}\r\nx", head("/api/chat")),
        );
        assert_eq!(connection.read().status, 200);
        assert_eq!(connection.read().status, 413);
        let mut connection = server.connect();
        connection.send("POST", "/api/chat", &[], b"{\"message\": \"hi\"}");
        send(
            &mut connection,
            &format!("{}{bomb}\r\nx", head("/api/chat")),
        );
        upstream.release("k", 1);
        assert_eq!(connection.read().json()["response"], "echo: hi");
        assert_eq!(connection.read().status, 413);
    }
    nothing_is_left(&server);
}

#[test]
fn chunks_that_are_malformed_are_refused() {
    let server = Server::start(&[]);
    for body in [
        "zz\r\n",
        "-1\r\n",
        "\r\n",
        "2\r\n{}xx",
        "1;a\nb\r\n{",
        "0\r\n\n",
    ] {
        let mut connection = server.connect();
        send(&mut connection, &format!("{}{body}", head("/api/chat")));
        let answer = connection.read();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_body"),
            "{body:?}"
        );
    }
    nothing_is_left(&server);
}

#[test]
fn requests_follow_each_other_however_they_are_cut() {
    let server = Server::start(&[]);
    let body = json!({"message": "1+1"}).to_string();
    let (a, b) = body.split_at(7);
    let chunked = format!(
        "{}{:x}\r\n{a}\r\n{:X};name=value\r\n{b}\r\n0\r\nX-Sum: 1\r\n\r\n",
        head("/api/chat"),
        a.len(),
        b.len()
    );
    let length = format!(
        "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let all = [&chunked, &length, get, &chunked, get, &length]
        .map(String::from)
        .concat();
    for size in [1, 3, 7, 64, all.len()] {
        let mut connection = server.connect();
        connection.stream.set_nodelay(true).unwrap();
        for piece in all.as_bytes().chunks(size) {
            connection.stream.write_all(piece).unwrap();
        }
        for is_chat in [true, true, false, true, false, true] {
            let answer = connection.read();
            assert_eq!(answer.status, 200, "{size}: {}", answer.text());
            if is_chat {
                assert_eq!(answer.json()["response"], "1+1 = 2.");
            }
        }
    }
}

#[test]
fn a_body_that_was_not_read_ends_the_connection() {
    let server = Server::start(&[]);
    let guarded = Server::start(&[("CHATCORE_TOKEN", "t")]);
    for (server, path, status) in [
        (&server, "/nowhere", 404),
        (&server, "/status", 405),
        (&guarded, "/api/chat", 401),
    ] {
        let mut connection = server.connect();
        let answer = connection.ask("POST", path, &[], b"{}");
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("connection"), Some("close"), "{path}");
        assert!(connection.try_read().is_err());
    }
    // Here the server had read everything, so the connection is reused.
    let mut connection = server.connect();
    for _ in 0..2 {
        assert_eq!(connection.ask("GET", "/nowhere", &[], b"").status, 404);
    }
}

#[test]
fn a_client_that_waits_to_be_told_to_go_on() {
    let server = Server::start(&[]);
    let body = json!({"message": "1+1"}).to_string();
    let head = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        )
    };
    let mut connection = server.connect();
    for _ in 0..2 {
        send(&mut connection, &head("/api/chat"));
        assert_eq!(connection.head().unwrap().0, 100);
        send(&mut connection, &body);
        assert_eq!(connection.read().json()["response"], "1+1 = 2.");
    }
    // The request is refused, so no `100 Continue` is sent. A body sent anyway is not taken for a
    // request.
    send(&mut connection, &head("/nowhere"));
    let answer = connection.read();
    assert_eq!(
        (answer.status, answer.header("connection")),
        (404, Some("close"))
    );
    assert!(connection.try_read().is_err());
}
