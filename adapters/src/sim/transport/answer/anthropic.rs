//! Anthropic's messages.

use serde_json::{Value, json};

use super::Answer;

pub(super) fn whole(answer: &Answer<'_>) -> String {
    let mut message = message(answer);
    message["content"] = json!([{"type": "text", "text": answer.tokens.concat()}]);
    message["stop_reason"] = stop_reason(answer).into();
    if answer.tells_usage {
        message["usage"]["output_tokens"] = answer.tokens.len().into();
    }
    message.to_string()
}

pub(super) fn opening(answer: &Answer<'_>) -> String {
    let start = json!({"type": "message_start", "message": message(answer)});
    let block = json!({
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": ""},
    });
    event(&start) + &event(&block)
}

pub(super) fn token(token: &str) -> String {
    event(&json!({
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": token},
    }))
}

pub(super) fn ending(answer: &Answer<'_>) -> String {
    let stop = json!({"type": "content_block_stop", "index": 0});
    let mut delta = json!({
        "type": "message_delta",
        "delta": {"stop_reason": stop_reason(answer), "stop_sequence": null},
    });
    if answer.tells_usage {
        delta["usage"] = json!({"output_tokens": answer.tokens.len()});
    }
    event(&stop) + &event(&delta) + &event(&json!({"type": "message_stop"}))
}

fn event(data: &Value) -> String {
    let name = data["type"].as_str().unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n")
}

fn message(answer: &Answer<'_>) -> Value {
    let mut message = json!({
        "id": format!("msg_sim_{}", answer.ask.number),
        "type": "message",
        "role": "assistant",
        "model": answer.ask.model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
    });
    if answer.tells_usage {
        message["usage"] = json!({"input_tokens": answer.ask.input_tokens, "output_tokens": 0});
    }
    message
}

fn stop_reason(answer: &Answer<'_>) -> &'static str {
    match answer.is_cut {
        true => "max_tokens",
        false => "end_turn",
    }
}
