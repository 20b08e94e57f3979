//! Decides whether a call needs Responses.

use crate::chat::{ChatRequest, Extra, Message, Part, ReasoningEffort};
use crate::dialect::openai_responses::DIALECT;
use crate::models::{ModelRule, Reasons, Takes};

/// Fields that Responses have and chat completions do not. Both have `store`.
const FIELDS: [&str; 9] = [
    "previous_response_id",
    "conversation",
    "include",
    "reasoning",
    "text",
    "instructions",
    "background",
    "truncation",
    "max_tool_calls",
];

/// Fields that chat completions have and Responses do not.
const CHAT_FIELDS: [&str; 9] = [
    "stop",
    "seed",
    "logit_bias",
    "presence_penalty",
    "frequency_penalty",
    "modalities",
    "audio",
    "prediction",
    "web_search_options",
];

/// Whether `request` needs Responses. `rule` is the rule of the request's model.
pub(super) fn of_responses(request: &ChatRequest, rule: &ModelRule) -> bool {
    FIELDS.iter().any(|name| request.extra.contains_key(*name))
        || needs_tools(request, rule)
        || (request.messages.iter().any(is_from_responses) && !is_for_chat_only(request))
}

/// Whether chat completions would refuse the call's tools.
fn needs_tools(request: &ChatRequest, rule: &ModelRule) -> bool {
    if request.tools.is_empty() && !request.extra.contains_key("tools") {
        return false;
    }
    let asked = request.extra.get("reasoning_effort");
    let asked = match (
        &request.reasoning_effort,
        asked.and_then(|word| word.as_str()),
    ) {
        (Some(effort), _) => Some(*effort != ReasoningEffort::None),
        (None, Some(word)) => Some(word != ReasoningEffort::None.as_str()),
        (None, None) => None,
    };
    let by_itself = matches!(rule.reasoning, Reasons::ByDefault | Reasons::Always);
    match rule.tools {
        Takes::Always => false,
        Takes::UnlessReasoning => asked.unwrap_or(by_itself),
        Takes::Never => true,
    }
}

/// Whether any part of a message came from Responses.
fn is_from_responses(message: &Message) -> bool {
    let has_own = |extra: &Extra| extra.contains_key(DIALECT);
    has_own(&message.extra)
        || message.parts.iter().any(|part| match part {
            Part::Text(text) => has_own(&text.extra),
            Part::Reasoning(reasoning) => has_own(&reasoning.extra),
            Part::Refusal(refusal) => has_own(&refusal.extra),
            Part::ToolCall(call) => has_own(&call.extra),
            Part::Other { dialect, .. } => dialect.as_deref() == Some(DIALECT),
            _ => false,
        })
}

/// Whether the call uses something that Responses cannot express.
fn is_for_chat_only(request: &ChatRequest) -> bool {
    let has_audio = |message: &Message| {
        let mut parts = message.parts.iter();
        parts.any(|part| matches!(part, Part::Audio(_)))
    };
    !request.stop.is_empty()
        || request.seed.is_some()
        || CHAT_FIELDS
            .iter()
            .any(|name| request.extra.contains_key(*name))
        || request.messages.iter().any(has_audio)
}
