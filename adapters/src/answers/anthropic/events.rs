//! Writes an answer as the event stream of `/v1/messages`.

use chatcore::{ChatEvent, Part};
use serde_json::{Value, json};

use super::{AnthropicForm, whole};
use crate::answers::pieces::{Pieces, Place, Step};
use crate::answers::{self, Form, Frame, Refusal};

/// Converts the events of one answer to SSE in Anthropic's form.
#[derive(Debug)]
pub(super) struct Events {
    frame: Frame,
    begun: bool,
    pieces: Pieces,
}

impl answers::Events for Events {
    fn write(&mut self, event: &ChatEvent) -> Vec<u8> {
        let steps = self.pieces.push(event);
        let is_end = matches!(event, ChatEvent::Finish { .. });
        let mut bytes = Vec::new();
        if steps.is_empty() && !is_end {
            return bytes;
        }
        if !std::mem::replace(&mut self.begun, true) {
            let message = whole::begun(self.pieces.answer(), &self.frame);
            bytes.extend(sse(
                "message_start",
                &json!({"type": "message_start", "message": message}),
            ));
        }
        for step in steps {
            self.tell(step, &mut bytes);
        }
        if is_end {
            self.end(&mut bytes);
        }
        bytes
    }

    fn fail(&mut self, refusal: &Refusal) -> Vec<u8> {
        sse("error", &AnthropicForm.refuse(refusal))
    }
}

impl Events {
    pub(super) fn new(frame: Frame) -> Self {
        Self {
            frame,
            begun: false,
            pieces: Pieces::new(whole::has_block),
        }
    }

    fn tell(&self, step: Step, bytes: &mut Vec<u8>) {
        let mut delta = |place: Place, delta: Value| {
            let delta =
                json!({"type": "content_block_delta", "index": place.index, "delta": delta});
            bytes.extend(sse("content_block_delta", &delta));
        };
        match step {
            Step::Begin(place) => {
                let block = self.pieces.part(place).and_then(begun);
                let start = json!({"type": "content_block_start", "index": place.index, "content_block": block});
                bytes.extend(sse("content_block_start", &start));
            }
            Step::Text(place, text) => delta(
                place,
                match self.pieces.part(place) {
                    Some(Part::Reasoning(_)) => json!({"type": "thinking_delta", "thinking": text}),
                    _ => json!({"type": "text_delta", "text": text}),
                },
            ),
            Step::Signature(place, signature) => {
                delta(
                    place,
                    json!({"type": "signature_delta", "signature": signature}),
                );
            }
            Step::Arguments(place, piece) => {
                delta(
                    place,
                    json!({"type": "input_json_delta", "partial_json": piece}),
                );
            }
            // Anthropic's streams can carry no extra field of a text except citations.
            Step::Extra(place, extra) => {
                let citations = super::shown(extra).remove("citations");
                for citation in citations
                    .as_ref()
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    delta(
                        place,
                        json!({"type": "citations_delta", "citation": citation}),
                    );
                }
            }
            Step::End(place) => {
                // Other dialects' proofs are known only when the part is complete.
                if let Some(Part::Reasoning(reasoning)) = self.pieces.part(place)
                    && reasoning.signature.is_none()
                    && reasoning.encrypted.is_none()
                {
                    let signature = super::signature(reasoning);
                    if !signature.is_empty() {
                        delta(
                            place,
                            json!({"type": "signature_delta", "signature": signature}),
                        );
                    }
                }
                let stop = json!({"type": "content_block_stop", "index": place.index});
                bytes.extend(sse("content_block_stop", &stop));
            }
        }
    }

    fn end(&self, bytes: &mut Vec<u8>) {
        let whole = whole::write(self.pieces.answer(), &self.frame);
        let mut delta = json!({
            "stop_reason": whole["stop_reason"], "stop_sequence": whole["stop_sequence"],
        });
        for name in ["stop_details", "container"] {
            if let Some(value) = whole.get(name) {
                delta[name] = value.clone();
            }
        }
        let mut end = json!({"type": "message_delta", "delta": delta});
        if let Some(usage) = whole.get("usage") {
            end["usage"] = usage.clone();
        }
        bytes.extend(sse("message_delta", &end));
        bytes.extend(sse("message_stop", &json!({"type": "message_stop"})));
    }
}

/// A block at its start: the content that deltas will add is still empty.
fn begun(part: &Part) -> Option<Value> {
    let mut block = whole::block(part)?;
    match part {
        Part::Text(_) | Part::Refusal(_) => block = json!({"type": "text", "text": ""}),
        Part::Reasoning(reasoning) if reasoning.encrypted.is_none() => {
            block = json!({"type": "thinking", "thinking": "", "signature": ""});
        }
        Part::ToolCall(_) => block["input"] = json!({}),
        _ => {}
    }
    Some(block)
}

fn sse(name: &str, value: &Value) -> Vec<u8> {
    format!("event: {name}\ndata: {value}\n\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use chatcore::FinishReason;
    use chatcore::chat::{Reasoning, Text};

    use super::*;
    use crate::answers::Events as _;

    #[test]
    fn whole_parts_are_told_whole() {
        let mut events = Events::new(Frame::new("msg_1", "m"));
        let mut text = String::new();
        for event in [
            ChatEvent::part(Reasoning::encrypted("x")),
            ChatEvent::part(Text::new("all at once")),
            ChatEvent::Finish {
                reason: FinishReason::Stop,
                raw: "stop".into(),
            },
        ] {
            let bytes = events.write(&event);
            text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        assert!(text.contains(r#""content_block":{"type":"redacted_thinking","data":"x"}"#));
        assert!(
            text.contains(r#"{"type":"text_delta","text":"all at once"}"#),
            "{text}"
        );
        assert_eq!(text.matches("event: content_block_stop").count(), 2);
        assert!(text.ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
    }
}
