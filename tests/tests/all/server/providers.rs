//! `as/PROVIDER`: what each provider currently refuses, and how many tokens its models spend on
//! reasoning.

use serde_json::{Value, json};

use super::{connect, server};
use chatcore_conformance::server::Server;

const KEY: &str = "authorization: Bearer k\r\n";

/// The status and body of this provider's answer to `body`.
fn ask(server: &Server, provider: &str, headers: &str, body: &Value) -> (u16, Value) {
    use std::io::Read;
    let endpoint = match provider {
        "anthropic" => "v1/messages",
        "deepseek" => "chat/completions",
        _ => "v1/chat/completions",
    };
    let mut stream = connect(server);
    let path = format!("/as/{provider}/close-delimited/{endpoint}");
    let headers = format!("{headers}connection: close\r\n");
    super::ask(&mut stream, "POST", &path, &headers, &body.to_string());
    let mut came = String::new();
    stream.read_to_string(&mut came).unwrap();
    let (head, body) = came.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = serde_json::from_str(body).unwrap_or_else(|_| json!(body));
    (status, body)
}

/// A request to `model` with these additional fields.
fn body(model: &str, more: Value) -> Value {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

fn tools() -> Value {
    json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}])
}

#[test]
fn openai_refuses_by_model() {
    let server = server();
    let param = "unsupported_parameter";
    let value = "unsupported_value";
    for (model, more, field, code) in [
        (
            "gpt-6-luna",
            json!({"temperature": 0.7}),
            json!("temperature"),
            json!(value),
        ),
        (
            "gpt-5.6-sol",
            json!({"top_p": 0.5}),
            json!("top_p"),
            json!(value),
        ),
        (
            "o3",
            json!({"temperature": 1}),
            json!("temperature"),
            json!(param),
        ),
        (
            "gpt-6-luna",
            json!({"max_tokens": 9}),
            json!("max_tokens"),
            json!(param),
        ),
        (
            "gpt-6-luna",
            json!({"max_tokens": 9, "reasoning_effort": "none"}),
            json!("max_tokens"),
            json!(param),
        ),
        (
            "gpt-6-luna",
            json!({"tools": tools()}),
            json!("reasoning_effort"),
            Value::Null,
        ),
        (
            "gpt-6-luna",
            json!({"stop": ["x"]}),
            json!("stop"),
            json!(param),
        ),
        (
            "gpt-6-luna",
            json!({"reasoning_effort": "minimal"}),
            json!("reasoning_effort"),
            json!(value),
        ),
        (
            "gpt-6-astra",
            json!({"reasoning_effort": "none"}),
            json!("reasoning_effort"),
            json!(value),
        ),
        (
            "gpt-4o-mini",
            json!({"reasoning_effort": "none"}),
            Value::Null,
            Value::Null,
        ),
        (
            "gpt-6-luna",
            json!({"thinking": {"type": "disabled"}}),
            Value::Null,
            Value::Null,
        ),
    ] {
        let (status, answer) = ask(&server, "openai", KEY, &body(model, more.clone()));
        let error = &answer["error"];
        assert_eq!(status, 400, "{model} {more}: {answer}");
        assert_eq!(error["type"], "invalid_request_error");
        assert_eq!(
            (&error["param"], &error["code"]),
            (&field, &code),
            "{model} {more}: {error}"
        );
    }
    let (status, answer) = ask(&server, "openai", KEY, &body("gpt-9", json!({})));
    assert_eq!(
        (status, &answer["error"]["code"]),
        (404, &json!("model_not_found"))
    );
    assert_eq!(
        ask(&server, "openai", "", &body("gpt-6-luna", json!({}))).0,
        401
    );
}

