//! OpenRouter's `reasoning_details`: typed blocks of reasoning, streamed in pieces.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::dialect::kit::decoder::Output;
use crate::dialect::kit::read::Raw;

/// String fields that are appended piece by piece. Of other fields the last value counts.
const GROWING: [&str; 4] = ["text", "summary", "data", "signature"];

/// The blocks so far. They must be sent back unchanged, or the provider refuses their signatures.
#[derive(Debug, Default)]
pub(super) struct Details {
    blocks: Vec<Value>,
    /// The position of each block that has an index, by its index and its type in one text.
    places: BTreeMap<String, usize>,
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
            let key = detail["index"].as_u64().map(|index| {
                let kind = detail["type"].as_str().unwrap_or_default();
                format!("{index} {kind}")
            });
            let place = key.as_ref().and_then(|key| self.places.get(key));
            if are_pieces && let Some(place) = place {
                grow(&mut self.blocks[*place], detail);
                continue;
            }
            if let Some(key) = key {
                self.places.insert(key, self.blocks.len());
            }
            self.blocks.push(detail);
        }
    }

    /// All blocks, if there are any.
    pub(super) fn take(&mut self) -> Option<Value> {
        let blocks = std::mem::take(&mut self.blocks);
        (!blocks.is_empty()).then_some(Value::Array(blocks))
    }
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
