//! Encoding of requests.

use serde_json::{Value, json};

use crate::chat::{
    ChatRequest, Message, Part, Reasoning, ReasoningEffort, Refusal, ResponseFormat, Role, Text,
    Tool, ToolCall, ToolChoice, ToolResult,
};
use crate::dialect::anthropic::Anthropic;
use crate::dialect::{Dialect, Mode};
use crate::error::{Error, ErrorKind};
use crate::provider::Provider;

fn try_encode(dialect: &Anthropic, request: &ChatRequest, mode: Mode) -> Result<Value, Error> {
    let endpoint = Provider::anthropic()
        .with_api_key("sk-ant-secret")
        .endpoint()
        .unwrap();
    let encoded = dialect.encode(&endpoint, request, mode)?;
    Ok(serde_json::from_slice(encoded.body()).unwrap())
}

fn encode(request: &ChatRequest) -> Value {
    try_encode(&Anthropic::default(), request, Mode::Whole).unwrap()
}

fn refused(request: &ChatRequest) -> String {
    let error = try_encode(&Anthropic::default(), request, Mode::Whole).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    error.to_string()
}

fn messages(messages: impl IntoIterator<Item = Message>) -> Value {
    encode(&ChatRequest::new(messages))["messages"].take()
}

fn hi() -> ChatRequest {
    ChatRequest::new([Message::user("hi")])
}

fn thinks(model: &str, effort: ReasoningEffort, max_tokens: u32) -> ChatRequest {
    let mut request = hi().model(model).max_tokens(max_tokens).temperature(0.0);
    request.reasoning_effort = Some(effort);
    request
}

fn call(arguments: &str) -> Message {
    let call = ToolCall::new("t1", "weather", arguments);
    Message::new(Role::Assistant, [Part::ToolCall(call)])
}

#[test]
fn the_least_and_the_most() {
    assert_eq!(
        encode(&hi()),
        json!({"model": "claude-haiku-5-5", "max_tokens": 29096,
            "messages": [{"role": "user", "content": "hi"}]})
    );
    let mut request = hi().model("claude-sonnet-4-6").max_tokens(9);
    request = request.temperature(0.5).system_prompt("Be brief.");
    request.stop = vec!["END".into()];
    request = request
        .tool(Tool::new("f", json!({"type": "object"})).description("does f"))
        .extra("metadata", json!({"user_id": "u"}));
    request.tool_choice = Some(ToolChoice::Required);
    request.response_format = Some(ResponseFormat::JsonSchema {
        name: "n".into(),
        schema: json!({"type": "object"}),
        strict: true,
    });
    assert_eq!(
        try_encode(&Anthropic::default(), &request, Mode::Stream).unwrap(),
        json!({
            "model": "claude-sonnet-4-6", "max_tokens": 9, "system": "Be brief.",
            "messages": [{"role": "user", "content": "hi"}], "temperature": 0.5,
            "stop_sequences": ["END"], "stream": true, "metadata": {"user_id": "u"},
            "tools": [{"name": "f", "description": "does f", "input_schema": {"type": "object"}}],
            "tool_choice": {"type": "any"},
            "output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "additionalProperties": false}}},
        })
    );
}

#[test]
fn keys_keep_their_order() {
    let text = r#"{"type":"object","properties":{"steps":{"z":1,"a":2},"answer":{}}}"#;
    let schema: Value = serde_json::from_str(text).unwrap();
    let request = ChatRequest {
        tools: vec![Tool::new("f", schema.clone())],
        ..hi()
    };
    let sent = encode(&request.extra("options", schema));
    assert_eq!(sent["tools"][0]["input_schema"].to_string(), text);
    assert_eq!(sent["options"].to_string(), text);
}

#[test]
fn each_tool_choice() {
    for (choice, expected) in [
        (ToolChoice::Auto, json!({"type": "auto"})),
        (ToolChoice::None, json!({"type": "none"})),
        (ToolChoice::Required, json!({"type": "any"})),
        (
            ToolChoice::Tool("f".into()),
            json!({"type": "tool", "name": "f"}),
        ),
    ] {
        let mut request = hi();
        request.tool_choice = Some(choice);
        assert_eq!(encode(&request)["tool_choice"], expected);
    }
}

#[test]
fn a_field_of_the_callers_replaces_ours() {
    let request = hi().max_tokens(5).extra("max_tokens", 7).extra("top_k", 3);
    let body = encode(&request);
    assert_eq!(body["max_tokens"], 7);
    assert_eq!(body["top_k"], 3);
}

