//! Access control, rate limits, and how the provider's refusals are reported.

use std::process::Stdio;

use chatcore_conformance::server::Server as Upstream;
use serde_json::json;

use crate::harness::{Server, command};

const BODY: &[u8] = b"{\"message\": \"1+1\"}";

#[test]
fn the_access_token() {
    let server = Server::start(&[("CHATCORE_TOKEN", "open sesame")]);
    let ask = |headers: &[&str]| server.connect().ask("POST", "/api/chat", headers, BODY);
    let answer = ask(&[]);
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "missing_token")
    );
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    for wrong in ["open", "open sesamE", "open sesame and more", ""] {
        let answer = ask(&[&format!("Authorization: Bearer {wrong}")]);
        assert_eq!(answer.status, 401, "{wrong}");
        assert!(!answer.text().contains("sesame"));
    }
    assert_eq!(
        ask(&["Authorization: Basic open sesame"]).code(),
        "missing_token"
    );
    assert_eq!(ask(&["Authorization: Bearer open sesame"]).status, 200);
    for path in ["/status", "/metrics", "/v1/models"] {
        assert_eq!(server.get(path).status, 401, "{path}");
    }
    // The page must load before the user can enter the token, and a load balancer has none.
    for path in ["/", "/web/page.css", "/healthz"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
}

#[test]
fn pages_of_other_sites() {
    let server = Server::start(&[]);
    let host = server.addr.to_string();
    let ask = |headers: &[&str]| server.connect().ask("POST", "/api/chat", headers, BODY);
    assert_eq!(ask(&[&format!("Origin: http://{host}")]).status, 200);
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let answer = ask(&[&format!("Origin: {origin}")]);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "cross_origin")
        );
    }
    // A foreign name that resolves to this server.
    let answer = ask(&["Host: evil.example", "Origin: http://evil.example"]);
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "unknown_host")
    );
    assert_eq!(ask(&["Host: localhost:8080"]).status, 200);
    let named = Server::start(&[("CHATCORE_HOSTS", "chat.example")]);
    let ask = |host: &str| {
        named
            .connect()
            .ask("POST", "/api/chat", &[host], BODY)
            .status
    };
    assert_eq!(ask("Host: chat.example"), 200);
    assert_eq!(ask("Host: localhost"), 403);
}

#[test]
fn so_many_chats_for_each_address() {
    let server = Server::start(&[
        ("CHATCORE_REQUESTS_PER_MINUTE", "3"),
        ("CHATCORE_TRUST_PROXY", "true"),
    ]);
    let ask = |from: &str| {
        let header = format!("X-Forwarded-For: 9.9.9.9, {from}");
        server.connect().ask("POST", "/api/chat", &[&header], BODY)
    };
    for _ in 0..3 {
        assert_eq!(ask("10.0.0.1").status, 200);
    }
    let answer = ask("10.0.0.1");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (429, "too_many_requests")
    );
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(ask("10.0.0.2").status, 200);
    // Requests other than chats are not counted.
    for _ in 0..10 {
        assert_eq!(server.get("/status").status, 200);
    }
    // Each prompt of a batch counts as a chat.
    let batch = json!({"prompts": ["1+1", "2+2", "3+3"]}).to_string();
    let batch = |from: &str| {
        let header = format!("X-Forwarded-For: {from}");
        server
            .connect()
            .ask("POST", "/api/batch", &[&header], batch.as_bytes())
    };
    assert_eq!(batch("10.0.0.3").status, 200);
    assert_eq!(batch("10.0.0.3").status, 429);
}

#[test]
fn what_the_provider_refuses() {
    let upstream = Upstream::start().unwrap();
    for (behaviour, status, code) in [
        ("status/429/retry-after/7", 429, "rate_limited"),
        ("status/401", 502, "auth"),
        ("status/400", 400, "bad_request"),
        ("status/404", 404, "not_found"),
        ("status/500", 502, "server"),
        ("status/503", 503, "overloaded"),
        ("reset/start", 502, "connection"),
        ("page", 502, "protocol"),
        ("silent", 504, "timeout"),
    ] {
        let base = upstream.url(&format!("/{behaviour}/v1"));
        let settings = [("LLM_MAX_RETRIES", "1"), ("LLM_ASYNC_TIMEOUT", "0.3")];
        let server = Server::before(&base, &settings);
        let openai = json!({"model": "tiny", "stream": true,
            "messages": [{"role": "user", "content": "hi"}]});
        for answer in [
            server.post("/api/chat", &json!({"message": "hi"})),
            server.post("/api/chat/stream", &json!({"message": "hi"})),
            server.post("/v1/chat/completions", &openai),
        ] {
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (status, code),
                "{behaviour}"
            );
            assert!(!answer.text().contains("sk-the"), "{}", answer.text());
            if code == "rate_limited" {
                assert_eq!(answer.header("retry-after"), Some("7"));
            }
        }
    }
}

#[test]
fn a_stream_that_breaks_says_so() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(&upstream.url("/words/9/error-event/3/v1"), &[]);
    let events = server
        .post("/api/chat/stream", &json!({"message": "hi"}))
        .events();
    let last = events.last().unwrap();
    assert_eq!(last["type"], "error", "{events:?}");
    assert!(last["error"]["code"].is_string());
    assert!(events.iter().all(|event| event["type"] != "done"));
    let body = json!({"model": "tiny", "stream": true,
        "messages": [{"role": "user", "content": "hi"}]});
    let events = server.post("/v1/chat/completions", &body).events();
    assert!(
        events.last().unwrap()["error"]["message"].is_string(),
        "{events:?}"
    );
}

#[test]
fn a_full_queue() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(
        &upstream.url("/key/all/gate/all/v1"),
        &[("LLM_ASYNC_WORKERS", "1"), ("LLM_ASYNC_QUEUE_SIZE", "0")],
    );
    let mut first = server.connect();
    first.send("POST", "/api/chat", &[], BODY);
    smol::block_on(upstream.request("all")).unwrap();
    let answer = server.post("/api/chat", &json!({"message": "hi"}));
    assert_eq!((answer.status, answer.code().as_str()), (503, "queue_full"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    upstream.release("all", 9);
    assert_eq!(first.read().json()["response"], "echo: 1+1");
}

#[test]
fn wrong_settings_are_told_and_end_it() {
    for (args, vars, said) in [
        (&["--addr", "0.0.0.0:0"][..], &[][..], "CHATCORE_TOKEN"),
        (&["--colour", "red"], &[], "--help"),
        (&[], &[("CHATCORE_GRACE", "soon")], "CHATCORE_GRACE"),
        (&[], &[("LLM_ASYNC_WORKERS", "many")], "LLM_ASYNC_WORKERS"),
        (
            &["--addr", "127.0.0.1:0"],
            &[("LLM_PROVIDER", "skynet")],
            "skynet",
        ),
    ] {
        let mut command = command();
        command.args(args).envs(vars.iter().copied());
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?} {vars:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(said), "{error}");
    }
    let help = command().arg("--help").output().unwrap();
    assert!(help.status.success());
    assert!(
        String::from_utf8(help.stdout)
            .unwrap()
            .contains("CHATCORE_MAX_BODY")
    );
}
