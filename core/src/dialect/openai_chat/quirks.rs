//! Where servers differ.

/// Where servers that speak OpenAI's chat completions differ. The default suits most of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// The field that carries `max_tokens`. Default [`MaxTokensField::MaxTokens`].
    pub max_tokens_field: MaxTokensField,
    /// Whether to ask for usage in streams (`stream_options`), which some servers reject.
    /// Default true.
    pub stream_usage: bool,
    /// The field in which the model's reasoning goes back with its message, where the server
    /// wants it back. Default none.
    pub reasoning_field: Option<ReasoningField>,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            max_tokens_field: MaxTokensField::MaxTokens,
            stream_usage: true,
            reasoning_field: None,
        }
    }
}

/// The field that carries the most tokens an answer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MaxTokensField {
    /// `max_tokens`: what compatible servers know.
    MaxTokens,
    /// `max_completion_tokens`: what OpenAI replaced it with.
    MaxCompletionTokens,
}

/// The field that carries the model's reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReasoningField {
    /// `reasoning_content`, as DeepSeek has it.
    ReasoningContent,
    /// `reasoning`, as OpenRouter and Ollama have it.
    Reasoning,
}
