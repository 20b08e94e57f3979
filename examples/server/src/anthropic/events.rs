//! Writes an answer as the event stream of `/v1/messages`.

use chatcore::{ChatEvent, Error, Part};
use serde_json::{Value, json};

use super::answer;
use crate::errors::ApiError;
use crate::pieces::{Pieces, Place, Step};

/// Converts the events of one answer to SSE in Anthropic's form.
#[derive(Debug)]
pub(crate) struct Events {
    id: String,
    model: String,
    begun: bool,
    pieces: Pieces,
}

impl Events {
    /// For an answer of `model`. `id` is used if the provider gives no id.
    pub(crate) fn new(id: String, model: String) -> Self {
        Self {
            id,
            model,
            begun: false,
            pieces: Pieces::new(answer::has_block),
        }
    }

    /// The bytes for the next event, if there are any.
    pub(crate) fn write(&mut self, event: Result<ChatEvent, Error>) -> Option<Vec<u8>> {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                let error = super::error(&ApiError::from(error), None);
                return Some(sse("error", &error));
            }
        };
        let steps = self.pieces.push(&event);
        let is_end = matches!(event, ChatEvent::Finish { .. });
        if steps.is_empty() && !is_end {
            return None;
        }
        let mut bytes = Vec::new();
        if !std::mem::replace(&mut self.begun, true) {
            let message = answer::begun(self.pieces.answer(), &self.id, &self.model);
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
        Some(bytes)
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
        let whole = answer::write(self.pieces.answer(), &self.id, &self.model);
        let mut delta = json!({
            "stop_reason": whole["stop_reason"], "stop_sequence": whole["stop_sequence"],
        });
        for name in ["stop_details", "container"] {
            if let Some(value) = whole.get(name) {
                delta[name] = value.clone();
            }
        }
        let end = json!({"type": "message_delta", "delta": delta, "usage": whole["usage"]});
        bytes.extend(sse("message_delta", &end));
        bytes.extend(sse("message_stop", &json!({"type": "message_stop"})));
    }
}

/// A block at its start: the content that deltas will add is still empty.
fn begun(part: &Part) -> Option<Value> {
    let mut block = answer::block(part)?;
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

    #[test]
    fn whole_parts_are_told_whole() {
        let mut events = Events::new("msg_1".into(), "m".into());
        let mut text = String::new();
        for event in [
            ChatEvent::part(Reasoning::encrypted("x")),
            ChatEvent::part(Text::new("all at once")),
            ChatEvent::Finish {
                reason: FinishReason::Stop,
                raw: "stop".into(),
            },
        ] {
            let bytes = events.write(Ok(event)).unwrap_or_default();
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
