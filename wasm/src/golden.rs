//! Tests that the module's output is what `tests/golden/border.jsonl` holds, line by line.
//!
//! The tests of the TypeScript layer read that file, so that the layer knows everything that the
//! core can write. `CHATCORE_GOLDEN=write cargo test -p chatcore-wasm golden` regenerates it.

use std::path::Path;
use std::time::Duration;

use chatcore::chat::{
    Audio, Extra, File, Image, MediaSource, Reasoning, Refusal, Text, ToolResult,
};
use chatcore::json::Writer;
use chatcore::{
    ChatEvent, ChatResponse, Error, ErrorKind, FinishReason, Message, Part, Phase, Role, ToolCall,
    Usage,
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::object::Faults;
use crate::request;
use crate::{error, wire};

/// The events of each kind. A kind without an event here fails the test.
fn events(kind: &str) -> Vec<ChatEvent> {
    let index = 1;
    match kind {
        "start" => vec![
            ChatEvent::Start {
                id: Some("id-1".into()),
                model: Some("m".into()),
            },
            ChatEvent::Start {
                id: None,
                model: None,
            },
        ],
        "text" => vec![ChatEvent::Text("你好 \"😀\"\n".into())],
        "reasoning" => vec![ChatEvent::Reasoning("hm".into())],
        "reasoning_signature" => vec![ChatEvent::ReasoningSignature("c2ln".into())],
        "refusal" => vec![ChatEvent::Refusal("no".into())],
        "tool_call_start" => vec![ChatEvent::ToolCallStart {
            index,
            id: "call-1".into(),
            name: "weather".into(),
        }],
        "tool_call_arguments" => vec![ChatEvent::ToolCallArguments {
            index,
            fragment: "{\"city\":".into(),
        }],
        "tool_call_extra" => vec![ChatEvent::ToolCallExtra {
            index,
            extra: extra(),
        }],
        "part" => all_parts().into_iter().map(ChatEvent::part).collect(),
        "part_end" => vec![ChatEvent::PartEnd],
        "part_extra" => vec![ChatEvent::PartExtra(extra())],
        "message_extra" => vec![ChatEvent::MessageExtra(extra())],
        "usage" => vec![ChatEvent::Usage(small_usage()), ChatEvent::Usage(usage())],
        "extra" => vec![ChatEvent::Extra(extra())],
        "finish" => [
            FinishReason::Stop,
            FinishReason::Length,
            FinishReason::ToolCalls,
            FinishReason::ContentFilter,
            FinishReason::Refusal,
            FinishReason::Pause,
            FinishReason::Other("tired".into()),
        ]
        .map(|reason| ChatEvent::Finish {
            reason,
            raw: "its word".into(),
        })
        .into(),
        _ => Vec::new(),
    }
}

/// The parts of each kind, without and with optional fields.
fn parts(kind: &str) -> Vec<Part> {
    match kind {
        "text" => {
            let mut text = Text::new("a");
            text.extra = extra();
            vec![Part::text("a"), text.into()]
        }
        "image" => sources()
            .flat_map(|source| {
                let mut image = Image::new(source.clone());
                image.detail = Some("low".into());
                image.extra = extra();
                [Image::new(source).into(), image.into()]
            })
            .collect(),
        "file" => sources()
            .flat_map(|source| {
                let mut file = File::new(source.clone()).name("a.pdf");
                file.extra = extra();
                [File::new(source).into(), file.into()]
            })
            .collect(),
        "audio" => sources()
            .flat_map(|source| {
                let mut audio = Audio::new(source.clone());
                audio.transcript = Some("la la".into());
                audio.extra = extra();
                [Audio::new(source).into(), audio.into()]
            })
            .collect(),
        "tool_call" => {
            let mut call = ToolCall::new("call-1", "weather", "{}");
            call.extra = extra();
            vec![ToolCall::new("call-1", "weather", "{}").into(), call.into()]
        }
        "tool_result" => {
            let mut result = ToolResult::new("call-1", "rain");
            result.extra = extra();
            vec![
                ToolResult::new("call-1", "rain").into(),
                ToolResult::error("call-1", "no such city").into(),
                result.into(),
            ]
        }
        "reasoning" => {
            let mut reasoning = Reasoning::new("hm").signature("c2ln");
            reasoning.extra = extra();
            vec![
                Reasoning::new("hm").into(),
                reasoning.into(),
                Reasoning::encrypted("x9").into(),
            ]
        }
        "refusal" => {
            let mut refusal = Refusal::new("no");
            refusal.extra = extra();
            vec![Refusal::new("no").into(), refusal.into()]
        }
        "other" => [None, Some("anthropic".to_owned())]
            .map(|dialect| Part::Other {
                dialect,
                value: json!({"type": "citation", "pages": [1, 2]}),
            })
            .into(),
        _ => Vec::new(),
    }
}

fn all_parts() -> Vec<Part> {
    Part::KINDS.iter().flat_map(|kind| parts(kind)).collect()
}

/// The sources of each kind, without and with optional fields.
fn sources() -> impl Iterator<Item = MediaSource> {
    MediaSource::KINDS.iter().flat_map(|kind| {
        let media_type = || Some("image/png".to_owned());
        let sources = match *kind {
            "url" => [None, media_type()]
                .map(|media_type| MediaSource::Url {
                    url: "https://a.test/a.png".into(),
                    media_type,
                })
                .to_vec(),
            "base64" => vec![MediaSource::base64("image/png", "iVBO")],
            "file" => [None, media_type()]
                .map(|media_type| MediaSource::File {
                    file_id: "file-1".into(),
                    media_type,
                })
                .to_vec(),
            "text" => vec![MediaSource::text("a")],
            _ => Vec::new(),
        };
        assert!(!sources.is_empty(), "no source of the kind {kind}: add one");
        sources
    })
}

/// The errors of each kind: plain, reported inside a stream, and one for each time limit.
fn errors(kind: ErrorKind) -> Vec<Error> {
    let error = || Error::new(kind, "why");
    let mut errors = vec![error(), error().in_stream()];
    if kind == ErrorKind::Timeout {
        let timeout = |phase: &Phase| Error::timeout(*phase, Duration::from_secs(1));
        errors.extend(Phase::ALL.iter().map(timeout));
    }
    errors
}

/// An error with all fields.
fn whole_error() -> Error {
    let mut partial = ChatResponse::default();
    partial.message.parts.push(Part::text("What had co"));
    Error::new(ErrorKind::RateLimited, "slow down")
        .with_status(StatusCode::TOO_MANY_REQUESTS)
        .with_code(Some("rate_limit_exceeded".into()))
        .with_error_type(Some("requests".into()))
        .with_param(Some("model".into()))
        .with_body(b"{\"error\":{}}")
        .with_request_id(Some("req-1".into()))
        .with_retry_after(Some(Duration::from_millis(1_500)))
        .with_partial(partial)
}

fn responses() -> Vec<ChatResponse> {
    let mut full = ChatResponse::default();
    full.id = "id-1".into();
    full.model = "m".into();
    full.message = Message::new(Role::Assistant, all_parts());
    full.message.name = Some("it".into());
    full.message.extra = extra();
    full.finish_reason = Some(FinishReason::ToolCalls);
    full.finish_reason_raw = "tool_use".into();
    full.usage = Some(usage());
    full.request_id = Some("req-1".into());
    full.attempts = 2;
    full.skipped_events = 3;
    full.extra = extra();
    let mut short = ChatResponse::default();
    short.message = Message::assistant("yes");
    short.finish_reason = Some(FinishReason::Stop);
    short.finish_reason_raw = "stop".into();
    vec![ChatResponse::default(), short, full]
}

fn usage() -> Usage {
    let mut usage = small_usage();
    usage.cache_read_tokens = Some(1);
    usage.cache_write_tokens = Some(2);
    usage.reasoning_tokens = Some(0);
    usage.raw_json = r#"{"cost":0.5}"#.into();
    usage
}

fn small_usage() -> Usage {
    let mut usage = Usage::default();
    usage.input_tokens = 9;
    usage.output_tokens = 5;
    usage
}

fn extra() -> Extra {
    let mut extra = Extra::new();
    extra.insert("own".into(), json!([1, null, {"a": 0.5}]));
    extra
}

/// The text that `write` writes.
fn written(write: impl FnOnce(&mut Writer)) -> String {
    let mut w = Writer::default();
    write(&mut w);
    w.into_text()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// An error as it is written, without its message, because the wording may change.
fn written_error(error: &Error) -> String {
    let wire = written(|w| error::write(w, error));
    assert_eq!(parsed(&wire)["code"], error.kind().as_str());
    let message = Value::from(error.to_string()).to_string();
    assert_eq!(wire.matches(&message).count(), 1);
    wire.replace(&message, r#""why""#)
}

fn golden() -> String {
    let mut lines = String::new();
    let mut line = |of: &str, kind: &str, wire: &str| {
        lines += &format!("{{\"of\":\"{of}\",\"kind\":\"{kind}\",\"wire\":{wire}}}\n");
    };
    for kind in ChatEvent::KINDS {
        let events = events(kind);
        assert!(!events.is_empty(), "no event of the kind {kind}: add one");
        for event in events {
            assert_eq!(event.kind(), *kind);
            let wire = written(|w| wire::event(w, &event));
            let value = parsed(&wire);
            assert_eq!(value["type"], *kind, "wire.rs does not know it: {event:?}");
            if let ChatEvent::Part(part) = &event {
                assert_eq!(value["part"]["type"], part.kind(), "nor this: {part:?}");
            }
            line("event", kind, &wire);
        }
    }
    for kind in Part::KINDS {
        let parts = parts(kind);
        assert!(!parts.is_empty(), "no part of the kind {kind}: add one");
        assert!(parts.iter().all(|part| part.kind() == *kind));
    }
    for kind in ErrorKind::ALL {
        for error in errors(*kind) {
            line("error", kind.as_str(), &written_error(&error));
        }
    }
    line("error", "rate_limited", &written_error(&whole_error()));
    line("error", "aborted", error::ABORTED);
    for response in responses() {
        let wire = written(|w| wire::response(w, &response));
        line("response", "whole", &wire);
        let wire = written(|w| wire::folded(w, &response));
        line("response", "of a stream", &wire);
    }
    lines
}

#[test]
fn the_golden_file_is_what_is_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/border.jsonl");
    let now = golden();
    if std::env::var_os("CHATCORE_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, &now).unwrap();
    }
    let held = std::fs::read_to_string(&path).unwrap();
    let differs = held.lines().zip(now.lines()).find(|(old, new)| old != new);
    assert!(
        held == now,
        "the border writes other lines than tests/golden/border.jsonl, first {differs:#?}; if that \
         is meant: CHATCORE_GOLDEN=write cargo test -p chatcore-wasm golden"
    );
}

#[test]
fn a_part_goes_back_as_it_came() {
    for part in all_parts() {
        let message = Message::new(Role::Assistant, [part.clone(), Part::text("b")]);
        let mut response = ChatResponse::default();
        response.message = message.clone();
        let wire = written(|w| wire::response(w, &response));
        let messages = Value::Array(vec![parsed(&wire)[2].clone()]).to_string();
        let faults = Faults::default();
        let mut rest = faults.object("");
        let own = request::Numbers {
            temperature: f64::NAN,
            max_tokens: f64::NAN,
        };
        let read = request::request(&messages, own, &mut rest);
        assert!(faults.check().is_ok());
        assert_eq!(read.messages, [message], "{messages}");
    }
}
