//! Where servers differ.

use std::borrow::Cow;

/// Where servers that speak OpenAI's chat completions differ. The default suits most of them.
///
/// ```
/// use chatcore::Provider;
/// use chatcore::dialect::{OpenAiChat, Quirks, ReasoningField};
///
/// let quirks = Quirks::default()
///     .stream_usage(false)
///     .reasoning_field(ReasoningField::Reasoning);
/// let provider = Provider::openai_compatible("https://llm.example/v1", "tiny")
///     .with_dialect(OpenAiChat::new(quirks));
/// # let _ = provider;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// The field that carries `max_tokens`. Default [`MaxTokensField::MaxTokens`].
    pub max_tokens_field: MaxTokensField,
    /// Whether to ask for usage in streams (`stream_options`), which some servers reject.
    /// Default true.
    pub stream_usage: bool,
    /// Whether streams tell their usage though nobody asked for it. Default false.
    pub stream_usage_unasked: bool,
    /// The field in which the model's reasoning goes back with its message, where the server
    /// wants it back. Default none.
    pub reasoning_field: Option<ReasoningField>,
    /// Whether a field that the server does not know makes it refuse the request: then a message
    /// has its role, its content, its tool calls and its `name` as far as they are of the
    /// protocol, and nothing that other servers add. Default false.
    pub strict_messages: bool,
    /// The name of the seed: `random_seed` at Mistral. Default `seed`.
    pub seed_field: &'static str,
    /// Whether a key goes in the header `api-key`, as Azure has it, and not as
    /// `Authorization: Bearer`. Default false.
    pub api_key_header: bool,
    /// Members of every request, as JSON without the braces, such as `"reasoning_split":true`. A
    /// field that the caller sets stays the caller's. Default none.
    pub members: Cow<'static, str>,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            max_tokens_field: MaxTokensField::MaxTokens,
            stream_usage: true,
            stream_usage_unasked: false,
            reasoning_field: None,
            strict_messages: false,
            seed_field: "seed",
            api_key_header: false,
            members: Cow::Borrowed(""),
        }
    }
}

impl Quirks {
    /// Sets the field that carries `max_tokens`.
    #[must_use]
    pub fn max_tokens_field(mut self, field: MaxTokensField) -> Self {
        self.max_tokens_field = field;
        self
    }

    /// Sets whether to ask for usage in streams.
    #[must_use]
    pub fn stream_usage(mut self, asks: bool) -> Self {
        self.stream_usage = asks;
        self
    }

    /// Sets whether streams tell their usage though nobody asked for it.
    #[must_use]
    pub fn stream_usage_unasked(mut self, tells: bool) -> Self {
        self.stream_usage_unasked = tells;
        self
    }

    /// Sets the field in which reasoning goes back with its message.
    #[must_use]
    pub fn reasoning_field(mut self, field: impl Into<Option<ReasoningField>>) -> Self {
        self.reasoning_field = field.into();
        self
    }

    /// Sets whether a message has only the fields of the protocol.
    #[must_use]
    pub fn strict_messages(mut self, strict: bool) -> Self {
        self.strict_messages = strict;
        self
    }

    /// Sets the name of the seed.
    #[must_use]
    pub fn seed_field(mut self, name: &'static str) -> Self {
        self.seed_field = name;
        self
    }

    /// Sets whether a key goes in the header `api-key`.
    #[must_use]
    pub fn api_key_header(mut self, in_api_key: bool) -> Self {
        self.api_key_header = in_api_key;
        self
    }

    /// Sets the members of every request, as JSON without the braces.
    #[must_use]
    pub fn members(mut self, members: impl Into<Cow<'static, str>>) -> Self {
        self.members = members.into();
        self
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
