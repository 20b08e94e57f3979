//! What servers were seen to send, with a fixture for each quirk.

mod calls;
mod content;
mod ends;
mod errors;
mod faults;
mod splits;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::OpenAiChat;
use crate::chat::{ChatEvent, ChatResponse, FinishReason, Fold, MediaSource, Part};
use crate::dialect::{Caps, Dialect, Mode};
use crate::error::{Error, ErrorKind};

fn events<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<ChatEvent>, (Vec<ChatEvent>, Error)> {
    let head = http::Response::new(()).into_parts().0;
    let mut decoder = OpenAiChat::default().decoder(&head, Mode::Stream, Caps::default());
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

/// The answer of a stream of these chunks and `[DONE]`.
fn stream(chunks: &[Value]) -> ChatResponse {
    fold(events([sse(chunks, true).as_bytes()]).unwrap())
}

fn sse(chunks: &[Value], done: bool) -> String {
    let mut text: String = chunks.iter().map(|c| format!("data: {c}\n\n")).collect();
    if done {
        text.push_str("data: [DONE]\n\n");
    }
    text
}

fn failed(body: &str) -> Error {
    events([body.as_bytes()]).unwrap_err().1
}

fn delta(delta: Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta}]})
}

fn finish(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn whole(message: Value) -> ChatResponse {
    let body = json!({"choices": [{"message": message, "finish_reason": "stop"}]});
    fold(events([body.to_string().as_bytes()]).unwrap())
}

/// The id, the name and the arguments of each call.
fn calls(answer: &ChatResponse) -> Vec<(&str, &str, &str)> {
    let calls = answer.tool_calls();
    calls
        .map(|call| (&*call.id, &*call.name, &*call.arguments))
        .collect()
}
