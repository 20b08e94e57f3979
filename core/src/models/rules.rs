//! The model rules of one provider.

use super::{MODEL_RULES, ModelRule};

/// The model rules of a provider: the user's own rules, and then the table.
#[derive(Clone, Debug)]
pub(crate) struct ModelRules {
    /// The provider's name, which the `@` words of the rules are compared with.
    provider: &'static str,
    own: Vec<ModelRule>,
}

static UNKNOWN: ModelRule = ModelRule::UNKNOWN;

impl ModelRules {
    /// The table's rules for `provider`.
    pub(crate) fn of(provider: &'static str) -> Self {
        Self {
            provider,
            own: Vec::new(),
        }
    }

    /// The provider's name, which the `@` words of the rules are compared with.
    pub(crate) fn provider(&self) -> &'static str {
        self.provider
    }

    pub(crate) fn set_provider(&mut self, provider: &'static str) {
        self.provider = provider;
    }

    /// Adds rules before all others.
    pub(crate) fn put_first(&mut self, rules: impl IntoIterator<Item = ModelRule>) {
        let mut all: Vec<_> = rules.into_iter().collect();
        all.append(&mut self.own);
        self.own = all;
    }

    /// The user's own rules.
    pub(crate) fn own(&self) -> &[ModelRule] {
        &self.own
    }

    /// The first rule that applies to `model`, or else a rule that knows nothing.
    pub(crate) fn find(&self, model: &str) -> &ModelRule {
        let mut rules = self.own.iter().chain(MODEL_RULES);
        let found = rules.find(|rule| rule.is_for(self.provider, model));
        found.unwrap_or(&UNKNOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{Reasons, Takes};

    #[test]
    fn every_row_is_whole() {
        for rule in MODEL_RULES {
            if cfg!(feature = "sources") {
                assert!(rule.source.starts_with("https://"), "{rule:?}");
                assert_eq!(rule.date.len(), "2026-11-28".len(), "{rule:?}");
            }
            let members = rule.off_members().unwrap();
            assert_eq!(members.is_empty(), rule.reasoning_off.is_empty());
            // A row that no model reaches would be useless.
            let name = rule.models.split_ascii_whitespace().next().unwrap();
            if let Some(provider) = name.strip_prefix('@') {
                let provider = MODEL_RULES
                    .iter()
                    .flat_map(|rule| rule.models.split_ascii_whitespace())
                    .find_map(|word| word.strip_prefix('@').filter(|word| *word == provider));
                assert_eq!(
                    ModelRules::of(provider.unwrap()).find("new").models,
                    rule.models
                );
            } else {
                let name = name.replace('*', "").replace('?', "-");
                assert_eq!(
                    ModelRules::of("x").find(&name).models,
                    rule.models,
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn what_is_known_of_models() {
        use Reasons::*;
        let find = |provider, model| {
            let rules = ModelRules::of(provider);
            let rule = rules.find(model);
            (rule.reasoning, rule.sampling)
        };
        for (provider, model, expected) in [
            ("openai", "gpt-6-luna", (ByDefault, Takes::UnlessReasoning)),
            (
                "openai",
                "gpt-6-luna-2026-09-22",
                (ByDefault, Takes::UnlessReasoning),
            ),
            ("openai", "gpt-6-astra", (Always, Takes::Never)),
            ("openai", "gpt-6.1-sol", (Always, Takes::Never)),
            ("openai", "gpt-6-sol", (ByDefault, Takes::UnlessReasoning)),
            (
                "openai",
                "gpt-5.6-terra",
                (ByDefault, Takes::UnlessReasoning),
            ),
            ("openai", "gpt-5-mini", (Always, Takes::Never)),
            ("openai", "gpt-5-2025-08-07", (Always, Takes::Never)),
            ("openai", "o4-mini", (Always, Takes::Never)),
            ("openai", "gpt-4.1-mini", (Never, Takes::Always)),
            ("openai", "ft:gpt-4o-mini:me::1", (Never, Takes::Always)),
            // Unknown models get the newest rules, and known names match at any provider.
            ("openai", "gpt-9", (ByDefault, Takes::UnlessReasoning)),
            (
                "openai_chat",
                "openai/gpt-6-luna",
                (ByDefault, Takes::UnlessReasoning),
            ),
            ("openai_chat", "tiny", (Unknown, Takes::Always)),
            ("deepseek", "deepseek-flash", (ByDefault, Takes::Always)),
            ("deepseek", "deepseek-next", (ByDefault, Takes::Always)),
            ("openai_chat", "deepseek-r1:8b", (Unknown, Takes::Always)),
            ("anthropic", "claude-haiku-5-5", (ByDefault, Takes::Never)),
            ("anthropic", "claude-sonnet-5", (ByDefault, Takes::Never)),
            ("anthropic", "claude-opus-5-5", (Always, Takes::Never)),
            ("anthropic", "claude-fable-5", (Always, Takes::Never)),
            ("anthropic", "claude-opus-4-8", (OnRequest, Takes::Never)),
            (
                "anthropic",
                "claude-haiku-4-5-20251001",
                (OnRequest, Takes::UnlessReasoning),
            ),
            ("anthropic", "claude-opus-10-11", (ByDefault, Takes::Never)),
            ("anthropic", "kimi-k2", (Unknown, Takes::Always)),
            ("gemini", "gemini-2.5-flash", (ByDefault, Takes::Always)),
            ("vertex", "gemini-2.5-pro", (Always, Takes::Always)),
            ("gemini", "models/gemini-2.0-flash", (Never, Takes::Always)),
            ("gemini", "gemini-3.8-flash", (Always, Takes::Always)),
            ("openai_chat", "google/gemini-9", (Always, Takes::Always)),
            ("gemini", "something-new", (Always, Takes::Always)),
            ("qwen", "qwen-plus", (ByDefault, Takes::Always)),
            ("openai_chat", "qwen3.7-plus", (Unknown, Takes::Always)),
            ("moonshot", "kimi-k3", (Always, Takes::Never)),
            ("minimax", "MiniMax-M3", (ByDefault, Takes::Always)),
            ("minimax", "MiniMax-M2.7", (Always, Takes::Always)),
            (
                "cohere",
                "command-a-plus-05-2026",
                (ByDefault, Takes::Always),
            ),
            ("perplexity", "sonar", (Never, Takes::Always)),
        ] {
            assert_eq!(find(provider, model), expected, "{provider} {model}");
        }
    }

    #[test]
    fn claude_by_its_version() {
        let rules = ModelRules::of("anthropic");
        for (model, both, budget) in [
            ("claude-3-5-haiku-latest", true, true),
            ("claude-3-haiku-20240307", true, true),
            ("claude-sonnet-4-20250514", true, true),
            ("claude-opus-4-1", false, true),
            ("claude-opus-4-1-20250805", false, true),
            ("claude-haiku-4-5", false, true),
            ("claude-sonnet-4-6", false, false),
            ("us.anthropic.claude-opus-4-6-v1:0", false, false),
            ("anthropic/claude-opus-4.7", false, false),
            ("claude-mythos-preview", false, false),
            ("qwen3-8b", true, true),
            ("", true, true),
        ] {
            let rule = rules.find(model);
            assert_eq!(
                (rule.both_sampling, rule.thinking_budget),
                (both, budget),
                "{model}"
            );
        }
        let off = |model| &*rules.find(model).reasoning_off;
        assert_eq!(
            off("claude-sonnet-5-5"),
            r#""thinking":{"type":"between_tools"}"#
        );
        assert_eq!(off("claude-haiku-5-5"), r#""thinking":{"type":"disabled"}"#);
    }

    #[test]
    fn rules_of_ones_own_come_first() {
        let mut rules = ModelRules::of("openai");
        let mut rule = ModelRule::new("gpt-6-luna");
        rule.sampling = Takes::Never;
        rules.put_first([rule]);
        rules.put_first([ModelRule::new("mine")]);
        assert_eq!(rules.find("gpt-6-luna").sampling, Takes::Never);
        assert_eq!(rules.find("gpt-6-sol").sampling, Takes::UnlessReasoning);
        assert_eq!(rules.find("mine").reasoning, Reasons::Unknown);
        assert_eq!(rules.own().len(), 2);
    }
}
