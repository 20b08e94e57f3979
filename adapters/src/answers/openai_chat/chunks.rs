//! Writes an answer as the chunk stream of `/v1/chat/completions`.

use chatcore::{ChatEvent, FinishReason, Usage};
use serde_json::{Value, json};

use super::{finish_reason, own_members, refuse, usage};
use crate::answers::{Events, Frame, Refusal};

/// Converts the events of one answer to SSE in OpenAI's form.
#[derive(Debug)]
pub(super) struct Chunks {
    frame: Frame,
    begun: bool,
    usage: Option<Usage>,
}

impl Events for Chunks {
    fn write(&mut self, event: &ChatEvent) -> Vec<u8> {
        let delta = match event {
            ChatEvent::Start { id, model } => {
                if !self.begun {
                    keep(&mut self.frame.id, id.as_deref());
                    keep(&mut self.frame.model, model.as_deref());
                }
                return Vec::new();
            }
            // An answer that has begun without text.
            ChatEvent::Text(text) if text.is_empty() => return self.begin(),
            ChatEvent::Text(text) => json!({"content": text}),
            ChatEvent::Reasoning(text) => json!({"reasoning_content": text}),
            ChatEvent::Refusal(text) => json!({"refusal": text}),
            ChatEvent::ToolCallStart { index, id, name } => json!({"tool_calls": [{
                "index": index, "id": id, "type": "function",
                "function": {"name": name, "arguments": ""},
            }]}),
            ChatEvent::ToolCallArguments { index, fragment } => json!({"tool_calls": [{
                "index": index, "function": {"arguments": fragment},
            }]}),
            ChatEvent::ToolCallExtra { index, extra } => {
                let mut call = own_members(extra.clone());
                call.insert("index".into(), json!(index));
                json!({"tool_calls": [call]})
            }
            ChatEvent::Usage(cost) => {
                self.usage = Some(cost.clone());
                return Vec::new();
            }
            ChatEvent::Extra(extra) => {
                let Some(logprobs) = extra.get("logprobs") else {
                    return Vec::new();
                };
                let mut chunk = self.chunk(json!({}), None);
                chunk["choices"][0]["logprobs"] = logprobs.clone();
                return data(&chunk);
            }
            ChatEvent::Finish { reason, .. } => return self.end(reason),
            // Other parts cannot be sent in OpenAI's streams.
            _ => return Vec::new(),
        };
        let mut bytes = self.begin();
        bytes.extend(data(&self.chunk(delta, None)));
        bytes
    }

    fn fail(&mut self, refusal: &Refusal) -> Vec<u8> {
        data(&refuse(refusal))
    }
}

impl Chunks {
    pub(super) fn new(frame: Frame) -> Self {
        Self {
            frame,
            begun: false,
            usage: None,
        }
    }

    /// The first chunk, which has the role.
    fn begin(&mut self) -> Vec<u8> {
        if std::mem::replace(&mut self.begun, true) {
            return Vec::new();
        }
        data(&self.chunk(json!({"role": "assistant", "content": ""}), None))
    }

    fn end(&mut self, reason: &FinishReason) -> Vec<u8> {
        let mut bytes = self.begin();
        bytes.extend(data(
            &self.chunk(json!({}), Some(finish_reason(reason, &self.frame))),
        ));
        if let (true, Some(cost)) = (self.frame.include_usage, &self.usage) {
            let mut chunk = self.chunk(json!({}), None);
            chunk["choices"] = json!([]);
            chunk["usage"] = usage(cost);
            bytes.extend(data(&chunk));
        }
        bytes.extend(b"data: [DONE]\n\n");
        bytes
    }

    fn chunk(&self, delta: Value, finish_reason: Option<&str>) -> Value {
        let mut chunk = json!({
            "id": self.frame.id,
            "object": "chat.completion.chunk",
            "created": self.frame.created,
            "model": self.frame.model,
            "choices": [{
                "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason,
            }],
        });
        if self.frame.include_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }
}

fn keep(field: &mut String, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        *field = value.to_owned();
    }
}

fn data(value: &Value) -> Vec<u8> {
    format!("data: {value}\n\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_with_its_usage_and_done() {
        let mut frame = Frame::new("x", "m");
        frame.include_usage = true;
        let mut chunks = Chunks::new(frame);
        let mut text = String::new();
        for event in [
            ChatEvent::Start {
                id: Some("given".into()),
                model: None,
            },
            ChatEvent::Text("Hi".into()),
            ChatEvent::Usage(Usage::default()),
            ChatEvent::Finish {
                reason: FinishReason::Stop,
                raw: "stop".into(),
            },
        ] {
            let bytes = chunks.write(&event);
            text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        let events: Vec<_> = text.trim_end().split("\n\n").collect();
        let [role, hi, finish, usage, done] = events[..] else {
            panic!("{events:?}");
        };
        let json = |event: &str| {
            serde_json::from_str::<Value>(event.strip_prefix("data: ").unwrap()).unwrap()
        };
        assert_eq!(json(role)["choices"][0]["delta"]["role"], "assistant");
        assert_eq!(json(role)["id"], "given");
        assert_eq!(json(hi)["choices"][0]["delta"]["content"], "Hi");
        assert_eq!(json(finish)["choices"][0]["finish_reason"], "stop");
        assert_eq!(json(usage)["choices"], json!([]));
        assert_eq!(json(usage)["usage"]["total_tokens"], 0);
        assert_eq!(done, "data: [DONE]");
    }
}
