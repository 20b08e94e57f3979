//! Writes an answer as the chunk stream of `/v1/chat/completions`.

use chatcore::{ChatEvent, Error, FinishReason, Usage};
use serde_json::{Value, json};

use super::{finish_reason, own_members, usage};
use crate::errors::ApiError;

/// Converts the events of one answer to SSE in OpenAI's form.
#[derive(Debug)]
pub(crate) struct Chunks {
    id: String,
    model: String,
    created: u64,
    include_usage: bool,
    begun: bool,
    usage: Option<Usage>,
}

impl Chunks {
    /// For an answer of `model` to a request that arrived at `created`. `id` is used if the
    /// provider gives no id.
    pub(crate) fn new(id: String, model: String, created: u64, include_usage: bool) -> Self {
        Self {
            id,
            model,
            created,
            include_usage,
            begun: false,
            usage: None,
        }
    }

    /// The bytes for the next event, if there are any.
    pub(crate) fn write(&mut self, event: Result<ChatEvent, Error>) -> Option<Vec<u8>> {
        let delta = match event {
            Err(error) => return Some(data(&ApiError::from(error).to_json())),
            Ok(ChatEvent::Start { id, model }) => {
                if !self.begun {
                    keep(&mut self.id, id);
                    keep(&mut self.model, model);
                }
                return None;
            }
            Ok(ChatEvent::Text(text)) => json!({"content": text}),
            Ok(ChatEvent::Reasoning(text)) => json!({"reasoning_content": text}),
            Ok(ChatEvent::Refusal(text)) => json!({"refusal": text}),
            Ok(ChatEvent::ToolCallStart { index, id, name }) => json!({"tool_calls": [{
                "index": index, "id": id, "type": "function",
                "function": {"name": name, "arguments": ""},
            }]}),
            Ok(ChatEvent::ToolCallArguments { index, fragment }) => json!({"tool_calls": [{
                "index": index, "function": {"arguments": fragment},
            }]}),
            Ok(ChatEvent::ToolCallExtra { index, extra }) => {
                let mut call = own_members(extra);
                call.insert("index".into(), json!(index));
                json!({"tool_calls": [call]})
            }
            Ok(ChatEvent::Usage(cost)) => {
                self.usage = Some(cost);
                return None;
            }
            Ok(ChatEvent::Extra(extra)) => {
                let logprobs = extra.get("logprobs")?;
                let mut chunk = self.chunk(json!({}), None);
                chunk["choices"][0]["logprobs"] = logprobs.clone();
                return Some(data(&chunk));
            }
            Ok(ChatEvent::Finish { reason, .. }) => return Some(self.end(&reason)),
            // Parts that OpenAI's streams cannot carry.
            Ok(_) => return None,
        };
        let mut bytes = self.begin();
        bytes.extend(data(&self.chunk(delta, None)));
        Some(bytes)
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
        bytes.extend(data(&self.chunk(json!({}), Some(finish_reason(reason)))));
        if let (true, Some(cost)) = (self.include_usage, &self.usage) {
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
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": [{
                "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason,
            }],
        });
        if self.include_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }
}

fn keep(field: &mut String, value: Option<String>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        *field = value;
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
        let mut chunks = Chunks::new("x".into(), "m".into(), 7, true);
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
            let bytes = chunks.write(Ok(event)).unwrap_or_default();
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
