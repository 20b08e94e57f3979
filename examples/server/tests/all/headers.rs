//! How the headers of requests are read, and which headers answers have.

use chatcore_conformance::server::Server as Upstream;
use serde_json::json;

use crate::harness::Server;

const BODY: &[u8] = b"{\"message\": \"1+1\"}";

#[test]
fn the_last_line_of_a_proxy_counts() {
    let server = Server::start(&[
        ("CHATCORE_REQUESTS_PER_MINUTE", "1"),
        ("CHATCORE_TRUST_PROXY", "true"),
    ]);
    let ask = |lines: &[&str]| {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| format!("X-Forwarded-For: {line}"))
            .collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        server
            .connect()
            .ask("POST", "/api/chat", &lines, BODY)
            .status
    };
    assert_eq!(ask(&["9.9.9.9", "10.0.0.1"]), 200);
    assert_eq!(ask(&["8.8.8.8, 7.7.7.7", "10.0.0.1"]), 429);
    assert_eq!(ask(&["10.0.0.1", "10.0.0.2:4711"]), 200);
    assert_eq!(ask(&["10.0.0.3", "6.6.6.6, 10.0.0.2"]), 429);
}

#[test]
fn a_header_that_is_there_twice_is_refused_where_one_counts() {
    let server = Server::start(&[("CHATCORE_TOKEN", "t")]);
    let (own, other) = (
        format!("Origin: http://{}", server.addr),
        "Origin: https://evil.example",
    );
    let token = "Authorization: Bearer t";
    for headers in [
        [&own[..], other, token],
        [other, &own, token],
        [&own, &own, token],
        ["Authorization: Bearer x", token, "A: b"],
        [token, "Origin: \u{e4}", &own],
    ] {
        let answer = server.connect().ask("POST", "/api/chat", &headers, BODY);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_header"),
            "{headers:?}"
        );
    }
    // A header that is not text is refused, not ignored.
    let mut connection = server.connect();
    let head = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nOrigin: ", server.addr);
    let bytes = [head.as_bytes(), b"https://evil\xff", b"\r\n\r\n"].concat();
    std::io::Write::write_all(&mut connection.stream, &bytes).unwrap();
    assert_eq!(connection.read().status, 400);
}

#[test]
fn a_method_that_a_path_does_not_take() {
    let server = Server::start(&[]);
    for (method, path, allow) in [
        ("GET", "/api/chat", "POST"),
        ("DELETE", "/v1/chat/completions", "POST"),
        ("GET", "/v1/messages", "POST"),
        ("PUT", "/v1/responses", "POST"),
        ("OPTIONS", "/api/batch", "POST"),
        ("POST", "/status", "GET, HEAD"),
        ("PUT", "/v1/models/demo", "GET, HEAD"),
        ("POST", "/ws/chat", "GET"),
    ] {
        let answer = server.connect().ask(method, path, &[], b"");
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some(allow)),
            "{method} {path}"
        );
        assert_eq!(answer.code(), "method_not_allowed");
    }
}

#[test]
fn a_body_that_is_compressed_is_refused_as_such() {
    let server = Server::start(&[]);
    for encoding in ["gzip", "br", "identity, zstd"] {
        let header = format!("Content-Encoding: {encoding}");
        let answer = server
            .connect()
            .ask("POST", "/api/chat", &[&header], b"\x1f\x8b\x08");
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (415, "unsupported_encoding")
        );
        assert_eq!(answer.header("accept-encoding"), Some("identity"));
    }
    let plain = server
        .connect()
        .ask("POST", "/api/chat", &["Content-Encoding: identity"], BODY);
    assert_eq!(plain.status, 200);
}

#[test]
fn each_answer_has_the_id_of_its_request() {
    let server = Server::start(&[]);
    let mut seen = std::collections::HashSet::new();
    for (method, path, body) in [
        ("GET", "/healthz", &b""[..]),
        ("GET", "/", b""),
        ("GET", "/nowhere", b""),
        ("POST", "/api/chat", BODY),
        ("POST", "/api/chat/stream", BODY),
        ("POST", "/api/chat", b"nope"),
    ] {
        let answer = server.connect().ask(method, path, &[], body);
        let id = answer.header("x-request-id").unwrap().to_owned();
        assert!(id.starts_with("req_"), "{id}");
        assert!(seen.insert(id), "{path}");
        let named = server
            .connect()
            .ask(method, path, &["X-Request-Id: trace-7"], body);
        assert_eq!(named.header("x-request-id"), Some("trace-7"), "{path}");
        let odd = server
            .connect()
            .ask(method, path, &["X-Request-Id: two words"], body);
        assert!(
            odd.header("x-request-id").unwrap().starts_with("req_"),
            "{path}"
        );
    }
}

/// OpenAI's client retries 429 and 5xx twice. After three attempts by this server, that would make
/// nine at the provider.
#[test]
fn a_failure_that_was_tried_again_here_is_not_to_be_tried_again_there() {
    let upstream = Upstream::start().unwrap();
    let hi = json!({"message": "hi"});
    let openai = json!({"model": "tiny", "stream": true,
        "messages": [{"role": "user", "content": "hi"}]});
    let anthropic = json!({"model": "tiny", "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}]});
    let responses = json!({"model": "tiny", "input": "hi", "stream": true});
    for status in [429, 500, 503] {
        for (path, body) in [
            ("/api/chat", &hi),
            ("/api/chat/stream", &hi),
            ("/v1/chat/completions", &openai),
            ("/v1/messages", &anthropic),
            ("/v1/responses", &responses),
        ] {
            let key = format!("{status}{}", path.replace('/', "-"));
            let base = upstream.url(&format!("/key/{key}/status/{status}/retry-after-ms/1/v1"));
            let server = Server::before(&base, &[]);
            let answer = server.post(path, body);
            assert!(
                answer.status == 429 || answer.status >= 500,
                "{}",
                answer.status
            );
            assert_eq!(
                answer.header("x-should-retry"),
                Some("false"),
                "{path} {status}"
            );
            assert_eq!(upstream.counts(&key).requests, 3);
        }
    }
    // The server's own limits: nothing reached the provider.
    let server = Server::start(&[("CHATCORE_REQUESTS_PER_MINUTE", "1")]);
    assert_eq!(server.post("/api/chat", &hi).status, 200);
    let limited = server.post("/api/chat", &hi);
    assert_eq!(
        (limited.status, limited.header("x-should-retry")),
        (429, None)
    );
}
