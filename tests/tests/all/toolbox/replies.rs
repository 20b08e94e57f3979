//! Answers of each dialect that ask for calls, whole and streamed.

use chatcore::Provider;
use chatcore::dialect::{JsonOutput, OpenAiChat, OpenAiResponses, Quirks, ReasoningField};
use serde_json::{Value, json};

use crate::jobs::{Reply, Sent};
pub(super) use crate::typed::replies::reply as text;

/// The calls of an answer.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// Ids, names and arguments.
    pub(super) calls: Vec<(String, String, String)>,
    /// Why the answer ended, in the words of chat completions.
    pub(super) reason: &'static str,
}

impl Ask {
    /// Calls with the ids `c0`, `c1` and so on.
    pub(super) fn of(calls: &[(&str, String)]) -> Self {
        let calls = calls.iter().enumerate().map(|(index, (name, arguments))| {
            (format!("c{index}"), (*name).to_owned(), arguments.clone())
        });
        Self {
            calls: calls.collect(),
            reason: "tool_calls",
        }
    }
}

/// A server of chat completions that wants reasoning back, such as DeepSeek.
pub(super) fn chat() -> Provider {
    let quirks = Quirks::default()
        .json_output(JsonOutput::Strict)
        .reasoning_field(ReasoningField::ReasoningContent);
    Provider::openai_compatible("https://api.test/v1", "m")
        .with_dialect(OpenAiChat::new(quirks))
        .with_api_key("sk-test")
}

/// A provider of each dialect.
pub(super) fn providers() -> [Provider; 5] {
    [
        chat(),
        Provider::openai().with_dialect(OpenAiResponses::default()),
        Provider::anthropic(),
        Provider::gemini(),
        Provider::ollama("m"),
    ]
    .map(|provider| provider.with_api_key("sk-test").with_model("m"))
}

/// An answer that reasons and then asks for calls, in the dialect of the request, whole or as a
/// stream, for 5 and 3 tokens. What must be sent back is `THOUGHT`, and `SIGNED` if the dialect has
/// signatures.
pub(super) fn calls(sent: &Sent, ask: &Ask) -> Reply {
    let is_stream = sent.body["stream"] == true || sent.uri.contains("streamGenerateContent");
    let uri = sent.uri.as_str();
    let events = match is_stream {
        false => vec![whole(uri, ask)],
        true if uri.ends_with("/chat/completions") => chat_stream(ask),
        true if uri.ends_with("/responses") => responses_stream(ask),
        true if uri.ends_with("/messages") => anthropic_stream(ask),
        // Their streams are whole answers in pieces.
        true => vec![whole(uri, ask)],
    };
    let body: String = match (is_stream, uri.ends_with("/api/chat")) {
        (false, _) => events[0].to_string(),
        (true, true) => events.iter().map(|event| format!("{event}\n")).collect(),
        (true, false) => events
            .iter()
            .map(|event| format!("data: {event}\n\n"))
            .collect(),
    };
    Reply::ok(body)
}

