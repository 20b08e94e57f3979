//! Files, audio and images.

use chatcore::chat::{File, MediaSource, Tool, ToolResult};
use chatcore::{ChatRequest, ErrorKind, Message, Part, Role};
use serde_json::{Value, json};

use super::{dialects, messages, sent};

/// How a part is sent in one dialect: its JSON, or words of the error that refuses it.
enum Is {
    Sent(Value),
    Refused(&'static str),
}

use Is::{Refused, Sent};

fn named_pdf() -> Part {
    let pdf = MediaSource::base64("application/pdf", "JVBE");
    File::new(pdf).name("a.pdf").into()
}

/// Each part, and how it is sent in each dialect.
fn cases() -> Vec<(Part, [Is; 5])> {
    let url = "https://a.test/a";
    vec![
        (
            Part::image_id("file-1"),
            [
                Refused("an image by its id; send its URL"),
                Sent(json!({"type": "image", "source": {"type": "file", "file_id": "file-1"}})),
                Refused("an image by its URL or id; send its bytes"),
                Sent(json!({"type": "input_image", "file_id": "file-1"})),
                Sent(json!({"fileData": {"fileUri": "file-1"}})),
            ],
        ),
        (
            named_pdf(),
            [
                Sent(json!({"type": "file", "file":
                    {"file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"}})),
                Sent(json!({"type": "document", "source":
                    {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
                    "title": "a.pdf"})),
                Refused("a file; send its text"),
                Sent(json!({"type": "input_file",
                    "file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"})),
                Sent(json!({"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}})),
            ],
        ),
        (
            Part::file_id("file-1"),
            [
                Sent(json!({"type": "file", "file": {"file_id": "file-1"}})),
                Sent(json!({"type": "document", "source": {"type": "file", "file_id": "file-1"}})),
                Refused("a file; send its text"),
                Sent(json!({"type": "input_file", "file_id": "file-1"})),
                Sent(json!({"fileData": {"fileUri": "file-1"}})),
            ],
        ),
        (
            Part::file_url(url),
            [
                Refused("a file by its URL; send its bytes"),
                Sent(json!({"type": "document", "source": {"type": "url", "url": url}})),
                Refused("a file; send its text"),
                Sent(json!({"type": "input_file", "file_url": url})),
                Sent(json!({"fileData": {"fileUri": url}})),
            ],
        ),
        (
            Part::file_text("a, b"),
            [
                Refused("a file of plain text; send the text"),
                Sent(json!({"type": "document", "source":
                    {"type": "text", "media_type": "text/plain", "data": "a, b"}})),
                Refused("a file; send its text"),
                Refused("a file of plain text; send the text"),
                Sent(json!({"text": "a, b"})),
            ],
        ),
        (
            Part::file_base64("text/csv", "YSxi"),
            [
                Sent(json!({"type": "file", "file":
                    {"file_data": "data:text/csv;base64,YSxi", "filename": "file.csv"}})),
                Refused("a base64 file whose media type is not application/pdf"),
                Refused("a file; send its text"),
                Sent(json!({"type": "input_file",
                    "file_data": "data:text/csv;base64,YSxi", "filename": "file.csv"})),
                Sent(json!({"inlineData": {"mimeType": "text/csv", "data": "YSxi"}})),
            ],
        ),
        (
            Part::audio_base64("audio/mpeg", "SUQz"),
            [
                Sent(json!({"type": "input_audio", "input_audio":
                    {"data": "SUQz", "format": "mp3"}})),
                Refused("audio; send a transcript"),
                Refused("audio; send a transcript"),
                Refused("audio; use chat completions"),
                Sent(json!({"inlineData": {"mimeType": "audio/mpeg", "data": "SUQz"}})),
            ],
        ),
        (
            Part::audio_base64("audio/x-wav; rate=8000", "UklG"),
            [
                Sent(json!({"type": "input_audio", "input_audio":
                    {"data": "UklG", "format": "wav"}})),
                Refused("audio; send a transcript"),
                Refused("audio; send a transcript"),
                Refused("audio; use chat completions"),
                Sent(json!({"inlineData": {"mimeType": "audio/x-wav; rate=8000", "data": "UklG"}})),
            ],
        ),
        (
            Part::audio_url(url),
            [
                Refused("audio by its URL or id; send its bytes"),
                Refused("audio; send a transcript"),
                Refused("audio; send a transcript"),
                Refused("audio; use chat completions"),
                Sent(json!({"fileData": {"fileUri": url}})),
            ],
        ),
    ]
}

#[test]
fn each_part_is_sent_or_refused_with_what_to_do() {
    for (part, expected) in cases() {
        for (dialect, expected) in dialects().iter().zip(expected) {
            let name = dialect.facts().name();
            let asked = Message::user("what is it?").part(part.clone());
            match (sent(&**dialect, &ChatRequest::new([asked])), expected) {
                (Ok(body), Sent(value)) => {
                    let asked = &messages(&body)[0];
                    let content = asked.get("content").unwrap_or(&asked["parts"]);
                    assert_eq!(content[1], value, "{name}");
                }
                (Err(error), Refused(why)) => {
                    assert_eq!(error.kind(), ErrorKind::InvalidInput);
                    let message = error.to_string();
                    assert!(
                        message.contains(&format!("{name} cannot carry")),
                        "{message}"
                    );
                    assert!(message.contains(why), "{name}: {message}");
                }
                (Ok(body), Refused(why)) => panic!("{name} sends {body}, expected {why}"),
                (Err(error), Sent(value)) => panic!("{name}: {error}, expected {value}"),
            }
        }
    }
}

#[test]
fn a_part_in_the_wrong_place_is_refused() {
    for part in [named_pdf(), Part::image_id("file-1")] {
        let kind = part.kind();
        let said = Message::new(Role::Assistant, [part]);
        for dialect in &dialects()[..2] {
            let request = ChatRequest::new([Message::user("hi"), said.clone()]);
            let why = sent(&**dialect, &request).unwrap_err().to_string();
            assert!(why.contains(&format!("{kind} is in a message")), "{why}");
        }
    }
}

#[test]
fn fields_of_tools_and_of_their_results_are_sent() {
    let cached = json!({"type": "ephemeral"});
    let tool = Tool::new("weather", json!({"type": "object"}))
        .extra("cache_control", cached.clone())
        .extra("gemini", json!({"x": 1}));
    let mut result = ToolResult::new("c1", "rain");
    result.extra.insert("cache_control".into(), cached.clone());
    let asked = [
        Message::user("hi"),
        Message::new(
            Role::Assistant,
            [chatcore::ToolCall::new("c1", "weather", "{}").into()],
        ),
        Message::new(Role::Tool, [result.into()]),
    ];
    let request = ChatRequest::new(asked).tool(tool);
    for dialect in dialects() {
        let body = sent(&*dialect, &request).unwrap();
        let name = dialect.facts().name();
        let tool = match name {
            "gemini" => &body["tools"][0]["functionDeclarations"][0],
            _ => &body["tools"][0],
        };
        assert_eq!(tool["cache_control"], cached, "{name}");
        // A field for one dialect is sent in that dialect's tool, and nowhere else.
        assert_eq!(tool.get("gemini"), None, "{name}");
        assert_eq!(tool.get("x").is_some(), name == "gemini", "{name}");
        let result = match name {
            "anthropic" => &body["messages"][2]["content"][0],
            "gemini" => &body["contents"][2]["parts"][0],
            _ => &messages(&body)[2],
        };
        assert_eq!(result["cache_control"], cached, "{name}: {body}");
    }
}

#[test]
fn openais_form_of_each_part_is_read() {
    let read = |part: Value| -> Part { serde_json::from_value(part).unwrap() };
    let file = json!({"file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"});
    assert_eq!(read(json!({"type": "file", "file": file})), named_pdf());
    let id = json!({"type": "file", "file": {"file_id": "file-1"}});
    assert_eq!(read(id), Part::file_id("file-1"));
    let audio = json!({"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}});
    assert_eq!(read(audio), Part::audio_base64("audio/mpeg", "SUQz"));
    // Parts that would lose a field are kept for OpenAI's dialect alone.
    for (kind, body) in [
        ("file", json!({"file_id": "f", "own": 1})),
        (
            "file",
            json!({"file_id": "f", "file_data": "data:a/b;base64,AA"}),
        ),
        ("file", json!([])),
        ("input_audio", json!({"data": "AA"})),
        (
            "image_url",
            json!({"url": "https://a.test/a", "max_pixels": 7}),
        ),
    ] {
        let value = json!({"type": kind, kind: body});
        let dialect = Some("openai_chat".to_owned());
        assert_eq!(read(value.clone()), Part::Other { dialect, value });
    }
}

#[test]
fn a_part_without_a_dialect_is_read_as_before() {
    let value = json!({"type": "citation"});
    let read: Part = serde_json::from_value(json!({"type": "other", "value": value})).unwrap();
    let dialect = None;
    assert_eq!(read, Part::Other { dialect, value });
    let json = serde_json::to_value(&read).unwrap();
    assert_eq!(
        json,
        json!({"type": "other", "value": {"type": "citation"}})
    );
}
