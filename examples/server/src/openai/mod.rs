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

/// Seconds since 1970, as OpenAI's `created` has it.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The list of the models that may be asked for.
pub(crate) fn models(models: &[String], owner: &str, created: u64) -> Value {
    let model = |id: &String| model(id, owner, created);
    json!({"object": "list", "data": models.iter().map(model).collect::<Vec<_>>()})
}

/// One model.
pub(crate) fn model(id: &str, owner: &str, created: u64) -> Value {
    json!({"id": id, "object": "model", "created": created, "owned_by": owner})
}

/// Why an answer ended, in OpenAI's words.
fn finish_reason(reason: &FinishReason) -> &str {
    match reason {
        FinishReason::Refusal | FinishReason::Pause => "stop",
        other => other.as_str(),
    }
}

/// Fields of a tool call as they stand in OpenAI's form. What belongs to another dialect stays under
/// its name, under which it comes back. The ids of Responses stay here: with them a call needs its
/// reasoning, for which this protocol has no place.
fn own_members(mut extra: Extra) -> Extra {
    extra.remove("openai_responses");
    if let Some(Value::Object(own)) = extra.remove("openai_chat") {
        extra.extend(own);
    }
    extra
}

/// What an answer cost, in OpenAI's fields.
fn usage(usage: &Usage) -> Value {
    json!({
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens(),
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens.unwrap_or(0)},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens.unwrap_or(0)},
    })
}
