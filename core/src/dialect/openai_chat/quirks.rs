//! The differences between servers.

use std::borrow::Cow;

use crate::dialect::JsonOutput;

/// The differences between servers that speak OpenAI's chat completions. The default suits most of
/// them.
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
    /// Whether to request usage in streams (`stream_options`). Some servers reject this field.
    /// Default true.
    pub stream_usage: bool,
    /// Whether streams report usage even if the request does not ask for it. Default false.
    pub stream_usage_unasked: bool,
    /// The field in which the model's reasoning is sent back with its message, if the server wants
    /// it back. Default none.
    pub reasoning_field: Option<ReasoningField>,
    /// Whether the server refuses requests with unknown fields. If true, messages leave out `name`,
    /// `refusal`, and the `extra` fields of the message and its tool calls. A refusal is written as
    /// content if the message has no other content. Default false.
    pub strict_messages: bool,
    /// The name of the field for the seed: `random_seed` at Mistral. Default `seed`.
    pub seed_field: &'static str,
    /// Whether the key is sent in the header `api-key`, as Azure expects, and not as
    /// `Authorization: Bearer`. Default false.
    pub api_key_header: bool,
    /// How far the server holds an answer to a JSON schema. Default [`JsonOutput::Prompt`], because
    /// a server that ignores a schema would answer in any form.
    pub json_output: JsonOutput,
    /// Members of every request, as JSON without the braces, such as `"reasoning_split":true`. A
    /// field that the caller sets takes precedence. Default none.
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
            json_output: JsonOutput::Prompt,
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

    /// Sets whether to request usage in streams.
    #[must_use]
    pub fn stream_usage(mut self, asks: bool) -> Self {
        self.stream_usage = asks;
        self
    }

    /// Sets whether streams report usage even if the request does not ask for it.
    #[must_use]
    pub fn stream_usage_unasked(mut self, tells: bool) -> Self {
        self.stream_usage_unasked = tells;
        self
    }

    /// Sets the field in which reasoning is sent back with its message.
    #[must_use]
    pub fn reasoning_field(mut self, field: impl Into<Option<ReasoningField>>) -> Self {
        self.reasoning_field = field.into();
        self
    }

    /// Sets whether messages are written without fields that the server may not know.
    #[must_use]
    pub fn strict_messages(mut self, strict: bool) -> Self {
        self.strict_messages = strict;
        self
    }

    /// Sets the name of the field for the seed.
    #[must_use]
    pub fn seed_field(mut self, name: &'static str) -> Self {
        self.seed_field = name;
        self
    }

    /// Sets whether the key is sent in the header `api-key`.
    #[must_use]
    pub fn api_key_header(mut self, in_api_key: bool) -> Self {
        self.api_key_header = in_api_key;
        self
    }

    /// Sets how far the server holds an answer to a JSON schema.
    #[must_use]
    pub fn json_output(mut self, json_output: JsonOutput) -> Self {
        self.json_output = json_output;
        self
    }

    /// Sets the members of every request, as JSON without the braces.
    #[must_use]
    pub fn members(mut self, members: impl Into<Cow<'static, str>>) -> Self {
        self.members = members.into();
        self
    }
}

/// The field that limits the tokens of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MaxTokensField {
    /// `max_tokens`, which compatible servers know.
    MaxTokens,
    /// `max_completion_tokens`, with which OpenAI replaced `max_tokens`.
    MaxCompletionTokens,
}

/// The field that carries the model's reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReasoningField {
    /// `reasoning_content`, as in DeepSeek's API.
    ReasoningContent,
    /// `reasoning`, as in OpenRouter's and Ollama's APIs.
    Reasoning,
}
