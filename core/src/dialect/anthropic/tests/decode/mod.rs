//! Decoding of answers.

mod blocks;
mod ends;
mod errors;
mod faults;
mod splits;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::chat::{ChatEvent, ChatResponse, FinishReason, Fold, Part, Reasoning, Text};
use crate::dialect::anthropic::Anthropic;
use crate::dialect::{Caps, Decoder, Dialect, Mode};
use crate::error::{Error, ErrorKind};

fn decoder() -> Box<dyn Decoder> {
    let head = http::Response::new(()).into_parts().0;
    Anthropic::default().decoder(&head, Mode::Stream, Caps::default())
}

fn events<'a>(
    decoder: &mut dyn Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<ChatEvent>, (Vec<ChatEvent>, Error)> {
    let mut events = Vec::new();
    let mut pieces = pieces.into_iter();
    loop {
        match decoder.next_event() {
            Ok(Some(event)) => events.push(event),
            Ok(None) if decoder.is_done() => return Ok(events),
            Ok(None) => match pieces.next() {
                Some(piece) => decoder.feed(Bytes::copy_from_slice(piece)),
                None => decoder.end(),
            },
            Err(error) => return Err((events, error)),
        }
    }
}

fn fold(events: Vec<ChatEvent>) -> ChatResponse {
    let mut fold = Fold::new();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

fn sse(events: &[Value]) -> String {
    let lines = events.iter().map(|event| {
        let kind = event["type"].as_str().unwrap_or("");
        format!("event: {kind}\ndata: {event}\n\n")
    });
    lines.collect()
}

/// A stream with `events` between its beginning and its end.
fn body(events: &[Value], stop_reason: &str) -> String {
    let begin = json!({"type": "message_start", "message": {"id": "msg_1", "type": "message",
        "role": "assistant", "model": "claude-haiku-4-5", "content": [], "stop_reason": null,
        "stop_sequence": null, "usage": {"input_tokens": 3, "output_tokens": 1}}});
    let end = [
        json!({"type": "message_delta", "delta": {"stop_reason": stop_reason,
            "stop_sequence": null}, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ];
    sse(&[&[begin], events, &end].concat())
}

fn stream(events_: &[Value], stop_reason: &str) -> ChatResponse {
    let body = body(events_, stop_reason);
    fold(events(&mut *decoder(), [body.as_bytes()]).unwrap())
}

fn whole(content: Value, stop_reason: &str) -> ChatResponse {
    let body = json!({"id": "msg_1", "type": "message", "role": "assistant",
        "model": "claude-haiku-4-5", "content": content, "stop_reason": stop_reason,
        "stop_sequence": null, "usage": {"input_tokens": 3, "output_tokens": 9}});
    fold(events(&mut *decoder(), [body.to_string().as_bytes()]).unwrap())
}

fn failed(body: &str) -> (ChatResponse, Error) {
    let (events, error) = events(&mut *decoder(), [body.as_bytes()]).unwrap_err();
    (fold(events), error)
}

fn start(index: u64, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn stop(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn text(index: u64, text: &str) -> Value {
    delta(index, json!({"type": "text_delta", "text": text}))
}

fn input(index: u64, json: &str) -> Value {
    delta(
        index,
        json!({"type": "input_json_delta", "partial_json": json}),
    )
}

fn tool(index: u64, id: &str, given: Value) -> Value {
    start(
        index,
        json!({"type": "tool_use", "id": id, "name": "weather", "input": given}),
    )
}

fn arguments(answer: &ChatResponse) -> Vec<(&str, &str)> {
    let calls = answer.tool_calls();
    calls.map(|call| (&*call.id, &*call.arguments)).collect()
}

fn citation(n: u32) -> Value {
    json!({"type": "char_location", "cited_text": n.to_string()})
}

fn cites(index: u64, n: u32) -> Value {
    delta(
        index,
        json!({"type": "citations_delta", "citation": citation(n)}),
    )
}

/// A stream with every type of block.
fn everything() -> Vec<Value> {
    vec![
        json!({"type": "ping"}),
        start(
            0,
            json!({"type": "thinking", "thinking": "", "signature": ""}),
        ),
        delta(0, json!({"type": "thinking_delta", "thinking": "h"})),
        delta(0, json!({"type": "thinking_delta", "thinking": "m"})),
        delta(0, json!({"type": "signature_delta", "signature": "sig=="})),
        stop(0),
        start(1, json!({"type": "redacted_thinking", "data": "xyz"})),
        stop(1),
        start(2, json!({"type": "text", "text": ""})),
        text(2, "Look, "),
        text(2, "天气 \"x\"\n"),
        stop(2),
        start(
            3,
            json!({"type": "server_tool_use", "id": "s1", "name": "web_search",
            "input": {}}),
        ),
        input(3, ""),
        input(3, "{\"query\": "),
        input(3, "\"rain\"}"),
        stop(3),
        start(
            4,
            json!({"type": "web_search_tool_result", "tool_use_id": "s1", "content": [
            {"type": "web_search_result", "url": "https://a.example"}]}),
        ),
        stop(4),
        // Citations arrive before their text, or after it.
        start(5, json!({"type": "text", "text": "", "citations": []})),
        cites(5, 1),
        text(5, "It rains."),
        cites(5, 2),
        stop(5),
        tool(6, "t1", json!({})),
        input(6, "{\"city\": "),
        input(6, "\"Paris\"}"),
        stop(6),
        tool(7, "t2", json!({})),
        stop(7),
    ]
}
