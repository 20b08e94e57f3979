//! Encoding of conversations.

use serde_json::{Value, json};

use crate::chat::{
    ChatRequest, File, Image, MediaSource, Message, Part, Reasoning, Refusal, Role, Text, ToolCall,
    ToolResult,
};

use super::{encode, refused};

fn contents(messages: impl IntoIterator<Item = Message>) -> Value {
    encode(&ChatRequest::new(messages).model("gemini-2.5-flash"))["contents"].take()
}

fn calls(calls: &[(&str, &str, &str)]) -> Message {
    let parts: Vec<_> = calls
        .iter()
        .map(|(id, name, arguments)| Part::ToolCall(ToolCall::new(*id, *name, *arguments)))
        .collect();
    Message::new(Role::Assistant, parts)
}

#[test]
fn messages_of_one_side_go_as_one() {
    let told = contents([
        Message::user("a"),
        Message::system("s"),
        Message::user("b"),
        Message::assistant("c"),
        Message::assistant(""),
        Message::assistant("d"),
        Message::user("e"),
    ]);
    assert_eq!(
        told,
        json!([
            {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
            {"role": "model", "parts": [{"text": "c"}, {"text": "d"}]},
            {"role": "user", "parts": [{"text": "e"}]},
        ])
    );
}

#[test]
fn results_name_their_tools_and_come_first() {
    let told = contents([
        Message::user("a"),
        calls(&[
            ("1", "f", "{\"x\": 1}"),
            ("2", "g", ""),
            ("", "h", "oops"),
            ("", "h", "{}"),
        ]),
        Message::user("and b"),
        Message::tool_result("2", "plain"),
        Message::tool_result("1", " {\"y\": [1.0]} "),
        Message::new(
            Role::Tool,
            [Part::ToolResult(ToolResult::error("", "it broke"))],
        ),
        Message::tool_result("", "[1]"),
    ]);
    assert_eq!(
        told[1]["parts"],
        json!([
            {"functionCall": {"id": "1", "name": "f", "args": {"x": 1}}},
            {"functionCall": {"id": "2", "name": "g", "args": {}}},
            {"functionCall": {"name": "h", "args": {"INVALID_JSON": "oops"}}},
            {"functionCall": {"name": "h", "args": {}}},
        ])
    );
    assert_eq!(
        told[2],
        json!({"role": "user", "parts": [
            {"functionResponse": {"id": "2", "name": "g", "response": {"output": "plain"}}},
            {"functionResponse": {"id": "1", "name": "f", "response": {"y": [1.0]}}},
            {"functionResponse": {"name": "h", "response": {"error": "it broke"}}},
            {"functionResponse": {"name": "h", "response": {"output": "[1]"}}},
            {"text": "and b"},
        ]})
    );
    let lost = ChatRequest::new([Message::user("a"), Message::tool_result("9", "x")]);
    assert!(refused(&lost).contains("no matching call earlier in the conversation"));
    let result = ToolResult::new("1", "x");
    let misplaced = ChatRequest::new([
        Message::user("a"),
        Message::new(Role::Assistant, [Part::ToolResult(result)]),
    ]);
    assert!(refused(&misplaced).contains("the role tool"));
}

#[test]
fn images_go_by_bytes_or_by_uri() {
    let mut detailed = Image::new(MediaSource::url("https://x.test/a.JPG?w=1"));
    detailed.detail = Some("high".to_owned());
    let message = || {
        Message::new(
            Role::User,
            [
                Part::image_base64("image/png", "AAAA"),
                Part::image_url("data:image/gif;base64,R0lG"),
                Part::Image(detailed.clone()),
                Part::image_url("https://generativelanguage.googleapis.com/v1beta/files/abc"),
            ],
        )
    };
    assert_eq!(
        contents([message()])[0]["parts"],
        json!([
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
            {"inlineData": {"mimeType": "image/gif", "data": "R0lG"}},
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.test/a.JPG?w=1"}},
            {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
        ])
    );
    // Newer models accept a resolution for each part.
    let told = encode(&ChatRequest::new([message()]).model("gemini-3.8-flash"));
    assert_eq!(
        told["contents"][0]["parts"][2]["mediaResolution"],
        json!({"level": "MEDIA_RESOLUTION_HIGH"})
    );
    let system = Message::new(Role::System, [Part::image_base64("image/png", "AAAA")]);
    let why = refused(&ChatRequest::new([system, Message::user("hi")]));
    assert!(why.contains("can only be text"), "{why}");
}

#[test]
fn files_and_sound_go_the_same_way() {
    let uploaded = MediaSource::File {
        file_id: "https://generativelanguage.googleapis.com/v1beta/files/abc".to_owned(),
        media_type: Some("video/mp4".to_owned()),
    };
    let message = Message::new(
        Role::User,
        [
            Part::file_base64("application/pdf", "JVBE"),
            Part::File(File::new(uploaded)),
            Part::file_text("plain words"),
            Part::audio_base64("audio/wav", "UklG"),
            Part::file_url("https://x.test/b.pdf"),
        ],
    );
    assert_eq!(
        contents([message])[0]["parts"],
        json!([
            {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
            {"fileData": {"mimeType": "video/mp4",
                "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
            {"text": "plain words"},
            {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}},
            {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x.test/b.pdf"}},
        ])
    );
    let drawn = Part::Image(Image::new(MediaSource::text("a house")));
    let why = refused(&ChatRequest::new([Message::new(Role::User, [drawn])]));
    assert!(
        why.contains("gemini cannot carry an image as text"),
        "{why}"
    );
}

#[test]
fn an_image_in_a_result_stands_in_it_or_beside_it() {
    let mut result = ToolResult::new("1", "a picture");
    result.content.push(Part::image_base64("image/png", "AAAA"));
    let messages = [
        Message::user("a"),
        calls(&[("1", "f", "{}")]),
        Message::new(Role::Tool, [Part::ToolResult(result)]),
    ];
    let blob = json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}});
    let told = |model: &str| {
        encode(&ChatRequest::new(messages.clone()).model(model))["contents"][2]["parts"].take()
    };
    let mut response = json!({"id": "1", "name": "f", "response": {"output": "a picture"}});
    assert_eq!(
        told("gemini-2.5-pro"),
        json!([{"functionResponse": response}, blob])
    );
    response["parts"] = json!([blob]);
    assert_eq!(
        told("gemini-3.1-pro-preview"),
        json!([{"functionResponse": response}])
    );
}

#[test]
fn what_others_said_goes_on_here() {
    let mut text = Text::new("hello");
    text.extra
        .insert("anthropic".to_owned(), json!({"citations": []}));
    let conversation = || {
        vec![
            Message::user("a"),
            Message::new(
                Role::Assistant,
                [
                    Part::Reasoning(Reasoning::new("hm").signature("theirs")),
                    Part::Text(text.clone()),
                    Part::Refusal(Refusal::new("no")),
                    Part::ToolCall(ToolCall::new("call_1", "f", "{}")),
                    Part::ToolCall(ToolCall::new("call_2", "f", "{}")),
                ],
            ),
            Message::tool_result("call_1", "x"),
            Message::tool_result("call_2", "y"),
        ]
    };
    let told = |model: &str| {
        encode(&ChatRequest::new(conversation()).model(model))["contents"][1]["parts"].take()
    };
    let call = |id: &str| json!({"functionCall": {"id": id, "name": "f", "args": {}}});
    let mut first = call("call_1");
    assert_eq!(
        told("gemini-2.5-flash"),
        json!([{"text": "hello"}, {"text": "no"}, first, call("call_2")])
    );
    // Newer models require a signature on the first call of a step.
    first["thoughtSignature"] = "skip_thought_signature_validator".into();
    assert_eq!(
        told("gemini-3.8-flash"),
        json!([{"text": "hello"}, {"text": "no"}, first, call("call_2")])
    );
}
