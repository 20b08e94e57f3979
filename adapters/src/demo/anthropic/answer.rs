//! [`Reply`] → the bytes of a message, and of its errors.

use http::StatusCode;
use serde_json::{Value, json};

use crate::demo::ask::{Ask, Refusal};
use crate::demo::reply::{Content, End, Reply, as_object};
use crate::demo::script::Script;
use crate::demo::tokens::tokens;

/// An answer in one piece.
pub(crate) fn whole(ask: &Ask, reply: &Reply, id: &str) -> Script {
    let block = match &reply.content {
        Content::Text(text) => json!({"type": "text", "text": text}),
        Content::ToolCall { name, arguments } => json!({
            "type": "tool_use", "id": call_id(id), "name": name, "input": as_object(arguments),
        }),
    };
    let (reason, sequence) = stop(&reply.end);
    let body = json!({
        "id": format!("msg_{id}"),
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": [block],
        "stop_reason": reason,
        "stop_sequence": sequence,
        "usage": {"input_tokens": reply.prompt_tokens, "output_tokens": reply.tokens},
    });
    Script::whole(body, reply.tokens as usize)
}

/// An answer as a stream, one event for each word.
pub(crate) fn stream(ask: &Ask, reply: &Reply, id: &str) -> Script {
    let mut script = Script::stream();
    let mut event = |data: Value, is_word: bool| {
        script.event(data["type"].as_str(), &data.to_string(), is_word);
    };
    let message = json!({
        "id": format!("msg_{id}"),
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": {"input_tokens": reply.prompt_tokens, "output_tokens": 1},
    });
    event(json!({"type": "message_start", "message": message}), false);
    let (block, text) = match &reply.content {
        Content::Text(text) => (json!({"type": "text", "text": ""}), text),
        Content::ToolCall { name, arguments } => (
            json!({"type": "tool_use", "id": call_id(id), "name": name, "input": {}}),
            arguments,
        ),
    };
    let start = json!({"type": "content_block_start", "index": 0, "content_block": block});
    event(start, false);
    event(json!({"type": "ping"}), false);
    for word in tokens(text) {
        let delta = match &reply.content {
            Content::Text(_) => json!({"type": "text_delta", "text": word}),
            Content::ToolCall { .. } => json!({"type": "input_json_delta", "partial_json": word}),
        };
        let delta = json!({"type": "content_block_delta", "index": 0, "delta": delta});
        event(delta, true);
    }
    event(json!({"type": "content_block_stop", "index": 0}), false);
    let (reason, sequence) = stop(&reply.end);
    let end = json!({
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": sequence},
        "usage": {"output_tokens": reply.tokens},
    });
    event(end, false);
    event(json!({"type": "message_stop"}), false);
    script
}

/// An error's body.
pub(crate) fn refuse(refusal: &Refusal, id: &str) -> Value {
    let kind = match refusal.status {
        StatusCode::NOT_FOUND => "not_found_error",
        _ => "invalid_request_error",
    };
    json!({
        "type": "error",
        "error": {"type": kind, "message": refusal.message},
        "request_id": format!("req_{id}"),
    })
}

fn call_id(id: &str) -> String {
    format!("toolu_{id}")
}

fn stop(end: &End) -> (&'static str, Option<&str>) {
    match end {
        End::Done => ("end_turn", None),
        End::Stop(sequence) => ("stop_sequence", Some(sequence)),
        End::Length => ("max_tokens", None),
        End::ToolCall => ("tool_use", None),
    }
}
