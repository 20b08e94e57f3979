//! Reads the usage in the forms that the servers report.

use crate::chat::Usage;
use crate::dialect::kit::fields;
use crate::dialect::kit::read::{Count, Ignored, Object, Raw, Read};
use crate::json::{JsonError, Reader};

/// The usage that a server reports. A value that is not an object is kept as raw JSON.
#[derive(Debug, Default)]
pub(super) struct Reported<'a> {
    raw: Raw<'a>,
    wire: Object<'a, Wire<'a>>,
}

impl<'a> Read<'a> for Reported<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        reader.peek()?;
        let from = reader.rest();
        self.wire.read(reader)?;
        self.raw = &from[..from.len() - reader.rest().len()];
        Ok(())
    }
}

impl Reported<'_> {
    pub(super) fn usage(&self) -> Usage {
        let wire = &self.wire.known;
        let details = |details: &Option<Object<'_, Details>>| match details {
            Some(details) => details.known,
            None => Details::default(),
        };
        let prompt = details(&wire.prompt_tokens_details);
        let completion = details(&wire.completion_tokens_details);
        let cached = [
            prompt.cached_tokens,
            wire.prompt_cache_hit_tokens,
            wire.cached_tokens,
        ];
        let input_tokens = wire.prompt_tokens.0.unwrap_or(0);
        let mut output_tokens = wire.completion_tokens.0.unwrap_or(0);
        if let (Some(total), Some(reasoning)) = (wire.total_tokens.0, completion.reasoning_tokens.0)
        {
            // xAI's output tokens do not include the reasoning tokens, as its total shows.
            let all = output_tokens.saturating_add(reasoning);
            if total == input_tokens.saturating_add(all) {
                output_tokens = all;
            }
        }
        Usage {
            input_tokens,
            output_tokens,
            cache_read_tokens: cached.iter().find_map(|count| count.0),
            cache_write_tokens: prompt.cache_write_tokens.0,
            reasoning_tokens: completion.reasoning_tokens.0,
            raw_json: self.raw.to_owned(),
        }
    }
}

#[derive(Debug, Default)]
struct Wire<'a> {
    prompt_tokens: Count,
    completion_tokens: Count,
    total_tokens: Count,
    prompt_cache_hit_tokens: Count,
    cached_tokens: Count,
    prompt_tokens_details: Option<Object<'a, Details>>,
    completion_tokens_details: Option<Object<'a, Details>>,
    ignored: Ignored,
}

fields!(Wire<'a> {
    prompt_tokens, completion_tokens, total_tokens, prompt_cache_hit_tokens, cached_tokens,
    prompt_tokens_details, completion_tokens_details,
    // The raw JSON keeps all of them.
    ..ignored
});

/// The details of the prompt's tokens or of the answer's tokens.
#[derive(Clone, Copy, Debug, Default)]
struct Details {
    cached_tokens: Count,
    cache_write_tokens: Count,
    reasoning_tokens: Count,
    ignored: Ignored,
}

fields!(Details {
    cached_tokens,
    cache_write_tokens,
    reasoning_tokens,
    ..ignored
});
