//! The server in front of each provider, set up with only an address and a key.

use chatcore_conformance::server::Server as Upstream;
use serde_json::{Value, json};

use crate::harness::{Server, command};

/// A provider, and the variables that select it and its model.
const PROVIDERS: &[(&str, &[(&str, &str)])] = &[
    ("deepseek", &[("LLM_PROVIDER", "deepseek")]),
    ("openai", &[("LLM_PROVIDER", "openai")]),
    (
        "openai",
        &[("LLM_PROVIDER", "openai"), ("LLM_MODEL", "gpt-5.6-luna")],
    ),
    (
        "openai",
        &[("LLM_PROVIDER", "openai"), ("LLM_MODEL", "gpt-6-astra")],
    ),
    (
        "openai",
        &[("LLM_PROVIDER", "openai"), ("LLM_MODEL", "gpt-4o-mini")],
    ),
    ("anthropic", &[("LLM_PROVIDER", "anthropic")]),
    (
        "anthropic",
        &[
            ("LLM_PROVIDER", "anthropic"),
            ("LLM_MODEL", "claude-sonnet-5"),
        ],
    ),
    (
        "mistral",
        &[
            ("LLM_PROVIDER", "openai_compatible"),
            ("LLM_MODEL", "mistral-small-latest"),
        ],
    ),
];

fn before(upstream: &Upstream, provider: &str, vars: &[(&str, &str)]) -> Server {
    let version = if provider == "anthropic" { "" } else { "/v1" };
    let base = upstream.url(&format!("/as/{provider}{version}"));
    let all = [
        ("LLM_BASE_URL", base.as_str()),
        ("LLM_API_KEY", "sk-the-providers-key"),
    ];
    Server::start(&[&all, vars].concat())
}

/// The text of an answer from any of the routes.
fn text(server: &Server, path: &str, body: &Value) -> String {
    let answer = server.post(path, body);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    if path == "/api/batch" {
        return answer.lines()[0]["response"].to_string();
    }
    if body["stream"] == true || path == "/api/chat/stream" {
        let events = answer.events();
        let piece = |event: &Value| {
            let piece = event["text"].as_str();
            piece
                .or(event["choices"][0]["delta"]["content"].as_str())
                .or(event["delta"]["text"].as_str())
                .or(event["delta"].as_str())
                .map(str::to_owned)
        };
        return events.iter().filter_map(piece).collect();
    }
    let answer = answer.json();
    let items = answer["output"].as_array();
    let message = items.and_then(|items| items.iter().find(|item| item["type"] == "message"));
    let blocks = message.map_or(&answer["content"], |message| &message["content"]);
    let blocks = blocks.as_array();
    let block = blocks.and_then(|blocks| blocks.iter().find_map(|block| block["text"].as_str()));
    let whole = &answer["choices"][0]["message"]["content"];
    whole
        .as_str()
        .or(answer["response"].as_str())
        .or(block)
        .unwrap()
        .to_owned()
}

#[test]
fn every_route_answers() {
    let upstream = Upstream::start().unwrap();
    for (provider, vars) in PROVIDERS {
        let server = before(&upstream, provider, vars);
        let model = server.status()["models"][0].clone();
        let messages = json!([{"role": "user", "content": "hello"}]);
        for (path, body) in [
            ("/api/chat", json!({"message": "hello"})),
            ("/api/chat", json!({"message": "hello", "max_tokens": 2000})),
            ("/api/chat/context", json!({"messages": messages})),
            ("/api/chat/stream", json!({"message": "hello"})),
            ("/api/batch", json!({"prompts": ["hello"]})),
            (
                "/v1/chat/completions",
                json!({"model": model, "messages": messages}),
            ),
            (
                "/v1/chat/completions",
                json!({"model": model, "messages": messages, "stream": true}),
            ),
            (
                "/v1/messages",
                json!({"model": model, "messages": messages, "max_tokens": 4000}),
            ),
            (
                "/v1/messages",
                json!({"model": model, "messages": messages, "max_tokens": 4000, "stream": true}),
            ),
            ("/v1/responses", json!({"model": model, "input": "hello"})),
            (
                "/v1/responses",
                json!({"model": model, "input": messages, "stream": true}),
            ),
        ] {
            let text = text(&server, path, &body);
            assert!(
                text.contains("echo: hello"),
                "{vars:?} {path} {body}: {text:?}"
            );
        }
    }
}

#[test]
fn a_limit_that_leaves_no_room_for_an_answer_is_told_to_who_set_it() {
    let upstream = Upstream::start().unwrap();
    let vars = [("LLM_PROVIDER", "openai"), ("LLM_MODEL", "gpt-6-astra")];
    let server = before(&upstream, "openai", &vars);
    let messages = json!([{"role": "user", "content": "hello"}]);
    for (path, body) in [
        ("/api/chat", json!({"message": "hello", "max_tokens": 64})),
        (
            "/v1/chat/completions",
            json!({"model": "gpt-6-astra", "messages": messages, "max_tokens": 64}),
        ),
    ] {
        let answer = server.post(path, &body);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "out_of_tokens"),
            "{path}"
        );
        assert!(answer.text().contains("max_tokens"), "{}", answer.text());
    }
}

#[test]
fn the_demo_model_does_not_answer_for_a_provider_that_was_named() {
    // No machine has this address, so a server that did start would exit too.
    let output = command()
        .args(["--addr", "192.0.2.1:1"])
        .envs([("CHATCORE_OPEN", "true"), ("LLM_PROVIDER", "openai")])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(
        errors.contains("no API key for openai: set OPENAI_API_KEY"),
        "{errors}"
    );
}
