//! The usage of an answer, in tokens.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The usage of an answer, in tokens, as the provider counted them.
///
/// ```
/// use chatcore::Usage;
///
/// let usage = Usage::new(1_200, 300).raw_json(r#"{"cost": 0.002}"#);
/// assert_eq!(usage.total_tokens(), 1_500);
/// assert_eq!(usage.raw()["cost"], 0.002);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the prompt, including those read from a cache and written to it.
    pub input_tokens: u64,
    /// Tokens of the answer, including its reasoning.
    pub output_tokens: u64,
    /// Input tokens that were read from the provider's prompt cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<u64>,
    /// Input tokens that were written to the provider's prompt cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// Output tokens that were spent on reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
    /// The provider's own object as JSON text, exactly as it was last sent, or merged if a stream
    /// sends it in pieces.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub raw_json: String,
}

impl Usage {
    /// The usage with these counts for the prompt and the answer.
    pub fn new(input_tokens: u64, output_tokens: u64) -> Self {
        Self {
            input_tokens,
            output_tokens,
            ..Self::default()
        }
    }

    /// Sets the provider's own object as JSON text.
    #[must_use]
    pub fn raw_json(mut self, raw_json: impl Into<String>) -> Self {
        self.raw_json = raw_json.into();
        self
    }

    /// The sum of input and output tokens.
    pub fn total_tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// Adds the counts of another answer. The provider's own object stays that of this one.
    ///
    /// ```
    /// use chatcore::Usage;
    ///
    /// let mut total = Usage::new(1_200, 300);
    /// total.add(&Usage::new(1_600, 80));
    /// assert_eq!(total, Usage::new(2_800, 380));
    /// ```
    pub fn add(&mut self, other: &Self) {
        let optional = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.cache_read_tokens = optional(self.cache_read_tokens, other.cache_read_tokens);
        self.cache_write_tokens = optional(self.cache_write_tokens, other.cache_write_tokens);
        self.reasoning_tokens = optional(self.reasoning_tokens, other.reasoning_tokens);
    }

    /// The provider's own object, parsed. Null if there is none.
    pub fn raw(&self) -> Value {
        serde_json::from_str(&self.raw_json).unwrap_or_default()
    }
}
