//! OpenAI's Responses: which model accepts which parameter.

use serde_json::{Map, Value, json};

use super::openai::{check_key, family_of, invalid};
use super::{Refusal, Thinking, count, field, words_of};
use crate::server::log::Seen;

/// All fields of a request.
const FIELDS: &[&str] = &[
    "background",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

pub(super) fn check(request: &Seen, body: &Map<String, Value>) -> Result<Thinking, Refusal> {
    check_key(request)?;
    if let Some(name) = body.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        let message = format!("Unknown parameter: '{name}'.");
        return Err(invalid(&message, json!(name), json!("unknown_parameter")));
    }
    let (_, family) = family_of(body)?;
    let asked = field(body, "reasoning").and_then(|reasoning| reasoning["effort"].as_str());
    if family.efforts.is_empty() {
        if asked.is_some() {
            return Err(unsupported("reasoning.effort"));
        }
        let mut included = field(body, "include")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        if included.any(|include| include == "reasoning.encrypted_content") {
            let message = "Encrypted content is not supported with this model.";
            return Err(invalid(message, json!("include"), Value::Null));
        }
        return Ok(Thinking {
            limit: count(body, "max_output_tokens"),
            ..Thinking::default()
        });
    }
    let effort = asked.unwrap_or(family.unasked);
    if !family.efforts.contains(&effort) {
        let message = format!(
            "Unsupported value: '{effort}' is not supported with this model. Supported values \
             are: '{}'.",
            family.efforts.join("', '")
        );
        let code = json!("unsupported_value");
        return Err(invalid(&message, json!("reasoning.effort"), code));
    }
    let mut sampling = ["temperature", "top_p"].into_iter();
    if effort != "none"
        && let Some(name) = sampling.find(|name| field(body, name).is_some())
    {
        return Err(unsupported(name));
    }
    Ok(Thinking {
        words: words_of(effort),
        limit: count(body, "max_output_tokens"),
        ..Thinking::default()
    })
}

fn unsupported(name: &str) -> Refusal {
    let message = format!("Unsupported parameter: '{name}' is not supported with this model.");
    invalid(&message, json!(name), json!("unsupported_parameter"))
}
