//! The prompt in a request, and the answer to it, in the form of each API.

use chatcore::{ChatEvent, ChatResponse, FinishReason, Fold, Usage};
use serde_json::{Value, json};

use crate::answers::{Frame, form_of};

/// The text of the last message of a request in any form.
pub(super) fn of(body: &Value) -> String {
    let lists = ["messages", "input", "contents"];
    let messages = lists.iter().find_map(|name| body[*name].as_array());
    let last = messages.and_then(|messages| messages.last());
    let last = last.unwrap_or(&Value::Null);
    for content in [&last["content"], &last["parts"]] {
        if let Some(text) = content.as_str() {
            return text.to_owned();
        }
        if let Some(text) = content[0]["text"].as_str() {
            return text.to_owned();
        }
    }
    body["input"].as_str().unwrap_or_default().to_owned()
}

fn words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

/// The answer to a prompt, in the form of requests to `path`.
pub(super) fn answer(prompt: &str, path: &str) -> Value {
    let text = format!("echo: {prompt}");
    let (input, output) = (words(prompt), words(&text));
    let Some(form) = form_of(path) else {
        return json!({
            "candidates": [{
                "content": {"role": "model", "parts": [{"text": text}]},
                "finishReason": "STOP"
            }],
            "usageMetadata": {
                "promptTokenCount": input,
                "candidatesTokenCount": output,
                "totalTokenCount": input + output
            },
            "modelVersion": "sim"
        });
    };
    let mut fold = Fold::new();
    fold.push(ChatEvent::Text(text));
    fold.push(ChatEvent::Usage(Usage::new(input, output)));
    fold.push(ChatEvent::Finish {
        reason: FinishReason::Stop,
        raw: "stop".into(),
    });
    let answer: ChatResponse = fold.finish();
    form.whole(&answer, &Frame::new("sim-1", "sim"))
}
