//! One row of the table of models.

use std::borrow::Cow;

use crate::json::{JsonError, Reader};
use crate::words::words;

/// When a model takes an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Takes {
    /// On every call.
    Always,
    /// Only on calls for which the model does not reason.
    UnlessReasoning,
    /// On no call.
    Never,
}

impl Takes {
    words! {
        /// The word for this value in the options of the npm package.
        ///
        /// ```
        /// use chatcore::models::Takes;
        ///
        /// assert_eq!(Takes::UnlessReasoning.as_str(), "unless_reasoning");
        /// ```
        Always = "always",
        UnlessReasoning = "unless_reasoning",
        Never = "never",
    }
}

/// When a model reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reasons {
    /// Unknown: nothing about reasoning is sent unless the caller asks for it.
    Unknown,
    /// Never. The model refuses a `reasoning_effort`.
    Never,
    /// Only if the caller asks for it.
    OnRequest,
    /// Unless reasoning is turned off: see [`reasoning_off`](ModelRule::reasoning_off).
    ByDefault,
    /// Always. Reasoning cannot be turned off.
    Always,
}

impl Reasons {
    words! {
        /// The word for this value in the options of the npm package.
        Unknown = "unknown",
        Never = "never",
        OnRequest = "on_request",
        ByDefault = "by_default",
        Always = "always",
    }
}

/// What some models take and refuse: one row of [`MODEL_RULES`](super::MODEL_RULES), or a row of
/// your own for [`Provider::with_model_rules`](crate::Provider::with_model_rules).
///
/// ```
/// use chatcore::models::{ModelRule, Reasons};
/// use chatcore::Provider;
///
/// // A server of your own whose Qwen models think unless told otherwise.
/// let rule = ModelRule::new("qwen3*")
///     .reasoning(Reasons::ByDefault)
///     .reasoning_off(r#""chat_template_kwargs":{"enable_thinking":false}"#);
/// let provider = Provider::openai_compatible("http://127.0.0.1:8000/v1", "qwen3-8b")
///     .with_model_rules([rule]);
/// # let _ = provider;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelRule {
    /// The models' names, separated by spaces. `*` matches any text, `?` matches one character, and
    /// case is ignored. A name also matches without the part before its last slash
    /// (`openai/gpt-oss-120b`), and without a maker's name before a dot, as Bedrock writes it
    /// (`openai.gpt-oss-120b`). The word `@openai` matches every model of the provider `openai`.
    pub models: Cow<'static, str>,
    /// When the model takes `temperature` and `top_p`.
    pub sampling: Takes,
    /// Whether the model takes `temperature` and `top_p` in one request.
    pub both_sampling: bool,
    /// When the model takes function tools on chat completions. OpenAI's Responses always takes
    /// them: the provider `openai` uses Responses where chat completions refuses them.
    pub tools: Takes,
    /// When the model reasons.
    pub reasoning: Reasons,
    /// The members of a request's JSON that turn reasoning off, as JSON without the braces, such as
    /// `"thinking":{"type":"disabled"}`. If empty, the dialect writes its own form of
    /// [`ReasoningEffort::None`](crate::chat::ReasoningEffort::None).
    pub reasoning_off: Cow<'static, str>,
    /// The model's own words for reasoning efforts that it does not know, as pairs separated by
    /// spaces: `minimal=low medium=high`.
    pub efforts: Cow<'static, str>,
    /// Whether a request asks for reasoning by a budget of tokens instead of an effort (older
    /// models of Anthropic and Google).
    pub thinking_budget: bool,
    /// Whether the token limit is called `max_completion_tokens` and not `max_tokens`.
    pub max_completion_tokens: bool,
    /// The URL of the documentation that says so. Empty in the table without the feature `sources`.
    pub source: Cow<'static, str>,
    /// When the documentation was read, such as `2026-11-28`. Empty in the table without the feature
    /// `sources`.
    pub date: Cow<'static, str>,
}

impl ModelRule {
    /// Creates a rule for models that take everything, and whose reasoning is unknown.
    pub fn new(models: impl Into<Cow<'static, str>>) -> Self {
        Self {
            models: models.into(),
            ..Self::UNKNOWN
        }
    }

    /// Sets when the models take `temperature` and `top_p`.
    #[must_use]
    pub fn sampling(mut self, takes: Takes) -> Self {
        self.sampling = takes;
        self
    }

    /// Sets whether the models take `temperature` and `top_p` in one request.
    #[must_use]
    pub fn both_sampling(mut self, takes: bool) -> Self {
        self.both_sampling = takes;
        self
    }

    /// Sets when the models take function tools on chat completions.
    #[must_use]
    pub fn tools(mut self, takes: Takes) -> Self {
        self.tools = takes;
        self
    }

    /// Sets when the models reason.
    #[must_use]
    pub fn reasoning(mut self, reasons: Reasons) -> Self {
        self.reasoning = reasons;
        self
    }

    /// Sets the members of a request that turn reasoning off, as JSON without the braces.
    #[must_use]
    pub fn reasoning_off(mut self, members: impl Into<Cow<'static, str>>) -> Self {
        self.reasoning_off = members.into();
        self
    }

    /// Sets the models' own words for reasoning efforts that they do not know, such as
    /// `minimal=low`.
    #[must_use]
    pub fn efforts(mut self, words: impl Into<Cow<'static, str>>) -> Self {
        self.efforts = words.into();
        self
    }

    /// Sets whether a request asks for reasoning by a budget of tokens.
    #[must_use]
    pub fn thinking_budget(mut self, budget: bool) -> Self {
        self.thinking_budget = budget;
        self
    }

