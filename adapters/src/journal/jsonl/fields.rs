//! Recognizes misspelt field names.

/// The fields that chatcore reads.
const OWN: &[&str] = &[
    "custom_id",
    "method",
    "url",
    "body",
    "model",
    "prompt",
    "system_prompt",
    "messages",
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "stop",
    "tools",
    "tool_choice",
    "reasoning_effort",
    "response_format",
    "stream",
    "stream_options",
];

/// Provider-specific fields that differ from a known field in one letter: OpenRouter's list of
/// fallback models.
const OTHERS: &[&str] = &["models"];

/// A shorter name that differs in one letter is more likely a different field, such as `top_k`.
const SHORT: usize = 5;

/// The known field that an unknown field was probably meant to be, because the name differs only in
/// case and separators (`maxTokens`), or in one letter (`temprature`).
pub(in crate::journal) fn misspelt(name: &str) -> Option<&'static str> {
    if OWN.contains(&name) || OTHERS.contains(&name) {
        return None;
    }
    let plain = plain(name);
    OWN.iter().copied().find(|own| {
        let own = self::plain(own);
        // One letter added, missing or different, or two letters swapped.
        let most = usize::from(own.len() >= SHORT);
        own.len().abs_diff(plain.len()) <= most && strsim::osa_distance(&own, &plain) <= most
    })
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|char| !matches!(char, '_' | '-'));
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_told_from_other_fields() {
        for (name, meant) in [
            ("max_token", "max_tokens"),
            ("maxTokens", "max_tokens"),
            ("temprature", "temperature"),
            ("promt", "prompt"),
            ("pormpt", "prompt"),
            ("systemprompt", "system_prompt"),
            ("customId", "custom_id"),
            ("message", "messages"),
            ("topP", "top_p"),
        ] {
            assert_eq!(misspelt(name), Some(meant), "{name}");
        }
        for name in [
            "max_tokens",
            "top_p",
            "top_k",
            "top_a",
            "min_p",
            "min_tokens",
            "models",
            "user",
            "store",
            "metadata",
            "logprobs",
            "presence_penalty",
            "n",
            "reasoning",
            "service_tier",
            "steps",
            "x",
        ] {
            assert_eq!(misspelt(name), None, "{name}");
        }
    }
}
