//! The amount of reasoning: a level or, for models up to 2.5, a budget of tokens.

use crate::chat::{ChatRequest, Extra, ReasoningEffort};
use crate::error::Error;
use crate::json::Writer;
use crate::models::ModelRule;
use crate::quote::Quoted;

/// The budget for each effort, in tokens. The values are those of Google's OpenAI-compatible
/// endpoint (<https://ai.google.dev/gemini-api/docs/openai>, 2026-11-29). The value for `minimal`
/// is the smallest one that all of the models accept.
const BUDGETS: [(&str, u64); 7] = [
    ("none", 0),
    ("minimal", 512),
    ("low", 1024),
    ("medium", 8192),
    ("high", 24_576),
    ("xhigh", 24_576),
    ("max", 24_576),
];

/// The lowest token limit for an answer. Four fifths of it are the smallest budget.
const LEAST_LIMIT: u64 = BUDGETS[1].1 / 4 * 5;

/// The known levels.
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
    /// Whether to ask for summaries of the thoughts.
    includes_thoughts: bool,
}

#[derive(Debug, PartialEq)]
enum Amount {
    Budget(u64),
    Level(String),
}

impl Thinking {
    /// The setting for the request's effort and this model. `config` holds the caller's own members
    /// of `generationConfig`, which replace chatcore's.
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

/// The budget for an effort: at most four fifths of the answer's token limit.
fn budget(word: &str, max_tokens: Option<u64>) -> Result<u64, Error> {
    let known = BUDGETS.iter().find(|(effort, _)| *effort == word);
    let Some((_, tokens)) = known else {
        return Err(Error::invalid(format!(
            "this model does not support the reasoning effort {}; use none, minimal, low, medium, \
             high, xhigh or max, or set `thinkingConfig` in the extra field `generationConfig`",
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

/// The level for an effort. An unknown word is sent too, because the provider may know it.
fn level(word: &str) -> String {
    let known = LEVELS.iter().find(|(effort, _)| *effort == word);
    known.map_or_else(
        || word.to_ascii_uppercase(),
        |(_, level)| (*level).to_owned(),
    )
}
