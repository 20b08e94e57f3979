//! The front for Anthropic's protocol. The tests with Anthropic's own client are in `clients/`.

use chatcore_conformance::server::Server as Upstream;
use serde_json::{Value, json};

use crate::harness::Server;

const PATH: &str = "/v1/messages";

fn body(more: Value) -> Value {
    let mut body = json!({"model": "demo", "max_tokens": 200,
        "messages": [{"role": "user", "content": "Count from 1 to 5."}]});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_whole_answer() {
    let server = Server::start(&[]);
    let answer = server.post(PATH, &body(json!({})));
    let id = answer.header("request-id").map(str::to_owned);
    assert!(id.is_some_and(|id| id.starts_with("req_")));
    let answer = answer.json();
    assert_eq!(answer["type"], "message");
    assert_eq!(
        answer["content"],
        json!([{"type": "text", "text": "1 2 3 4 5"}])
    );
    assert_eq!(answer["stop_reason"], "end_turn");
    assert_eq!(answer["usage"]["output_tokens"], 5);
}

#[test]
fn a_streamed_answer() {
    let server = Server::start(&[]);
    let answer = server.post(PATH, &body(json!({"stream": true})));
    assert!(answer.text().starts_with("event: message_start\ndata: {"));
    let events = answer.events();
    let text: String = (events.iter())
        .filter_map(|event| event["delta"]["text"].as_str())
        .collect();
    assert_eq!(text, "1 2 3 4 5");
    let [start, block, .., stop, delta, end] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(start["message"]["content"], json!([]));
    assert_eq!(block["content_block"], json!({"type": "text", "text": ""}));
    assert_eq!(stop, &json!({"type": "content_block_stop", "index": 0}));
    assert_eq!(delta["delta"]["stop_reason"], "end_turn");
    assert_eq!(delta["usage"]["output_tokens"], 5);
    assert_eq!(end, &json!({"type": "message_stop"}));
}

#[test]
fn errors_have_anthropics_shape() {
    let server = Server::start(&[("CHATCORE_TOKEN", "sesame")]);
    let ask = |key: &str, body: &Value| {
        let mut connection = server.connect();
        connection.ask(
            "POST",
            PATH,
            &[&format!("x-api-key: {key}")],
            body.to_string().as_bytes(),
        )
    };
    for (answer, status, kind, code) in [
        (
            ask("no", &body(json!({}))),
            401,
            "authentication_error",
            "invalid_token",
        ),
        (
            ask("sesame", &json!([])),
            400,
            "invalid_request_error",
            "invalid_json",
        ),
        (
            ask("sesame", &body(json!({"model": "claude-9"}))),
            404,
            "not_found_error",
            "model_not_found",
        ),
        (
            ask("sesame", &body(json!({"max_tokens": 5000}))),
            400,
            "invalid_request_error",
            "too_many_tokens",
        ),
    ] {
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
        let error = answer.json();
        assert_eq!(
            (&error["type"], &error["error"]["type"]),
            (&json!("error"), &json!(kind))
        );
        assert_eq!(error["request_id"].as_str(), answer.header("request-id"));
    }
    assert_eq!(ask("sesame", &body(json!({}))).status, 200);
}

#[test]
fn a_stream_that_breaks_says_so() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(&upstream.url("/words/9/error-event/3/v1"), &[]);
    let asked = body(json!({"model": "tiny", "stream": true}));
    let events = server.post(PATH, &asked).events();
    let last = events.last().unwrap();
    assert_eq!(last["type"], "error", "{events:?}");
    assert!(last["error"]["message"].is_string(), "{last}");
    assert!(events.iter().all(|event| event["type"] != "message_stop"));
}

