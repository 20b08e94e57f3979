//! A front in Anthropic's protocol: `/v1/messages`.
//!
//! ```text
//!  Anthropic JSON ─► request, message ─► ChatRequest ─► queue, limits, retries ─► any provider
//!  Anthropic JSON ◄─ answer, events ◄─── ChatResponse, ChatEvents ◄─────────────────┘
//! ```
//!
//! What an answer keeps for another dialect (a thought signature of Gemini's, say) stands in its
//! block under that dialect's name, and comes back with the block. That of reasoning stands in its
//! signature, because a stream has no other place for what comes at its end, and every client sends
//! signatures back. What is kept of text is in whole answers only.

pub(crate) mod answer;
pub(crate) mod events;
pub(crate) mod message;
pub(crate) mod request;

use chatcore::chat::{Extra, Reasoning};
use chatcore::dialect::{NAMES, kit};
use serde_json::{Map, Value, json};

use crate::errors::ApiError;

/// The dialect whose form this is.
const DIALECT: &str = "anthropic";

/// An error in Anthropic's shape.
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
        // Anthropic has none; clients pass it over.
        "code": error.code,
    }});
    if let Some(id) = request_id {
        whole["request_id"] = json!(id);
    }
    whole
}

/// The fields of a block that have no name here, as they are kept: those of other dialects under
/// their names, the others as Anthropic's own.
fn kept(fields: Map<String, Value>) -> Extra {
    let (mut extra, own): (Extra, Extra) =
        (fields.into_iter()).partition(|(name, _)| NAMES.contains(&&**name));
    if !own.is_empty() {
        extra.extend(kit::as_own(DIALECT, own));
    }
    extra
}

/// What a signature begins with in which other dialects' proofs stand, as a JSON object.
const CARRIED: &str = "chatcore:";

/// The signature of reasoning: Anthropic's, or what proves it elsewhere; empty where nothing does.
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

/// What a signature says: Anthropic's own, or other dialects' proofs.
fn proofs(signature: String) -> (Option<String>, Extra) {
    match signature.strip_prefix(CARRIED).map(serde_json::from_str) {
        Some(Ok(Value::Object(proofs))) => (None, kept(proofs)),
        _ => (
            Some(signature).filter(|text| !text.is_empty()),
            Extra::new(),
        ),
    }
}

/// The same fields, as they stand in a block.
fn shown(mut extra: Extra) -> Extra {
    if let Some(Value::Object(own)) = extra.remove(DIALECT) {
        extra.extend(own);
    }
    extra
}
