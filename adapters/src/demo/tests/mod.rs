mod dialects;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Mutex;

use chatcore::{BoxFuture, Instant};
use futures_core::Stream;
use futures_lite::future::block_on;
use serde_json::{Value, json};

use super::*;

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

fn request(path: &str, body: &Value) -> Request<Bytes> {
    Request::post(format!("http://127.0.0.1{path}"))
        .body(body.to_string().into())
        .unwrap()
}

/// The response, its body in the chunks in which it came.
fn send(transport: &DemoTransport, request: Request<Bytes>) -> (Response<()>, Vec<Bytes>) {
    block_on(async {
        let (head, mut body) = transport.send(request).await.unwrap().into_parts();
        let mut chunks = Vec::new();
        while let Some(chunk) = poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await {
            chunks.push(chunk.unwrap());
        }
        (Response::from_parts(head, ()), chunks)
    })
}

fn post(path: &str, body: &Value) -> (Response<()>, Vec<Bytes>) {
    send(&DemoTransport::new(), request(path, body))
}

fn whole(path: &str, body: &Value) -> Value {
    let (head, chunks) = post(path, body);
    assert_eq!(head.status(), 200, "{chunks:?}");
    assert_eq!(head.headers()["content-type"], "application/json");
    assert_eq!(chunks.len(), 1);
    assert_eq!(
        head.headers()["content-length"],
        chunks[0].len().to_string()
    );
    serde_json::from_slice(&chunks[0]).unwrap()
}

/// The events of a stream: each is a chunk of its own. Checks what SSE demands of them.
fn events(path: &str, body: &Value) -> Vec<(Option<String>, String)> {
    let (head, chunks) = post(path, body);
    assert_eq!(head.status(), 200);
    assert_eq!(
        head.headers()["content-type"],
        "text/event-stream; charset=utf-8"
    );
    assert!(!head.headers().contains_key("content-length"));
    let read = |chunk: &Bytes| {
        let chunk = std::str::from_utf8(chunk).unwrap();
        let lines = chunk.strip_suffix("\n\n").unwrap();
        let (name, data) = match lines.split_once('\n') {
            Some((name, data)) => (Some(name.strip_prefix("event: ").unwrap().to_owned()), data),
            None => (None, lines),
        };
        assert!(!data.contains('\n'), "{data}");
        (name, data.strip_prefix("data: ").unwrap().to_owned())
    };
    chunks.iter().map(read).collect()
}

fn ask(prompt: &str) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": prompt}], "max_tokens": 256})
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn weather() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

#[test]
fn a_whole_completion() {
    let answer = whole(CHAT, &ask("What is 2+2?"));
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], "m");
    assert_eq!(answer["choices"][0]["message"]["content"], "2+2 = 4.");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let usage = json!({"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10});
    assert_eq!(answer["usage"], usage);
}

#[test]
fn what_todays_models_are_asked_is_taken() {
    let prompt = "Count from 1 to 9.";
    let body = json!({"model": "m", "messages": [{"role": "user", "content": prompt}],
        "max_completion_tokens": 3, "reasoning_effort": "none", "thinking": {"type": "disabled"},
        "verbosity": "low"});
    let answer = whole(CHAT, &body);
    assert_eq!(answer["choices"][0]["message"]["content"], "1 2 3");
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    let body = with(ask("What is 2+2?"), "thinking", json!({"type": "adaptive"}));
    let body = with(body, "output_config", json!({"effort": "low"}));
    assert_eq!(whole(MESSAGES, &body)["content"][0]["text"], "2+2 = 4.");
    for (path, field) in [
        (CHAT, "thinking"),
        (CHAT, "reasoning_effort"),
        (MESSAGES, "thinking"),
    ] {
        let (head, _) = post(path, &with(ask("hi"), field, json!(7)));
        assert_eq!(head.status(), 400, "{path} {field}");
    }
}

#[test]
fn a_completion_word_by_word() {
    let body = with(ask("Count to 4"), "stream", json!(true));
    let body = with(body, "stream_options", json!({"include_usage": true}));
    let events = events(CHAT, &body);
    let (done, chunks) = events.split_last().unwrap();
    assert_eq!(done.1, "[DONE]");
    let chunks: Vec<Value> = chunks
        .iter()
        .map(|(_, data)| serde_json::from_str(data).unwrap())
        .collect();
    let words: Vec<_> = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(words, ["", "1", " 2", " 3", " 4"]);
    let finish = &chunks[chunks.len() - 2];
    assert_eq!(finish["choices"][0]["finish_reason"], "stop");
    let last = &chunks[chunks.len() - 1];
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["completion_tokens"], 4);
}

