//! Every route, on the demo model.

use serde_json::{Value, json};

use crate::harness::Server;

#[test]
fn one_message() {
    let server = Server::start(&[]);
    let answer = server.post("/api/chat", &json!({"message": "What is 17 * 23?"}));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let json = answer.json();
    assert_eq!(json["response"], "17 * 23 = 391.");
    assert_eq!(json["finish_reason"], "stop");
    assert_eq!(
        json["usage"],
        json!({"input_tokens": 9, "output_tokens": 5, "total_tokens": 14})
    );
    // Each option reaches the model.
    let cut = server.post(
        "/api/chat",
        &json!({
            "message": "Count from 1 to 9.", "max_tokens": 3, "temperature": 0.5,
            "system_prompt": "Be brief.", "model": "demo", "top_p": 0.5, "seed": 7,
        }),
    );
    assert_eq!(
        (cut.status, cut.json()["finish_reason"].as_str()),
        (200, Some("length"))
    );
    let stopped = server.post(
        "/api/chat",
        &json!({"message": "Count from 1 to 9.", "stop": ["4"]}),
    );
    assert_eq!(stopped.json()["response"], "1 2 3 ");
}

#[test]
fn a_conversation() {
    let server = Server::start(&[]);
    let turn = |role: &str, content: &str| json!({"role": role, "content": content});
    let answer = server.post("/api/chat/context", &json!({"messages": [
        turn("user", "My name is Ada."), turn("assistant", "Hello."), turn("user", "What is my name?"),
    ]}));
    assert!(answer.json()["response"].as_str().unwrap().contains("Ada"));
}

#[test]
fn a_stream_ends_with_its_usage() {
    let server = Server::start(&[]);
    let answer = server.post(
        "/api/chat/stream",
        &json!({"message": "Count from 1 to 9."}),
    );
    let mut events = answer.events();
    let last = events.pop().unwrap();
    assert_eq!(last["type"], "done");
    assert_eq!(last["finish_reason"], "stop");
    assert_eq!(last["usage"]["output_tokens"], 9);
    assert!(events.iter().all(|event| event["type"] == "delta"));
    assert_eq!(events.len(), 9);
    let text: String = events
        .iter()
        .map(|event| event["text"].as_str().unwrap())
        .collect();
    assert_eq!(text, "1 2 3 4 5 6 7 8 9");
    let context = json!({"messages": [{"role": "user", "content": "2+2?"}]});
    let events = server.post("/api/chat/stream", &context).events();
    assert_eq!(events.last().unwrap()["type"], "done");
}

#[test]
fn a_loop_over_tools_as_its_steps() {
    let server = Server::start(&[]);
    let message = "convert_temperature: 72 degrees to celsius";
    let answer = server.post("/api/chat/tools", &json!({ "message": message }));
    let mut events = answer.events();
    let last = events.pop().unwrap();
    assert_eq!(
        (&last["type"], &last["finish_reason"]),
        (&json!("done"), &json!("stop"))
    );
    assert!(
        last["usage"]["total_tokens"].as_u64().unwrap() > 100,
        "{last}"
    );
    let call = json!({"type": "tool_call", "turn": 1, "index": 0, "name": "convert_temperature",
        "arguments": "{\"degrees\":72.0,\"to\":\"celsius\"}"});
    let result = json!({"type": "tool_result", "turn": 1, "index": 0, "text": "22.2 °C",
        "is_error": false});
    assert_eq!(events[..2], [call, result]);
    let text = events[2..]
        .iter()
        .map(|event| event["text"].as_str().unwrap());
    assert_eq!(text.collect::<String>(), "The tool returned: 22.2 °C");
    let refused = server.post(
        "/api/chat/tools",
        &json!({"message": "x", "temperature": 3}),
    );
    assert_eq!(refused.status, 400);
}

/// A loop is no way around the limit of chats.
#[test]
fn each_turn_of_a_loop_counts_as_a_chat() {
    let server = Server::start(&[("CHATCORE_REQUESTS_PER_MINUTE", "1")]);
    let message = "convert_temperature: 72 degrees to celsius";
    let answer = server.post("/api/chat/tools", &json!({ "message": message }));
    assert_eq!(answer.status, 200);
    let events = answer.events();
    let types: Vec<_> = events.iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["tool_call", "tool_result", "error"]);
    assert_eq!(events[2]["error"]["code"], "too_many_requests");
    // The next loop is refused before its first turn.
    let refused = server.post("/api/chat/tools", &json!({ "message": message }));
    assert_eq!(
        (refused.status, refused.code()),
        (429, "too_many_requests".into())
    );
}

