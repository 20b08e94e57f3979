//! Encoding and decoding, with a fixture for each rule.

mod calls;
mod config;
mod contents;
mod decode;
mod ends;
mod paths;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::chat::{ChatEvent, ChatRequest, ChatResponse, Fold, Message};
use crate::dialect::gemini::Gemini;
use crate::dialect::{Caps, Dialect, Endpoint, Mode};
use crate::error::{Error, ErrorKind};
use crate::provider::Provider;

const BASE: &str = "https://generativelanguage.googleapis.com/v1beta";

fn endpoint(base: &'static str) -> Endpoint {
    Provider::new("gemini", base, "gemini-3.8-flash", Gemini::default())
        .endpoint()
        .unwrap()
}

fn try_encode(request: &ChatRequest) -> Result<Value, Error> {
    let encoded = Gemini::default().encode(&endpoint(BASE), request, Mode::Whole)?;
    Ok(serde_json::from_slice(encoded.body()).unwrap())
}

fn encode(request: &ChatRequest) -> Value {
    try_encode(request).unwrap()
}

fn refused(request: &ChatRequest) -> String {
    let error = try_encode(request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    error.to_string()
}

fn hi() -> ChatRequest {
    ChatRequest::new([Message::user("hi")])
}

/// The answer to a body with this status, and the error that ended it.
fn read(status: u16, body: &str) -> (ChatResponse, Option<Error>) {
    let mut head = http::Response::new(());
    *head.status_mut() = http::StatusCode::from_u16(status).unwrap();
    let head = head.into_parts().0;
    let mut decoder = Gemini::default().decoder(&head, Mode::Stream, Caps::default());
    decoder.feed(Bytes::copy_from_slice(body.as_bytes()));
    decoder.end();
    let mut fold = Fold::new();
    loop {
        match decoder.next_event() {
            Ok(Some(event)) => fold.push(event),
            Ok(None) => return (fold.finish(), None),
            Err(error) => return (fold.finish(), Some(error)),
        }
    }
}

fn answer(body: &str) -> ChatResponse {
    let (answer, error) = read(200, body);
    assert!(error.is_none(), "{error:?}");
    answer
}

fn failure(status: u16, body: &str) -> Error {
    read(status, body).1.expect("an error")
}

/// A stream of these chunks, with Google's line endings.
fn sse(chunks: &[Value]) -> String {
    let chunks = chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n"));
    chunks.collect()
}

/// A chunk with these parts, and with a finish reason unless `finish` is empty.
fn chunk(parts: Value, finish: &str) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
    if !finish.is_empty() {
        candidate["finishReason"] = finish.into();
    }
    json!({"candidates": [candidate], "modelVersion": "gemini-3.8-flash", "responseId": "r-1"})
}

/// The answer to a stream of parts, each in a chunk of its own.
fn streamed(parts: &[Value]) -> ChatResponse {
    let mut chunks: Vec<_> = parts.iter().map(|part| chunk(json!([part]), "")).collect();
    chunks.push(chunk(json!([]), "STOP"));
    answer(&sse(&chunks))
}

/// The model's turn as it is sent back.
fn sent_back(answer: &ChatResponse) -> Value {
    let request = ChatRequest::new([Message::user("hi"), answer.message.clone()]);
    encode(&request)["contents"][1]["parts"].take()
}

/// The events of a stream that has not ended, and whether the answer is complete.
fn events(pieces: &[&str]) -> (Vec<ChatEvent>, bool) {
    let head = http::Response::new(()).into_parts().0;
    let mut decoder = Gemini::default().decoder(&head, Mode::Stream, Caps::default());
    let mut events = Vec::new();
    for piece in pieces {
        decoder.feed(Bytes::copy_from_slice(piece.as_bytes()));
        while let Some(event) = decoder.next_event().unwrap() {
            events.push(event);
        }
    }
    (events, decoder.is_complete())
}