#[test]
fn a_whole_message_and_a_streamed_one() {
    let body = with(ask("Count to 3"), "system", json!("Be brief."));
    let answer = whole(MESSAGES, &body);
    assert_eq!(
        answer["content"],
        json!([{"type": "text", "text": "1 2 3"}])
    );
    assert_eq!(answer["stop_reason"], "end_turn");
    assert_eq!(answer["usage"]["output_tokens"], 3);

    let events = events(MESSAGES, &with(body, "stream", json!(true)));
    let mut names = Vec::new();
    let mut text = String::new();
    for (name, data) in &events {
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["type"].as_str(), name.as_deref());
        text += data["delta"]["text"].as_str().unwrap_or("");
        names.push(name.as_deref().unwrap());
    }
    let delta = "content_block_delta";
    assert_eq!(names[..3], ["message_start", "content_block_start", "ping"]);
    assert_eq!(names[3..6], [delta, delta, delta]);
    assert_eq!(
        names[6..],
        ["content_block_stop", "message_delta", "message_stop"]
    );
    assert_eq!(text, "1 2 3");
}

#[test]
fn the_same_request_gets_the_same_bytes() {
    for (path, id) in [(CHAT, "x-request-id"), (MESSAGES, "request-id")] {
        for stream in [false, true] {
            let body = with(ask("Why?"), "stream", json!(stream));
            let (first, second) = (post(path, &body), post(path, &body));
            assert_eq!(first.1, second.1);
            assert_eq!(first.0.headers(), second.0.headers());
            let other = post(path, &with(ask("How?"), "stream", json!(stream)));
            assert_ne!(first.0.headers()[id], other.0.headers()[id]);
        }
    }
}

#[test]
fn max_tokens_cut_and_stops_stop() {
    let cut = whole(CHAT, &with(ask("Count to 9"), "max_tokens", json!(4)));
    assert_eq!(cut["choices"][0]["message"]["content"], "1 2 3 4");
    assert_eq!(cut["choices"][0]["finish_reason"], "length");
    assert_eq!(cut["usage"]["completion_tokens"], 4);
    let cut = whole(MESSAGES, &with(ask("Count to 9"), "max_tokens", json!(4)));
    assert_eq!(cut["stop_reason"], "max_tokens");
    let exact = whole(CHAT, &with(ask("Count to 4"), "max_tokens", json!(4)));
    assert_eq!(exact["choices"][0]["finish_reason"], "stop");

    let stopped = whole(CHAT, &with(ask("Count to 9"), "stop", json!([" 7", " 5"])));
    assert_eq!(stopped["choices"][0]["message"]["content"], "1 2 3 4");
    let stopped = whole(
        MESSAGES,
        &with(ask("Count to 9"), "stop_sequences", json!([" 5"])),
    );
    assert_eq!(stopped["stop_sequence"], " 5");
}

