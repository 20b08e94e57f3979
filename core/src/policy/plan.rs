//! What of the defaults is sent to a model, and what follows from that.
//!
//! An option that the caller set is always sent. A default is a wish: it is sent only to models
//! that are not known to refuse it.

use serde_json::Value;

#[cfg(test)]
use super::defaults::REASONING_TOKENS;
use super::defaults::{Defaults, Lessons, Wishes};
use crate::chat::{ChatRequest, Extra, ReasoningEffort};
use crate::dialect::Mode;
use crate::error::{Error, ErrorKind};
use crate::models::{ModelRule, Reasons, Takes};

/// The names that the limit of tokens has.
pub(crate) const LIMITS: [&str; 5] = [
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "maxOutputTokens",
    "num_predict",
];

/// A whole answer that may have more tokens than this is fetched as a stream.
const LONG_ANSWER: u32 = 2_048;

/// What a call asks for, as far as that is not the caller's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The defaults that are sent.
    pub(crate) wishes: Wishes,
    /// Whether the model reasons before it answers, as far as is known.
    pub(crate) reasons: bool,
    /// How many tokens the answer may have.
    pub(crate) max_tokens: Option<u32>,
    /// How many more it may have should it turn out to reason.
    reasoning_tokens: u32,
    /// What was known of the model.
    pub(crate) known: Lessons,
    /// What this call has found out about it.
    pub(crate) found: Lessons,
}

impl Plan {
    /// For unit tests.
    #[cfg(test)]
    pub(crate) fn with(wishes: Wishes, max_tokens: Option<u32>, reasons: bool) -> Self {
        Self {
            wishes,
            reasons,
            max_tokens,
            reasoning_tokens: REASONING_TOKENS,
            known: Lessons::default(),
            found: Lessons::default(),
        }
    }

    /// For a request that is thought to take as long as an answer of so many tokens.
    pub(crate) fn expecting(tokens: u32) -> Self {
        Self {
            wishes: Wishes::default(),
            reasons: false,
            max_tokens: Some(tokens),
            reasoning_tokens: 0,
            known: Lessons::default(),
            found: Lessons::default(),
        }
    }

    /// Fills in what the caller left open. `options` is the member of a request's JSON that holds
    /// options, where the dialect has one.
    pub(crate) fn fill_in(
        request: &mut ChatRequest,
        defaults: &Defaults,
        rule: &ModelRule,
        options: Option<&str>,
        lessons: Lessons,
    ) -> Self {
        let mut wishes = Wishes::default();
        let refused = lessons.refused;
        let asked = asks_to_reason(request);
        let by_itself = matches!(rule.reasoning, Reasons::ByDefault | Reasons::Always);
        let mut reasons = asked.unwrap_or(by_itself);
        if asked.is_none()
            && defaults.no_reasoning
            && rule.reasoning == Reasons::ByDefault
            && !refused.has(Wishes::NO_REASONING)
        {
            request.reasoning_effort = Some(ReasoningEffort::None);
            wishes.add(Wishes::NO_REASONING);
            reasons = false;
        }
        reasons |= lessons.reasons && asked != Some(false);
        if let Some(temperature) = defaults.temperature
            && request.temperature.is_none()
            && !refused.has(Wishes::TEMPERATURE)
            && takes_temperature(request, rule, reasons)
            && !has_any(&request.extra, options, &["temperature"])
        {
            request.temperature = Some(temperature);
            wishes.add(Wishes::TEMPERATURE);
        }
        if let Some(max_tokens) = defaults.max_tokens
            && request.max_tokens.is_none()
            && !refused.has(Wishes::MAX_TOKENS)
            && !has_any(&request.extra, options, &LIMITS)
        {
            let more = if reasons {
                defaults.reasoning_tokens
            } else {
                0
            };
            request.max_tokens = Some(max_tokens.saturating_add(more));
            wishes.add(Wishes::MAX_TOKENS);
        }
        let max_tokens = request.max_tokens;
        if lessons.renames_limit
            && let Some(max_tokens) = request.max_tokens.take()
        {
            let name = "max_completion_tokens".to_owned();
            request.extra.insert(name, max_tokens.into());
        }
        Self {
            wishes,
            reasons,
            max_tokens,
            reasoning_tokens: defaults.reasoning_tokens,
            known: lessons,
            found: Lessons::default(),
        }
    }