    /// Sets whether the token limit is called `max_completion_tokens`.
    #[must_use]
    pub fn max_completion_tokens(mut self, renamed: bool) -> Self {
        self.max_completion_tokens = renamed;
        self
    }

    /// Sets the URL of the documentation that says so.
    #[must_use]
    pub fn source(mut self, source: impl Into<Cow<'static, str>>) -> Self {
        self.source = source.into();
        self
    }

    /// Sets when the documentation was read.
    #[must_use]
    pub fn date(mut self, date: impl Into<Cow<'static, str>>) -> Self {
        self.date = date.into();
        self
    }

    /// The rule for a model that no row matches.
    pub(super) const UNKNOWN: Self = Self {
        models: Cow::Borrowed("*"),
        sampling: Takes::Always,
        both_sampling: true,
        tools: Takes::Always,
        reasoning: Reasons::Unknown,
        reasoning_off: Cow::Borrowed(""),
        efforts: Cow::Borrowed(""),
        thinking_budget: false,
        max_completion_tokens: false,
        source: Cow::Borrowed(""),
        date: Cow::Borrowed(""),
    };

    /// Whether the rule applies to `model` of `provider`.
    pub(super) fn is_for(&self, provider: &str, model: &str) -> bool {
        let short = model.rsplit_once('/').map_or(model, |(_, name)| name);
        let bare = without_maker(short);
        self.models
            .split_ascii_whitespace()
            .any(|pattern| match pattern.strip_prefix('@') {
                Some(named) => named == provider,
                None => [model, short, bare]
                    .iter()
                    .any(|name| matches(pattern, name)),
            })
    }

    /// The model's word for an effort.
    pub(crate) fn effort<'a>(&'a self, effort: &'a str) -> &'a str {
        let known = self.efforts.split_ascii_whitespace();
        let pairs = known.filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(asked, _)| *asked == effort);
        found.next().map_or(effort, |(_, word)| word)
    }

    /// The names and values of the members that turn reasoning off.
    ///
    /// # Errors
    /// If the members are not valid JSON.
    pub(crate) fn off_members(&self) -> Result<Vec<(String, String)>, JsonError> {
        members(&self.reasoning_off)
    }
}

/// The names and values of the members of a JSON object that is written without its braces.
///
/// # Errors
/// If the members are not valid JSON.
pub(crate) fn members(members: &str) -> Result<Vec<(String, String)>, JsonError> {
    let object = ["{", members, "}"].concat();
    let mut reader = Reader::new(&object);
    let mut names = reader.object()?;
    let mut members = Vec::new();
    while let Some(name) = reader.name(&mut names)? {
        members.push((name.into_owned(), reader.raw()?.to_owned()));
    }
    reader.end()?;
    Ok(members)
}

/// A model's name without its maker's: `gpt-oss-120b` for `openai.gpt-oss-120b`, and for
/// `us.openai.gpt-oss-120b`, which names a region, too. A maker's name has letters only, so that
/// the dot of a version (`gpt-6.1`) does not end one.
fn without_maker(name: &str) -> &str {
    let mut bare = name;
    while let Some((maker, rest)) = bare.split_once('.')
        && !maker.is_empty()
        && maker.bytes().all(|byte| byte.is_ascii_alphabetic())
    {
        bare = rest;
    }
    bare
}

/// Whether `text` matches `pattern`.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut read) = (0, 0);
    // The place of the last star, and the end of the text that it matches so far.
    let mut star = None;
    loop {
        let byte = text.get(read);
        match (pattern.get(at), byte) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                star = Some((at, read));
                at += 1;
            }
            (Some(wanted), Some(byte)) if *wanted == b'?' || wanted.eq_ignore_ascii_case(byte) => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((place, covers)) = star.filter(|_| byte.is_some()) else {
                    return false;
                };
                star = Some((place, covers + 1));
                at = place + 1;
                read = covers + 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("gpt-6*", "gpt-6-luna", true),
            ("gpt-6*", "gpt-6", true),
            ("gpt-6*", "gpt-5", false),
            ("gpt-6", "gpt-6-luna", false),
            ("o3", "o3", true),
            ("*claude-*-4?6*", "anthropic.claude-opus-4.6-v1:0", true),
            ("*claude-*-4?6*", "claude-opus-4-60", true),
            ("*claude-*-4?6*", "claude-opus-4", false),
            ("a*b*c", "abbc", true),
            ("a*b*c", "abbcd", false),
            ("Qwen3*", "qwen3-8b", true),
            ("*", "", true),
            ("?", "", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_rule_is_for_names_and_providers() {
        let rule = ModelRule::new("a-* b @mine");
        for (provider, model, expected) in [
            ("x", "a-1", true),
            ("x", "vendor/a-1", true),
            ("x", "b", true),
            ("x", "c", false),
            ("mine", "c", true),
            ("x", "maker.a-1", true),
            ("x", "us.maker.a-1", true),
            ("x", "vendor/maker.b", true),
            ("x", "c-1.b", false),
            ("x", "c2.a-1", false),
            ("x", ".b", false),
        ] {
            assert_eq!(rule.is_for(provider, model), expected, "{provider} {model}");
        }
    }

    #[test]
    fn efforts_and_members() {
        let mut rule = ModelRule::new("*");
        assert_eq!(rule.off_members(), Ok(Vec::new()));
        rule.efforts = "minimal=low xhigh=high".into();
        assert_eq!(rule.effort("minimal"), "low");
        assert_eq!(rule.effort("max"), "max");
        rule.reasoning_off = r#""a":{"b":1},"c":false"#.into();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let members = [pair("a", r#"{"b":1}"#), pair("c", "false")];
        assert_eq!(rule.off_members().unwrap(), members);
        rule.reasoning_off = r#""a":"#.into();
        assert!(rule.off_members().is_err());
    }
}
