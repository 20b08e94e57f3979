//! An OpenAI-compatible front: `/v1/chat/completions` and `/v1/models`.
//!
//! ```text
//!  OpenAI JSON ─► request ─► ChatRequest ─► queue, limits, retries ─► any provider
//!  OpenAI JSON ◄─ answer, chunks ◄─ ChatResponse, ChatEvents ◄────────┘
//! ```

pub(crate) mod message;
pub(crate) mod request;

use std::time::{SystemTime, UNIX_EPOCH};

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
