//! Writes a complete answer as the JSON of `/v1/chat/completions`.

use chatcore::ChatResponse;
use serde_json::{Map, Value, json};

use super::{finish_reason, own_members, usage};
use crate::answers::{Frame, or};

pub(super) fn write(answer: &ChatResponse, frame: &Frame) -> Value {
    let text = answer.text();
    let calls: Vec<_> = answer.tool_calls().map(tool_call).collect();
    let mut message = Map::new();
    message.insert("role".into(), json!("assistant"));
    message.insert(
        "content".into(),
        match text.is_empty() && (!calls.is_empty() || answer.refusal().is_some()) {
            true => Value::Null,
            false => json!(text),
        },
    );
    message.insert("refusal".into(), json!(answer.refusal()));
    let reasoning = answer.reasoning();
    if !reasoning.is_empty() {
        message.insert("reasoning_content".into(), json!(reasoning));
    }
    if !calls.is_empty() {
        message.insert("tool_calls".into(), json!(calls));
    }
    let mut whole = json!({
        "id": or(&answer.id, &frame.id),
        "object": "chat.completion",
        "created": frame.created,
        "model": or(&answer.model, &frame.model),
        "choices": [{
            "index": 0,
            "message": message,
            "logprobs": answer.extra.get("logprobs"),
            "finish_reason": answer.finish_reason.as_ref().map(|reason| finish_reason(reason, frame)),
        }],
    });
    if let Some(cost) = &answer.usage {
        whole["usage"] = usage(cost);
    }
    if let Some(fingerprint) = answer.extra.get("system_fingerprint") {
        whole["system_fingerprint"] = fingerprint.clone();
    }
    whole
}

fn tool_call(call: &chatcore::ToolCall) -> Value {
    let mut whole = Map::new();
    whole.insert("id".into(), json!(call.id));
    whole.insert("type".into(), json!("function"));
    whole.insert(
        "function".into(),
        json!({"name": call.name, "arguments": call.arguments}),
    );
    // Signatures, which the client must send back with the call.
    for (name, value) in own_members(call.extra.clone()) {
        whole.entry(name).or_insert(value);
    }
    Value::Object(whole)
}

#[cfg(test)]
mod tests {
    use chatcore::chat::ToolCall;
    use chatcore::{ChatEvent, FinishReason, Fold};

    use super::*;

    #[test]
    fn tools_come_with_no_content() {
        let mut fold = Fold::new();
        fold.push(ChatEvent::part(ToolCall::new("c", "f", "{\"a\":1}")));
        fold.push(ChatEvent::Finish {
            reason: FinishReason::ToolCalls,
            raw: "tool_calls".into(),
        });
        let mut frame = Frame::new("x", "m");
        frame.created = 7;
        let whole = write(&fold.finish(), &frame);
        let choice = &whole["choices"][0];
        assert_eq!(choice["finish_reason"], "tool_calls");
        assert_eq!(choice["message"]["content"], Value::Null);
        let function = &choice["message"]["tool_calls"][0]["function"];
        assert_eq!(function["arguments"], "{\"a\":1}");
        assert_eq!(whole["created"], 7);
        assert!(whole.get("usage").is_none());
    }
}
