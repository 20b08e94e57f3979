//! Every dialect, including one from outside chatcore, on answers of all kinds: text, reasoning,
//! tool calls, errors.

use chatcore::ErrorKind;
use chatcore::dialect::{Anthropic, Gemini, OllamaChat, OpenAiChat, OpenAiResponses};
use chatcore_conformance::{NONE, Recording, Subject, dialect_tests};
use serde_json::{Value, json};

fn data(events: &[Value]) -> String {
    let events = events.iter().map(|event| format!("data: {event}\n\n"));
    events.collect()
}

fn openai_chat() -> Subject {
    let chunk = |delta: Value, finish: Value| {
        json!({"id": "c", "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    };
    let call = json!([{"index": 0, "id": "t", "type": "function",
        "function": {"name": "f", "arguments": "{\"a\":"}}]);
    let stream = data(&[
        chunk(json!({"role": "assistant", "content": ""}), Value::Null),
        chunk(json!({"reasoning_content": "嗯…"}), Value::Null),
        chunk(json!({"content": "你好, \u{1f600} "}), Value::Null),
        chunk(json!({"content": "a\\\"b"}), Value::Null),
        chunk(json!({"tool_calls": call}), Value::Null),
        chunk(
            json!({"tool_calls": [{"index": 0, "function": {"arguments": "\"é\"}"}}]}),
            Value::Null,
        ),
        chunk(json!({}), json!("tool_calls")),
        json!({"id": "c", "model": "m", "choices": [],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}),
    ]);
    let whole = json!({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "Grüß dich"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}});
    let error = json!({"error": {"message": "slow down", "type": "requests",
        "code": "rate_limit_exceeded"}});
    let broken = data(&[chunk(json!({"content": "Hel"}), Value::Null), error.clone()]);
    Subject::new(OpenAiChat::default())
        .recording(
            Recording::stream("a stream", format!("{stream}data: [DONE]\n\n"))
                .says("你好, \u{1f600} a\\\"b"),
        )
        .recording(Recording::whole("a whole answer", whole.to_string()).says("Grüß dich"))
        .recording(
            Recording::stream("an error in mid-stream", broken).fails_as(ErrorKind::RateLimited),
        )
        .recording(
            Recording::whole("an error", error.to_string())
                .status(429)
                .header("retry-after", "7")
                .fails_as(ErrorKind::RateLimited),
        )
}

fn anthropic() -> Subject {
    let event = |event: Value| {
        let kind = event["type"].as_str().unwrap_or_default().to_owned();
        format!("event: {kind}\r\ndata: {event}\r\n\r\n")
    };
    let delta = |index: u64, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let start = |index: u64, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let begin = json!({"type": "message_start", "message": {"id": "m", "type": "message",
        "role": "assistant", "model": "m", "content": [], "stop_reason": null,
        "usage": {"input_tokens": 3, "output_tokens": 1}}});
    let stream: String = [
        begin.clone(),
        start(
            0,
            json!({"type": "thinking", "thinking": "", "signature": ""}),
        ),
        delta(0, json!({"type": "thinking_delta", "thinking": "嗯…"})),
        delta(0, json!({"type": "signature_delta", "signature": "s"})),
        json!({"type": "content_block_stop", "index": 0}),
        start(1, json!({"type": "text", "text": ""})),
        delta(1, json!({"type": "text_delta", "text": "你好 "})),
        delta(1, json!({"type": "text_delta", "text": "\u{1f600}"})),
        json!({"type": "content_block_stop", "index": 1}),
        start(
            2,
            json!({"type": "tool_use", "id": "t", "name": "f", "input": {}}),
        ),
        delta(
            2,
            json!({"type": "input_json_delta", "partial_json": "{\"a\":\"é\"}"}),
        ),
        json!({"type": "content_block_stop", "index": 2}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"},
            "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ]
    .into_iter()
    .map(event)
    .collect();
    let whole = json!({"id": "m", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": "Grüß dich"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 9}});
    let error = json!({"type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let broken = [begin, error.clone()].map(event).concat();
    Subject::new(Anthropic::default())
        .recording(Recording::stream("a stream", stream).says("你好 \u{1f600}"))
        .recording(Recording::whole("a whole answer", whole.to_string()).says("Grüß dich"))
        .recording(
            Recording::stream("an error in mid-stream", broken).fails_as(ErrorKind::Overloaded),
        )
        .recording(
            Recording::whole("an error", error.to_string())
                .status(529)
                .fails_as(ErrorKind::Overloaded),
        )
}

fn gemini() -> Subject {
    let chunk = |parts: Value, finish: Value| {
        json!({"responseId": "r", "modelVersion": "m", "candidates": [{"index": 0,
            "content": {"role": "model", "parts": parts}, "finishReason": finish}],
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2,
                "totalTokenCount": 5}})
    };
    let stream = data(&[
        chunk(json!([{"text": "嗯…", "thought": true}]), Value::Null),
        chunk(json!([{"text": "你好, "}]), Value::Null),
        chunk(json!([{"text": "\u{1f600}"}]), Value::Null),
        chunk(
            json!([{"functionCall": {"name": "f", "args": {"a": "é"}}}]),
            json!("STOP"),
        ),
    ]);
    let whole = chunk(json!([{"text": "Grüß dich"}]), json!("STOP"));
    let error = json!({"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"}});
    Subject::new(Gemini::default())
        .recording(Recording::stream("a stream", stream).says("你好, \u{1f600}"))
        .recording(Recording::whole("a whole answer", whole.to_string()).says("Grüß dich"))
        .recording(
            Recording::whole("an error", error.to_string())
                .status(429)
                .fails_as(ErrorKind::RateLimited),
        )
}

fn openai_responses() -> Subject {
    let message = json!({"id": "m", "type": "message", "status": "completed", "role": "assistant",
        "content": [{"type": "output_text", "annotations": [], "text": "你好 \u{1f600}"}]});
    let usage = json!({"input_tokens": 3, "output_tokens": 2, "total_tokens": 5});
    let response = json!({"id": "r", "object": "response", "status": "completed", "model": "m",
        "error": null, "output": [message], "usage": usage});
    let delta = |text: &str| {
        json!({"type": "response.output_text.delta", "output_index": 0, "item_id": "m",
            "content_index": 0, "delta": text})
    };
    let stream = data(&[
        json!({"type": "response.created", "response": {"id": "r", "model": "m"}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item":
            {"id": "m", "type": "message", "status": "in_progress", "content": [],
                "role": "assistant"}}),
        delta("你好 "),
        delta("\u{1f600}"),
        json!({"type": "response.output_item.done", "output_index": 0, "item": message}),
        json!({"type": "response.completed", "response": response}),
    ]);
    let failed = data(&[
        json!({"type": "response.created", "response": {"id": "r", "model": "m"}}),
        json!({"type": "response.failed", "response": {"id": "r", "status": "failed",
            "error": {"code": "server_error", "message": "no"}}}),
    ]);
    Subject::new(OpenAiResponses::default())
        .recording(Recording::stream("a stream", stream).says("你好 \u{1f600}"))
        .recording(Recording::whole("a whole answer", response.to_string()).says("你好 \u{1f600}"))
        .recording(Recording::stream("an error in mid-stream", failed).fails_as(ErrorKind::Server))
}

/// Adds what Ollama answers.
fn ollama(subject: Subject) -> Subject {
    let line = |message: Value, done: bool| {
        let mut line = json!({"model": "m", "message": message, "done": done});
        if done {
            line["done_reason"] = json!("stop");
            line["prompt_eval_count"] = json!(3);
            line["eval_count"] = json!(2);
        }
        format!("{line}\n")
    };
    let stream = [
        line(
            json!({"role": "assistant", "content": "", "thinking": "嗯…"}),
            false,
        ),
        line(json!({"content": "你好 "}), false),
        line(
            json!({"content": "\u{1f600}",
            "tool_calls": [{"function": {"name": "f", "arguments": {"a": "é"}}}]}),
            false,
        ),
        line(json!({"content": ""}), true),
    ]
    .concat();
    let whole = line(json!({"role": "assistant", "content": "Grüß dich"}), true);
    let error = json!({"error": "no such model"});
    subject
        .recording(Recording::stream("a stream", stream).says("你好 \u{1f600}"))
        .recording(Recording::whole("a whole answer", whole).says("Grüß dich"))
        .recording(
            Recording::whole("an error", error.to_string())
                .status(404)
                .fails_as(ErrorKind::NotFound),
        )
}

dialect_tests! {
    openai_chat_dialect: openai_chat(), NONE;
    anthropic_dialect: anthropic(), NONE;
    gemini_dialect: gemini(), NONE;
    openai_responses_dialect: openai_responses(), NONE;
    ollama_dialect: ollama(Subject::new(OllamaChat::default())), NONE;
    strangers_dialect: ollama(Subject::new(chatcore_stranger::OllamaChat::default())), NONE;
}
