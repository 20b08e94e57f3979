//! What an answer cost.

use crate::chat::Usage;
use crate::dialect::kit::read::{Count, Fields, Object, Raw, Read, read};

/// The usage that the provider reports. What is no object is kept all the same.
///
/// The model's thoughts stand beside the answer and not in it, and so do the results of built-in
/// tools beside the prompt: the total shows it.
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

impl<'a> Fields<'a> for Wire {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "promptTokenCount" => &mut self.prompt,
            "toolUsePromptTokenCount" => &mut self.tool_use_prompt,
            "candidatesTokenCount" => &mut self.candidates,
            "thoughtsTokenCount" => &mut self.thoughts,
            "cachedContentTokenCount" => &mut self.cached,
            _ => return None,
        })
    }
}
