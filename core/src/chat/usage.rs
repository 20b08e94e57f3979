//! What an answer cost in tokens.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an answer cost, in tokens, as the provider counted it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the prompt, those read from and written to a cache included.
    pub input_tokens: u64,
    /// Tokens of the answer, its reasoning included.
    pub output_tokens: u64,
    /// Of the input: read from the provider's prompt cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<u64>,
    /// Of the input: written to the provider's prompt cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// Of the output: spent on reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
    /// The provider's own object as JSON text: last as sent, or merged where a stream sends it
    /// in pieces.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub raw_json: String,
}

impl Usage {
    /// So many tokens of prompt and of answer.
    pub fn new(input_tokens: u64, output_tokens: u64) -> Self {
        Self {
            input_tokens,
            output_tokens,
            ..Self::default()
        }
    }

    /// Keeps the provider's own object as JSON text.
    #[must_use]
    pub fn raw_json(mut self, raw_json: impl Into<String>) -> Self {
        self.raw_json = raw_json.into();
        self
    }

    /// Input and output together.
    pub fn total_tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// The provider's own object, parsed; null where there is none.
    pub fn raw(&self) -> Value {
        serde_json::from_str(&self.raw_json).unwrap_or_default()
    }
}
