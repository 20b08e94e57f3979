//! DeepSeek: reasons unless told otherwise, and requires its reasoning back.

use serde_json::{Map, Value, json};

use super::{Refusal, Thinking, count, field, has_bearer, has_items, messages, text, words_of};
use crate::server::log::Seen;

/// `deepseek-chat` and `deepseek-reasoner` no longer exist since 2026-07-24.
const MODELS: &[&str] = &[
    "deepseek-flash",
    "deepseek-pro",
    "deepseek-v4-flash",
    "deepseek-v4-pro",
];

pub(super) fn check(request: &Seen, body: &Map<String, Value>) -> Result<Thinking, Refusal> {
    if !has_bearer(request) {
        let message = "Authentication Fails (auth header format should be Bearer sk-...)";
        let kind = "authentication_error";
        let code = json!("invalid_request_error");
        return Err(Refusal::openai(401, message, kind, Value::Null, code));
    }
    if !text(body, "model").is_some_and(|model| MODELS.contains(&model)) {
        return Err(invalid("Model Not Exist"));
    }
    let toggle = field(body, "thinking").map(|thinking| &thinking["type"]);
    let thinks = match toggle.map(Value::as_str) {
        None | Some(Some("enabled")) => true,
        Some(Some("disabled")) => false,
        Some(_) => {
            return Err(invalid(
                "Failed to deserialize the JSON body into the target type: thinking: unknown \
                 variant, expected `enabled` or `disabled`",
            ));
        }
    };
    let limit = count(body, "max_tokens");
    if !thinks {
        return Ok(Thinking {
            limit,
            ..Thinking::default()
        });
    }
    if messages(body).iter().any(lacks_thoughts) {
        return Err(invalid(
            "The `reasoning_content` in the thinking mode must be passed back to the API.",
        ));
    }
    // `none` does not turn reasoning off; only `thinking` does.
    let effort = match text(body, "reasoning_effort") {
        Some("minimal" | "low") => "low",
        Some("max" | "ultra") => "max",
        _ => "high",
    };
    Ok(Thinking {
        words: words_of(effort),
        shown: true,
        limit,
        ..Thinking::default()
    })
}

/// Whether a message calls tools without the reasoning that led to the calls.
fn lacks_thoughts(message: &Value) -> bool {
    let Some(message) = message.as_object() else {
        return false;
    };
    has_items(message, "tool_calls") && text(message, "reasoning_content").is_none_or(str::is_empty)
}

fn invalid(message: &str) -> Refusal {
    let kind = "invalid_request_error";
    Refusal::openai(400, message, kind, Value::Null, json!(kind))
}
