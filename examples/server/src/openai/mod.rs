//! An OpenAI-compatible front: `/v1/chat/completions` and `/v1/models`.
//!
//! ```text
//!  OpenAI JSON ─► request ─► ChatRequest ─► queue, limits, retries ─► any provider
//!  OpenAI JSON ◄─ answer, chunks ◄─ ChatResponse, ChatEvents ◄────────┘
//! ```

pub(crate) mod answer;
pub(crate) mod chunks;
pub(crate) mod message;
pub(crate) mod request;

use std::time::{SystemTime, UNIX_EPOCH};

use chatcore::chat::Extra;
use chatcore::{FinishReason, Usage};
use serde_json::{Value, json};

/// Seconds since 1970, the unit of OpenAI's `created`.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The list of the models that clients may use.
pub(crate) fn models(models: &[String], owner: &str, created: u64) -> Value {
    let model = |id: &String| model(id, owner, created);
    json!({"object": "list", "data": models.iter().map(model).collect::<Vec<_>>()})
}

/// One model.
pub(crate) fn model(id: &str, owner: &str, created: u64) -> Value {
    json!({"id": id, "object": "model", "created": created, "owned_by": owner})
}

/// The reason why the answer ended, as OpenAI's `finish_reason`.
fn finish_reason(reason: &FinishReason) -> &str {
    match reason {
        FinishReason::Refusal | FinishReason::Pause => "stop",
        other => other.as_str(),
    }
}

/// The extra fields of a tool call in OpenAI's form. Fields of other dialects stay under the
/// dialect's name, so that they return with the call. Fields of Responses are dropped, because with
/// its id a call needs its reasoning, which this protocol cannot carry.
fn own_members(mut extra: Extra) -> Extra {
    extra.remove("openai_responses");
    if let Some(Value::Object(own)) = extra.remove("openai_chat") {
        extra.extend(own);
    }
    extra
}

/// The usage in OpenAI's fields.
fn usage(usage: &Usage) -> Value {
    json!({
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens(),
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens.unwrap_or(0)},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens.unwrap_or(0)},
    })
}
