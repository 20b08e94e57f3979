//! Reads the usage.

use crate::chat::Usage;
use crate::dialect::kit::fields;
use crate::dialect::kit::read::{Count, Object, Raw, read};

/// The usage that a server reports. A value that is not an object is kept as raw JSON.
pub(super) fn usage(raw: Raw<'_>) -> Usage {
    let wire: Object<'_, Wire<'_>> = read(raw).unwrap_or_default();
    let input = details(wire.known.input_tokens_details);
    let output = details(wire.known.output_tokens_details);
    Usage {
        input_tokens: wire.known.input_tokens.0.unwrap_or(0),
        output_tokens: wire.known.output_tokens.0.unwrap_or(0),
        cache_read_tokens: input.cached_tokens.0,
        cache_write_tokens: input.cache_write_tokens.0,
        reasoning_tokens: output.reasoning_tokens.0,
        raw_json: raw.to_owned(),
    }
}

/// An object within the usage. Empty if the value is not an object.
fn details(raw: Option<Raw<'_>>) -> Details {
    let object: Option<Object<'_, Details>> = raw.and_then(|raw| read(raw).ok());
    object.unwrap_or_default().known
}

#[derive(Debug, Default)]
struct Wire<'a> {
    input_tokens: Count,
    output_tokens: Count,
    input_tokens_details: Option<Raw<'a>>,
    output_tokens_details: Option<Raw<'a>>,
}

fields!(Wire<'a> { input_tokens, output_tokens, input_tokens_details, output_tokens_details });

/// The details of the input tokens or of the output tokens.
#[derive(Debug, Default)]
struct Details {
    cached_tokens: Count,
    cache_write_tokens: Count,
    reasoning_tokens: Count,
}

fields!(Details {
    cached_tokens,
    cache_write_tokens,
    reasoning_tokens
});
