//! OpenAI's chat completions.

use serde_json::{Value, json};

use super::Answer;

pub(super) fn whole(answer: &Answer<'_>) -> String {
    let message = json!({"role": "assistant", "content": answer.tokens.concat(), "refusal": null});
    let choice = json!({
        "index": 0,
        "message": message,
        "logprobs": null,
        "finish_reason": finish_reason(answer),
    });
    let mut body = head(answer, "chat.completion");
    body["choices"] = json!([choice]);
    if answer.tells_usage {
        body["usage"] = usage(answer);
    }
    body.to_string()
}

pub(super) fn opening(answer: &Answer<'_>) -> String {
    chunk(
        answer,
        json!({"role": "assistant", "content": ""}),
        Value::Null,
    )
}

pub(super) fn token(answer: &Answer<'_>, token: &str) -> String {
    chunk(answer, json!({"content": token}), Value::Null)
}

pub(super) fn ending(answer: &Answer<'_>) -> String {
    let mut events = chunk(answer, json!({}), finish_reason(answer).into());
    if answer.ask.wants_usage && answer.tells_usage {
        let mut last = head(answer, "chat.completion.chunk");
        last["choices"] = json!([]);
        last["usage"] = usage(answer);
        events.push_str(&format!("data: {last}\n\n"));
    }
    events.push_str("data: [DONE]\n\n");
    events
}

fn chunk(answer: &Answer<'_>, delta: Value, finish_reason: Value) -> String {
    let mut chunk = head(answer, "chat.completion.chunk");
    chunk["choices"] = json!([{"index": 0, "delta": delta, "finish_reason": finish_reason}]);
    format!("data: {chunk}\n\n")
}

fn head(answer: &Answer<'_>, object: &str) -> Value {
    json!({
        "id": format!("chatcmpl-sim-{}", answer.ask.number),
        "object": object,
        "created": 1_700_000_000,
        "model": answer.ask.model,
    })
}

fn finish_reason(answer: &Answer<'_>) -> &'static str {
    match answer.is_cut {
        true => "length",
        false => "stop",
    }
}

fn usage(answer: &Answer<'_>) -> Value {
    let output = answer.tokens.len() as u64;
    let input = answer.ask.input_tokens;
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}
