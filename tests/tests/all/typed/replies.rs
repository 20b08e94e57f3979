//! Answers of each dialect, whole and streamed.

use serde_json::{Value, json};

use crate::jobs::{Reply, Sent};

/// The answer `text` to a request, in its dialect, whole or as a stream, for 5 and 3 tokens.
pub(crate) fn reply(sent: &Sent, text: &str) -> Reply {
    reply_with(sent, text, "stop")
}

/// An answer that ends for this reason, in the words of chat completions.
pub(super) fn reply_with(sent: &Sent, text: &str, reason: &str) -> Reply {
    let is_stream = sent.body["stream"] == true || sent.uri.contains("streamGenerateContent");
    let pieces = pieces(text);
    let events: Vec<Value> = match sent.uri.as_str() {
        uri if uri.ends_with("/chat/completions") => chat(text, &pieces, reason, is_stream),
        uri if uri.ends_with("/responses") => responses(text, &pieces, is_stream),
        uri if uri.ends_with("/messages") => messages(text, &pieces, is_stream),
        uri if uri.ends_with("/api/chat") => ollama(text, &pieces, is_stream),
        uri if uri.contains("enerateContent") => gemini(text, &pieces, is_stream),
        uri => panic!("{uri}"),
    };
    let is_lines = sent.uri.ends_with("/api/chat");
    let body: String = match (is_stream, is_lines) {
        (false, _) => events[0].to_string(),
        (true, true) => events.iter().map(|event| format!("{event}\n")).collect(),
        (true, false) => events
            .iter()
            .map(|event| format!("data: {event}\n\n"))
            .collect(),
    };
    Reply::ok(body)
}

/// A text in pieces of three characters.
fn pieces(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars
        .chunks(3)
        .map(|piece| piece.iter().collect())
        .collect()
}

fn chat(text: &str, pieces: &[String], reason: &str, is_stream: bool) -> Vec<Value> {
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8});
    if !is_stream {
        let message = json!({"role": "assistant", "content": text});
        let choice = json!({"index": 0, "message": message, "finish_reason": reason});
        return vec![json!({"id": "c", "model": "m", "choices": [choice], "usage": usage})];
    }
    let chunk = |delta: Value, reason: Value| {
        json!({"id": "c", "model": "m", "choices": [
            {"index": 0, "delta": delta, "finish_reason": reason}]})
    };
    let mut events: Vec<Value> = pieces
        .iter()
        .map(|piece| chunk(json!({ "content": piece }), Value::Null))
        .collect();
    events.push(chunk(json!({}), reason.into()));
    events.push(json!({"id": "c", "model": "m", "choices": [], "usage": usage}));
    events
}

fn responses(text: &str, pieces: &[String], is_stream: bool) -> Vec<Value> {
    let part = json!({"type": "output_text", "text": text, "annotations": []});
    let item = json!({"type": "message", "id": "i", "role": "assistant", "status": "completed",
        "content": [part]});
    let whole = json!({"id": "r", "object": "response", "status": "completed", "model": "m",
        "output": [item], "usage": {"input_tokens": 5, "output_tokens": 3}});
    if !is_stream {
        return vec![whole];
    }
    let mut events = vec![
        json!({"type": "response.created", "response": {"id": "r", "model": "m"}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item":
            {"type": "message", "id": "i", "role": "assistant", "content": []}}),
        json!({"type": "response.content_part.added", "item_id": "i", "output_index": 0,
            "content_index": 0, "part": {"type": "output_text", "text": ""}}),
    ];
    events.extend(pieces.iter().map(|piece| {
        json!({"type": "response.output_text.delta", "item_id": "i", "output_index": 0,
            "content_index": 0, "delta": piece})
    }));
    events.push(json!({"type": "response.output_item.done", "output_index": 0, "item": item}));
    events.push(json!({"type": "response.completed", "response": whole}));
    events
}

fn messages(text: &str, pieces: &[String], is_stream: bool) -> Vec<Value> {
    let usage = json!({"input_tokens": 5, "output_tokens": 3});
    if !is_stream {
        return vec![
            json!({"id": "m", "type": "message", "role": "assistant", "model": "m",
            "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
            "usage": usage}),
        ];
    }
    let mut events = vec![
        json!({"type": "message_start", "message": {"id": "m", "type": "message",
            "role": "assistant", "model": "m", "content": [], "usage": usage}}),
        json!({"type": "content_block_start", "index": 0, "content_block":
            {"type": "text", "text": ""}}),
    ];
    events.extend(pieces.iter().map(|piece| {
        json!({"type": "content_block_delta", "index": 0, "delta":
            {"type": "text_delta", "text": piece}})
    }));
    events.push(json!({"type": "content_block_stop", "index": 0}));
    events.push(
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 3}}),
    );
    events.push(json!({"type": "message_stop"}));
    events
}

fn gemini(text: &str, pieces: &[String], is_stream: bool) -> Vec<Value> {
    let whole = [text.to_owned()];
    let pieces = if is_stream { pieces } else { &whole };
    let last = pieces.len() - 1;
    let chunk = |(place, piece): (usize, &String)| {
        let reason = (place == last).then_some("STOP");
        json!({"responseId": "g", "modelVersion": "m", "candidates": [{"index": 0, "content":
            {"role": "model", "parts": [{"text": piece}]}, "finishReason": reason}],
            "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 3}})
    };
    pieces.iter().enumerate().map(chunk).collect()
}

fn ollama(text: &str, pieces: &[String], is_stream: bool) -> Vec<Value> {
    let end = |content: &str| {
        json!({"model": "m", "message": {"role": "assistant", "content": content}, "done": true,
            "done_reason": "stop", "prompt_eval_count": 5, "eval_count": 3})
    };
    if !is_stream {
        return vec![end(text)];
    }
    let mut events: Vec<Value> = pieces
        .iter()
        .map(|piece| {
            json!({"model": "m", "message": {"role": "assistant", "content": piece},
                "done": false})
        })
        .collect();
    events.push(end(""));
    events
}
