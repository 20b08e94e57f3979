//! `reasoning_details`, as OpenRouter streams them: reasoning in typed blocks, in pieces.

use serde_json::Value;

use crate::dialect::kit::read::Raw;
use crate::json;

/// Texts that grow from piece to piece; of other fields the last value counts.
const GROWING: [&str; 4] = ["text", "summary", "data", "signature"];

/// The blocks so far. They must go back whole, or the provider refuses their signatures.
#[derive(Debug, Default)]
pub(super) struct Details(Vec<Value>);

impl Details {
    /// Takes in the next blocks, or the next pieces of blocks.
    pub(super) fn push(&mut self, raw: Raw<'_>, are_pieces: bool) {
        let Ok(Value::Array(list)) = json::parse(raw) else {
            return;
        };
        for detail in list {
            match self.0.iter_mut().rfind(|known| is_same(known, &detail)) {
                Some(known) if are_pieces => grow(known, detail),
                _ => self.0.push(detail),
            }
        }
    }

    /// All blocks, if there are any.
    pub(super) fn take(&mut self) -> Option<Value> {
        let details = std::mem::take(&mut self.0);
        (!details.is_empty()).then_some(Value::Array(details))
    }
}

/// Whether both are of one block: only those with an index can be told.
fn is_same(left: &Value, right: &Value) -> bool {
    let index = left["index"].as_u64();
    index.is_some()
        && index == right["index"].as_u64()
        && left["type"].as_str() == right["type"].as_str()
}

fn grow(known: &mut Value, piece: Value) {
    let (Value::Object(known), Value::Object(piece)) = (known, piece) else {
        return;
    };
    for (name, value) in piece {
        match (known.get_mut(&name), value) {
            (_, Value::Null) => {}
            (Some(Value::String(text)), Value::String(more)) if GROWING.contains(&&*name) => {
                text.push_str(&more);
            }
            (_, value) => {
                known.insert(name, value);
            }
        }
    }
}
