//! Encodes requests as JSON.

use chatcore::chat::{ReasoningEffort, ResponseFormat, Role, ToolResult};
use chatcore::{
    ChatRequest, Dialect, Error, ErrorKind, Message, Mode, Part, Provider, Tool, ToolCall,
    ToolChoice,
};
use chatcore_stranger::OllamaChat;
use serde_json::{Value, json};

fn encode(request: &ChatRequest, mode: Mode) -> Result<Value, Error> {
    let dialect = OllamaChat::default();
    let provider = Provider::new("ollama", "http://127.0.0.1:11434", "qwen3", dialect);
    let request = dialect.encode(&provider.endpoint()?, request, mode)?;
    assert_eq!(request.uri(), "http://127.0.0.1:11434/api/chat");
    Ok(serde_json::from_slice(request.body()).unwrap())
}

fn ask() -> ChatRequest {
    ChatRequest::new([Message::user("hi")])
}

#[test]
fn a_plain_question() {
    assert_eq!(
        encode(&ask(), Mode::Whole).unwrap(),
        json!({"model": "qwen3", "messages": [{"role": "user", "content": "hi"}], "stream": false})
    );
    let request = ask().system_prompt("Be brief.").model("llama3");
    let body = encode(&request, Mode::Stream).unwrap();
    assert_eq!(body["model"], "llama3");
    assert_eq!(body["stream"], true);
    assert_eq!(body["messages"][0]["role"], "system");
}

#[test]
fn options_stand_together_and_the_callers_win() {
    let mut request = ask()
        .temperature(0.5)
        .max_tokens(9)
        .extra("options", json!({"num_ctx": 4096, "num_predict": 7}))
        .extra("keep_alive", "5m");
    request.stop = vec!["END".into()];
    request.seed = Some(3);
    request.top_p = Some(0.9);
    let body = encode(&request, Mode::Whole).unwrap();
    assert_eq!(
        body["options"],
        json!({
            "temperature": 0.5, "top_p": 0.9, "seed": 3, "stop": ["END"],
            "num_ctx": 4096, "num_predict": 7,
        })
    );
    assert_eq!(body["keep_alive"], "5m");
}

#[test]
fn thinking_and_formats() {
    for (effort, think) in [
        (ReasoningEffort::None, json!(false)),
        (ReasoningEffort::Minimal, json!("low")),
        (ReasoningEffort::Medium, json!("medium")),
        (ReasoningEffort::Max, json!("high")),
    ] {
        let mut request = ask();
        request.reasoning_effort = Some(effort);
        assert_eq!(encode(&request, Mode::Whole).unwrap()["think"], think);
    }
    let schema = json!({"type": "object", "properties": {"z": {}, "a": {}}});
    let mut request = ask();
    request.response_format = Some(ResponseFormat::JsonSchema {
        name: "x".into(),
        schema: schema.clone(),
        strict: true,
    });
    assert_eq!(encode(&request, Mode::Whole).unwrap()["format"], schema);
    request.response_format = Some(ResponseFormat::JsonObject);
    assert_eq!(encode(&request, Mode::Whole).unwrap()["format"], "json");
}

#[test]
fn tools_their_calls_and_their_results() {
    let calls = Message::new(
        Role::Assistant,
        [
            ToolCall::new("", "f", r#"{"a":1}"#).into(),
            ToolCall::new("", "g", "").into(),
            // A call that was cut off.
            ToolCall::new("", "h", "{\"a\": ").into(),
        ],
    );
    let results = Message::new(
        Role::User,
        [
            ToolResult::new("", "one").into(),
            ToolResult::new("", "two").into(),
            ToolResult::error("", "three").into(),
        ],
    );
    let mut request = ChatRequest::new([Message::user("hi"), calls, results])
        .tool(Tool::new("f", json!({"type": "object"})).description("F"));
    let body = encode(&request, Mode::Whole).unwrap();
    assert_eq!(
        body["tools"],
        json!([{"type": "function", "function": {
            "name": "f", "description": "F", "parameters": {"type": "object"},
        }}])
    );
    assert_eq!(
        body["messages"][1]["tool_calls"],
        json!([
            {"function": {"name": "f", "arguments": {"a": 1}}},
            {"function": {"name": "g", "arguments": {}}},
            {"function": {"name": "h", "arguments": {"INVALID_JSON": "{\"a\": "}}},
        ])
    );
    assert_eq!(
        body["messages"].as_array().unwrap()[2..],
        [
            json!({"role": "tool", "tool_name": "f", "content": "one"}),
            json!({"role": "tool", "tool_name": "g", "content": "two"}),
            json!({"role": "tool", "tool_name": "h", "content": "three"}),
        ]
    );
    request.tool_choice = Some(ToolChoice::None);
    assert_eq!(encode(&request, Mode::Whole).unwrap().get("tools"), None);
}

#[test]
fn images_go_beside_the_text() {
    let message = Message::user("what is this?").part(Part::image_base64("image/png", "QUJD"));
    let body = encode(&ChatRequest::new([message]), Mode::Whole).unwrap();
    assert_eq!(
        body["messages"][0],
        json!({"role": "user", "content": "what is this?", "images": ["QUJD"]})
    );
}

#[test]
fn what_cannot_be_said_is_refused() {
    let linked = Message::user("?").part(Part::image_url("https://a.example/b.png"));
    let mut forced = ask();
    forced.tool_choice = Some(ToolChoice::Required);
    for (request, why) in [
        (ChatRequest::new([linked]), "image_base64"),
        (forced, "tool_choice"),
        (ask().model(" "), "no model is set"),
        (ask().extra("options", 1), "`options` is not an object"),
    ] {
        let error = encode(&request, Mode::Whole).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{why}");
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
}
