//! Reads the usage. It arrives in cumulative pieces, so that later fields replace earlier ones.

use serde_json::{Map, Value};

use crate::chat::{ChatEvent, Usage};
use crate::dialect::kit::decoder::Output;
use crate::dialect::kit::read::{Raw, count_of};
use crate::json::Writer;

/// The pieces so far. They are merged once, at the end, because a server may send any number of
/// them.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    raw: Vec<String>,
}

impl Pieces {
    /// Adds the next piece. The first piece is handed over at once.
    pub(super) fn push(&mut self, raw: Raw<'_>, out: &mut Output) {
        if !raw.starts_with('{') {
            return;
        }
        if self.raw.is_empty() {
            let first = merged(&[raw.to_owned()], out);
            out.push(ChatEvent::Usage(first));
        }
        self.raw.push(raw.to_owned());
    }

    /// Hands over the merged usage.
    pub(super) fn end(&mut self, out: &mut Output) {
        let pieces = std::mem::take(&mut self.raw);
        if pieces.len() > 1 {
            let all = merged(&pieces, out);
            out.push(ChatEvent::Usage(all));
        }
    }
}

fn merged(pieces: &[String], out: &mut Output) -> Usage {
    let mut all = Map::new();
    for raw in pieces {
        let Value::Object(piece) = out.value(raw) else {
            continue;
        };
        if all.is_empty() {
            all = piece;
            continue;
        }
        for (name, value) in piece {
            if !value.is_null() || !all.contains_key(&name) {
                all.insert(name, value);
            }
        }
    }
    let count = |name: &str| all.get(name).and_then(count_of);
    let read = count("cache_read_input_tokens");
    let written = count("cache_creation_input_tokens");
    let details = all.get("output_tokens_details");
    let thinking = details.and_then(|details| details.get("thinking_tokens"));
    let raw_json = match pieces {
        [one] => one.clone(),
        _ => {
            let mut writer = Writer::default();
            writer.members(&all);
            writer.into_text()
        }
    };
    Usage {
        input_tokens: count("input_tokens")
            .unwrap_or(0)
            .saturating_add(read.unwrap_or(0))
            .saturating_add(written.unwrap_or(0)),
        output_tokens: count("output_tokens").unwrap_or(0),
        cache_read_tokens: read,
        cache_write_tokens: written,
        reasoning_tokens: thinking.and_then(count_of),
        raw_json,
    }
}