#[test]
fn openai_takes_what_the_model_knows() {
    let server = server();
    for (model, more) in [
        (
            "gpt-6-luna",
            json!({"reasoning_effort": "none", "temperature": 0, "max_completion_tokens": 256,
                "tools": tools(), "stop": "x"}),
        ),
        ("gpt-6-luna", json!({"temperature": 1})),
        ("gpt-5.4", json!({"temperature": 0.2})),
        (
            "gpt-4o-mini",
            json!({"temperature": 0.2, "max_tokens": 256}),
        ),
        ("gpt-6-astra", json!({"max_completion_tokens": 9000})),
        ("o3", json!({"tools": tools()})),
    ] {
        let (status, answer) = ask(&server, "openai", KEY, &body(model, more.clone()));
        assert_eq!(status, 200, "{model} {more}: {answer}");
        assert_eq!(answer["choices"][0]["message"]["content"], "echo: hi");
    }
    // Reasoning that was not turned off uses up the answer's tokens without being shown.
    let unasked = body("gpt-6-luna", json!({"max_completion_tokens": 256}));
    let (_, answer) = ask(&server, "openai", KEY, &unasked);
    let choice = &answer["choices"][0];
    assert_eq!(choice["message"]["content"], "");
    assert_eq!(choice["message"].get("reasoning_content"), None);
    assert_eq!(choice["finish_reason"], "length");
    let details = &answer["usage"]["completion_tokens_details"];
    assert_eq!(details["reasoning_tokens"], 256);
}

#[test]
fn deepseek_thinks_unless_told_otherwise() {
    let server = server();
    let choice = |more: Value| {
        let (status, answer) = ask(&server, "deepseek", KEY, &body("deepseek-flash", more));
        assert_eq!(status, 200, "{answer}");
        answer["choices"][0].clone()
    };
    for more in [json!({}), json!({"reasoning_effort": "none"})] {
        let mut more = more;
        more["max_tokens"] = json!(256);
        let starved = choice(more);
        assert_eq!(starved["message"]["content"], "");
        assert_eq!(starved["finish_reason"], "length");
        let thoughts = starved["message"]["reasoning_content"].as_str().unwrap();
        assert_eq!(thoughts.split_whitespace().count(), 256);
    }
    let off = choice(json!({"max_tokens": 256, "thinking": {"type": "disabled"}}));
    assert_eq!(off["message"]["content"], "echo: hi");
    assert_eq!(off["message"].get("reasoning_content"), None);
    assert_eq!(
        choice(json!({"max_tokens": 4000}))["message"]["content"],
        "echo: hi"
    );
    let cut = choice(json!({"max_tokens": 1, "thinking": {"type": "disabled"}}));
    assert_eq!(
        (&cut["message"]["content"], &cut["finish_reason"]),
        (&json!("echo: "), &json!("length"))
    );
}

#[test]
fn deepseek_streams_its_thoughts_first() {
    let server = server();
    let asked = body("deepseek-flash", json!({"stream": true}));
    let (_, answer) = ask(&server, "deepseek", KEY, &asked);
    let (thoughts, text) = answer
        .as_str()
        .unwrap()
        .rsplit_once("reasoning_content")
        .unwrap();
    assert!(!thoughts.contains("echo"), "{thoughts}");
    assert!(text.contains("\"content\":\"echo: \""), "{text}");
}

#[test]
fn deepseek_wants_its_thoughts_back() {
    let server = server();
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let turns = |reasoning: Value, more: Value| {
        let mut asked = body("deepseek-flash", more);
        asked["messages"] = json!([
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": null, "reasoning_content": reasoning, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "sunny"},
        ]);
        ask(&server, "deepseek", KEY, &asked)
    };
    let (status, answer) = turns(Value::Null, json!({}));
    assert_eq!(status, 400);
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .contains("`reasoning_content`")
    );
    assert_eq!(turns(json!("hmm"), json!({})).0, 200);
    assert_eq!(
        turns(Value::Null, json!({"thinking": {"type": "disabled"}})).0,
        200
    );
    let (status, answer) = ask(&server, "deepseek", KEY, &body("deepseek-chat", json!({})));
    assert_eq!(
        (status, &answer["error"]["message"]),
        (400, &json!("Model Not Exist"))
    );
}