/// The request that a provider with chat completions receives.
#[test]
fn what_the_provider_gets() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(&upstream.url("/key/k/v1"), &[]);
    let cached = json!({"type": "ephemeral"});
    let sent = body(json!({
        "model": "tiny", "temperature": 0.25, "stop_sequences": ["x"], "metadata": {"user_id": "u"},
        "system": [{"type": "text", "text": "Be brief.", "cache_control": cached}],
        "tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": cached}],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "What is it?", "cache_control": cached},
                {"type": "image", "source":
                    {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t", "content": "sunny"},
                {"type": "text", "text": "and?"}]},
        ],
    }));
    let answer = server.post(PATH, &sent);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = smol::block_on(upstream.request("k")).unwrap();
    let got: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(
        got["messages"],
        json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "t", "type": "function",
                "function": {"name": "f", "arguments": "{\"a\":1}"}}]},
            {"role": "tool", "tool_call_id": "t", "content": "sunny"},
            {"role": "user", "content": "and?"},
        ])
    );
    let function = json!({"name": "f", "parameters": {"type": "object"}});
    assert_eq!(
        got["tools"],
        json!([{"type": "function", "function": function}])
    );
    assert_eq!(got["tool_choice"]["function"]["name"], "f");
    assert_eq!(got["parallel_tool_calls"], false);
    assert_eq!(
        (&got["max_tokens"], &got["stop"]),
        (&json!(200), &json!(["x"]))
    );
    assert_eq!(got.get("metadata"), None);
}

/// A provider with the same protocol receives the request unchanged.
#[test]
fn the_same_protocol_on_both_sides() {
    let upstream = Upstream::start().unwrap();
    let vars = [
        ("LLM_PROVIDER", "anthropic"),
        ("LLM_MODEL", "claude-haiku-4-5"),
    ];
    let server = Server::before(&upstream.url("/key/k"), &vars);
    let sent = body(json!({
        "model": "claude-haiku-4-5", "max_tokens": 2000, "top_k": 5,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "tools": [{"name": "f", "input_schema": {"type": "object"},
            "cache_control": {"type": "ephemeral"}}],
        "cache_control": {"type": "ephemeral"}, "metadata": {"user_id": "u"},
        "messages": [{"role": "user", "content": [{"type": "document", "title": "a",
            "source": {"type": "text", "media_type": "text/plain", "data": "b"},
            "citations": {"enabled": true}}, {"type": "text", "text": "hello"}]}],
    }));
    let answer = server.post(PATH, &sent);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = smol::block_on(upstream.request("k")).unwrap();
    let got: Value = serde_json::from_slice(&seen.body).unwrap();
    for name in sent.as_object().unwrap().keys() {
        assert_eq!(got[name], sent[name], "{name}");
    }
}

/// A provider with Responses receives its reasoning back, together with the call that followed it.
#[test]
fn what_another_dialect_proves_comes_back() {
    let upstream = Upstream::start().unwrap();
    let vars = [("LLM_PROVIDER", "openai"), ("LLM_MODEL", "gpt-6-astra")];
    let server = Server::before(&upstream.url("/key/k/as/openai/v1"), &vars);
    let hello = json!({"role": "user", "content": "hello"});
    let asked = |messages: Value, stream: bool| {
        body(
            json!({"model": "gpt-6-astra", "max_tokens": 2000, "stream": stream,
            "messages": messages, "thinking": {"type": "adaptive"},
            "tools": [{"name": "f", "input_schema": {"type": "object"}}]}),
        )
    };
    for (stream, second) in [(false, 2), (true, 4)] {
        let answer = server.post(PATH, &asked(json!([hello]), stream));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let signature = match stream {
            true => (answer.events().iter())
                .find_map(|event| event["delta"]["signature"].as_str().map(str::to_owned)),
            false => answer.json()["content"][0]["signature"]
                .as_str()
                .map(str::to_owned),
        };
        let signature = signature.unwrap();
        let thinking = json!({"type": "thinking", "thinking": "", "signature": signature});
        let said = json!([thinking, {"type": "text", "text": "echo: hello"}]);
        let messages = json!([hello, {"role": "assistant", "content": said}, hello]);
        let answer = server.post(PATH, &asked(messages, false));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = smol::block_on(upstream.nth_request("k", second)).unwrap();
        let got: Value = serde_json::from_slice(&seen.body).unwrap();
        let reasoning = &got["input"][1];
        assert_eq!(reasoning["type"], "reasoning", "{got}");
        assert!(reasoning["encrypted_content"].is_string(), "{reasoning}");
    }
}
