//! OpenAI's chat completions: which model accepts which parameter.

use serde_json::{Map, Value, json};

use super::{Refusal, Thinking, count, field, has_bearer, has_items, text, words_of};
use crate::server::log::Seen;

/// The parameters that a family of models accepts.
pub(super) struct Family {
    /// The prefix of the models' names.
    prefix: &'static str,
    /// The accepted efforts; empty if the models do not reason.
    pub(super) efforts: &'static [&'static str],
    /// The effort of a request that sets none.
    pub(super) unasked: &'static str,
}

const fn family(
    prefix: &'static str,
    efforts: &'static [&'static str],
    unasked: &'static str,
) -> Family {
    Family {
        prefix,
        efforts,
        unasked,
    }
}

const ALL: &[&str] = &["none", "low", "medium", "high", "xhigh", "max"];
const NEVER_NONE: &[&str] = &["low", "medium", "high", "xhigh"];

/// A model belongs to the first family whose prefix matches its name.
const FAMILIES: &[Family] = &[
    family("gpt-6-astra", NEVER_NONE, "medium"),
    family("gpt-6.1-sol", NEVER_NONE, "medium"),
    family("gpt-6", ALL, "medium"),
    family("gpt-5.6", ALL, "medium"),
    family(
        "gpt-5.5",
        &["none", "low", "medium", "high", "xhigh"],
        "medium",
    ),
    family("gpt-5.", &["none", "low", "medium", "high"], "none"),
    family("gpt-5-chat", &[], ""),
    family("gpt-5", &["minimal", "low", "medium", "high"], "medium"),
    family("o1", &["low", "medium", "high"], "medium"),
    family("o3", &["low", "medium", "high"], "medium"),
    family("o4", &["low", "medium", "high"], "medium"),
    family("gpt-4o", &[], ""),
    family("gpt-4.1", &[], ""),
];

/// All fields of a request.
const FIELDS: &[&str] = &[
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

pub(super) fn check(request: &Seen, body: &Map<String, Value>) -> Result<Thinking, Refusal> {
    check_key(request)?;
    if let Some(name) = body.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(unrecognized(name));
    }
    let (model, family) = family_of(body)?;
    if family.efforts.is_empty() {
        return plain(body);
    }
    let effort = text(body, "reasoning_effort").unwrap_or(family.unasked);
    if !family.efforts.contains(&effort) {
        let message = format!(
            "Unsupported value: 'reasoning_effort' does not support '{effort}' with this model. \
             Supported values are: '{}'.",
            family.efforts.join("', '")
        );
        return Err(invalid(
            &message,
            json!("reasoning_effort"),
            json!("unsupported_value"),
        ));
    }
    if field(body, "max_tokens").is_some() {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. \
                       Use 'max_completion_tokens' instead.";
        let code = json!("unsupported_parameter");
        return Err(invalid(message, json!("max_tokens"), code));
    }
    if effort != "none" {
        check_reasoning(body, model)?;
    }
    Ok(Thinking {
        words: words_of(effort),
        limit: count(body, "max_completion_tokens"),
        ..Thinking::default()
    })
}

/// Refuses a request without a key.
pub(super) fn check_key(request: &Seen) -> Result<(), Refusal> {
    if !has_bearer(request) {
        let message = "You didn't provide an API key. You need to provide your API key in an \
                       Authorization header using Bearer auth.";
        let kind = "invalid_request_error";
        return Err(Refusal::openai(
            401,
            message,
            kind,
            Value::Null,
            Value::Null,
        ));
    }
    Ok(())
}

/// The model of a request, and the model's family.
pub(super) fn family_of(body: &Map<String, Value>) -> Result<(&str, &'static Family), Refusal> {
    let Some(model) = text(body, "model") else {
        let message = "you must provide a model parameter";
        return Err(invalid(message, Value::Null, Value::Null));
    };
    let family = FAMILIES
        .iter()
        .find(|family| model.starts_with(family.prefix));
    let Some(family) = family else {
        let message =
            format!("The model `{model}` does not exist or you do not have access to it.");
        let kind = "invalid_request_error";
        let code = json!("model_not_found");
        return Err(Refusal::openai(404, &message, kind, Value::Null, code));
    };
    Ok((model, family))
}

/// Checks a request to a model that does not reason.
fn plain(body: &Map<String, Value>) -> Result<Thinking, Refusal> {
    if field(body, "reasoning_effort").is_some() {
        return Err(unrecognized("reasoning_effort"));
    }
    let (old, new) = (
        count(body, "max_tokens"),
        count(body, "max_completion_tokens"),
    );
    if old.is_some() && new.is_some() {
        let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not \
                       supported.";
        return Err(invalid(
            message,
            json!("max_tokens"),
            json!("invalid_parameter_combination"),
        ));
    }
    Ok(Thinking {
        limit: new.or(old),
        ..Thinking::default()
    })
}

/// Refuses what a model does not accept while it reasons.
fn check_reasoning(body: &Map<String, Value>, model: &str) -> Result<(), Refusal> {
    for name in ["temperature", "top_p"] {
        let Some(value) = field(body, name) else {
            continue;
        };
        if model.starts_with('o') {
            return Err(unsupported(name));
        }
        if value.as_f64() != Some(1.0) {
            let message = format!(
                "Unsupported value: '{name}' does not support {value} with this model. Only the \
                 default (1) value is supported."
            );
            return Err(invalid(&message, json!(name), json!("unsupported_value")));
        }
    }
    for name in ["stop", "logprobs", "top_logprobs"] {
        if field(body, name).is_some_and(|value| *value != json!(false)) {
            return Err(unsupported(name));
        }
    }
    // Older models, gpt-5 and the o-series, accept both.
    let refuses_tools = model.starts_with("gpt-5.") || model.starts_with("gpt-6");
    if refuses_tools && has_items(body, "tools") {
        let message = format!(
            "Function tools with reasoning_effort are not supported for {model} in \
             /v1/chat/completions. To use function tools, use /v1/responses or set \
             reasoning_effort to 'none'."
        );
        // The error names the effort even if the request does not, and has no code.
        return Err(invalid(&message, json!("reasoning_effort"), Value::Null));
    }
    Ok(())
}

fn unsupported(name: &str) -> Refusal {
    let message = format!("Unsupported parameter: '{name}' is not supported with this model.");
    invalid(&message, json!(name), json!("unsupported_parameter"))
}

/// The refusal of a field that is unknown, or unknown to this model. It has neither param nor code.
fn unrecognized(name: &str) -> Refusal {
    let message = format!("Unrecognized request argument supplied: {name}");
    invalid(&message, Value::Null, Value::Null)
}

pub(super) fn invalid(message: &str, param: Value, code: Value) -> Refusal {
    Refusal::openai(400, message, "invalid_request_error", param, code)
}