    /// How the answer is fetched. A `mode` of [`Mode::Stream`] is the caller's; `asked` says
    /// whether whole answers are fetched as streams, where the caller or the client says so, and
    /// `tells_all` whether a stream tells as much as a whole answer does.
    pub(crate) fn choose_mode(
        &mut self,
        mode: Mode,
        asked: Option<bool>,
        tells_all: impl FnOnce() -> bool,
    ) -> Mode {
        let streams = match (mode, asked) {
            (Mode::Stream, _) => true,
            (Mode::Whole, Some(asked)) => asked,
            (Mode::Whole, None) => {
                let streams =
                    self.takes_long() && !self.known.refused.has(Wishes::STREAM) && tells_all();
                if streams {
                    self.wishes.add(Wishes::STREAM);
                }
                streams
            }
        };
        match streams {
            false => Mode::Whole,
            true => {
                if !self.known.refused.has(Wishes::STREAM_USAGE) {
                    self.wishes.add(Wishes::STREAM_USAGE);
                }
                Mode::Stream
            }
        }
    }

    /// The provider refused something of what chatcore asked for: what follows for the next
    /// attempt. Returns the limit of tokens, if it is another now.
    pub(crate) fn give_up(&mut self, lessons: Lessons) -> Option<u32> {
        self.found.add(lessons);
        self.wishes = self.wishes.without(lessons.refused);
        if !lessons.reasons {
            return None;
        }
        self.reasons = true;
        self.wishes = self.wishes.without(Wishes::TEMPERATURE);
        if !self.wishes.has(Wishes::MAX_TOKENS) {
            return None;
        }
        self.max_tokens = self.max_tokens?.checked_add(self.reasoning_tokens);
        self.max_tokens
    }

    /// What an error says about the model. One whose default limit of tokens went into reasoning
    /// reasons, though nobody asked it to; and it did take the request as it was.
    pub(crate) fn found_in(&self, error: &Error) -> Lessons {
        if error.kind() != ErrorKind::OutOfTokens {
            return Lessons::default();
        }
        let reasoned = error.partial().is_some_and(|partial| {
            let usage = partial.usage.as_ref();
            let counted = usage.and_then(|usage| usage.reasoning_tokens);
            counted.is_some_and(|tokens| tokens > 0) || !partial.reasoning().is_empty()
        });
        let mut found = self.found;
        found.reasons |= self.wishes.has(Wishes::MAX_TOKENS) && reasoned;
        found
    }

    /// Whether the answer may take so long that it is better fetched as a stream: then time limits
    /// measure its progress, and nothing between here and the provider cuts a silent connection.
    pub(crate) fn takes_long(&self) -> bool {
        self.reasons || self.max_tokens.is_some_and(|tokens| tokens > LONG_ANSWER)
    }
}

/// A default temperature is for answers without reasoning: while they reason, models refuse it,
/// ignore it, or answer worse.
fn takes_temperature(request: &ChatRequest, rule: &ModelRule, reasons: bool) -> bool {
    !reasons && rule.sampling != Takes::Never && (rule.both_sampling || request.top_p.is_none())
}

/// Whether the caller set one of these as an extra field, or as a member of the one that holds
/// options.
fn has_any(extra: &Extra, options: Option<&str>, names: &[&str]) -> bool {
    let has = |extra: &Extra| names.iter().any(|name| extra.contains_key(*name));
    let own = || extra.get(options?)?.as_object();
    !extra.is_empty() && (has(extra) || own().is_some_and(has))
}

/// What the caller says about reasoning: on, off, or nothing.
fn asks_to_reason(request: &ChatRequest) -> Option<bool> {
    if let Some(effort) = &request.reasoning_effort {
        return Some(*effort != ReasoningEffort::None);
    }
    if request.extra.is_empty() {
        return None;
    }
    // The fields in which servers take it.
    const FIELDS: [&str; 7] = [
        "thinking",
        "think",
        "reasoning",
        "reasoning_effort",
        "enable_thinking",
        "chat_template_kwargs",
        "thinking_budget",
    ];
    let said = FIELDS.iter().find_map(|name| request.extra.get(*name));
    // Google's stands one level deeper.
    let config = || request.extra.get("generationConfig")?.get("thinkingConfig");
    let said = said.or_else(config)?;
    Some(!is_off(said))
}

/// The members of an object about reasoning that may turn it off.
const OFF_FIELDS: [&str; 6] = [
    "type",
    "enabled",
    "effort",
    "enable_thinking",
    "thinking",
    "thinkingBudget",
];

