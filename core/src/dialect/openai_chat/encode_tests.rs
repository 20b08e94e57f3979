//! Encoding of requests, field by field.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{MaxTokensField, OpenAiChat, Quirks, ReasoningField};
use crate::chat::{
    ChatRequest, Image, MediaSource, Message, Part, Reasoning, ReasoningEffort, Refusal,
    ResponseFormat, Role, Text, Tool, ToolCall, ToolChoice, ToolResult,
};
use crate::dialect::{Dialect, Mode};
use crate::error::{Error, ErrorKind};
use crate::models::ModelRule;
use crate::provider::Provider;

fn encode(quirks: Quirks, request: &ChatRequest, mode: Mode) -> Result<String, Error> {
    let dialect = OpenAiChat::new(quirks);
    let provider = Provider::openai_compatible("http://127.0.0.1/v1", "m");
    let endpoint = provider.with_dialect(dialect.clone()).endpoint().unwrap();
    let encoded = dialect.encode(&endpoint, request, mode)?;
    assert_eq!(encoded.uri(), "http://127.0.0.1/v1/chat/completions");
    assert_eq!(encoded.method(), "POST");
    Ok(String::from_utf8(encoded.into_body().to_vec()).unwrap())
}

/// The body as JSON. Fails if a field is written twice.
fn body(request: &ChatRequest) -> Value {
    let text = encode(Quirks::default(), request, Mode::Whole).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value.to_string().len(), text.len(), "a field twice: {text}");
    value
}

fn messages(messages: impl IntoIterator<Item = Message>) -> Value {
    body(&ChatRequest::new(messages))["messages"].take()
}

fn hi() -> ChatRequest {
    ChatRequest::new([Message::user("hi")])
}

#[test]
fn the_least() {
    let expected = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    assert_eq!(body(&hi()), expected);
}