#[test]
fn a_tool_asked_for_by_name_is_called() {
    let tools = json!([{"type": "function",
        "function": {"name": "get_weather", "parameters": weather()}}]);
    let body = with(
        ask("Use get_weather for the weather in Paris"),
        "tools",
        tools.clone(),
    );
    let answer = whole(CHAT, &body);
    let call = &answer["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call["function"]["name"], "get_weather");
    assert_eq!(call["function"]["arguments"], r#"{"city":"Paris"}"#);
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");

    let mut arguments = String::new();
    for (_, data) in events(CHAT, &with(body, "stream", json!(true))) {
        let chunk: Value = serde_json::from_str(&data).unwrap_or_default();
        let call = &chunk["choices"][0]["delta"]["tool_calls"][0];
        arguments += call["function"]["arguments"].as_str().unwrap_or("");
    }
    assert_eq!(arguments, r#"{"city":"Paris"}"#);

    // Not named, and forced.
    let body = with(ask("How warm is it in Rome?"), "tools", tools);
    let text = whole(CHAT, &body);
    assert!(text["choices"][0]["message"]["content"].is_string());
    let forced = whole(CHAT, &with(body, "tool_choice", json!("required")));
    assert_eq!(forced["choices"][0]["finish_reason"], "tool_calls");

    // Its result is told.
    let mut told = ask("Use get_weather");
    let result = json!({"role": "tool", "tool_call_id": "1", "content": "12 °C"});
    told["messages"].as_array_mut().unwrap().push(result);
    let told = whole(CHAT, &told);
    assert_eq!(
        told["choices"][0]["message"]["content"],
        "The tool returned: 12 °C"
    );
}

#[test]
fn a_tool_of_anthropics_is_called() {
    let tools = json!([{"name": "get_weather", "input_schema": weather()}]);
    let body = with(ask("get_weather in Paris"), "tools", tools);
    let answer = whole(MESSAGES, &body);
    assert_eq!(answer["content"][0]["input"], json!({"city": "Paris"}));
    assert_eq!(answer["stop_reason"], "tool_use");
    let mut arguments = String::new();
    for (_, data) in events(MESSAGES, &with(body, "stream", json!(true))) {
        let data: Value = serde_json::from_str(&data).unwrap();
        arguments += data["delta"]["partial_json"].as_str().unwrap_or("");
    }
    assert_eq!(arguments, r#"{"city":"Paris"}"#);
}

#[test]
fn a_schema_is_obeyed() {
    let format = json!({"type": "json_schema",
        "json_schema": {"name": "w", "schema": weather()}});
    let answer = whole(
        CHAT,
        &with(ask("weather in Paris"), "response_format", format),
    );
    assert_eq!(
        answer["choices"][0]["message"]["content"],
        r#"{"city":"Paris"}"#
    );
    let format = json!({"type": "json_object"});
    let answer = whole(CHAT, &with(ask("2+2"), "response_format", format));
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(text).unwrap(),
        json!({"answer": "2+2 = 4."})
    );
}

#[test]
fn bad_requests_are_refused_in_the_providers_form() {
    for (body, param) in [
        (json!(7), None),
        (json!({"messages": []}), Some("model")),
        (json!({"model": "m"}), Some("messages")),
        (json!({"model": "m", "messages": []}), Some("messages")),
        (
            json!({"model": "m", "messages": [{"role": "king"}]}),
            Some("messages[0].role"),
        ),
        (
            json!({"model": "m", "messages": [{"role": "user"}]}),
            Some("messages[0].content"),
        ),
        (
            with(ask("x"), "temperature", json!(2.5)),
            Some("temperature"),
        ),
        (with(ask("x"), "max_tokens", json!(0)), Some("max_tokens")),
        (with(ask("x"), "stream", json!("yes")), Some("stream")),
        (with(ask("x"), "n", json!(2)), Some("n")),
        (
            with(ask("x"), "tools", json!([{}])),
            Some("tools[0].function.name"),
        ),
    ] {
        let (head, chunks) = post(CHAT, &body);
        assert_eq!(head.status(), 400, "{body}");
        let error: Value = serde_json::from_slice(&chunks[0]).unwrap();
        assert_eq!(error["error"]["type"], "invalid_request_error");
        assert_eq!(error["error"]["param"].as_str(), param, "{body}: {error}");
    }
    let (head, chunks) = post(MESSAGES, &json!({"model": "m", "messages": []}));
    assert_eq!(head.status(), 400);
    let error: Value = serde_json::from_slice(&chunks[0]).unwrap();
    assert_eq!(error["error"]["message"], "max_tokens: Field required");
    assert!(head.headers().contains_key("request-id"));

    let (head, _) = post("/v1/images", &ask("x"));
    assert_eq!(head.status(), 404);
    let get = Request::get(CHAT).body(Bytes::new()).unwrap();
    assert_eq!(send(&DemoTransport::new(), get).0.status(), 405);
    let garbage = Request::post(CHAT)
        .body(Bytes::from_static(b"{\"a"))
        .unwrap();
    assert_eq!(send(&DemoTransport::new(), garbage).0.status(), 400);
}

/// Sleeps are over at once, and written down.
#[derive(Debug, Default)]
struct Sleeps(Mutex<Vec<Duration>>);

impl Executor for Sleeps {
    fn spawn(&self, _task: BoxFuture<'static, ()>) {
        panic!("the demo needs no tasks");
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.lock().unwrap().push(duration);
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> Instant {
        panic!("the demo needs no clock");
    }
}

#[test]
fn latency_is_the_executors() {
    let (first, per_word) = (Duration::from_millis(100), Duration::from_millis(7));
    let sleeps = |stream: bool| {
        let executor = Arc::new(Sleeps::default());
        let clock: Arc<dyn Executor> = executor.clone();
        let transport = DemoTransport::new().latency(clock, first, per_word);
        let body = with(ask("Count to 4"), "stream", json!(stream));
        send(&transport, request(CHAT, &body));
        executor.0.lock().unwrap().clone()
    };
    assert_eq!(sleeps(true), [first, per_word, per_word, per_word]);
    assert_eq!(sleeps(false), [first + 3 * per_word]);
}
