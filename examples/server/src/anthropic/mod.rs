//! A front for Anthropic's protocol: `/v1/messages`.
//!
//! ```text
//!  Anthropic JSON ─► request, message ─► ChatRequest ─► queue, limits, retries ─► any provider
//!  Anthropic JSON ◄─ answer, events ◄─── ChatResponse, ChatEvents ◄─────────────────┘
//! ```
//!
//! An answer can contain data that another dialect needs back, such as Gemini's thought signatures.
//! That data is written into its block under the dialect's name, and returns with the block. For
//! reasoning it is written into the block's signature instead, because a stream has no other place
//! for data that arrives at the end, and because every client sends signatures back. For text it is
//! only in complete answers, not in streams.

pub(crate) mod answer;
pub(crate) mod events;
pub(crate) mod message;
pub(crate) mod request;

use chatcore::chat::{Extra, Reasoning};
use chatcore::dialect::{NAMES, kit};
use serde_json::{Map, Value, json};

use crate::errors::ApiError;

/// The dialect that this front speaks.
const DIALECT: &str = "anthropic";

/// An error in Anthropic's form.
pub(crate) fn error(error: &ApiError, request_id: Option<&str>) -> Value {
    let kind = match error.status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 => "overloaded_error",
        504 => "timeout_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    };
    let mut whole = json!({"type": "error", "error": {
        "type": kind,
        "message": error.message,
        // Anthropic has no such field; clients ignore it.
        "code": error.code,
    }});
    if let Some(id) = request_id {
        whole["request_id"] = json!(id);
    }
    whole
}

/// Sorts the remaining fields of a block: fields named after another dialect stay under that name,
/// and all others are stored as Anthropic's own.
fn kept(fields: Map<String, Value>) -> Extra {
    let (mut extra, own): (Extra, Extra) =
        (fields.into_iter()).partition(|(name, _)| NAMES.contains(&&**name));
    if !own.is_empty() {
        extra.extend(kit::as_own(DIALECT, own));
    }
    extra
}

/// The prefix of a signature that carries other dialects' proofs, as a JSON object.
const CARRIED: &str = "chatcore:";

/// The signature of reasoning: Anthropic's own, or other dialects' proofs, or empty if there are
/// none.
fn signature(reasoning: &Reasoning) -> String {
    if let Some(signature) = &reasoning.signature {
        return signature.clone();
    }
    let extra = reasoning.extra.iter();
    let proofs = extra.filter(|(name, _)| **name != DIALECT && NAMES.contains(&&***name));
    let proofs: Extra = proofs
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    match proofs.is_empty() {
        true => String::new(),
        false => format!("{CARRIED}{}", Value::Object(proofs)),
    }
}

/// Splits a signature into Anthropic's own and other dialects' proofs.
fn proofs(signature: String) -> (Option<String>, Extra) {
    match signature.strip_prefix(CARRIED).map(serde_json::from_str) {
        Some(Ok(Value::Object(proofs))) => (None, kept(proofs)),
        _ => (
            Some(signature).filter(|text| !text.is_empty()),
            Extra::new(),
        ),
    }
}

/// The extra fields as they appear in a block.
fn shown(mut extra: Extra) -> Extra {
    if let Some(Value::Object(own)) = extra.remove(DIALECT) {
        extra.extend(own);
    }
    extra
}
