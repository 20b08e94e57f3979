//! Anthropic's messages.
//!
//! An answer can contain data that another dialect needs back, such as Gemini's thought signatures.
//! That data is written into its block under the dialect's name, and returns with the block. For
//! reasoning it is written into the block's signature instead, because a stream has no other place
//! for data that arrives at the end, and because every client sends signatures back. For text it is
//! only in complete answers, not in streams.

mod events;
mod whole;

use chatcore::ChatResponse;
use chatcore::chat::{Extra, Reasoning};
use chatcore::dialect::NAMES;
use serde_json::{Value, json};

use super::{Form, Frame, Refusal};

/// The name of the dialect that reads this form.
const DIALECT: &str = "anthropic";

/// The form of Anthropic's messages.
#[derive(Clone, Copy, Debug)]
pub struct AnthropicForm;

impl Form for AnthropicForm {
    fn dialect(&self) -> &'static str {
        DIALECT
    }

    fn path(&self) -> &'static str {
        "/messages"
    }

    fn request_id_header(&self) -> &'static str {
        "request-id"
    }

    fn whole(&self, answer: &ChatResponse, frame: &Frame) -> Value {
        whole::write(answer, frame)
    }

    fn stream(&self, frame: Frame) -> Box<dyn super::Events> {
        Box::new(events::Events::new(frame))
    }

    fn refuse(&self, refusal: &Refusal) -> Value {
        let kind = match refusal.status {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            503 | 529 => "overloaded_error",
            504 => "timeout_error",
            400..=499 => "invalid_request_error",
            _ => "api_error",
        };
        let kind = refusal.kind.as_deref().unwrap_or(kind);
        let mut whole = json!({"type": "error", "error": {
            "type": kind,
            "message": refusal.message,
        }});
        if let Some(code) = &refusal.code {
            whole["error"]["code"] = json!(code);
        }
        if let Some(id) = &refusal.request_id {
            whole["request_id"] = json!(id);
        }
        whole
    }
}

/// The prefix of a signature that carries other dialects' proofs. A JSON object follows it.
pub const CARRIED: &str = "chatcore:";

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

/// The extra fields as they appear in a block.
fn shown(mut extra: Extra) -> Extra {
    if let Some(Value::Object(own)) = extra.remove(DIALECT) {
        extra.extend(own);
    }
    extra
}
