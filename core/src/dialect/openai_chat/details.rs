//! OpenRouter's `reasoning_details`: typed blocks of reasoning, streamed in pieces.

use serde_json::Value;

use crate::dialect::kit::decoder::Output;
use crate::dialect::kit::places::Places;
use crate::dialect::kit::read::{MAX_ITEMS, Raw};

/// String fields that are appended piece by piece. Of other fields the last value counts.
const GROWING: [&str; 4] = ["text", "summary", "data", "signature"];

/// The blocks so far. They must be sent back unchanged, or the provider refuses their signatures.
#[derive(Debug, Default)]
pub(super) struct Details {
    blocks: Vec<Value>,
    /// The blocks that have an index, by their index and type.
    places: Places,
}

impl Details {
    /// Reads the next blocks, or the next pieces of blocks.
    pub(super) fn push(&mut self, raw: Raw<'_>, are_pieces: bool, out: &mut Output) {
        let Value::Array(list) = out.value(raw) else {
            out.skip(1);
            return;
        };
        for detail in list {
            // Without an index, a piece cannot be matched to a block.
            if are_pieces && detail["index"].is_u64() {
                let order = |place: usize| key(&self.blocks[place]).cmp(&key(&detail));
                if let Some(place) = self.places.find(&order) {
                    grow(&mut self.blocks[place], detail);
                    continue;
                }
                if self.places.len() < MAX_ITEMS {
                    self.places.set(self.blocks.len(), &order);
                }
            }
            self.blocks.push(detail);
        }
    }

    /// All blocks, if there are any.
    pub(super) fn take(&mut self) -> Option<Value> {
        let Self { blocks, .. } = std::mem::take(self);
        (!blocks.is_empty()).then_some(Value::Array(blocks))
    }
}

/// The index and the type of a block.
fn key(block: &Value) -> (Option<u64>, &str) {
    let kind = block["type"].as_str().unwrap_or_default();
    (block["index"].as_u64(), kind)
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
