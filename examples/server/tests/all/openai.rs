//! The OpenAI-compatible front. The tests with OpenAI's own clients are in `clients/`.

use chatcore_conformance::server::Server as Upstream;
use serde_json::{Value, json};

use crate::harness::Server;

fn body(more: Value) -> Value {
    let mut body =
        json!({"model": "demo", "messages": [{"role": "user", "content": "Count from 1 to 5."}]});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_whole_answer() {
    let server = Server::start(&[]);
    let answer = server.post("/v1/chat/completions", &body(json!({}))).json();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], "demo");
    let choice = &answer["choices"][0];
    assert_eq!(choice["message"]["content"], "1 2 3 4 5");
    assert_eq!(choice["finish_reason"], "stop");
    assert_eq!(answer["usage"]["completion_tokens"], 5);
    let cut = server.post(
        "/v1/chat/completions",
        &body(json!({"max_completion_tokens": 2})),
    );
    assert_eq!(cut.json()["choices"][0]["finish_reason"], "length");
}

#[test]
fn a_streamed_answer() {
    let server = Server::start(&[]);
    let more = json!({"stream": true, "stream_options": {"include_usage": true}});
    let events = server.post("/v1/chat/completions", &body(more)).events();
    let text: String = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text, "1 2 3 4 5");
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    let [.., finish, usage, done] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(finish["choices"][0]["finish_reason"], "stop");
    assert_eq!(usage["usage"]["completion_tokens"], 5);
    assert_eq!(done, "[DONE]");
    let events = server
        .post("/v1/chat/completions", &body(json!({"stream": true})))
        .events();
    assert!(events.iter().all(|event| event.get("usage").is_none()));
}

#[test]
fn tools_there_and_back() {
    let server = Server::start(&[]);
    let tools = json!([{"type": "function", "function": {"name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]);
    let asked = json!({"tools": tools, "tool_choice": "required"});
    let answer = server
        .post("/v1/chat/completions", &body(asked.clone()))
        .json();
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], Value::Null);
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!(call["function"]["name"], "get_weather");
    let arguments = call["function"]["arguments"].as_str().unwrap();
    assert!(
        serde_json::from_str::<Value>(arguments)
            .unwrap()
            .is_object()
    );
    // Streamed arguments are the same.
    let mut streamed = body(asked);
    streamed["stream"] = json!(true);
    let events = server.post("/v1/chat/completions", &streamed).events();
    let pieces: String = events
        .iter()
        .filter_map(|event| {
            event["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str()
        })
        .collect();
    assert_eq!(pieces, arguments);
    // Sends the result back.
    let messages = json!([
        {"role": "user", "content": "What is the weather in Paris?"}, choice["message"],
        {"role": "tool", "tool_call_id": call["id"], "content": "sunny"},
    ]);
    let answer = server.post(
        "/v1/chat/completions",
        &json!({"model": "demo", "messages": messages, "tools": tools}),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["choices"][0]["message"]["content"].is_string());
}

#[test]
fn what_the_provider_gets() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(&upstream.url("/key/k/v1"), &[("CHATCORE_MAX_TOKENS", "77")]);
    let mut sent = body(json!({
        "model": "tiny", "temperature": 0.25, "top_p": 0.5, "seed": 3, "stop": "x", "user": "u",
        "presence_penalty": 0.5, "parallel_tool_calls": false, "response_format": {"type": "json_object"},
    }));
    sent["messages"] = json!([
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}]},
    ]);
    let answer = server.post("/v1/chat/completions", &sent);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = smol::block_on(upstream.request("k")).unwrap();
    assert_eq!(
        seen.header("authorization"),
        Some("Bearer sk-the-providers-key")
    );
    let got: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(got["max_tokens"], 77);
    assert_eq!(got["messages"][0]["role"], "system");
    assert_eq!(got["messages"][1], sent["messages"][1]);
    for name in [
        "model",
        "temperature",
        "top_p",
        "seed",
        "user",
        "presence_penalty",
        "parallel_tool_calls",
        "response_format",
    ] {
        assert_eq!(got[name], sent[name], "{name}");
    }
    assert_eq!(got["stop"], json!(["x"]));
}

/// If the order of a schema's keys is lost, a model that should reason first answers first.
#[test]
fn the_order_of_keys_is_kept() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(&upstream.url("/key/k/v1"), &[]);
    let schema = r##"{"type":"object","properties":{"reasoning":{"type":"string"},"answer":{"type":"integer"},"b":{"$ref":"#/$defs/B"}},"required":["reasoning","answer"],"$defs":{"B":{"z":1,"a":2}},"additionalProperties":false}"##;
    let extra = r#""signature":"s","extra_content":{"z":1,"a":{"y":2,"b":3}}"#;
    let metadata = r#"{"zebra":"1","ant":"2"}"#;
    let sent = format!(
        r#"{{"model":"tiny","messages":[{{"role":"user","content":"hi"}},
        {{"role":"assistant","content":null,"tool_calls":[{{"id":"c","type":"function",{extra},
            "function":{{"name":"f","arguments":"{{}}"}}}}]}},
        {{"role":"tool","tool_call_id":"c","content":"sunny"}}],
        "tools":[{{"type":"function","function":{{"name":"f","parameters":{schema}}}}}],
        "response_format":{{"type":"json_schema","json_schema":{{"name":"s","schema":{schema}}}}},
        "metadata":{metadata}}}"#
    );
    let mut connection = server.connect();
    let answer = connection.ask("POST", "/v1/chat/completions", &[], sent.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = smol::block_on(upstream.request("k")).unwrap();
    let got = std::str::from_utf8(&seen.body).unwrap();
    assert_eq!(got.matches(schema).count(), 2, "{got}");
    assert!(got.contains(extra), "{got}");
    assert!(got.contains(metadata), "{got}");
}