#[test]
fn a_batch_as_its_prompts_finish() {
    let server = Server::start(&[]);
    let prompts = ["Count from 1 to 60.", "1+1", "2+2"];
    let answer = server.post("/api/batch", &json!({"prompts": prompts}));
    assert_eq!(
        answer.header("content-type"),
        Some("application/x-ndjson; charset=utf-8")
    );
    let mut lines = answer.lines();
    let end = lines.pop().unwrap();
    assert_eq!(end["type"], "end");
    assert_eq!(
        (&end["progress"]["done"], &end["progress"]["total"]),
        (&json!(3), &json!(3))
    );
    let order: Vec<_> = lines
        .iter()
        .map(|line| line["index"].as_u64().unwrap())
        .collect();
    // The long prompt finishes last.
    assert_eq!(order.last(), Some(&0));
    let done: Vec<_> = lines
        .iter()
        .map(|line| line["progress"]["done"].as_u64().unwrap())
        .collect();
    assert_eq!(done, [1, 2, 3]);
    for line in &lines {
        assert_eq!(line["type"], "result");
        assert!(!line["response"].as_str().unwrap().is_empty());
    }
    assert_eq!(lines[2]["progress"]["tokens"], end["progress"]["tokens"]);
}

#[test]
fn more_prompts_than_the_queue_takes_wait() {
    let server = Server::start(&[("LLM_ASYNC_WORKERS", "2"), ("LLM_ASYNC_QUEUE_SIZE", "0")]);
    let prompts: Vec<_> = (0..20).map(|n| format!("{n}+1")).collect();
    let lines = server
        .post("/api/batch", &json!({"prompts": prompts, "concurrency": 9}))
        .lines();
    assert_eq!(lines.len(), 21);
    assert_eq!(lines[20]["progress"]["done"], 20);
}

#[test]
fn health_status_and_models() {
    let server = Server::start(&[("CHATCORE_MODELS", "demo, other")]);
    assert_eq!(server.get("/healthz").json(), json!({"status": "ok"}));
    let status = server.status();
    assert_eq!(status["demo"], true);
    assert_eq!(status["pool"]["max_workers"], 5);
    assert_eq!(status["models"], json!(["demo", "other"]));
    let models = server.get("/v1/models").json();
    assert_eq!(models["object"], "list");
    assert_eq!(models["data"][1]["id"], "other");
    assert_eq!(server.get("/v1/models/other").json()["object"], "model");
    assert_eq!(server.get("/v1/models/none").code(), "model_not_found");
    let other = server.post("/api/chat", &json!({"message": "1+1", "model": "other"}));
    assert_eq!(other.json()["model"], "other");
}

/// The value of a sample in Prometheus' text format.
fn sample(text: &str, name: &str) -> f64 {
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("{name} ")));
    let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn metrics() {
    let upstream = chatcore_conformance::server::Server::start().unwrap();
    let base = upstream.url("/flaky/1/status/503/retry-after-ms/1/v1");
    let server = Server::before(&base, &[]);
    server
        .post("/api/chat/stream", &json!({"message": "one two"}))
        .events();
    server.post("/api/chat", &json!({"message": "one two"}));
    server.post("/api/chat", &json!({"message": "x", "temperature": 3}));
    let answer = server.get("/metrics");
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let text = answer.text();
    for (name, value) in [
        ("chatcore_calls_total{outcome=\"succeeded\"}", 2.0),
        ("chatcore_calls_total{outcome=\"invalid_input\"}", 1.0),
        (
            "chatcore_call_duration_seconds_count{outcome=\"succeeded\"}",
            2.0,
        ),
        (
            "chatcore_call_duration_seconds_count{outcome=\"failed\"}",
            1.0,
        ),
        ("chatcore_time_to_first_content_seconds_count", 1.0),
        ("chatcore_queue_wait_seconds_count", 2.0),
        ("chatcore_retries_total{cause=\"overloaded\"}", 1.0),
        ("chatcore_in_flight", 0.0),
        ("chatcore_queue_length", 0.0),
        ("chatcore_workers", 5.0),
        (
            "chatcore_http_requests_total{route=\"chat\",status=\"200\"}",
            1.0,
        ),
        (
            "chatcore_http_requests_total{route=\"chat\",status=\"400\"}",
            1.0,
        ),
        (
            "chatcore_http_requests_total{route=\"chat_stream\",status=\"200\"}",
            1.0,
        ),
    ] {
        assert_eq!(sample(text, name), value, "{name}");
    }
    assert!(sample(text, "chatcore_tokens_total{direction=\"output\"}") > 0.0);
    assert!(sample(text, "chatcore_tokens_total{direction=\"input\"}") > 0.0);
}

