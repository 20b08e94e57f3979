//! Malformed input is answered with a 4xx in JSON, and the server keeps running.

use std::io::{Read, Write};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Connection, Server};

const POSTS: [&str; 7] = [
    "/api/chat",
    "/api/chat/context",
    "/api/chat/stream",
    "/api/batch",
    "/v1/chat/completions",
    "/v1/messages",
    "/v1/responses",
];

fn still_serves(server: &Server) {
    let answer = server.post("/api/chat", &json!({"message": "1+1"}));
    assert_eq!(answer.json()["response"], "1+1 = 2.");
}

#[test]
fn no_json() {
    let server = Server::start(&[("LLM_ASYNC_WORKERS", "2")]);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_field = format!(
        "{{\"message\":{}{}}}",
        "{\"a\":".repeat(500),
        "}".repeat(500)
    );
    for path in POSTS {
        for body in [
            &b""[..],
            b"nope",
            b"{\"message\": ",
            b"{\"message\": \"\xff\xfe\"}",
            b"[]",
            b"null",
            b"\"text\"",
            b"{} {}",
            deep.as_bytes(),
            deep_field.as_bytes(),
        ] {
            let answer = server.connect().ask("POST", path, &[], body);
            let start = String::from_utf8_lossy(&body[..body.len().min(40)]);
            assert_eq!(answer.status, 400, "{path} {start}");
            assert_eq!(answer.code(), "invalid_json", "{path} {start}");
        }
    }
    still_serves(&server);
}

#[test]
fn wrong_fields() {
    let server = Server::start(&[
        ("CHATCORE_MAX_MESSAGES", "3"),
        ("CHATCORE_MAX_PROMPTS", "3"),
    ]);
    let user = |content: Value| json!([{"role": "user", "content": content}]);
    let hi = || user(json!("hi"));
    let cases: Vec<(&str, Value, u16, &str)> = vec![
        ("/api/chat", json!({}), 400, "missing_field"),
        ("/api/chat", json!({"message": 1}), 400, "invalid_type"),
        ("/api/chat", json!({"message": null}), 400, "missing_field"),
        ("/api/chat", json!({"message": ["a"]}), 400, "invalid_type"),
        ("/api/chat", json!({"message": "  "}), 400, "invalid_input"),
        (
            "/api/chat",
            json!({"message": "x", "temperature": "hot"}),
            400,
            "invalid_type",
        ),
        (
            "/api/chat",
            json!({"message": "x", "temperature": 9}),
            400,
            "invalid_input",
        ),
        (
            "/api/chat",
            json!({"message": "x", "max_tokens": 1.5}),
            400,
            "invalid_type",
        ),
        (
            "/api/chat",
            json!({"message": "x", "max_tokens": 1e18}),
            400,
            "invalid_type",
        ),
        (
            "/api/chat",
            json!({"message": "x", "max_tokens": 5000}),
            400,
            "too_many_tokens",
        ),
        (
            "/api/chat",
            json!({"message": "x", "model": "gpt-9"}),
            404,
            "model_not_found",
        ),
        (
            "/api/chat",
            json!({"message": "x", "stop": [1]}),
            400,
            "invalid_type",
        ),
        (
            "/api/chat",
            json!({"message": "x", "massage": "y"}),
            400,
            "unknown_field",
        ),
        (
            "/api/chat/context",
            json!({"message": "x"}),
            400,
            "missing_field",
        ),
        (
            "/api/chat/context",
            json!({"messages": "x"}),
            400,
            "invalid_type",
        ),
        (
            "/api/chat/context",
            json!({"messages": []}),
            400,
            "invalid_value",
        ),
        (
            "/api/chat/context",
            json!({"messages": [1]}),
            400,
            "invalid_type",
        ),
        (
            "/api/chat/context",
            json!({"messages": [{"role": "king", "content": "x"}]}),
            400,
            "invalid_value",
        ),
        (
            "/api/chat/context",
            json!({"messages": vec![json!({"role": "user", "content": "x"}); 4]}),
            400,
            "too_many_messages",
        ),
        (
            "/api/chat/stream",
            json!({"message": "x", "messages": hi()}),
            400,
            "invalid_value",
        ),
        (
            "/api/chat/stream",
            json!({"message": "x", "model": "gpt-9"}),
            404,
            "model_not_found",
        ),
        (
            "/api/chat/stream",
            json!({"message": "x", "temperature": 9}),
            400,
            "invalid_input",
        ),
        ("/api/batch", json!({"prompts": "x"}), 400, "invalid_type"),
        ("/api/batch", json!({"prompts": []}), 400, "invalid_value"),
        (
            "/api/batch",
            json!({"prompts": vec!["x"; 4]}),
            400,
            "too_many_prompts",
        ),
        (
            "/v1/chat/completions",
            json!({"messages": hi()}),
            400,
            "missing_field",
        ),
        (
            "/v1/chat/completions",
            json!({"model": "demo"}),
            400,
            "missing_field",
        ),
        (
            "/v1/chat/completions",
            json!({"model": 1, "messages": hi()}),
            400,
            "invalid_type",
        ),
        (
            "/v1/chat/completions",
            json!({"model": "gpt-9", "messages": hi()}),
            404,
            "model_not_found",
        ),
        (
            "/v1/chat/completions",
            json!({"model": "demo", "messages": user(json!([{"type": "x"}]))}),
            400,
            "invalid_value",
        ),
        (
            "/v1/chat/completions",
            json!({"model": "demo", "messages": hi(), "n": 5}),
            400,
            "unsupported_value",
        ),
        (
            "/v1/chat/completions",
            json!({"model": "demo", "messages": hi(), "stream": 1}),
            400,
            "invalid_type",
        ),
        (
            "/v1/chat/completions",
            json!({"model": "demo", "messages": hi(), "models": []}),
            400,
            "unknown_field",
        ),
        (
            "/v1/chat/completions",
            json!({"model": "demo", "messages": hi(), "tools": [{"type": "function"}]}),
            400,
            "missing_field",
        ),
    ];
    for (path, body, status, code) in cases {
        let answer = server.post(path, &body);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{path} {body}"
        );
    }
    still_serves(&server);
}