/// Whether a server's own field turns reasoning off.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Bool(is_on) => !is_on,
        Value::Number(budget) => budget.as_f64() == Some(0.0),
        Value::String(word) => matches!(word.as_str(), "none" | "disabled" | "between_tools"),
        Value::Object(fields) => OFF_FIELDS
            .iter()
            .any(|name| fields.get(*name).is_some_and(is_off)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::Message;
    use crate::models::ModelRules;

    fn hi() -> ChatRequest {
        ChatRequest::new([Message::user("hi")])
    }

    fn plan(model: &str, request: &mut ChatRequest, lessons: Lessons) -> Plan {
        let provider = match model {
            name if name.starts_with("claude") => "anthropic",
            name if name.starts_with("deepseek") => "deepseek",
            name if name.starts_with("gpt") => "openai",
            _ => "openai_chat",
        };
        let rules = ModelRules::of(provider);
        let options = Some("options");
        let rule = rules.find(model);
        Plan::fill_in(request, &Defaults::PROMPT, rule, options, lessons)
    }

    /// Temperature, limit, and whether reasoning is turned off.
    fn sent(request: &ChatRequest) -> (Option<f64>, Option<u32>, bool) {
        let off = request.reasoning_effort == Some(ReasoningEffort::None);
        (request.temperature, request.max_tokens, off)
    }

    #[test]
    fn a_default_goes_where_it_is_taken() {
        let roomy = Some(25_256);
        for (model, expected) in [
            ("tiny", (Some(0.0), Some(256), false)),
            ("deepseek-flash", (Some(0.0), Some(256), true)),
            ("gpt-6-luna", (Some(0.0), Some(256), true)),
            ("gpt-6-astra", (None, roomy, false)),
            ("gpt-4o", (Some(0.0), Some(256), false)),
            ("gpt-oss:20b", (None, roomy, false)),
            ("claude-haiku-5-5", (None, Some(256), true)),
            ("claude-opus-5-5", (None, roomy, false)),
            ("claude-haiku-4-5", (Some(0.0), Some(256), false)),
        ] {
            let mut request = hi();
            let plan = plan(model, &mut request, Lessons::default());
            assert_eq!(sent(&request), expected, "{model}");
            assert_eq!(plan.reasons, expected.1 == roomy, "{model}");
            assert_eq!(plan.takes_long(), plan.reasons, "{model}");
        }
    }

    #[test]
    fn what_the_caller_set_stays() {
        let mut request = hi().temperature(0.3).max_tokens(9);
        let plan = plan("gpt-6-astra", &mut request, Lessons::default());
        assert_eq!(sent(&request), (Some(0.3), Some(9), false));
        assert!(plan.wishes.is_empty() && plan.reasons);
        let mut request = hi()
            .extra("temperature", 1)
            .extra("max_completion_tokens", 5);
        self::plan("tiny", &mut request, Lessons::default());
        assert_eq!(sent(&request), (None, None, false));
        let mut request = hi().extra("options", json!({"temperature": 1, "num_predict": 5}));
        self::plan("tiny", &mut request, Lessons::default());
        assert_eq!(sent(&request), (None, None, false));
    }

    #[test]
    fn who_asks_for_reasoning_gets_room_for_it_and_no_temperature() {
        let asked = |effort| ChatRequest {
            reasoning_effort: Some(effort),
            ..hi()
        };
        for (mut request, reasons) in [
            (asked(ReasoningEffort::High), true),
            (asked(ReasoningEffort::None), false),
            (hi().extra("thinking", json!({"type": "enabled"})), true),
            (hi().extra("thinking", json!({"type": "disabled"})), false),
            (hi().extra("enable_thinking", false), false),
            (hi().extra("think", false), false),
            (hi().extra("think", "high"), true),
            (
                hi().extra(
                    "generationConfig",
                    json!({"thinkingConfig": {"thinkingBudget": 0}}),
                ),
                false,
            ),
            (
                hi().extra(
                    "generationConfig",
                    json!({"thinkingConfig": {"thinkingLevel": "LOW"}}),
                ),
                true,
            ),
            (hi().extra("reasoning", json!({"effort": "none"})), false),
            (
                hi().extra("chat_template_kwargs", json!({"enable_thinking": false})),
                false,
            ),
            (hi().extra("reasoning_effort", "low"), true),
        ] {
            let before = request.reasoning_effort.clone();
            let plan = plan("deepseek-flash", &mut request, Lessons::default());
            assert_eq!(plan.reasons, reasons, "{request:?}");
            assert_eq!(request.temperature.is_none(), reasons, "{request:?}");
            assert_eq!(request.max_tokens, Some(if reasons { 25_256 } else { 256 }));
            assert_eq!(request.reasoning_effort, before);
        }
    }

    #[test]
    fn one_of_temperature_and_top_p() {
        for (model, temperature) in [("claude-haiku-4-5", None), ("claude-3-haiku", Some(0.0))] {
            let mut request = ChatRequest {
                top_p: Some(0.9),
                ..hi()
            };
            plan(model, &mut request, Lessons::default());
            assert_eq!(request.temperature, temperature, "{model}");
        }
    }

    #[test]
    fn lessons_count() {
        let lessons = Lessons {
            refused: Wishes::TEMPERATURE.and(Wishes::MAX_TOKENS),
            ..Lessons::default()
        };
        let mut request = hi();
        plan("tiny", &mut request, lessons);
        assert_eq!(sent(&request), (None, None, false));
        // It cannot be turned off: there must be room for it.
        let lessons = Lessons {
            refused: Wishes::NO_REASONING,
            reasons: true,
            ..Lessons::default()
        };
        let mut request = hi();
        assert!(plan("gpt-6-luna", &mut request, lessons).reasons);
        assert_eq!(sent(&request), (None, Some(25_256), false));
        // It was turned off, and the model reasoned.
        let lessons = Lessons {
            reasons: true,
            ..Lessons::default()
        };
        let mut request = hi();
        assert!(plan("deepseek-flash", &mut request, lessons).reasons);
        assert_eq!(sent(&request), (None, Some(25_256), true));
        let lessons = Lessons {
            renames_limit: true,
            ..Lessons::default()
        };
        let mut request = hi().max_tokens(7);
        assert_eq!(plan("tiny", &mut request, lessons).max_tokens, Some(7));
        assert_eq!(request.max_tokens, None);
        assert_eq!(request.extra["max_completion_tokens"], 7);
    }

    #[test]
    fn how_the_answer_is_fetched() {
        let chosen = |max_tokens, known, mode, asked| {
            let mut request = hi().max_tokens(max_tokens);
            let mut plan = plan("tiny", &mut request, Lessons::default());
            plan.known.refused = known;
            let chosen = plan.choose_mode(mode, asked, || true);
            (
                chosen,
                plan.wishes.has(Wishes::STREAM),
                plan.wishes.has(Wishes::STREAM_USAGE),
            )
        };
        let none = Wishes::default();
        let (whole, stream) = (Mode::Whole, Mode::Stream);
        for (max_tokens, known, mode, asked, expected) in [
            (256, none, whole, None, (whole, false, false)),
            (9_000, none, whole, None, (stream, true, true)),
            (9_000, Wishes::STREAM, whole, None, (whole, false, false)),
            (
                9_000,
                Wishes::STREAM_USAGE,
                whole,
                None,
                (stream, true, false),
            ),
            (9_000, none, whole, Some(false), (whole, false, false)),
            (256, none, whole, Some(true), (stream, false, true)),
            (256, none, stream, None, (stream, false, true)),
            (256, none, stream, Some(false), (stream, false, true)),
        ] {
            assert_eq!(chosen(max_tokens, known, mode, asked), expected);
        }
        let mut plan = plan("tiny", &mut hi().max_tokens(9_000), Lessons::default());
        assert_eq!(plan.choose_mode(whole, None, || false), whole);
    }

    #[test]
    fn what_follows_from_a_refusal() {
        let mut plan = plan("gpt-6-luna", &mut hi(), Lessons::default());
        let lessons = Lessons {
            refused: Wishes::NO_REASONING,
            reasons: true,
            ..Lessons::default()
        };
        assert_eq!(plan.give_up(lessons), Some(25_256));
        assert_eq!((plan.wishes, plan.reasons), (Wishes::MAX_TOKENS, true));
        assert_eq!(plan.found, lessons);
        let lessons = Lessons {
            refused: Wishes::MAX_TOKENS,
            ..Lessons::default()
        };
        assert_eq!(plan.give_up(lessons), None);
        assert!(plan.wishes.is_empty());
    }

    #[test]
    fn what_takes_long() {
        let mut request = hi().max_tokens(2_048);
        assert!(!plan("tiny", &mut request, Lessons::default()).takes_long());
        let mut request = hi().max_tokens(2_049);
        assert!(plan("tiny", &mut request, Lessons::default()).takes_long());
    }
}