#[test]
fn keys_keep_their_order() {
    // A model writes the keys in the order of the schema, so that it reasons before it answers.
    let schema =
        r#"{"type":"object","properties":{"steps":{"type":"array"},"answer":{"z":1,"a":2}}}"#;
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let request = ChatRequest {
        tools: vec![Tool::new("f", parsed(schema))],
        response_format: Some(ResponseFormat::JsonSchema {
            name: "n".into(),
            schema: parsed(schema),
            strict: true,
        }),
        ..hi()
    };
    let request = request.extra("options", parsed(r#"{"z":1,"b":{"y":2,"a":3}}"#));
    // The order survives a round trip of the request through JSON.
    let text = serde_json::to_string(&request).unwrap();
    for request in [serde_json::from_str(&text).unwrap(), request] {
        let body = encode(Quirks::default(), &request, Mode::Whole).unwrap();
        assert_eq!(body.matches(schema).count(), 2, "{body}");
        assert!(
            body.contains(r#""options":{"z":1,"b":{"y":2,"a":3}}"#),
            "{body}"
        );
    }
}

#[test]
fn every_setting() {
    let request = ChatRequest {
        top_p: Some(0.5),
        stop: vec!["x".into()],
        seed: Some(-1),
        tools: vec![Tool::new("f", json!({"type": "object"})).description("d")],
        tool_choice: Some(ToolChoice::Tool("f".into())),
        reasoning_effort: Some(ReasoningEffort::Xhigh),
        response_format: Some(ResponseFormat::JsonSchema {
            name: "n".into(),
            schema: json!({}),
            strict: true,
        }),
        ..hi().model("other").temperature(0.25).max_tokens(7)
    };
    assert_eq!(
        body(&request),
        json!({
            "model": "other", "messages": [{"role": "user", "content": "hi"}],
            "temperature": 0.25, "max_tokens": 7, "top_p": 0.5, "stop": ["x"], "seed": -1,
            "tools": [{"type": "function", "function":
                {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "reasoning_effort": "xhigh",
            "response_format": {"type": "json_schema",
                "json_schema": {"name": "n", "schema": {}, "strict": true}},
        })
    );
}

#[test]
fn quirks() {
    let text = |quirks, mode| encode(quirks, &hi().temperature(1.0).max_tokens(7), mode).unwrap();
    let value = |quirks, mode| serde_json::from_str::<Value>(&text(quirks, mode)).unwrap();
    let default = value(Quirks::default(), Mode::Stream);
    assert_eq!(default["stream"], true);
    assert_eq!(default["stream_options"], json!({"include_usage": true}));
    let quirks = Quirks {
        max_tokens_field: MaxTokensField::MaxCompletionTokens,
        stream_usage: false,
        ..Quirks::default()
    };
    let other = value(quirks, Mode::Stream);
    let fields: Vec<_> = other.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "model",
            "messages",
            "temperature",
            "max_completion_tokens",
            "stream"
        ]
    );
}

/// The body of a request to `model` at `provider`.
#[cfg(feature = "openai-responses")]
fn sent_to(provider: Provider, model: &str, effort: Option<ReasoningEffort>) -> Value {
    let provider = provider.with_api_key("k");
    let endpoint = provider.endpoint().unwrap();
    let mut request = hi().model(model).max_tokens(7);
    request.reasoning_effort = effort;
    let dialect = Arc::clone(provider.dialect());
    let encoded = dialect.encode(&endpoint, &request, Mode::Whole).unwrap();
    serde_json::from_slice(encoded.body()).unwrap()
}

#[cfg(feature = "openai-responses")]
#[test]
fn reasoning_is_asked_for_in_the_models_own_words() {
    use ReasoningEffort::*;
    let deepseek = |effort| sent_to(Provider::deepseek(), "deepseek-flash", Some(effort));
    let off = deepseek(None);
    assert_eq!(off["thinking"], json!({"type": "disabled"}));
    assert_eq!(off.get("reasoning_effort"), Option::None);
    for (effort, word) in [
        (Minimal, "low"),
        (Low, "low"),
        (Medium, "high"),
        (High, "high"),
        (Xhigh, "high"),
        (Max, "max"),
        (Other("odd".into()), "odd"),
    ] {
        let body = deepseek(effort);
        assert_eq!(body["reasoning_effort"], word);
        assert_eq!(body.get("thinking"), Option::None);
    }
    let off = sent_to(Provider::openai(), "gpt-6-luna", Some(None));
    assert_eq!(off["reasoning_effort"], "none");
    let silent = sent_to(Provider::openai(), "gpt-6-luna", Option::None);
    assert_eq!(silent.get("reasoning_effort"), Option::None);
}

#[cfg(feature = "openai-responses")]
#[test]
fn a_models_own_name_for_the_limit() {
    let compatible = || Provider::openai_compatible("http://127.0.0.1/v1", "m");
    for (provider, model, name) in [
        (Provider::openai(), "gpt-4o", "max_completion_tokens"),
        (compatible(), "gpt-6-luna", "max_completion_tokens"),
        (compatible(), "vendor/gpt-6-luna", "max_completion_tokens"),
        (compatible(), "tiny", "max_tokens"),
        (Provider::deepseek(), "deepseek-flash", "max_tokens"),
    ] {
        let body = sent_to(provider, model, None);
        assert_eq!(body[name], 7, "{model}: {body}");
    }
}

#[test]
fn members_of_a_rule_give_way_to_the_callers() {
    let mut rule = ModelRule::new("m");
    rule.reasoning_off = r#""a":{"x":1},"b":false"#.into();
    let provider = Provider::openai_compatible("http://127.0.0.1/v1", "m").with_model_rules([rule]);
    let endpoint = provider.endpoint().unwrap();
    let mut request = hi().extra("a", 2);
    request.reasoning_effort = Some(ReasoningEffort::None);
    let dialect = Arc::clone(provider.dialect());
    let encoded = dialect.encode(&endpoint, &request, Mode::Whole).unwrap();
    let body: Value = serde_json::from_slice(encoded.body()).unwrap();
    assert_eq!((&body["a"], &body["b"]), (&json!(2), &json!(false)));

    let mut broken = ModelRule::new("m");
    broken.reasoning_off = r#"{"a":1}"#.into();
    let provider = provider.with_model_rules([broken]);
    let error = provider.endpoint().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error.to_string().contains("model rule for \"m\""),
        "{error}"
    );
}

#[test]
fn reasoning_goes_back_where_the_server_wants_it() {
    let message = Message::assistant("a").part(Reasoning::new("hm"));
    let request = ChatRequest::new([Message::user("hi"), message]);
    for (field, name) in [
        (None, None),
        (
            Some(ReasoningField::ReasoningContent),
            Some("reasoning_content"),
        ),
        (Some(ReasoningField::Reasoning), Some("reasoning")),
    ] {
        let quirks = Quirks {
            reasoning_field: field,
            ..Quirks::default()
        };
        let text = encode(quirks, &request, Mode::Whole).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let mut expected = json!({"role": "assistant", "content": "a"});
        if let Some(name) = name {
            expected[name] = "hm".into();
        }
        assert_eq!(value["messages"][1], expected);
    }
}

#[test]
fn every_part() {
    let image = Image {
        detail: Some("low".into()),
        ..Image::new(MediaSource::url("https://x/y.png"))
    };
    let cached = Text {
        extra: [("cache_control".to_owned(), json!({"type": "ephemeral"}))]
            .into_iter()
            .collect(),
        ..Text::new("c")
    };
    let message = Message::user("a")
        .part(image)
        .part(Part::image_base64("image/png", "AAAA"))
        .part(cached)
        .part(Part::Other {
            dialect: None,
            value: json!({"type": "input_audio", "input_audio": {}}),
        });
    assert_eq!(
        messages([message])[0]["content"],
        json!([
            {"type": "text", "text": "a"},
            {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            {"type": "text", "text": "c", "cache_control": {"type": "ephemeral"}},
            {"type": "input_audio", "input_audio": {}},
        ])
    );
}

#[test]
fn a_turn_with_tools() {
    let mut call = ToolCall::new("a", "f", r#"{"x":1}"#);
    call.extra.insert("extra_content".into(), json!({"s": 1}));
    // A field that the dialect writes must not be written twice.
    call.extra.insert("id".into(), json!("z"));
    let mut message = Message::new(
        Role::Assistant,
        [
            call.into(),
            ToolCall::new("b", "g", "").into(),
            // A call that was cut off.
            ToolCall::new("c", "h", "{\"x\": ").into(),
        ],
    );
    message.extra.insert("reasoning_details".into(), json!([1]));
    message.extra.insert("content".into(), json!("z"));
    let results = Message::new(
        Role::Tool,
        [
            Part::ToolResult(ToolResult::new("a", "1")),
            Part::ToolResult(ToolResult::error("b", "2")),
        ],
    );
    let function = |name, arguments| json!({"name": name, "arguments": arguments});
    assert_eq!(
        messages([Message::user("hi"), message, results]),
        json!([
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": null, "reasoning_details": [1], "tool_calls": [
                {"id": "a", "type": "function", "function": function("f", r#"{"x":1}"#),
                    "extra_content": {"s": 1}},
                {"id": "b", "type": "function", "function": function("g", "{}")},
                {"id": "c", "type": "function",
                    "function": function("h", r#"{"INVALID_JSON":"{\"x\": "}"#)},
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "1"},
            {"role": "tool", "tool_call_id": "b", "content": "2"},
        ])
    );
}

#[test]
fn roles_names_and_refusals() {
    let mut named = Message::new(Role::Other("developer".into()), [Part::text("d")]);
    named.name = Some("n".into());
    let refused = Message::new(Role::Assistant, [Part::Refusal(Refusal::new("no"))]);
    let silent = Message::new(Role::Assistant, [Part::Reasoning(Reasoning::new("hm"))]);
    assert_eq!(
        messages([Message::system("s"), named, refused, silent]),
        json!([
            {"role": "system", "content": "s"},
            {"role": "developer", "content": "d", "name": "n"},
            {"role": "assistant", "content": "", "refusal": "no"},
            {"role": "assistant", "content": ""},
        ])
    );
}

#[test]
fn the_callers_fields_replace_ours() {
    let request = hi()
        .temperature(1.0)
        .max_tokens(7)
        .extra("temperature", 0)
        .extra("max_completion_tokens", 9)
        .extra("thinking", json!({"type": "disabled"}))
        .extra("n", 1);
    assert_eq!(
        body(&request),
        json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0,
            "max_completion_tokens": 9, "thinking": {"type": "disabled"}, "n": 1})
    );
}

#[test]
fn what_cannot_be_said_is_refused() {
    let image = Part::image_url("https://x/y.png");
    for (request, why) in [
        (hi().extra("n", 2), "several requests"),
        (hi().extra("stream", true), "stream()"),
        (hi().model(" "), "no model"),
        (
            ChatRequest::new([Message::system("s").part(image.clone())]),
            "role system",
        ),
        (
            ChatRequest::new([Message::assistant("a").part(image)]),
            "role assistant",
        ),
    ] {
        let error = encode(Quirks::default(), &request, Mode::Whole).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
}

#[test]
fn the_key_is_a_bearer_token_and_there_are_no_other_headers() {
    let endpoint = Provider::deepseek().with_api_key("sk-12345678").endpoint();
    let endpoint = endpoint.unwrap();
    let headers = endpoint.headers();
    assert_eq!(headers["authorization"], "Bearer sk-12345678");
    assert!(headers["authorization"].is_sensitive());
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers.len(), 2);
    let local = Provider::openai_compatible("http://127.0.0.1", "m");
    assert_eq!(local.endpoint().unwrap().headers().len(), 1);
}
