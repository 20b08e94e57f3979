//! The table of model rules, in the form of the package's option `modelRules`.

use std::error::Error;

use chatcore::models::{MODEL_RULES, ModelRule};
use serde_json::{Map, Value, json};

/// All rows. A field with its default value is left out.
pub(crate) fn all() -> Result<Value, Box<dyn Error>> {
    MODEL_RULES.iter().map(row).collect()
}

fn row(rule: &ModelRule) -> Result<Value, Box<dyn Error>> {
    let default = ModelRule::new("");
    let mut row = Map::new();
    let mut add = |name: &str, value: Value, otherwise: Value| {
        if value != otherwise {
            row.insert(name.to_owned(), value);
        }
    };
    add("models", json!(rule.models), Value::Null);
    add(
        "sampling",
        rule.sampling.as_str().into(),
        default.sampling.as_str().into(),
    );
    add(
        "bothSampling",
        rule.both_sampling.into(),
        default.both_sampling.into(),
    );
    add(
        "tools",
        rule.tools.as_str().into(),
        default.tools.as_str().into(),
    );
    add(
        "reasoning",
        rule.reasoning.as_str().into(),
        default.reasoning.as_str().into(),
    );
    let off = format!("{{{}}}", rule.reasoning_off);
    add("reasoningOff", serde_json::from_str(&off)?, json!({}));
    add("efforts", efforts(rule)?, json!({}));
    add(
        "thinkingBudget",
        rule.thinking_budget.into(),
        default.thinking_budget.into(),
    );
    add(
        "maxCompletionTokens",
        rule.max_completion_tokens.into(),
        default.max_completion_tokens.into(),
    );
    add("source", json!(rule.source), json!(""));
    add("date", json!(rule.date), json!(""));
    Ok(row.into())
}

fn efforts(rule: &ModelRule) -> Result<Value, Box<dyn Error>> {
    let mut efforts = Map::new();
    for pair in rule.efforts.split_ascii_whitespace() {
        let (effort, word) = pair.split_once('=').ok_or(pair)?;
        efforts.insert(effort.to_owned(), word.into());
    }
    Ok(efforts.into())
}
