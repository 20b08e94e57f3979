//! How much to reason: a level, or for models up to 2.5 a budget of tokens.

use crate::chat::{ChatRequest, Extra, ReasoningEffort};
use crate::error::Error;
use crate::json::Writer;
use crate::models::ModelRule;
use crate::quote::Quoted;

/// The budgets of the efforts, in tokens: those of Google's own compatible endpoint
/// (<https://ai.google.dev/gemini-api/docs/openai>, 2026-11-29), and for `minimal` the least that
/// each of the models takes.
const BUDGETS: [(&str, u64); 7] = [
    ("none", 0),
    ("minimal", 512),
    ("low", 1024),
    ("medium", 8192),
    ("high", 24_576),
    ("xhigh", 24_576),
    ("max", 24_576),
];

/// The lowest limit of an answer's tokens of which four fifths are the least budget.
const LEAST_LIMIT: u64 = BUDGETS[1].1 / 4 * 5;

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
    Budget(u64),
    Level(String),
}

impl Thinking {
    /// What the request's effort asks of this model. `config` are the caller's own members of
    /// `generationConfig`, which replace chatcore's.
    pub(super) fn of(
        request: &ChatRequest,
        rule: &ModelRule,
        config: &Extra,
    ) -> Result<Option<Self>, Error> {
        let Some(effort) = &request.reasoning_effort else {
            return Ok(None);
        };
        if config.contains_key("thinkingConfig") {
            return Ok(None);
        }
        let word = rule.effort(effort.as_str());
        let max_tokens = match config.get("maxOutputTokens") {
            None => request.max_tokens.map(u64::from),
            Some(own) => own.as_u64(),
        };
        let amount = match rule.thinking_budget {
            true => Amount::Budget(budget(word, max_tokens)?),
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
                writer.count(*tokens);
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

/// The tokens of an effort, and at most four fifths of those that the answer may have.
fn budget(word: &str, max_tokens: Option<u64>) -> Result<u64, Error> {
    let known = BUDGETS.iter().find(|(effort, _)| *effort == word);
    let Some((_, tokens)) = known else {
        return Err(Error::invalid(format!(
            "this model knows no reasoning effort {}; use none, minimal, low, medium, high, xhigh \
             or max, or set `thinkingConfig` in the extra field `generationConfig`",
            Quoted(word)
        )));
    };
    match max_tokens {
        Some(max_tokens) if *tokens > 0 && max_tokens < LEAST_LIMIT => {
            Err(Error::invalid(format!(
                "max_tokens is {max_tokens}; to reason, this model needs at least {LEAST_LIMIT}: \
                 raise max_tokens, or set `thinkingConfig` in the extra field `generationConfig`"
            )))
        }
        Some(max_tokens) => Ok((*tokens).min(max_tokens / 5 * 4)),
        None => Ok(*tokens),
    }
}

/// Another word goes as it is: the provider may know it.
fn level(word: &str) -> String {
    let known = LEVELS.iter().find(|(effort, _)| *effort == word);
    known.map_or_else(
        || word.to_ascii_uppercase(),
        |(_, level)| (*level).to_owned(),
    )
}
