use serde_json::json;

use super::*;
use crate::chat::ChatRequest;
use crate::chat::Text;
use crate::dialect::{Dialect, Mode, OpenAiChat, Quirks, ReasoningField};
use crate::provider::Provider;

fn read(message: Value) -> Message {
    serde_json::from_value(message).unwrap()
}

/// The message as the dialect sends it.
fn sent(message: &Message) -> Value {
    let quirks = Quirks {
        reasoning_field: Some(ReasoningField::ReasoningContent),
        ..Quirks::default()
    };
    let endpoint = Provider::demo().endpoint().unwrap();
    let request = ChatRequest::new([message.clone()]).model("m");
    let request = OpenAiChat::new(quirks).encode(&endpoint, &request, Mode::Whole);
    let body: Value = serde_json::from_slice(request.unwrap().body()).unwrap();
    body["messages"][0].clone()
}

#[test]
fn openais_form_goes_out_as_it_came_in() {
    for message in [
        json!({"role": "user", "content": "hi", "name": "Ada"}),
        json!({"role": "developer", "content": "be brief"}),
        json!({"role": "user", "content": [
            {"type": "text", "text": "what is it?", "cache_control": {"type": "ephemeral"}},
            {"type": "image_url", "image_url": {"url": "https://x.test/y.png", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            {"type": "image_url", "image_url": {"url": "https://x.test/z", "max_pixels": 7}},
            {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
            {"type": "file", "file": {"file_id": "f"}},
        ]}),
        json!({"role": "assistant", "content": null, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"},
             "extra_content": {"google": {"thought_signature": "s"}}},
            {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ]}),
        json!({"role": "assistant", "content": "yes", "reasoning_content": "hm"}),
        json!({"role": "assistant", "content": "no", "refusal": "I decline", "audio": {"id": "a"}}),
        json!({"role": "assistant", "content": "x", "reasoning_details": [{"type": "a"}], "weight": 1}),
        json!({"role": "tool", "tool_call_id": "c1", "content": "sunny"}),
        json!({"role": "tool", "tool_call_id": "c1", "content": [
            {"type": "text", "text": "a"}, {"type": "text", "text": "b"},
        ]}),
        json!({"role": "function", "name": "f", "content": "sunny"}),
    ] {
        assert_eq!(sent(&read(message.clone())), message);
    }
    // Fields without a form of their own are kept beside the content, which is an empty text then.
    for (field, value) in [
        ("function_call", json!({"name": "f", "arguments": "{}"})),
        (
            "tool_calls",
            json!([{"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}]),
        ),
    ] {
        let message = read(json!({"role": "assistant", "content": null, field: value}));
        assert_eq!(
            sent(&message),
            json!({"role": "assistant", "content": "", field: value})
        );
    }
}

#[test]
fn what_has_a_place_goes_there() {
    let message = read(json!({
        "role": "assistant", "content": null, "refusal": null, "annotations": [], "audio": null,
        "function_call": null, "reasoning": "hm",
        "tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": {"a": 1}}}],
    }));
    assert_eq!(
        message.parts,
        [
            Reasoning::new("hm").into(),
            ToolCall::new("c1", "f", r#"{"a":1}"#).into(),
        ]
    );
    assert_eq!(
        message.extra,
        *json!({"annotations": []}).as_object().unwrap()
    );
    let result = read(json!({"role": "tool", "tool_call_id": "c1", "content": "sunny"}));
    assert_eq!(result, Message::tool_result("c1", "sunny"));
    let image = json!([{"type": "image_url", "image_url": "https://x.test/y.png"}]);
    let image = read(json!({"role": "user", "content": image}));
    assert_eq!(image.parts, [Part::image_url("https://x.test/y.png")]);
    let both = read(
        json!({"role": "assistant", "content": "", "reasoning": "b", "reasoning_content": "a"}),
    );
    assert_eq!(both.reasoning(), "a");
    assert_eq!(both.extra["reasoning"], "b");
}

#[test]
fn the_own_form_round_trips() {
    let mut text = Text::new("yes");
    text.extra
        .insert("cache_control".to_owned(), json!({"type": "ephemeral"}));
    let mut message = Message::new(
        Role::Assistant,
        [
            Part::Reasoning(Reasoning::new("hm").signature("s")),
            text.into(),
            Part::image_base64("image/png", "AAAA"),
            Part::ToolCall(ToolCall::new("call_1", "weather", r#"{"city":"Paris"}"#)),
            Part::Refusal(Refusal::new("no")),
            Part::Other {
                dialect: None,
                value: json!({"type": "thinking", "thinking": []}),
            },
        ],
    );
    message.extra.insert("prefix".to_owned(), json!(true));
    for message in [
        message,
        Message::user("a"),
        Message::tool_result("call_1", "sunny"),
        Message::new(Role::Tool, [ToolResult::error("call_1", "no").into()]),
        Message::new(Role::User, []),
    ] {
        let json = serde_json::to_string(&message).unwrap();
        assert_eq!(
            serde_json::from_str::<Message>(&json).unwrap(),
            message,
            "{json}"
        );
    }
}

#[test]
fn what_is_no_message_says_why() {
    for (message, why) in [
        (json!({"content": "x"}), "no role"),
        (json!({"role": 1, "content": "x"}), "role must be a string"),
        (json!({"role": "user"}), "no content"),
        (json!({"role": "user", "content": 1}), "an array of parts"),
        (
            json!({"role": "user", "content": [1]}),
            "an object with a type",
        ),
        (
            json!({"role": "user", "content": [{"type": "text"}]}),
            "missing field `text`",
        ),
        (
            json!({"role": "user", "content": [{"type": "text", "text": 1}]}),
            "`text` is not a string",
        ),
        (
            json!({"role": "user", "content": [{"type": "image", "source": {"type": "tape"}}]}),
            "one of url, base64, file, text",
        ),
        (
            json!({"role": "user", "content": [{"type": "image", "source": 1}]}),
            "`source` is not an object",
        ),
        (
            json!({"role": "user", "content": [{"type": "image_url"}]}),
            "no URL",
        ),
        (
            json!({"role": "user", "content": [{"type": "tool_result", "call_id": 1}]}),
            "call_id of a tool result",
        ),
    ] {
        let error = serde_json::from_value::<Message>(message.clone()).unwrap_err();
        assert!(error.to_string().contains(why), "{message}: {error}");
        assert_eq!(Message::try_from(message), Err(error.to_string()));
    }
}
