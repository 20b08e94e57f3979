//! Reads the usage.

use crate::chat::Usage;
use crate::dialect::kit::fields;
use crate::dialect::kit::read::{Count, Object, Raw, read};

/// The usage that the provider reports. A value that is not an object is kept as raw JSON.
///
/// The count of the answer's tokens does not include the model's thoughts, and the count of the
/// prompt's tokens does not include the results of built-in tools, as the total shows. They are
/// added here.
pub(super) fn usage(raw: Raw<'_>) -> Usage {
    let wire: Object<'_, Wire> = read(raw).unwrap_or_default();
    let wire = wire.known;
    let sum = |counts: [Count; 2]| {
        let [first, second] = counts.map(|count| count.0.unwrap_or(0));
        first.saturating_add(second)
    };
    Usage {
        input_tokens: sum([wire.prompt, wire.tool_use_prompt]),
        output_tokens: sum([wire.candidates, wire.thoughts]),
        cache_read_tokens: wire.cached.0,
        cache_write_tokens: None,
        reasoning_tokens: wire.thoughts.0,
        raw_json: raw.to_owned(),
    }
}

#[derive(Debug, Default)]
struct Wire {
    prompt: Count,
    tool_use_prompt: Count,
    candidates: Count,
    thoughts: Count,
    cached: Count,
}

fields!(Wire {
    prompt: "promptTokenCount",
    tool_use_prompt: "toolUsePromptTokenCount",
    candidates: "candidatesTokenCount",
    thoughts: "thoughtsTokenCount",
    cached: "cachedContentTokenCount",
});
