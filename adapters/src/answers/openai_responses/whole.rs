//! Writes a complete answer as the JSON of `/v1/responses`.

use chatcore::chat::Extra;
use chatcore::dialect::NAMES;
use chatcore::{ChatResponse, FinishReason, Part, Usage};
use serde_json::{Value, json};

use super::DIALECT;
use crate::answers::{Frame, or};

impl Frame {
    /// The answer so far, with this status and output.
    pub(super) fn of(&self, answer: &ChatResponse, status: &str, output: Vec<Value>) -> Value {
        let mut whole = json!({
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "model": or(&answer.model, &self.model),
            "output": output,
            "error": null,
            "incomplete_details": null,
            "previous_response_id": null,
            "store": false,
            "truncation": "disabled",
            "usage": answer.usage.as_ref().map(usage),
        });
        if let Value::Object(fields) = &mut whole {
            fields.extend(self.repeated.clone());
        }
        whole
    }

    /// The id of the item for a part at `index`.
    pub(super) fn id_of(&self, part: &Part, index: usize) -> String {
        let kind = match part {
            Part::Reasoning(_) => "rs",
            Part::ToolCall(_) => "fc",
            _ => "msg",
        };
        let id = self.id.strip_prefix("resp_").unwrap_or(&self.id);
        format!("{kind}_{id}_{index}")
    }

    /// The items of an answer.
    pub(super) fn items(&self, answer: &ChatResponse) -> Vec<Value> {
        let parts = answer.message.parts.iter().filter(|part| has_item(part));
        let items = parts.enumerate();
        items
            .filter_map(|(index, part)| self.item(part, index, "completed"))
            .collect()
    }

    /// The part as an item.
    pub(super) fn item(&self, part: &Part, index: usize, status: &str) -> Option<Value> {
        let id = self.id_of(part, index);
        let (item, extra) = match part {
            Part::Text(text) => (message(&id, status, &content(part)?), &text.extra),
            Part::Refusal(refusal) => (message(&id, status, &content(part)?), &refusal.extra),
            Part::Reasoning(reasoning) => {
                let summary = match &*reasoning.text {
                    "" => json!([]),
                    text => json!([{"type": "summary_text", "text": text}]),
                };
                let mut item = json!({"id": id, "type": "reasoning",
                    "summary": summary});
                // Anthropic's signature, which must return with the reasoning.
                if let Some(signature) = &reasoning.signature {
                    item["signature"] = json!(signature);
                }
                if let Some(data) = &reasoning.encrypted {
                    item["redacted"] = json!(data);
                }
                (item, &reasoning.extra)
            }
            Part::ToolCall(call) => (
                json!({"id": id, "type": "function_call",
                    "status": status, "call_id": call.id, "name": call.name,
                    "arguments": call.arguments}),
                &call.extra,
            ),
            Part::Other { value, .. } if has_item(part) => return Some(value.clone()),
            _ => return None,
        };
        Some(with(item, extra))
    }
}

fn message(id: &str, status: &str, content: &Value) -> Value {
    json!({"id": id, "type": "message", "role": "assistant", "status": status,
        "content": [content]})
}

/// The part as content of a message item.
pub(super) fn content(part: &Part) -> Option<Value> {
    Some(match part {
        Part::Text(text) => {
            json!({"type": "output_text", "text": text.text, "annotations": [], "logprobs": []})
        }
        Part::Refusal(refusal) => json!({"type": "refusal", "refusal": refusal.text}),
        _ => return None,
    })
}

/// Adds the fields that belong to dialects, under the dialects' names.
fn with(mut item: Value, extra: &Extra) -> Value {
    for (name, value) in extra.iter().filter(|(name, _)| NAMES.contains(&&***name)) {
        item[name] = value.clone();
    }
    item
}

/// Whether the part becomes an item.
pub(super) fn has_item(part: &Part) -> bool {
    match part {
        Part::Text(_) | Part::Reasoning(_) | Part::Refusal(_) | Part::ToolCall(_) => true,
        Part::Other { dialect, .. } => dialect.as_deref() == Some(DIALECT),
        _ => false,
    }
}

pub(super) fn write(answer: &ChatResponse, frame: &Frame) -> Value {
    let incomplete = match (&frame.finish, &answer.finish_reason) {
        (Some(own), _) => Some(own.as_str()),
        (None, Some(FinishReason::Length)) => Some("max_output_tokens"),
        (None, Some(FinishReason::ContentFilter)) => Some("content_filter"),
        _ => None,
    };
    let status = if incomplete.is_some() {
        "incomplete"
    } else {
        "completed"
    };
    let mut whole = frame.of(answer, status, frame.items(answer));
    if let Some(reason) = incomplete {
        whole["incomplete_details"] = json!({"reason": reason});
    }
    whole
}

/// The usage in the fields of Responses.
fn usage(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens.unwrap_or(0),
            "cache_write_tokens": usage.cache_write_tokens.unwrap_or(0),
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens.unwrap_or(0)},
        "total_tokens": usage.total_tokens(),
    })
}