#[test]
fn too_large() {
    let server = Server::start(&[("CHATCORE_MAX_BODY", "1000")]);
    let large = json!({"message": "x".repeat(4 << 20)}).to_string();
    for path in POSTS {
        // The length is announced, so nothing of the body is read.
        let answer = server.connect().ask("POST", path, &[], large.as_bytes());
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (413, "body_too_large"),
            "{path}"
        );
        assert_eq!(answer.header("connection"), Some("close"));
        // The size is discovered while the body arrives.
        let mut connection = server.connect();
        connection.send("POST", path, &["Transfer-Encoding: chunked"], b"");
        let stream = &mut connection.stream;
        let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
        for _ in 0..8 {
            let _ = stream.write_all(chunk.as_bytes());
        }
        let answer = connection.read();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (413, "body_too_large"),
            "{path}"
        );
    }
    still_serves(&server);
}

/// Reads until the other end closes the connection.
fn until_closed(connection: &mut Connection) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = connection.stream.read_to_end(&mut all);
    all
}

#[test]
fn too_slow() {
    let server = Server::start(&[
        ("CHATCORE_HEADER_TIMEOUT", "0.3"),
        ("CHATCORE_BODY_TIMEOUT", "0.3"),
        ("CHATCORE_IDLE_TIMEOUT", "0.3"),
    ]);
    // A client that sends nothing, and a head that never ends although bytes keep arriving.
    assert_eq!(until_closed(&mut server.connect()), b"");
    let mut trickle = server.connect();
    trickle.stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let mut bytes = 0;
    while trickle.stream.write_all(b"x").is_ok() {
        std::thread::sleep(Duration::from_millis(20));
        bytes += 1;
        assert!(bytes < 1000, "a head without an end was borne");
    }
    // A body shorter than announced.
    let mut connection = server.connect();
    let answer = connection.ask("POST", "/api/chat", &["Content-Length: 100"], b"{\"mess");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (408, "body_timeout")
    );
    // A connection without a further request.
    let mut idle = server.connect();
    idle.ask("GET", "/healthz", &[], b"");
    assert_eq!(until_closed(&mut idle), b"");
    // An answer may take longer than all these timeouts.
    let long = server.post(
        "/api/chat/stream",
        &json!({"message": "Count from 1 to 60."}),
    );
    assert_eq!(long.events().len(), 61);
    still_serves(&server);
}

#[test]
fn no_http() {
    let server = Server::start(&[]);
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut connection = server.connect();
        connection.stream.write_all(bytes).unwrap();
        connection.stream.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = until_closed(&mut connection);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.contains(" 4") || answer.contains(" 5"), "{answer}");
    }
    let mut huge = server.connect();
    huge.send(
        "GET",
        "/",
        &[&format!("X-Huge: {}", "x".repeat(64 << 10))],
        b"",
    );
    let answer = String::from_utf8_lossy(&until_closed(&mut huge)).into_owned();
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    still_serves(&server);
}

#[test]
fn more_connections_than_allowed() {
    let server = Server::start(&[("CHATCORE_MAX_CONNECTIONS", "2")]);
    let open: Vec<_> = (0..2)
        .map(|_| {
            let mut connection = server.connect();
            connection.ask("GET", "/healthz", &[], b"");
            connection
        })
        .collect();
    assert_eq!(server.connect().read().status, 503);
    drop(open);
    let began = std::time::Instant::now();
    while server.connect().ask("GET", "/healthz", &[], b"").status != 200 {
        assert!(began.elapsed() < crate::harness::CAP);
    }
}
