//! How much to reason: a level, or for models up to 2.5 a budget of tokens.

use crate::chat::{ChatRequest, ReasoningEffort};
use crate::error::Error;
use crate::json::Writer;
use crate::models::ModelRule;
use crate::quote::Quoted;

/// The budgets of the efforts, in tokens: those of Google's own compatible endpoint
/// (<https://ai.google.dev/gemini-api/docs/openai>, 2026-11-29), and for `minimal` the least that
/// each of the models takes.
const BUDGETS: [(&str, u32); 7] = [
    ("none", 0),
    ("minimal", 512),
    ("low", 1024),
    ("medium", 8192),
    ("high", 24_576),
    ("xhigh", 24_576),
    ("max", 24_576),
];

/// The levels that there are.
const LEVELS: [(&str, &str); 4] = [
    ("minimal", "MINIMAL"),
    ("low", "LOW"),
    ("medium", "MEDIUM"),
    ("high", "HIGH"),
];

/// The field `thinkingConfig`.
#[derive(Debug, PartialEq)]
pub(super) struct Thinking {
    amount: Amount,
    /// Whether summaries of the thoughts are asked for.
    includes_thoughts: bool,
}

#[derive(Debug, PartialEq)]
enum Amount {
    Budget(u32),
    Level(String),
}

impl Thinking {
    /// What the request's effort asks of this model.
    pub(super) fn of(request: &ChatRequest, rule: &ModelRule) -> Result<Option<Self>, Error> {
        let Some(effort) = &request.reasoning_effort else {
            return Ok(None);
        };
        let word = rule.effort(effort.as_str());
        let amount = match rule.thinking_budget {
            true => Amount::Budget(budget(word, request.max_tokens)?),
            false => Amount::Level(level(word)),
        };
        Ok(Some(Self {
            amount,
            includes_thoughts: *effort != ReasoningEffort::None,
        }))
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.open('{');
        match &self.amount {
            Amount::Budget(tokens) => {
                writer.key("thinkingBudget");
                writer.count((*tokens).into());
            }
            Amount::Level(level) => writer.member("thinkingLevel", level),
        }
        if self.includes_thoughts {
            writer.key("includeThoughts");
            writer.boolean(true);
        }
        writer.close('}');
    }
}

/// So many tokens, and not all of those that the answer may have.
fn budget(word: &str, max_tokens: Option<u32>) -> Result<u32, Error> {
    let known = BUDGETS.iter().find(|(effort, _)| *effort == word);
    let Some((_, tokens)) = known else {
        return Err(Error::invalid(format!(
            "this model knows no reasoning effort {}; use none, minimal, low, medium, high, xhigh \
             or max, or set `thinkingConfig` in the extra field `generationConfig`",
            Quoted(word)
        )));
    };
    let most = max_tokens.map_or(u32::MAX, |max_tokens| max_tokens / 5 * 4);
    let least = BUDGETS[1].1;
    Ok((*tokens).min(most.max(least)))
}

/// Another word goes as it is: the provider may know it.
fn level(word: &str) -> String {
    let known = LEVELS.iter().find(|(effort, _)| *effort == word);
    known.map_or_else(
        || word.to_ascii_uppercase(),
        |(_, level)| (*level).to_owned(),
    )
}