#[test]
fn system_messages_are_joined_wherever_they_stand() {
    let mut cached = Text::new("Long.");
    let control = json!({"type": "ephemeral"});
    cached.extra.insert("cache_control".into(), control.clone());
    let body = encode(&ChatRequest::new([
        Message::system("One."),
        Message::user("hi"),
        Message::new(Role::System, [Part::Text(cached)]),
        Message::user("there"),
    ]));
    assert_eq!(
        body["system"],
        json!([
            {"type": "text", "text": "One."},
            {"type": "text", "text": "Long.", "cache_control": control},
        ])
    );
    assert_eq!(
        body["messages"],
        json!([{"role": "user", "content": [
            {"type": "text", "text": "hi"}, {"type": "text", "text": "there"}]}])
    );
}

#[test]
fn results_of_tools_follow_their_calls_at_once() {
    let image = Part::image_base64("image/png", "AAAA");
    let mut failed = ToolResult::error("t2", "no such city");
    failed.content.push(image);
    let told = messages([
        Message::user("weather?"),
        call(r#"{"city": "Paris", "days": 1.50}"#),
        Message::user("and hurry"),
        Message::tool_result("t1", "mild"),
        Message::new(Role::Tool, [Part::ToolResult(failed)]),
        Message::tool_result("t3", ""),
    ]);
    assert_eq!(
        told,
        json!([
            {"role": "user", "content": "weather?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "weather",
                "input": {"city": "Paris", "days": 1.5}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "mild"},
                {"type": "tool_result", "tool_use_id": "t2", "is_error": true, "content": [
                    {"type": "text", "text": "no such city"},
                    {"type": "image", "source":
                        {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]},
                {"type": "tool_result", "tool_use_id": "t3"},
                {"type": "text", "text": "and hurry"}]},
        ])
    );
}

#[test]
fn arguments_are_always_an_object() {
    let input = |arguments| {
        let told = messages([Message::user("hi"), call(arguments)]);
        told[1]["content"][0]["input"].clone()
    };
    assert_eq!(input(" {\"a\": 1} "), json!({"a": 1}));
    assert_eq!(input(""), json!({}));
    for broken in ["{\"a\": ", "[1]", "x"] {
        assert_eq!(input(broken), json!({"INVALID_JSON": broken}));
    }
}

#[test]
fn images_come_from_the_user() {
    let seen = Message::new(
        Role::User,
        [
            Part::text("what?"),
            Part::image_url("https://a.example/x.png"),
        ],
    );
    assert_eq!(
        messages([seen])[0]["content"],
        json!([{"type": "text", "text": "what?"},
            {"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}}])
    );
    let said = Message::new(
        Role::Assistant,
        [Part::image_url("https://a.example/x.png")],
    );
    let why = refused(&ChatRequest::new([Message::user("hi"), said]));
    assert!(why.contains("message of the role assistant"), "{why}");
}

#[test]
fn reasoning_goes_back_with_its_proof_only() {
    let other = json!({"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}});
    let answer = Message::new(
        Role::Assistant,
        [
            Part::Reasoning(Reasoning::new("unsigned")),
            Part::Reasoning(Reasoning::new("hm").signature("sig")),
            Part::Reasoning(Reasoning::default().signature("kept back")),
            Part::Reasoning(Reasoning::encrypted("xyz")),
            Part::text(" \n"),
            Part::Other {
                dialect: None,
                value: other.clone(),
            },
            Part::Refusal(Refusal::new("no")),
        ],
    );
    let told = messages([Message::user("hi"), answer]);
    assert_eq!(
        told[1]["content"],
        json!([
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "thinking", "thinking": "", "signature": "kept back"},
            {"type": "redacted_thinking", "data": "xyz"},
            other,
            {"type": "text", "text": "no"},
        ])
    );
}

#[test]
fn a_message_of_which_nothing_is_left_parts_no_turns() {
    let unsigned = Message::new(Role::Assistant, [Part::Reasoning(Reasoning::new("hm"))]);
    let told = messages([Message::user("a"), unsigned, Message::user("b")]);
    assert_eq!(
        told,
        json!([{"role": "user", "content": [
            {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}])
    );
}

#[test]
fn what_cannot_be_said_is_refused() {
    let with = |change: fn(&mut ChatRequest)| {
        let mut request = hi();
        change(&mut request);
        request
    };
    let odd = Message::new(Role::Other("developer".into()), [Part::text("x")]);
    let calling = Message::new(Role::System, call("{}").parts);
    for (request, why) in [
        (
            with(|r| r.temperature = Some(1.1)),
            "Anthropic allows 0 to 1",
        ),
        (with(|r| r.seed = Some(1)), "has no seed"),
        (
            with(|r| r.response_format = Some(ResponseFormat::JsonObject)),
            "no JSON mode without a schema",
        ),
        (
            ChatRequest::new([Message::system("x")]),
            "only a system prompt",
        ),
        (
            ChatRequest::new([Message::user("hi"), odd]),
            "no role \"developer\"",
        ),
        (
            ChatRequest::new([Message::user("hi"), calling]),
            "can only be text",
        ),
    ] {
        let error = refused(&request);
        assert!(error.contains(why), "{why}: {error}");
    }
}

#[test]
fn sampling_goes_as_it_is_set() {
    let mut request = hi().model("claude-opus-4-8").temperature(0.0);
    request.top_p = Some(0.9);
    request.reasoning_effort = Some(ReasoningEffort::Low);
    let body = encode(&request);
    let sampling = (&body["temperature"], &body["top_p"]);
    assert_eq!(sampling, (&json!(0.0), &json!(0.9)));
}

#[test]
fn reasoning_is_turned_off_in_the_models_own_way() {
    for (model, off) in [
        ("claude-haiku-5-5", "disabled"),
        ("claude-sonnet-5-5", "between_tools"),
        ("claude-haiku-4-5", "disabled"),
        ("qwen3-8b", "disabled"),
    ] {
        let body = encode(&thinks(model, ReasoningEffort::None, 256));
        assert_eq!(body["thinking"], json!({ "type": off }), "{model}");
    }
}

#[test]
fn a_request_without_a_limit_gets_one_with_room_for_reasoning() {
    let limit = |request: ChatRequest| encode(&request)["max_tokens"].take();
    for (model, effort, expected) in [
        ("claude-opus-5-5", None, 29_096),
        ("claude-haiku-5-5", None, 29_096),
        ("claude-haiku-5-5", Some(ReasoningEffort::None), 4_096),
        ("claude-haiku-4-5", None, 4_096),
        ("claude-haiku-4-5", Some(ReasoningEffort::Low), 29_096),
        ("claude-3-haiku-20240307", None, 4_096),
    ] {
        let request = hi().model(model).reasoning_effort(effort);
        assert_eq!(limit(request), expected, "{model}");
    }
    let thinking = |kind| limit(hi().extra("thinking", json!({"type": kind})));
    assert_eq!(thinking("adaptive"), 29_096);
    assert_eq!(thinking("disabled"), 4_096);
}

#[test]
fn effort_guides_newer_models() {
    let body = encode(&thinks("claude-sonnet-4-6", ReasoningEffort::Minimal, 256));
    assert_eq!(body["thinking"], json!({"type": "adaptive"}));
    assert_eq!(body["output_config"], json!({"effort": "low"}));

    let body = encode(&thinks("claude-sonnet-4-6", ReasoningEffort::None, 256));
    assert_eq!(body["thinking"], json!({"type": "disabled"}));
    assert_eq!(body.get("output_config"), None);
}

#[test]
fn effort_is_a_budget_for_older_models() {
    let budget = |effort, max_tokens| {
        let body = encode(&thinks("claude-haiku-4-5", effort, max_tokens));
        assert_eq!(body.get("output_config"), None);
        assert_eq!(body["thinking"]["type"], "enabled");
        body["thinking"]["budget_tokens"].as_u64().unwrap()
    };
    assert_eq!(budget(ReasoningEffort::Medium, 8000), 4000);
    assert_eq!(budget(ReasoningEffort::Max, 8000), 7600);
    assert_eq!(budget(ReasoningEffort::Low, 1025), 1024);
    let why = refused(&thinks("claude-haiku-4-5", ReasoningEffort::High, 1024));
    assert!(why.contains("needs more than 1024"), "{why}");
    let odd = ReasoningEffort::Other("hectic".into());
    let why = refused(&thinks("claude-haiku-4-5", odd, 8000));
    assert!(why.contains("the reasoning effort \"hectic\""), "{why}");
}

#[test]
fn thinking_of_the_callers_own_counts() {
    let own = json!({"type": "enabled", "budget_tokens": 2000});
    let request = thinks("claude-haiku-4-5", ReasoningEffort::High, 256).extra("thinking", own);
    let body = encode(&request);
    assert_eq!(body["thinking"]["budget_tokens"], 2000);
}
