//! What is sent, and what servers were seen to send.

mod encode;
mod ends;
mod faults;
mod items;
mod merge;
mod round_trip;
mod splits;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::OpenAiResponses;
use crate::chat::{ChatEvent, ChatRequest, ChatResponse, FinishReason, Fold, Message, Part};
use crate::dialect::{Caps, Decoder, Dialect, Mode};
use crate::error::{Error, ErrorKind};
use crate::provider::Provider;

fn decoder() -> Box<dyn Decoder> {
    let head = http::Response::new(()).into_parts().0;
    OpenAiResponses::default().decoder(&head, Mode::Stream, Caps::default())
}

fn events<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<ChatEvent>, (Vec<ChatEvent>, Error)> {
    let mut decoder = decoder();
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

/// A stream of these events without their names, because some servers send none.
fn sse(events: &[Value]) -> String {
    (events.iter())
        .map(|event| format!("data: {event}\n\n"))
        .collect()
}

/// The answer of a stream of these events.
fn stream(all: &[Value]) -> ChatResponse {
    let body = sse(all);
    fold(events([body.as_bytes()]).unwrap_or_else(|(_, error)| panic!("{error:?}")))
}

/// The answer before the error of a stream, and the error.
fn failed(all: &[Value]) -> (ChatResponse, Error) {
    let (events, error) = events([sse(all).as_bytes()]).unwrap_err();
    (fold(events), error)
}

fn whole(response: &Value) -> ChatResponse {
    fold(events([response.to_string().as_bytes()]).unwrap())
}

fn added(at: u64, item: Value) -> Value {
    json!({"type": "response.output_item.added", "output_index": at, "item": item})
}

fn done(at: u64, item: Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": at, "item": item})
}

fn text(at: u64, delta: &str) -> Value {
    json!({"type": "response.output_text.delta", "output_index": at, "content_index": 0,
        "delta": delta})
}

fn arguments(at: u64, delta: &str) -> Value {
    json!({"type": "response.function_call_arguments.delta", "output_index": at, "delta": delta})
}

fn completed(output: Value) -> Value {
    json!({"type": "response.completed", "response":
        {"id": "resp_1", "model": "m", "status": "completed", "output": output}})
}

fn message(id: &str, text: &str) -> Value {
    json!({"type": "message", "id": id, "status": "completed", "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}]})
}

fn call(id: &str, arguments: &str) -> Value {
    json!({"type": "function_call", "id": format!("fc_{id}"), "call_id": id, "name": "f",
        "arguments": arguments, "status": "completed"})
}

/// The id and the arguments of each call.
fn calls(answer: &ChatResponse) -> Vec<(&str, &str)> {
    let calls = answer.tool_calls();
    calls.map(|call| (&*call.id, &*call.arguments)).collect()
}

fn encode(request: &ChatRequest, mode: Mode) -> Result<Value, Error> {
    let dialect = OpenAiResponses::default();
    let provider = Provider::new("p", "http://127.0.0.1/v1", "m", dialect);
    let endpoint = provider.endpoint().unwrap();
    let encoded = dialect.encode(&endpoint, request, mode)?;
    assert_eq!(encoded.uri(), "http://127.0.0.1/v1/responses");
    assert_eq!(encoded.method(), "POST");
    let text = std::str::from_utf8(encoded.body()).unwrap();
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(value.to_string().len(), text.len(), "a field twice: {text}");
    Ok(value)
}

/// The items of the request for a conversation.
fn input(messages: impl IntoIterator<Item = Message>) -> Value {
    encode(&ChatRequest::new(messages), Mode::Whole).unwrap()["input"].take()
}
