//! Encoding of requests, field by field.

use super::*;
use crate::chat::{
    File, Image, MediaSource, ReasoningEffort, ResponseFormat, Role, Tool, ToolCall, ToolChoice,
    ToolResult,
};
use crate::models::{ModelRule, Reasons};

fn hi() -> ChatRequest {
    ChatRequest::new([Message::user("hi")])
}

fn body(request: &ChatRequest) -> Value {
    encode(request, Mode::Whole).unwrap()
}

fn refused(request: &ChatRequest) -> String {
    let error = encode(request, Mode::Whole).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    error.message().to_owned()
}

#[test]
fn the_least() {
    let mut expected = json!({"model": "m", "input": [{"role": "user", "content": "hi"}],
        "store": false, "include": ["reasoning.encrypted_content"]});
    assert_eq!(body(&hi()), expected);
    expected["stream"] = json!(true);
    assert_eq!(encode(&hi(), Mode::Stream).unwrap(), expected);
}

#[test]
fn every_setting() {
    let request = ChatRequest {
        top_p: Some(0.5),
        tools: vec![
            Tool::new("f", json!({"type": "object"})).description("d"),
            Tool {
                strict: Some(true),
                ..Tool::new("g", json!({}))
            },
            Tool::new("sql", json!({})).extra(
                "openai_responses",
                json!({"type": "custom", "format": {"type": "text"}}),
            ),
        ],
        tool_choice: Some(ToolChoice::Tool("f".into())),
        reasoning_effort: Some(ReasoningEffort::Xhigh),
        response_format: Some(ResponseFormat::JsonSchema {
            name: "n".into(),
            schema: json!({"z": 1, "a": 2}),
            strict: true,
        }),
        ..hi().model("other").temperature(0.25).max_tokens(7)
    };
    assert_eq!(
        body(&request),
        json!({
            "model": "other", "input": [{"role": "user", "content": "hi"}],
            "store": false, "include": ["reasoning.encrypted_content"],
            "temperature": 0.25, "top_p": 0.5, "max_output_tokens": 7,
            "tools": [
                {"type": "function", "name": "f", "description": "d",
                    "parameters": {"type": "object"}, "strict": false},
                {"type": "function", "name": "g", "parameters": {}, "strict": true},
                {"type": "custom", "name": "sql", "format": {"type": "text"}}],
            "tool_choice": {"type": "function", "name": "f"},
            "reasoning": {"effort": "xhigh"},
            "text": {"format": {"type": "json_schema", "name": "n", "schema": {"z": 1, "a": 2},
                "strict": true}},
        })
    );
    for (choice, expected) in [
        (ToolChoice::Auto, json!("auto")),
        (ToolChoice::None, json!("none")),
        (ToolChoice::Required, json!("required")),
        (
            ToolChoice::Tool("sql".into()),
            json!({"type": "custom", "name": "sql"}),
        ),
    ] {
        let request = ChatRequest {
            tool_choice: Some(choice),
            ..request.clone()
        };
        assert_eq!(body(&request)["tool_choice"], expected);
    }
    for (format, expected) in [
        (ResponseFormat::Text, json!({"type": "text"})),
        (ResponseFormat::JsonObject, json!({"type": "json_object"})),
    ] {
        let request = ChatRequest {
            response_format: Some(format),
            ..hi()
        };
        assert_eq!(body(&request)["text"]["format"], expected);
    }
}

#[test]
fn the_callers_fields_replace_ours() {
    let request = hi()
        .extra("include", json!(["message.output_text.logprobs"]))
        .extra("store", false)
        .extra("metadata", json!({"a": "b"}))
        .extra("input", json!("raw"));
    let sent = body(&request);
    assert_eq!(sent["include"], json!(["message.output_text.logprobs"]));
    assert_eq!(
        (&sent["store"], &sent["input"]),
        (&json!(false), &json!("raw"))
    );
    assert_eq!(sent["metadata"], json!({"a": "b"}));
}

#[test]
fn a_conversation_that_the_server_keeps() {
    for (name, value) in [
        ("store", json!(true)),
        ("previous_response_id", json!("resp_1")),
        ("conversation", json!("conv_1")),
    ] {
        let sent = body(&hi().extra(name, value.clone()));
        assert_eq!(sent[name], value);
        assert_eq!(sent.get("include"), None, "{name}");
        assert_eq!(
            sent.get("store"),
            (name == "store").then_some(&value),
            "{name}"
        );
    }
}

#[test]
fn what_stands_within_a_field_of_the_callers() {
    let request = ChatRequest {
        reasoning_effort: Some(ReasoningEffort::Low),
        response_format: Some(ResponseFormat::JsonObject),
        ..hi()
    };
    let sent = body(
        &request
            .clone()
            .extra("reasoning", json!({"summary": "auto"}))
            .extra("text", json!({"verbosity": "low"})),
    );
    assert_eq!(
        sent["reasoning"],
        json!({"summary": "auto", "effort": "low"})
    );
    assert_eq!(
        sent["text"],
        json!({"verbosity": "low", "format": {"type": "json_object"}})
    );
    let sent = body(&request.extra("reasoning", json!({"effort": "high"})));
    assert_eq!(sent["reasoning"], json!({"effort": "high"}));
    for name in ["max_tokens", "max_completion_tokens"] {
        let sent = body(&hi().extra(name, 5));
        assert_eq!(
            (&sent["max_output_tokens"], sent.get(name)),
            (&json!(5), None)
        );
    }
}

