//! The lines of results in a golden file, which the tests of the npm package share: it reads each
//! of them, and writes the same line again. `CHATCORE_GOLDEN=write cargo test -p chatcore-adapters
//! --features journal-files golden` regenerates the file.

use std::time::Duration;

use chatcore::chat::{Extra, Image, MediaSource, Reasoning, Text};
use chatcore::journal::Outcome;
use chatcore::{
    ChatEvent, ChatResponse, Error, ErrorKind, FinishReason, Fold, Part, ToolCall, Usage,
};
use http::StatusCode;
use serde_json::json;

use super::result;
use super::tag::{Tag, digest};

const LINES: &str = include_str!("../../../cases/batch_results.jsonl");
/// The path of the same file.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cases/batch_results.jsonl");

fn extra(name: &str) -> Extra {
    Extra::from_iter([(name.to_owned(), json!({"a": ["b", 1, null]}))])
}

fn answer(parts: Vec<Part>) -> ChatResponse {
    let mut fold = Fold::new();
    fold.push(ChatEvent::Start {
        id: Some("chat-1".into()),
        model: Some("m".into()),
    });
    for part in parts {
        fold.push(ChatEvent::part(part));
    }
    fold.push(ChatEvent::Finish {
        reason: FinishReason::Stop,
        raw: "stop".into(),
    });
    fold.finish()
}

fn answers() -> Vec<ChatResponse> {
    let mut text = Text::new("cited");
    text.extra = extra("citations");
    let mut call = ToolCall::new("c", "f", "{}");
    call.extra = extra("openai_chat");
    let mut signed = Reasoning::new("why");
    signed.signature = Some("sig".into());
    let image = Image::new(MediaSource::base64("image/png", "iVBORw0KGgo="));
    let other = Part::Other {
        dialect: Some("anthropic".into()),
        value: json!({"type": "server_tool_use"}),
    };
    let mut all = vec![
        answer(vec![Part::text("hi \"there\"\n你好 \u{2028}")]),
        answer(vec![]),
        answer(vec![
            Reasoning::new("because").into(),
            Part::text("so"),
            ToolCall::new("c", "f", "{\"a\":1}").into(),
            ToolCall::new("d", "g", "{}").into(),
        ]),
        answer(vec![ToolCall::new("c", "f", "{}").into()]),
        answer(vec![chatcore::chat::Refusal::new("no").into()]),
        answer(vec![Part::text("one"), text.into()]),
        answer(vec![call.into()]),
        answer(vec![signed.into(), Part::text("so")]),
        answer(vec![Part::text("see"), image.into(), other]),
    ];
    let mut usage = Usage::new(5, 2);
    usage.cache_read_tokens = Some(3);
    usage.reasoning_tokens = Some(1);
    all[0].usage = Some(usage.clone());
    all[0].request_id = Some("req-1".into());
    usage.cache_write_tokens = Some(4);
    usage.raw_json = "{\"x\":1}".into();
    all[2].usage = Some(usage);
    all[2].finish_reason = Some(FinishReason::ToolCalls);
    all[3].extra = extra("grounding");
    all[3].extra.extend(extra("logprobs"));
    all[3].extra.extend(extra("system_fingerprint"));
    all[4].finish_reason = Some(FinishReason::Refusal);
    all[5].finish_reason = None;
    all
}

fn errors() -> Vec<Error> {
    let bad = Error::new(ErrorKind::BadRequest, "no such field")
        .with_status(StatusCode::BAD_REQUEST)
        .with_code(Some("unknown_field".into()))
        .with_param(Some("messages".into()))
        .with_request_id(Some("req-2".into()))
        .with_body(b"{\"error\":{}}");
    let full = Error::new(ErrorKind::RateLimited, "slow down")
        .with_status(StatusCode::TOO_MANY_REQUESTS)
        .with_retry_after(Some(Duration::from_millis(1500)));
    let cut = Error::new(ErrorKind::Truncated, "it ended too early")
        .with_status(StatusCode::OK)
        .with_partial(answer(vec![Part::text("half of")]))
        .in_stream();
    vec![
        bad,
        full,
        cut,
        Error::new(ErrorKind::Connection, "lost"),
        Error::new(ErrorKind::InvalidInput, "line 3 of the input cannot be run")
            .with_code(Some("invalid_line".into())),
    ]
}

fn lines() -> String {
    let answers = answers().into_iter().map(Ok);
    let all = answers.chain(errors().into_iter().map(Err));
    let mut bytes = Vec::new();
    for (result, place) in all.zip(1..) {
        let id = format!("item \"{place}\"");
        let outcome = Outcome {
            place,
            tag: digest(id.as_bytes()),
            id,
            result,
            took: Duration::ZERO,
        };
        result::write(&mut bytes, Tag::of(&outcome), &outcome, 1_700_000_000);
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_golden_line_is_written_as_before() {
    let lines = lines();
    if std::env::var_os("CHATCORE_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(FILE, &lines).unwrap();
        return;
    }
    assert_eq!(
        lines, LINES,
        "results are written in another form than before; if that is meant: CHATCORE_GOLDEN=write \
         cargo test -p chatcore-adapters --features journal-files golden"
    );
}
