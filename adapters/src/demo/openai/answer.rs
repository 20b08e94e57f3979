//! [`Reply`] → the bytes of a chat completion, and of its errors.

use serde_json::{Value, json};

use crate::demo::ask::{Ask, Refusal};
use crate::demo::reply::{Content, End, Reply};
use crate::demo::script::Script;
use crate::demo::tokens::tokens;

/// When every answer was made: the demo model has no clock.
const CREATED: u64 = 1_700_000_000;

/// An answer in one piece.
pub(crate) fn whole(ask: &Ask, reply: &Reply, id: &str) -> Script {
    let message = match &reply.content {
        Content::Text(text) => json!({"role": "assistant", "content": text, "refusal": null}),
        Content::ToolCall { name, arguments } => json!({
            "role": "assistant",
            "content": null,
            "tool_calls": [{
                "id": call_id(id),
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }],
        }),
    };
    let body = json!({
        "id": format!("chatcmpl-{id}"),
        "object": "chat.completion",
        "created": CREATED,
        "model": ask.model,
        "choices": [{
            "index": 0,
            "message": message,
            "logprobs": null,
            "finish_reason": finish_reason(&reply.end),
        }],
        "usage": usage(reply),
        "system_fingerprint": "fp_demo",
    });
    Script::whole(body, reply.tokens as usize)
}

/// An answer as a stream, one event for each word.
pub(crate) fn stream(ask: &Ask, reply: &Reply, id: &str) -> Script {
    let mut script = Script::stream();
    let mut chunk = |choices: Value, usage: Value, is_word: bool| {
        let mut chunk = json!({
            "id": format!("chatcmpl-{id}"),
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": ask.model,
            "system_fingerprint": "fp_demo",
            "choices": choices,
        });
        if ask.stream_usage {
            chunk["usage"] = usage;
        }
        script.event(None, &chunk.to_string(), is_word);
    };
    let mut delta = |delta: Value, finish: Option<&str>, is_word: bool| {
        let choice = json!({
            "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish,
        });
        chunk(json!([choice]), Value::Null, is_word);
    };
    match &reply.content {
        Content::Text(text) => {
            delta(
                json!({"role": "assistant", "content": "", "refusal": null}),
                None,
                false,
            );
            for word in tokens(text) {
                delta(json!({"content": word}), None, true);
            }
        }
        Content::ToolCall { name, arguments } => {
            delta(json!({"role": "assistant", "content": null}), None, false);
            let call = json!({
                "index": 0, "id": call_id(id), "type": "function",
                "function": {"name": name, "arguments": ""},
            });
            delta(json!({"tool_calls": [call]}), None, true);
            for piece in tokens(arguments) {
                let more = json!({"index": 0, "function": {"arguments": piece}});
                delta(json!({"tool_calls": [more]}), None, true);
            }
        }
    }
    delta(json!({}), Some(finish_reason(&reply.end)), false);
    if ask.stream_usage {
        chunk(json!([]), usage(reply), false);
    }
    script.event(None, "[DONE]", false);
    script
}

/// An error's body.
pub(crate) fn refuse(refusal: &Refusal) -> Value {
    json!({"error": {
        "message": refusal.message,
        "type": "invalid_request_error",
        "param": refusal.param,
        "code": refusal.code,
    }})
}

fn call_id(id: &str) -> String {
    format!("call_{id}")
}

fn finish_reason(end: &End) -> &'static str {
    match end {
        End::Done | End::Stop(_) => "stop",
        End::Length => "length",
        End::ToolCall => "tool_calls",
    }
}

fn usage(reply: &Reply) -> Value {
    json!({
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.tokens,
        "total_tokens": reply.prompt_tokens + reply.tokens,
    })
}
