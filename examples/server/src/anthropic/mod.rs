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

pub(crate) mod message;
pub(crate) mod request;

use chatcore::chat::Extra;
use chatcore::dialect::{NAMES, kit};
use chatcore_adapters::answers::anthropic::CARRIED;
use serde_json::{Map, Value};

/// The dialect that this front speaks.
const DIALECT: &str = "anthropic";

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