#[test]
fn the_page_and_its_files() {
    let built = std::env::temp_dir().join(format!("chatcore-npm-{}", std::process::id()));
    std::fs::create_dir_all(&built).unwrap();
    std::fs::write(built.join("index.js"), "export {};").unwrap();
    let server = Server::start(&[("CHATCORE_NPM", built.to_str().unwrap())]);
    let page = server.get("/");
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"));
    // Every file that the page refers to exists.
    let names = page
        .text()
        .split('"')
        .filter(|word| word.starts_with("/web/"));
    let names: Vec<_> = names.collect();
    assert!(names.len() >= 2);
    for name in names {
        assert_eq!(server.get(name).status, 200, "{name}");
    }
    let script = server.get("/chatcore/index.js");
    assert_eq!(
        script.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    for path in [
        "/chatcore/../Cargo.toml",
        "/chatcore/..%2fx",
        "/chatcore/.hidden",
        "/web/none.js",
    ] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    std::fs::remove_dir_all(&built).unwrap();
    // Without the package, the page's own client takes its place, and it exports what the page uses.
    // No folder is looked for where the server happens to be started.
    let elsewhere = std::env::temp_dir().join(format!("chatcore-cwd-{}", std::process::id()));
    std::fs::create_dir_all(elsewhere.join("wasm/dist")).unwrap();
    std::fs::write(elsewhere.join("wasm/dist/index.js"), "steal();").unwrap();
    let foreign = Server::start_in(&elsewhere, &[]);
    assert!(!foreign.get("/chatcore/index.js").text().contains("steal"));
    std::fs::remove_dir_all(&elsewhere).unwrap();
    let own = server.get("/chatcore/index.js");
    assert_eq!(
        (own.status, own.header("content-type")),
        (200, Some("text/javascript; charset=utf-8"))
    );
    for name in ["class LlmClient", "function gatherWithLimit"] {
        assert!(own.text().contains(name), "{name}");
    }
    assert_eq!(server.get("/chatcore/other.js").status, 404);
}

#[test]
fn one_connection_many_requests() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let body = json!({"message": "1+1"}).to_string();
    for _ in 0..3 {
        let answer = connection.ask("POST", "/api/chat", &[], body.as_bytes());
        assert_eq!(answer.json()["response"], "1+1 = 2.");
        let stream = connection.ask("POST", "/api/chat/stream", &[], body.as_bytes());
        assert_eq!(stream.events().last().unwrap()["type"], "done");
        assert_eq!(
            connection.ask("POST", "/api/chat", &[], b"{").code(),
            "invalid_json"
        );
    }
    // A request that is sent while another is being answered is answered after it.
    connection.send("POST", "/api/chat/stream", &[], body.as_bytes());
    connection.send("GET", "/healthz", &[], b"");
    assert_eq!(connection.read().events().last().unwrap()["type"], "done");
    assert_eq!(connection.read().json(), json!({"status": "ok"}));
}

#[test]
fn streams_for_those_who_close_after_one() {
    let server = Server::start(&[]);
    let body = json!({"message": "1+1"}).to_string();
    let close = &["Connection: close"];
    let answer = server
        .connect()
        .ask("POST", "/api/chat/stream", close, body.as_bytes());
    assert_eq!(answer.events().last().unwrap()["type"], "done");
}

#[test]
fn wrong_methods_and_paths() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/api/chat").code(), "method_not_allowed");
    let wrong = server.post("/metrics", &Value::Null);
    assert_eq!(
        (wrong.status, wrong.code().as_str()),
        (405, "method_not_allowed")
    );
    assert_eq!(server.get("/v1").code(), "not_found");
    assert_eq!(server.get("/ws/chat").code(), "websocket_required");
}
