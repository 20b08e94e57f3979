//! Mistral: refuses every unknown field, even within messages.

use serde_json::{Map, Value, json};

use super::{Refusal, Thinking, count, has_bearer, messages, text};
use crate::server::log::Seen;

/// All fields of a request. `seed` is called `random_seed`, and there is no `stream_options`.
const FIELDS: &[&str] = &[
    "frequency_penalty",
    "guardrails",
    "max_tokens",
    "messages",
    "metadata",
    "min_tokens",
    "model",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_mode",
    "random_seed",
    "reasoning_effort",
    "response_format",
    "safe_prompt",
    "stop",
    "stream",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
];

/// The fields of a message for each role.
const MESSAGE_FIELDS: &[(&str, &[&str])] = &[
    ("system", &["role", "content"]),
    ("user", &["role", "content"]),
    ("assistant", &["role", "content", "tool_calls", "prefix"]),
    ("tool", &["role", "content", "tool_call_id", "name"]),
];

/// Prefixes of the model names.
const FAMILIES: &[&str] = &[
    "codestral",
    "devstral",
    "magistral",
    "ministral",
    "mistral",
    "open-mi",
    "pixtral",
];

pub(super) fn check(request: &Seen, body: &Map<String, Value>) -> Result<Thinking, Refusal> {
    if !has_bearer(request) {
        return Err(Refusal {
            status: 401,
            body: json!({"detail": "Unauthorized"}),
        });
    }
    let mut detail = Vec::new();
    for (name, value) in body {
        if !FIELDS.contains(&name.as_str()) {
            detail.push(extra(json!(["body", name]), value));
        }
    }
    for (n, message) in messages(body).iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        let known = MESSAGE_FIELDS.iter().find(|(known, _)| *known == role);
        let Some((_, known)) = known else {
            detail.push(json!({
                "type": "union_tag_invalid", "loc": ["body", "messages", n], "input": message,
                "msg": "Input tag found using 'role' does not match any of the expected tags: \
                        'assistant', 'system', 'tool', 'user'",
            }));
            continue;
        };
        for (name, value) in message.as_object().into_iter().flatten() {
            if !known.contains(&name.as_str()) {
                detail.push(extra(json!(["body", "messages", n, role, name]), value));
            }
        }
    }
    if !detail.is_empty() {
        return Err(refuse(
            422,
            json!({"detail": detail}),
            "invalid_request_error",
            Value::Null,
        ));
    }
    let model = text(body, "model").unwrap_or_default();
    if !FAMILIES.iter().any(|family| model.starts_with(family)) {
        let message = json!(format!("Invalid model: {model}"));
        return Err(refuse(400, message, "invalid_model", json!("1500")));
    }
    Ok(Thinking {
        limit: count(body, "max_tokens"),
        stream_usage: true,
        ..Thinking::default()
    })
}

fn extra(place: Value, input: &Value) -> Value {
    json!({
        "type": "extra_forbidden", "loc": place, "input": input,
        "msg": "Extra inputs are not permitted",
    })
}

fn refuse(status: u16, message: Value, kind: &str, code: Value) -> Refusal {
    Refusal {
        status,
        body: json!({
            "object": "error", "message": message, "type": kind, "param": null, "code": code,
        }),
    }
}
