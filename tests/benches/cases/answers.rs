//! The providers' answers: whole answers of 600 bytes, and streams of 200 chunks of 200 bytes.

use bytes::Bytes;
use chatcore::Provider;
use chatcore::dialect::OpenAiResponses;
use serde_json::{Value, json};

use super::{End, Memory};

pub(super) fn openai() -> Memory {
    let body = json!({"id": "chatcmpl-123", "object": "chat.completion", "created": 1,
        "model": "deepseek-flash", "system_fingerprint": "fp_1", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": "The sky is blue. ".repeat(14)},
        "logprobs": null, "finish_reason": "stop"}], "usage": {"prompt_tokens": 12,
        "completion_tokens": 60, "total_tokens": 72, "prompt_tokens_details": {"cached_tokens": 0},
        "prompt_cache_hit_tokens": 0, "prompt_cache_miss_tokens": 12}});
    whole(Provider::deepseek(), &body)
}

pub(super) fn anthropic() -> Memory {
    let body = json!({"id": "msg_123", "type": "message", "role": "assistant",
        "model": "claude-haiku-5-5", "content": [{"type": "text",
        "text": "The sky is blue. ".repeat(18)}], "stop_reason": "end_turn",
        "stop_sequence": null, "usage": {"input_tokens": 12, "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0, "output_tokens": 60, "service_tier": "standard"}});
    whole(Provider::anthropic(), &body)
}

pub(super) fn openai_stream() -> Memory {
    let chunk = |delta: Value, finish: Option<&str>| {
        let chunk = json!({"id": "chatcmpl-123", "object": "chat.completion.chunk", "created": 1,
            "model": "deepseek-flash", "system_fingerprint": "fp_1", "choices": [{"index": 0,
            "delta": delta, "logprobs": null, "finish_reason": finish}]});
        Bytes::from(format!("data: {chunk}\n\n"))
    };
    let mut pieces = vec![chunk(json!({"content": " blue"}), None); 200];
    pieces.push(chunk(json!({}), Some("stop")));
    pieces.push("data: [DONE]\n\n".into());
    stream(Provider::deepseek(), pieces)
}

pub(super) fn anthropic_stream() -> Memory {
    let event = |name: &str, data: Value| Bytes::from(format!("event: {name}\ndata: {data}\n\n"));
    let start = json!({"type": "message_start", "message": {"id": "msg_123", "type": "message",
        "role": "assistant", "model": "claude-haiku-5-5", "content": [], "stop_reason": null,
        "stop_sequence": null, "usage": {"input_tokens": 12, "output_tokens": 1}}});
    let block = json!({"type": "content_block_start", "index": 0,
        "content_block": {"type": "text", "text": ""}});
    let delta = json!({"type": "content_block_delta", "index": 0,
        "delta": {"type": "text_delta", "text": " blue".repeat(17)}});
    let end = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn",
        "stop_sequence": null}, "usage": {"output_tokens": 3400}});
    let mut pieces = vec![
        event("message_start", start),
        event("content_block_start", block),
    ];
    pieces.extend(vec![event("content_block_delta", delta); 200]);
    pieces.extend([
        event(
            "content_block_stop",
            json!({"type": "content_block_stop", "index": 0}),
        ),
        event("message_delta", end),
        event("message_stop", json!({"type": "message_stop"})),
    ]);
    stream(Provider::anthropic(), pieces)
}

pub(super) fn gemini() -> Memory {
    let body = json!({"candidates": [{"content": {"parts": [{
        "text": "The sky is blue. ".repeat(15)}], "role": "model"}, "finishReason": "STOP",
        "index": 0}], "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 60,
        "totalTokenCount": 72, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 12}]},
        "modelVersion": "gemini-3.8-flash", "responseId": "r-123"});
    whole(Provider::gemini(), &body)
}

pub(super) fn gemini_stream() -> Memory {
    let chunk = |finish: Option<&str>| {
        let mut candidate = json!({"content": {"parts": [{"text": " blue"}], "role": "model"},
            "index": 0});
        if let Some(finish) = finish {
            candidate["finishReason"] = finish.into();
        }
        let chunk = json!({"candidates": [candidate], "usageMetadata": {"promptTokenCount": 12,
            "candidatesTokenCount": 60, "totalTokenCount": 72}, "modelVersion": "gemini-3.8-flash",
            "responseId": "r-123"});
        Bytes::from(format!("data: {chunk}\r\n\r\n"))
    };
    let mut pieces = vec![chunk(None); 200];
    pieces.push(chunk(Some("STOP")));
    stream(Provider::gemini(), pieces)
}

pub(super) fn responses() -> Memory {
    whole(
        responses_provider(),
        &response(&"The sky is blue. ".repeat(14)),
    )
}

pub(super) fn responses_stream() -> Memory {
    let event = |kind: &str, mut data: Value| {
        data["type"] = format!("response.{kind}").into();
        Bytes::from(format!("event: response.{kind}\ndata: {data}\n\n"))
    };
    let begun = json!({"response": {"id": "resp_123", "object": "response", "created_at": 1,
        "status": "in_progress", "model": "gpt-6-luna", "output": []}, "sequence_number": 0});
    let item = json!({"item": {"id": "msg_123", "type": "message", "status": "in_progress",
        "content": [], "role": "assistant"}, "output_index": 0, "sequence_number": 1});
    let delta = json!({"content_index": 0, "delta": " blue", "item_id": "msg_123",
        "logprobs": [], "obfuscation": "5IVw0yrcO1q", "output_index": 0, "sequence_number": 4});
    let whole = response(&" blue".repeat(200));
    let done = json!({"item": whole["output"][0], "output_index": 0, "sequence_number": 205});
    let mut pieces = vec![event("created", begun), event("output_item.added", item)];
    pieces.extend(vec![event("output_text.delta", delta); 200]);
    pieces.extend([
        event("output_item.done", done),
        event(
            "completed",
            json!({"response": whole, "sequence_number": 206}),
        ),
    ]);
    stream(responses_provider(), pieces)
}

fn response(text: &str) -> Value {
    json!({"id": "resp_123", "object": "response", "created_at": 1, "status": "completed",
        "error": null, "incomplete_details": null, "model": "gpt-6-luna", "output": [{
        "id": "msg_123", "type": "message", "status": "completed", "role": "assistant",
        "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": text}]}],
        "parallel_tool_calls": true, "store": false, "temperature": 1.0, "tool_choice": "auto",
        "tools": [], "usage": {"input_tokens": 12, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 60, "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 72}})
}

fn responses_provider() -> Provider {
    Provider::openai().with_dialect(OpenAiResponses::default())
}

/// An answer that never arrives.
pub(super) fn none() -> Memory {
    Memory {
        end: End::NoHeaders,
        ..openai()
    }
}

/// A stream that waits after 50 chunks, before it would yield to other tasks.
pub(super) fn unfinished() -> Memory {
    let stream = openai_stream();
    Memory {
        pieces: stream.pieces[..50].into(),
        end: End::InBody,
        ..stream
    }
}

fn whole(provider: Provider, body: &Value) -> Memory {
    Memory {
        provider,
        content_type: "application/json",
        pieces: [body.to_string().into()].into(),
        end: End::Whole,
    }
}

fn stream(provider: Provider, pieces: Vec<Bytes>) -> Memory {
    Memory {
        provider,
        content_type: "text/event-stream",
        pieces: pieces.into(),
        end: End::Whole,
    }
}
