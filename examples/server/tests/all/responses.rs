//! The front for Responses. The tests with openai-python are in `clients/`.

use chatcore_conformance::server::Server as Upstream;
use serde_json::{Value, json};

use crate::harness::Server;

const PATH: &str = "/v1/responses";

fn body(more: Value) -> Value {
    let mut body = json!({"model": "demo", "input": "Count from 1 to 5."});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_whole_answer() {
    let server = Server::start(&[]);
    let answer = server.post(PATH, &body(json!({"temperature": 0.5}))).json();
    assert_eq!(
        (&answer["object"], &answer["status"]),
        (&json!("response"), &json!("completed"))
    );
    let output = &answer["output"][0];
    assert_eq!(
        (&output["type"], &output["role"]),
        (&json!("message"), &json!("assistant"))
    );
    assert_eq!(output["content"][0]["text"], "1 2 3 4 5");
    assert_eq!(answer["usage"]["output_tokens"], 5);
    assert_eq!(
        (&answer["temperature"], &answer["tools"]),
        (&json!(0.5), &json!([]))
    );
}

#[test]
fn a_streamed_answer() {
    let server = Server::start(&[]);
    let answer = server.post(PATH, &body(json!({"stream": true})));
    assert!(
        answer
            .text()
            .starts_with("event: response.created\ndata: {")
    );
    let events = answer.events();
    let of = |kind: &'static str| events.iter().filter(move |event| event["type"] == kind);
    let text: String = of("response.output_text.delta")
        .filter_map(|event| event["delta"].as_str())
        .collect();
    assert_eq!(text, "1 2 3 4 5");
    assert_eq!(
        of("response.output_text.done").next().unwrap()["text"],
        *text
    );
    let item = &of("response.output_item.done").next().unwrap()["item"];
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.completed");
    assert_eq!(&last["response"]["output"][0], item);
    assert_eq!(last["response"]["usage"]["output_tokens"], 5);
    let numbers = events
        .iter()
        .map(|event| event["sequence_number"].as_u64().unwrap());
    assert!(numbers.eq(0..events.len() as u64));
}

#[test]
fn tools_there_and_back() {
    let server = Server::start(&[]);
    let tools = json!([{"type": "function", "name": "get_weather", "parameters":
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]);
    let asked = body(json!({"tools": tools, "tool_choice": "required"}));
    let answer = server.post(PATH, &asked).json();
    let call = &answer["output"][0];
    assert_eq!(
        (&call["type"], &call["name"]),
        (&json!("function_call"), &json!("get_weather"))
    );
    let result =
        json!({"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"});
    let input = json!([{"role": "user", "content": "What is the weather in Paris?"}, call, result]);
    let answer = server.post(
        PATH,
        &json!({"model": "demo", "input": input, "tools": tools}),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["output"][0]["content"][0]["text"].is_string());
}

#[test]
fn a_stream_that_breaks_says_so() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(&upstream.url("/words/9/error-event/3/v1"), &[]);
    let asked = body(json!({"model": "tiny", "stream": true}));
    let events = server.post(PATH, &asked).events();
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.failed", "{events:?}");
    assert_eq!(last["response"]["status"], "failed");
    assert!(last["response"]["error"]["message"].is_string(), "{last}");
}

/// The request that a provider with chat completions receives.
#[test]
fn what_the_provider_gets() {
    let upstream = Upstream::start().unwrap();
    let server = Server::before(&upstream.url("/key/k/v1"), &[("CHATCORE_MAX_TOKENS", "77")]);
    let sent = body(json!({
        "model": "tiny", "instructions": "Be brief.", "store": false, "user": "u",
        "text": {"format": {"type": "json_schema", "name": "s", "schema": {"z": 1, "a": 2}}},
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "What is it?"},
                {"type": "input_image", "image_url": "https://x.test/y.png", "detail": "low"},
                {"type": "input_file", "file_id": "file-1"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"},
            {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "sunny"},
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
                {"type": "image_url", "image_url": {"url": "https://x.test/y.png", "detail": "low"}},
                {"type": "file", "file": {"file_id": "file-1"}}]},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function",
                "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "sunny"},
        ])
    );
    assert_eq!(
        (&got["max_tokens"], &got["user"]),
        (&json!(77), &json!("u"))
    );
    let text = std::str::from_utf8(&seen.body).unwrap();
    assert!(text.contains(r#""schema":{"z":1,"a":2}"#), "{text}");
}

/// A provider with Responses receives its own items back unchanged, from whole answers and streams.
#[test]
fn the_same_protocol_on_both_sides() {
    let upstream = Upstream::start().unwrap();
    let vars = [("LLM_PROVIDER", "openai"), ("LLM_MODEL", "gpt-6-astra")];
    let server = Server::before(&upstream.url("/key/k/as/openai/v1"), &vars);
    let model = json!("gpt-6-astra");
    let asked = |input: &Value, stream: bool| {
        json!({"model": model, "input": input, "stream": stream, "reasoning": {"effort": "low"},
            "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}]})
    };
    for (stream, second) in [(false, 2), (true, 4)] {
        let question = json!({"role": "user", "content": "hello"});
        let answer = server.post(PATH, &asked(&json!([question]), stream));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let whole = match stream {
            true => answer.events().last().unwrap()["response"].clone(),
            false => answer.json(),
        };
        let mut input = vec![question];
        input.extend(whole["output"].as_array().unwrap().clone());
        input.push(json!({"role": "user", "content": "and?"}));
        let answer = server.post(PATH, &asked(&json!(input), false));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = smol::block_on(upstream.nth_request("k", second)).unwrap();
        let got: Value = serde_json::from_slice(&seen.body).unwrap();
        let [_, reasoning, said, _] = &got["input"].as_array().unwrap()[..] else {
            panic!("{got}");
        };
        // The ids are the provider's, and none of the server's own fields is left.
        let names: Vec<_> = reasoning.as_object().unwrap().keys().collect();
        assert_eq!(names, ["id", "type", "summary", "encrypted_content"]);
        assert!(
            reasoning["id"].as_str().is_some_and(|id| id.len() < 8),
            "{reasoning}"
        );
        assert_eq!(said["content"][0]["text"], "echo: hello");
        assert!(said["id"].as_str().is_some_and(|id| id.len() < 8), "{said}");
        assert_eq!(said.get("openai_responses"), None);
    }
}