#[test]
fn anthropic_refuses_by_version_and_model() {
    let server = server();
    let old = "x-api-key: k\r\nanthropic-version: 2023-06-01\r\n";
    let new = "x-api-key: k\r\nanthropic-version: 2026-10-21\r\n";
    let refused = |headers: &str, model: &str, more: Value, said: &str| {
        let (status, answer) = ask(&server, "anthropic", headers, &body(model, more));
        assert_eq!(
            (status, &answer["type"]),
            (400, &json!("error")),
            "{said}: {answer}"
        );
        assert_eq!(answer["error"]["type"], "invalid_request_error");
        let message = answer["error"]["message"].as_str().unwrap();
        assert_eq!(message, said);
    };
    let haiku = "claude-haiku-4-5";
    for name in ["temperature", "top_p", "top_k"] {
        let more = json!({"max_tokens": 9, name: 1});
        refused(
            new,
            haiku,
            more,
            &format!("{name}: Extra inputs are not permitted"),
        );
    }
    refused(old, haiku, json!({}), "max_tokens: Field required");
    let hot = json!({"max_tokens": 9, "temperature": 0});
    refused(
        old,
        "claude-sonnet-5",
        hot.clone(),
        "`temperature` is deprecated for this model.",
    );
    let unversioned = "x-api-key: k\r\n";
    refused(
        unversioned,
        haiku,
        hot.clone(),
        "anthropic-version: header is required",
    );
    let cited = json!({"max_tokens": 9, "messages": [{"role": "user", "content": [
        {"type": "text", "text": "hi", "citations": [{}]}]}]});
    let place = "messages.0.content.0.text.citations: Extra inputs are not permitted";
    refused(new, haiku, cited, place);
    for (headers, model, more) in [
        (old, haiku, hot),
        (new, haiku, json!({"max_tokens": 9})),
        (
            old,
            "claude-sonnet-5",
            json!({"max_tokens": 9, "temperature": 1}),
        ),
    ] {
        let (status, answer) = ask(&server, "anthropic", headers, &body(model, more));
        assert_eq!(
            (status, &answer["content"][0]["text"]),
            (200, &json!("echo: hi"))
        );
    }
    let keyless = "anthropic-version: 2023-06-01\r\n";
    assert_eq!(
        ask(
            &server,
            "anthropic",
            keyless,
            &body(haiku, json!({"max_tokens": 9}))
        )
        .0,
        401
    );
}

#[test]
fn mistral_refuses_what_it_does_not_know() {
    let server = server();
    for (more, place) in [
        (
            json!({"stream_options": {"include_usage": true}}),
            json!(["body", "stream_options"]),
        ),
        (json!({"seed": 1}), json!(["body", "seed"])),
        (
            json!({"messages": [{"role": "assistant", "content": "x", "reasoning_content": "y"}]}),
            json!(["body", "messages", 0, "assistant", "reasoning_content"]),
        ),
    ] {
        let (status, answer) = ask(&server, "mistral", KEY, &body("mistral-small-latest", more));
        assert_eq!(
            (status, &answer["object"]),
            (422, &json!("error")),
            "{answer}"
        );
        let detail = &answer["message"]["detail"][0];
        assert_eq!(
            (&detail["type"], &detail["loc"]),
            (&json!("extra_forbidden"), &place)
        );
    }
    let asked = body(
        "mistral-small-latest",
        json!({"stream": true, "temperature": 0, "max_tokens": 9}),
    );
    let (status, answer) = ask(&server, "mistral", KEY, &asked);
    assert_eq!(status, 200);
    // Usage is included without being requested.
    assert!(
        answer.as_str().unwrap().contains("prompt_tokens"),
        "{answer}"
    );
    assert_eq!(
        ask(&server, "mistral", KEY, &body("gpt-4o", json!({}))).0,
        400
    );
}

#[test]
fn a_provider_that_it_does_not_know_is_named() {
    let server = server();
    let (status, answer) = ask(&server, "skynet", KEY, &body("m", json!({})));
    assert_eq!(status, 404);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("`skynet`") && message.contains("deepseek"),
        "{message}"
    );
}
