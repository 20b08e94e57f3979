//! Settings for the model's reasoning.

use crate::chat::{ChatRequest, ReasoningEffort};
use crate::error::Error;
use crate::json::Writer;
use crate::models::{ModelRule, Reasons};
use crate::quote::Quoted;

/// The smallest budget that Anthropic accepts, in tokens.
const LEAST_BUDGET: u32 = 1024;

/// The default limit for an answer, in tokens. Claude 3 Haiku accepts no more than this, and no
/// model accepts less.
const ANSWER_TOKENS: u32 = 4_096;
/// Added to the default limit if the model reasons. Of the models that reason, those with the
/// smallest limit accept 32,000 in all.
const REASONING_TOKENS: u32 = 25_000;

/// The token limit for a request without one, because Anthropic requires a number.
pub(super) fn default_max_tokens(request: &ChatRequest, rule: &ModelRule) -> u32 {
    let reasons = match (&request.reasoning_effort, request.extra.get("thinking")) {
        (_, Some(thinking)) => thinking.get("type").is_none_or(|word| word != "disabled"),
        (Some(effort), None) => *effort != ReasoningEffort::None,
        (None, None) => matches!(rule.reasoning, Reasons::ByDefault | Reasons::Always),
    };
    match reasons {
        true => ANSWER_TOKENS + REASONING_TOKENS,
        false => ANSWER_TOKENS,
    }
}

/// The field `thinking`.
#[derive(Debug, PartialEq)]
pub(super) enum Thinking {
    Disabled,
    Adaptive,
    Enabled { budget_tokens: u32 },
}

impl Thinking {
    /// The setting for the request's effort and this model.
    pub(super) fn of(
        request: &ChatRequest,
        rule: &ModelRule,
        max_tokens: u32,
    ) -> Result<Option<Self>, Error> {
        if request.extra.contains_key("thinking") {
            return Ok(None);
        }
        let share = match &request.reasoning_effort {
            None => return Ok(None),
            Some(ReasoningEffort::None) => return Ok(Some(Self::Disabled)),
            Some(_) if !rule.thinking_budget => return Ok(Some(Self::Adaptive)),
            Some(effort) => share(effort)?,
        };
        if max_tokens <= LEAST_BUDGET {
            return Err(Error::invalid(format!(
                "max_tokens is {max_tokens}; to reason, this model needs more than {LEAST_BUDGET}"
            )));
        }
        let budget = (f64::from(max_tokens) * share) as u32;
        Ok(Some(Self::Enabled {
            budget_tokens: budget.clamp(LEAST_BUDGET, max_tokens - 1),
        }))
    }

    /// Writes the setting. `display` says how reasoning is shown.
    pub(super) fn write(&self, writer: &mut Writer, display: Option<&str>) {
        writer.open('{');
        match self {
            Self::Disabled => writer.member("type", "disabled"),
            Self::Adaptive => writer.member("type", "adaptive"),
            Self::Enabled { budget_tokens } => {
                writer.member("type", "enabled");
                writer.key("budget_tokens");
                writer.count((*budget_tokens).into());
            }
        }
        if let (Some(display), false) = (display, *self == Self::Disabled) {
            writer.member("display", display);
        }
        writer.close('}');
    }
}

/// The share of an answer that may be reasoning, for a model that requires a number.
fn share(effort: &ReasoningEffort) -> Result<f64, Error> {
    Ok(match effort {
        ReasoningEffort::Minimal => 0.1,
        ReasoningEffort::Low => 0.2,
        ReasoningEffort::Medium => 0.5,
        ReasoningEffort::High => 0.8,
        ReasoningEffort::Xhigh | ReasoningEffort::Max => 0.95,
        other => {
            return Err(Error::invalid(format!(
                "this model does not support the reasoning effort {}; use minimal, low, medium, \
                 high, xhigh or max, or set `thinking` with extra",
                Quoted(other.as_str())
            )));
        }
    })
}

/// The word for the effort, for a model that accepts one.
pub(super) fn effort<'a>(request: &'a ChatRequest, rule: &'a ModelRule) -> Option<&'a str> {
    match request.reasoning_effort.as_ref()? {
        ReasoningEffort::None => None,
        _ if rule.thinking_budget => None,
        effort => Some(rule.effort(effort.as_str())),
    }
}
