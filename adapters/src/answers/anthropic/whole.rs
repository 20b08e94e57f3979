//! Writes a complete answer as the JSON of `/v1/messages`.

use chatcore::chat::Extra;
use chatcore::dialect::kit;
use chatcore::{ChatResponse, FinishReason, Part, Usage};
use serde_json::{Value, json};

use super::{DIALECT, shown, signature};
use crate::answers::{Frame, or};

pub(super) fn write(answer: &ChatResponse, frame: &Frame) -> Value {
    let content: Vec<_> = answer.message.parts.iter().filter_map(block).collect();
    let mut whole = begun(answer, frame);
    whole["content"] = json!(content);
    whole["stop_reason"] = json!(frame.finish.as_deref().or(stop_reason(answer)));
    for name in ["stop_sequence", "stop_details", "container"] {
        if let Some(value) = answer.extra.get(name) {
            whole[name] = value.clone();
        }
    }
    whole
}

/// The message before any content arrived.
pub(super) fn begun(answer: &ChatResponse, frame: &Frame) -> Value {
    let mut message = json!({
        "id": or(&answer.id, &frame.id),
        "type": "message",
        "role": "assistant",
        "model": or(&answer.model, &frame.model),
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
    });
    if answer.usage.is_some() || frame.demands_usage {
        message["usage"] = usage(answer.usage.as_ref().unwrap_or(&Usage::default()));
    }
    message
}

/// Whether the part becomes a block.
pub(super) fn has_block(part: &Part) -> bool {
    match part {
        Part::Text(_) | Part::Reasoning(_) | Part::Refusal(_) | Part::ToolCall(_) => true,
        Part::Other { dialect, .. } => dialect.as_deref() == Some(DIALECT),
        _ => false,
    }
}

/// The part as a block.
pub(super) fn block(part: &Part) -> Option<Value> {
    let (block, extra) = match part {
        Part::Text(text) => (json!({"type": "text", "text": text.text}), &text.extra),
        // A refusal is written as text; the stop reason marks it as a refusal.
        Part::Refusal(refusal) => (
            json!({"type": "text", "text": refusal.text}),
            &refusal.extra,
        ),
        Part::Reasoning(reasoning) => {
            let block = match &reasoning.encrypted {
                Some(data) => json!({"type": "redacted_thinking", "data": data}),
                None => json!({"type": "thinking", "thinking": reasoning.text,
                    "signature": signature(reasoning)}),
            };
            let own = kit::own_fields(DIALECT, &reasoning.extra);
            return Some(with(block, own.unwrap_or(&Extra::new())));
        }
        Part::ToolCall(call) => (
            json!({"type": "tool_use", "id": call.id, "name": call.name,
                "input": input(call.arguments_json().ok())}),
            &call.extra,
        ),
        Part::Other { value, .. } if has_block(part) => return Some(value.clone()),
        _ => return None,
    };
    Some(with(block, extra))
}

/// The arguments as an object, because clients accept nothing else.
fn input(arguments: Option<Value>) -> Value {
    arguments
        .filter(Value::is_object)
        .unwrap_or_else(|| json!({}))
}

/// Adds the extra fields of a part to its block. Fields that the block has already stay as they
/// are.
fn with(mut block: Value, extra: &Extra) -> Value {
    if let Value::Object(fields) = &mut block {
        for (name, value) in shown(extra.clone()) {
            fields.entry(name).or_insert(value);
        }
    }
    block
}

/// The reason why the answer ended, as Anthropic's `stop_reason`.
pub(super) fn stop_reason(answer: &ChatResponse) -> Option<&str> {
    const OWN: [&str; 3] = [
        "stop_sequence",
        "model_context_window_exceeded",
        "pause_turn",
    ];
    let raw = answer.finish_reason_raw.as_str();
    if OWN.contains(&raw) {
        return Some(raw);
    }
    Some(match answer.finish_reason.as_ref()? {
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::ContentFilter | FinishReason::Refusal => "refusal",
        FinishReason::Pause => "pause_turn",
        _ => "end_turn",
    })
}

/// The usage in Anthropic's fields.
pub(super) fn usage(usage: &Usage) -> Value {
    let read = usage.cache_read_tokens.unwrap_or(0);
    let written = usage.cache_write_tokens.unwrap_or(0);
    let cached = read.saturating_add(written);
    let mut told = json!({
        "input_tokens": usage.input_tokens.saturating_sub(cached),
        "output_tokens": usage.output_tokens,
    });
    if cached > 0 {
        told["cache_creation_input_tokens"] = json!(written);
        told["cache_read_input_tokens"] = json!(read);
    }
    if let Some(thinking) = usage.reasoning_tokens {
        told["output_tokens_details"] = json!({"thinking_tokens": thinking});
    }
    told
}

#[cfg(test)]
mod tests {
    use chatcore::chat::{Reasoning, ToolCall};
    use chatcore::{ChatEvent, Fold};

    use super::*;

    #[test]
    fn a_whole_answer() {
        let mut fold = Fold::new();
        let mut cost = Usage::default();
        (cost.input_tokens, cost.output_tokens) = (9, 5);
        (cost.cache_read_tokens, cost.reasoning_tokens) = (Some(4), Some(2));
        for event in [
            ChatEvent::part(Reasoning::new("hm")),
            ChatEvent::Text("a".into()),
            ChatEvent::part(ToolCall::new("c", "f", "no json")),
            ChatEvent::Usage(cost),
            ChatEvent::Finish {
                reason: FinishReason::ToolCalls,
                raw: "tool_calls".into(),
            },
        ] {
            fold.push(event);
        }
        let whole = write(&fold.finish(), &Frame::new("msg_1", "m"));
        assert_eq!(
            whole["content"],
            json!([
                {"type": "thinking", "thinking": "hm", "signature": ""},
                {"type": "text", "text": "a"},
                {"type": "tool_use", "id": "c", "name": "f", "input": {}},
            ])
        );
        assert_eq!(
            (&whole["id"], &whole["model"]),
            (&json!("msg_1"), &json!("m"))
        );
        assert_eq!(whole["stop_reason"], "tool_use");
        assert_eq!(whole["usage"]["input_tokens"], 5);
        assert_eq!(
            whole["usage"]["output_tokens_details"]["thinking_tokens"],
            2
        );
    }
}