fn whole(uri: &str, ask: &Ask) -> Value {
    match uri {
        uri if uri.ends_with("/chat/completions") => {
            let message = json!({"role": "assistant", "content": null,
                "reasoning_content": "THOUGHT", "tool_calls": chat_calls(ask)});
            let choice = json!({"index": 0, "message": message, "finish_reason": ask.reason});
            json!({"id": "c", "model": "m", "choices": [choice], "usage":
                {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}})
        }
        uri if uri.ends_with("/responses") => json!({"id": "r", "object": "response",
            "status": "completed", "model": "m", "output": response_items(ask),
            "usage": {"input_tokens": 5, "output_tokens": 3}}),
        uri if uri.ends_with("/messages") => json!({"id": "m", "type": "message",
            "role": "assistant", "model": "m", "content": blocks(ask), "stop_reason": "tool_use",
            "usage": {"input_tokens": 5, "output_tokens": 3}}),
        uri if uri.ends_with("/api/chat") => {
            let calls = ask.calls.iter().map(|(id, name, arguments)| {
                json!({"id": id, "function": {"name": name, "arguments": parsed(arguments)}})
            });
            json!({"model": "m", "message": {"role": "assistant", "content": "",
                "thinking": "THOUGHT", "tool_calls": calls.collect::<Vec<_>>()}, "done": true,
                "done_reason": "stop", "prompt_eval_count": 5, "eval_count": 3})
        }
        uri if uri.contains("enerateContent") => {
            let mut parts = vec![json!({"text": "THOUGHT", "thought": true})];
            // Gemini's calls rarely have ids, and the first one is signed.
            parts.extend(
                ask.calls
                    .iter()
                    .enumerate()
                    .map(|(place, (_, name, arguments))| {
                        let call = json!({"name": name, "args": parsed(arguments)});
                        match place {
                            0 => json!({"functionCall": call, "thoughtSignature": "SIGNED"}),
                            _ => json!({"functionCall": call}),
                        }
                    }),
            );
            json!({"responseId": "g", "modelVersion": "m", "candidates": [{"index": 0, "content":
                {"role": "model", "parts": parts}, "finishReason": "STOP"}],
                "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 3}})
        }
        uri => panic!("{uri}"),
    }
}

/// Arguments as an object, for the dialects that write them so.
fn parsed(arguments: &str) -> Value {
    serde_json::from_str(arguments).unwrap_or_else(|_| json!({}))
}

fn chat_calls(ask: &Ask) -> Vec<Value> {
    let calls = ask.calls.iter().enumerate();
    let calls = calls.map(|(index, (id, name, arguments))| {
        json!({"index": index, "id": id, "type": "function",
            "function": {"name": name, "arguments": arguments}})
    });
    calls.collect()
}

fn chat_stream(ask: &Ask) -> Vec<Value> {
    let chunk = |delta: Value, reason: Value| {
        json!({"id": "c", "model": "m", "choices": [
            {"index": 0, "delta": delta, "finish_reason": reason}]})
    };
    let mut events = vec![chunk(json!({"reasoning_content": "THOUGHT"}), Value::Null)];
    for call in chat_calls(ask) {
        let arguments = call["function"]["arguments"].as_str().unwrap();
        let cut = arguments.len() / 2;
        let cut = (0..=cut).rev().find(|at| arguments.is_char_boundary(*at));
        let (first, second) = arguments.split_at(cut.unwrap());
        let mut begin = call.clone();
        begin["function"]["arguments"] = first.into();
        events.push(chunk(json!({"tool_calls": [begin]}), Value::Null));
        let rest = json!({"index": call["index"], "function": {"arguments": second}});
        events.push(chunk(json!({"tool_calls": [rest]}), Value::Null));
    }
    events.push(chunk(json!({}), ask.reason.into()));
    events.push(json!({"id": "c", "model": "m", "choices": [], "usage":
        {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}}));
    events
}

fn response_items(ask: &Ask) -> Vec<Value> {
    let mut items = vec![
        json!({"type": "reasoning", "id": "rs", "encrypted_content": "SIGNED",
        "summary": [{"type": "summary_text", "text": "THOUGHT"}]}),
    ];
    items.extend(ask.calls.iter().map(|(id, name, arguments)| {
        json!({"type": "function_call", "id": format!("fc_{id}"), "call_id": id, "name": name,
            "arguments": arguments, "status": "completed"})
    }));
    items
}

fn responses_stream(ask: &Ask) -> Vec<Value> {
    let mut events =
        vec![json!({"type": "response.created", "response": {"id": "r", "model": "m"}})];
    for (place, item) in response_items(ask).into_iter().enumerate() {
        events.push(
            json!({"type": "response.output_item.added", "output_index": place,
            "item": item}),
        );
        events.push(
            json!({"type": "response.output_item.done", "output_index": place,
            "item": item}),
        );
    }
    events.push(json!({"type": "response.completed", "response": whole("/responses", ask)}));
    events
}

fn blocks(ask: &Ask) -> Vec<Value> {
    let mut blocks =
        vec![json!({"type": "thinking", "thinking": "THOUGHT", "signature": "SIGNED"})];
    blocks.extend(ask.calls.iter().map(|(id, name, arguments)| {
        json!({"type": "tool_use", "id": id, "name": name, "input": parsed(arguments)})
    }));
    blocks
}

fn anthropic_stream(ask: &Ask) -> Vec<Value> {
    let usage = json!({"input_tokens": 5, "output_tokens": 3});
    let mut events = vec![json!({"type": "message_start", "message": {"id": "m",
        "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}})];
    for (index, block) in blocks(ask).into_iter().enumerate() {
        let mut begin = block.clone();
        let deltas = match block["type"] == "thinking" {
            true => {
                begin["thinking"] = "".into();
                begin["signature"] = "".into();
                vec![
                    json!({"type": "thinking_delta", "thinking": "THOUGHT"}),
                    json!({"type": "signature_delta", "signature": "SIGNED"}),
                ]
            }
            false => {
                begin["input"] = json!({});
                vec![json!({"type": "input_json_delta",
                    "partial_json": block["input"].to_string()})]
            }
        };
        events.push(json!({"type": "content_block_start", "index": index, "content_block": begin}));
        events.extend(
            deltas.into_iter().map(
                |delta| json!({"type": "content_block_delta", "index": index, "delta": delta}),
            ),
        );
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"},
        "usage": {"output_tokens": 3}}),
    );
    events.push(json!({"type": "message_stop"}));
    events
}