#[test]
fn reasoning_is_turned_off_by_its_effort() {
    let dialect = OpenAiResponses::default();
    let request = ChatRequest {
        reasoning_effort: Some(ReasoningEffort::None),
        ..hi()
    };
    for provider in [Provider::openai(), Provider::deepseek()] {
        let provider = provider.with_api_key("k").with_dialect(dialect);
        let encoded = dialect.encode(&provider.endpoint().unwrap(), &request, Mode::Whole);
        let sent: Value = serde_json::from_slice(encoded.unwrap().body()).unwrap();
        assert_eq!(
            sent["reasoning"],
            json!({"effort": "none"}),
            "{}",
            provider.name()
        );
        assert_eq!(sent.get("thinking"), None);
    }
}

#[test]
fn models_that_do_not_reason_are_asked_for_no_reasoning() {
    let dialect = OpenAiResponses::default();
    let mut rule = ModelRule::new("m");
    rule.reasoning = Reasons::Never;
    let provider = Provider::new("p", "http://127.0.0.1/v1", "m", dialect);
    let endpoint = provider.with_model_rules([rule]).endpoint().unwrap();
    let encoded = dialect.encode(&endpoint, &hi(), Mode::Whole).unwrap();
    let sent: Value = serde_json::from_slice(encoded.body()).unwrap();
    assert_eq!((sent.get("include"), &sent["store"]), (None, &json!(false)));
}

#[test]
fn what_responses_cannot_say_is_refused() {
    let stop = ChatRequest {
        stop: vec!["x".into()],
        ..hi()
    };
    let seed = ChatRequest {
        seed: Some(1),
        ..hi()
    };
    for (request, word) in [
        (stop, "`stop`"),
        (seed, "`seed`"),
        (hi().extra("n", 2), "`n`"),
        (hi().extra("stream", true), "`stream`"),
        (hi().model(" "), "no model"),
        (
            ChatRequest::new([Message::user("").part(Part::audio_base64("audio/wav", "AA"))]),
            "cannot carry audio",
        ),
        (
            ChatRequest::new([Message::user("").part(Part::file_text("a"))]),
            "cannot carry a file of plain text",
        ),
        (
            ChatRequest::new([Message::assistant("").part(Part::image_url("u"))]),
            "is in a message of the role assistant",
        ),
    ] {
        let message = refused(&request);
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn what_a_user_shows() {
    let mut image = Image::new(MediaSource::url("https://a/b.png"));
    image.detail = Some("low".into());
    let pdf = File::new(MediaSource::base64("application/pdf", "JVBE")).name("a.pdf");
    let mut own_name = File::new(MediaSource::base64("text/plain", "YQ=="));
    own_name.extra.insert("filename".into(), "b.log".into());
    let message = Message::user("Look")
        .part(image)
        .part(Part::image_base64("image/png", "AA"))
        .part(Part::image_id("file-1"))
        .part(pdf)
        .part(Part::file_base64("text/plain", "YQ=="))
        .part(own_name)
        .part(Part::file_url("https://a/b.pdf"))
        .part(Part::file_id("file-2"));
    assert_eq!(
        input([message]),
        json!([{"role": "user", "content": [
            {"type": "input_text", "text": "Look"},
            {"type": "input_image", "image_url": "https://a/b.png", "detail": "low"},
            {"type": "input_image", "image_url": "data:image/png;base64,AA"},
            {"type": "input_image", "file_id": "file-1"},
            {"type": "input_file", "file_data": "data:application/pdf;base64,JVBE",
                "filename": "a.pdf"},
            {"type": "input_file", "file_data": "data:text/plain;base64,YQ==",
                "filename": "file.txt"},
            {"type": "input_file", "file_data": "data:text/plain;base64,YQ==",
                "filename": "b.log"},
            {"type": "input_file", "file_url": "https://a/b.pdf"},
            {"type": "input_file", "file_id": "file-2"},
        ]}])
    );
}

#[test]
fn roles_and_results() {
    let other = |value: Value| Part::Other {
        dialect: None,
        value,
    };
    let mut shown = ToolResult::new("b", "see");
    shown.content.push(Part::image_url("u"));
    let mut nothing = ToolResult::new("c", "");
    nothing.content.clear();
    let messages = [
        Message::new(Role::Other("developer".into()), [Part::text("d")]),
        Message::new(
            Role::Assistant,
            [
                ToolCall::new("a", "f", "").into(),
                ToolCall::new("b", "f", "{\"x\":1}").into(),
                ToolCall::new("c", "f", "not JSON").into(),
            ],
        ),
        Message::new(
            Role::Tool,
            [
                Part::ToolResult(ToolResult::error("a", "failed")),
                Part::ToolResult(shown),
                Part::ToolResult(nothing),
            ],
        ),
        Message::user("so?")
            .part(other(json!({"type": "input_image", "file_id": "f"})))
            .part(other(
                json!({"type": "mcp_approval_response", "approve": true}),
            )),
    ];
    assert_eq!(
        input(messages),
        json!([
            {"role": "developer", "content": "d"},
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "b", "name": "f", "arguments": "{\"x\":1}"},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": r#"{"INVALID_JSON":"not JSON"}"#},
            {"type": "function_call_output", "call_id": "a", "output": "failed"},
            {"type": "function_call_output", "call_id": "b", "output": [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": "u"}]},
            {"type": "function_call_output", "call_id": "c", "output": ""},
            {"role": "user", "content": [{"type": "input_text", "text": "so?"},
                {"type": "input_image", "file_id": "f"}]},
            {"type": "mcp_approval_response", "approve": true},
        ])
    );
}
