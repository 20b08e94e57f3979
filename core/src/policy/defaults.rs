//! The defaults: what a call asks for where the caller sets nothing.

/// The tokens that a default limit adds for reasoning: what OpenAI recommends to reserve
/// (<https://developers.openai.com/api/docs/guides/reasoning>, 2026-11-28).
pub(super) const REASONING_TOKENS: u32 = 25_000;

/// What a call asks for where the caller sets nothing.
///
/// A default that the model is known to refuse is not sent. If the model turns out to refuse a
/// default, chatcore sends the call again without it, and the client remembers that for the model.
/// What the caller sets is always sent.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// use chatcore::Defaults;
///
/// let defaults = Defaults::PROMPT.max_tokens(1_000);
/// let answer = client.ask("Why is the sky blue?").defaults(defaults).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Defaults {
    /// The sampling temperature. Not sent if the model reasons.
    pub temperature: Option<f64>,
    /// The maximum number of tokens of the answer, without its reasoning.
    pub max_tokens: Option<u32>,
    /// How many tokens are added to the maximum if the model reasons.
    pub reasoning_tokens: u32,
    /// Whether to turn reasoning off for models that reason by default and can turn it off.
    pub no_reasoning: bool,
}

impl Defaults {
    /// No defaults: the provider's own apply.
    pub const NONE: Self = Self {
        temperature: None,
        max_tokens: None,
        reasoning_tokens: REASONING_TOKENS,
        no_reasoning: false,
    };
    /// The defaults of [`chat_async`](crate::LlmClient::chat_async): temperature 0.0; 256 tokens,
    /// and 25,000 more if the model reasons; no reasoning where it can be turned off.
    pub const PROMPT: Self = Self {
        temperature: Some(0.0),
        max_tokens: Some(256),
        no_reasoning: true,
        ..Self::NONE
    };
    /// The defaults of [`chat_with_context_async`](crate::LlmClient::chat_with_context_async): like
    /// [`PROMPT`](Self::PROMPT), with a temperature of 0.7.
    pub const CONVERSATION: Self = Self {
        temperature: Some(0.7),
        ..Self::PROMPT
    };

    /// Sets the sampling temperature.
    #[must_use]
    pub fn temperature(mut self, temperature: impl Into<Option<f64>>) -> Self {
        self.temperature = temperature.into();
        self
    }

    /// Sets the maximum number of tokens of the answer, without its reasoning.
    #[must_use]
    pub fn max_tokens(mut self, max_tokens: impl Into<Option<u32>>) -> Self {
        self.max_tokens = max_tokens.into();
        self
    }

    /// Sets how many tokens are added to the maximum if the model reasons.
    #[must_use]
    pub fn reasoning_tokens(mut self, reasoning_tokens: u32) -> Self {
        self.reasoning_tokens = reasoning_tokens;
        self
    }

    /// Sets whether to turn reasoning off where the model allows it.
    #[must_use]
    pub fn no_reasoning(mut self, no_reasoning: bool) -> Self {
        self.no_reasoning = no_reasoning;
        self
    }
}

/// A set of options that chatcore adds to requests by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wishes(u8);

impl Wishes {
    pub(crate) const TEMPERATURE: Self = Self(1);
    pub(crate) const MAX_TOKENS: Self = Self(2);
    pub(crate) const NO_REASONING: Self = Self(4);
    /// Fetching a whole answer as a stream.
    pub(crate) const STREAM: Self = Self(8);
    /// Usage at the end of a stream.
    pub(crate) const STREAM_USAGE: Self = Self(16);
    /// The model's reasoning in encrypted form.
    pub(crate) const INCLUDE: Self = Self(32);

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn add(&mut self, other: Self) {
        *self = self.and(other);
    }
}

/// What a client has learned about a model from its answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lessons {
    /// The options that the model refuses.
    pub(crate) refused: Wishes,
    /// Whether the model wants `max_completion_tokens` in place of `max_tokens`.
    pub(crate) renames_limit: bool,
    /// Whether the model reasons although it was told not to, or was not asked to.
    pub(crate) reasons: bool,
}

impl Lessons {
    pub(crate) fn add(&mut self, more: Self) {
        self.refused.add(more.refused);
        self.renames_limit |= more.renames_limit;
        self.reasons |= more.reasons;
    }

    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }
}
