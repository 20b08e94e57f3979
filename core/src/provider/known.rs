//! The providers that chatcore knows by name.

use super::Provider;
use crate::dialect::{Anthropic, MaxTokensField, OpenAiChat, Quirks, ReasoningField};
use crate::host::DEMO_URL;
use crate::models::ModelRules;

/// The names that `LLM_PROVIDER` takes, each with the variable that its key is read from where
/// `LLM_API_KEY` is not set.
pub const KNOWN_PROVIDERS: &[(&str, Option<&str>)] = &[
    ("deepseek", Some("DEEPSEEK_API_KEY")),
    ("openai", Some("OPENAI_API_KEY")),
    ("anthropic", Some("ANTHROPIC_API_KEY")),
    ("openai_compatible", None),
];

impl Provider {
    /// DeepSeek, the default: `https://api.deepseek.com`, model `deepseek-flash`.
    pub fn deepseek() -> Self {
        let quirks = Quirks {
            reasoning_field: Some(ReasoningField::ReasoningContent),
            ..Quirks::default()
        };
        let mut provider = Self::new(
            "deepseek",
            "https://api.deepseek.com",
            "deepseek-flash",
            OpenAiChat::new(quirks),
        );
        provider.rules = ModelRules::of("deepseek");
        provider.key_var = Some("DEEPSEEK_API_KEY");
        provider
    }

    /// OpenAI's chat completions: `https://api.openai.com/v1`, model `gpt-6-luna`.
    pub fn openai() -> Self {
        let quirks = Quirks {
            max_tokens_field: MaxTokensField::MaxCompletionTokens,
            ..Quirks::default()
        };
        let mut provider = Self::new(
            "openai",
            "https://api.openai.com/v1",
            "gpt-6-luna",
            OpenAiChat::new(quirks),
        );
        provider.rules = ModelRules::of("openai");
        provider.key_var = Some("OPENAI_API_KEY");
        provider
    }

    /// Anthropic's messages: `https://api.anthropic.com`, model `claude-haiku-5-5`.
    pub fn anthropic() -> Self {
        let mut provider = Self::new(
            "anthropic",
            "https://api.anthropic.com",
            "claude-haiku-5-5",
            Anthropic::default(),
        );
        provider.key_var = Some("ANTHROPIC_API_KEY");
        provider
    }

    /// A server at `base_url` that speaks OpenAI's chat completions, such as llama.cpp, vLLM,
    /// LM Studio, Groq, Mistral, OpenRouter or a proxy. Without a key, none is sent.
    pub fn openai_compatible(
        base_url: impl Into<std::borrow::Cow<'static, str>>,
        model: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Self {
        Self::new(
            "openai_compatible",
            base_url,
            model,
            OpenAiChat::new(Quirks::default()),
        )
    }

    /// The offline demo model of the adapters: no key, and nothing leaves the process. It answers
    /// only through their demo transport; every other one refuses its base URL, which is not
    /// `http`, and sends nothing.
    pub fn demo() -> Self {
        Self::new("demo", DEMO_URL, "demo", OpenAiChat::new(Quirks::default()))
    }

    /// The provider that `LLM_PROVIDER` names, with its own defaults. An `openai_compatible` one
    /// has no base URL and no model yet.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "deepseek" => Self::deepseek(),
            "openai" => Self::openai(),
            "anthropic" => Self::anthropic(),
            "openai_compatible" => Self::openai_compatible("", ""),
            _ => return None,
        })
    }
}
