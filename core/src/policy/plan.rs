//! Decides which defaults are sent to a model, and what follows from that.
//!
//! An option that the caller set is always sent. A default is sent only to models that are not
//! known to refuse it.

use serde_json::Value;

#[cfg(test)]
use super::defaults::REASONING_TOKENS;
use super::defaults::{Defaults, Lessons, Wishes};
use crate::chat::{ChatRequest, Extra, ReasoningEffort};
use crate::dialect::Mode;
use crate::error::{Error, ErrorKind};
use crate::models::{ModelRule, Reasons, Takes};

/// The names that protocols use for the token limit.
pub(crate) const LIMITS: [&str; 5] = [
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "maxOutputTokens",
    "num_predict",
];

/// A whole answer that may have more tokens than this is fetched as a stream.
const LONG_ANSWER: u32 = 2_048;

/// What chatcore adds to a call by itself, and what it knows about the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The defaults that are sent.
    pub(crate) wishes: Wishes,
    /// Whether the model reasons before it answers, as far as is known.
    pub(crate) reasons: bool,
    /// The token limit of the answer.
    pub(crate) max_tokens: Option<u32>,
    /// How many tokens to add to the limit if the model turns out to reason.
    reasoning_tokens: u32,
    /// What the client knew about the model when the call began.
    pub(crate) known: Lessons,
    /// What this call has found out about the model.
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

    /// The plan for a request that is expected to take as long as an answer of `tokens` tokens.
    #[cfg(feature = "jobs")]
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

    /// Fills in what the caller left open. `options` names the member of the request's JSON that
    /// holds options, if the dialect has one.
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

    /// Chooses how to fetch the answer. If the caller wants a stream, `mode` is [`Mode::Stream`].
    /// `asked` says whether to fetch whole answers as streams, if the caller or the client decided
    /// that. `tells_all` says whether a stream reports as much as a whole answer.
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

    /// Updates the plan after the provider refused something that chatcore had added. Returns the
    /// token limit for the next attempt, if it changes.
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

    /// What a final error says about the model. If a default token limit was used up by reasoning,
    /// the model reasons although nobody asked it to. `OutOfTokens` also confirms what this call
    /// found out before, because the model did take the request.
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

    /// Whether the answer may take so long that it is better fetched as a stream: then the time
    /// limits measure its progress, and no proxy cuts a silent connection.
    pub(crate) fn takes_long(&self) -> bool {
        self.reasons || self.max_tokens.is_some_and(|tokens| tokens > LONG_ANSWER)
    }
}

/// Whether to send the default temperature. It is only for answers without reasoning, because
/// models that reason refuse it, ignore it, or answer worse.
fn takes_temperature(request: &ChatRequest, rule: &ModelRule, reasons: bool) -> bool {
    !reasons && rule.sampling != Takes::Never && (rule.both_sampling || request.top_p.is_none())
}

/// Whether the caller set one of `names` as an extra field, or inside the extra field that holds
/// options.
fn has_any(extra: &Extra, options: Option<&str>, names: &[&str]) -> bool {
    let has = |extra: &Extra| names.iter().any(|name| extra.contains_key(*name));
    let own = || extra.get(options?)?.as_object();
    !extra.is_empty() && (has(extra) || own().is_some_and(has))
}

/// Whether the caller turned reasoning on or off; `None` if the caller did neither.
fn asks_to_reason(request: &ChatRequest) -> Option<bool> {
    if let Some(effort) = &request.reasoning_effort {
        return Some(*effort != ReasoningEffort::None);
    }
    if request.extra.is_empty() {
        return None;
    }
    // The fields by which servers control reasoning.
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
    // Google's field is one level deeper.
    let config = || request.extra.get("generationConfig")?.get("thinkingConfig");
    let said = said.or_else(config)?;
    Some(!is_off(said))
}

/// The members of such a field that may turn reasoning off.
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

    /// The temperature, the token limit, and whether reasoning is turned off.
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
        // Reasoning cannot be turned off, so the limit must leave room for it.
        let lessons = Lessons {
            refused: Wishes::NO_REASONING,
            reasons: true,
            ..Lessons::default()
        };
        let mut request = hi();
        assert!(plan("gpt-6-luna", &mut request, lessons).reasons);
        assert_eq!(sent(&request), (None, Some(25_256), false));
        // Reasoning was turned off, and the model reasoned all the same.
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
