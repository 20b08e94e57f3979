//! Anthropic's messages, depending on API version and model.

use serde_json::{Map, Value, json};

use super::{Refusal, Thinking, count, field, has_bearer, messages, text};
use crate::server::log::Seen;

/// All fields of a request.
const FIELDS: &[&str] = &[
    "cache_control",
    "container",
    "context_management",
    "inference_geo",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "output_config",
    "service_tier",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];

const SAMPLING: &[&str] = &["temperature", "top_p", "top_k"];

/// Prefixes of models that accept no sampling parameters with any API version.
const NO_SAMPLING: &[&str] = &[
    "claude-opus-4-7",
    "claude-opus-4-8",
    "claude-opus-5",
    "claude-sonnet-5",
    "claude-haiku-5",
    "claude-fable",
];

pub(super) fn check(request: &Seen, body: &Map<String, Value>) -> Result<Thinking, Refusal> {
    let refuse = |status, kind: &str, message: &str| Refusal {
        status,
        body: json!({
            "type": "error",
            "error": {"type": kind, "message": message},
            "request_id": format!("req-{}", request.number),
        }),
    };
    let invalid = |message: &str| refuse(400, "invalid_request_error", message);
    let has_key = request
        .header("x-api-key")
        .is_some_and(|key| !key.is_empty());
    if !has_key && !has_bearer(request) {
        return Err(refuse(
            401,
            "authentication_error",
            "x-api-key header is required",
        ));
    }
    let is_new = match request.header("anthropic-version") {
        Some("2023-06-01") => false,
        Some("2026-10-21") => true,
        None => return Err(invalid("anthropic-version: header is required")),
        Some(other) => {
            let message = format!("anthropic-version: \"{other}\" is not a valid version");
            return Err(invalid(&message));
        }
    };
    let is_known = |name: &str| FIELDS.contains(&name) && !(is_new && SAMPLING.contains(&name));
    if let Some(name) = body.keys().find(|name| !is_known(name)) {
        return Err(invalid(&format!("{name}: Extra inputs are not permitted")));
    }
    for name in ["model", "max_tokens", "messages"] {
        if field(body, name).is_none() {
            return Err(invalid(&format!("{name}: Field required")));
        }
    }
    let model = text(body, "model").unwrap_or_default();
    if !model.starts_with("claude-") {
        return Err(refuse(404, "not_found_error", &format!("model: {model}")));
    }
    if NO_SAMPLING.iter().any(|prefix| model.starts_with(prefix)) {
        let is_default = |name: &str, value: &Value| name == "temperature" && value == 1;
        for name in SAMPLING {
            if field(body, name).is_some_and(|value| !is_default(name, value)) {
                return Err(invalid(&format!("`{name}` is deprecated for this model.")));
            }
        }
    } else if field(body, "temperature").is_some() && field(body, "top_p").is_some() {
        return Err(invalid(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only \
             one.",
        ));
    }
    if is_new && let Some(place) = messages(body).iter().enumerate().find_map(removed) {
        return Err(invalid(&format!("{place}: Extra inputs are not permitted")));
    }
    Ok(Thinking {
        limit: count(body, "max_tokens"),
        ..Thinking::default()
    })
}

/// The path of content that the version 2026-10-21 no longer accepts: documents of the assistant,
/// and citations of the user.
fn removed((n, message): (usize, &Value)) -> Option<String> {
    let is_assistant = message["role"] == "assistant";
    let blocks = message["content"].as_array()?;
    blocks.iter().enumerate().find_map(|(k, block)| {
        let citations = block["citations"].as_array();
        if is_assistant && block["type"] == "document" {
            Some(format!("messages.{n}.content.{k}.document"))
        } else if !is_assistant && citations.is_some_and(|list| !list.is_empty()) {
            Some(format!("messages.{n}.content.{k}.text.citations"))
        } else {
            None
        }
    })
}
