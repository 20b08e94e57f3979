//! An answer of each dialect continues in every other dialect. Its text and calls are sent, data
//! that only its own dialect understands is not, and nothing is an error.

use chatcore::chat::ToolResult;
use chatcore::dialect::{Caps, Dialect, Mode};
use chatcore::{ChatRequest, ChatResponse, Fold, Message, Part, Role};
use serde_json::{Value, json};

use super::{dialects, sent};

/// An answer with reasoning, text and a call in the form of each dialect, and the words in it that
/// only that dialect may send.
fn answers() -> [(&'static str, Value, &'static [&'static str]); 5] {
    [
        (
            "openai_chat",
            json!({"choices": [{"finish_reason": "tool_calls", "message": {
                "reasoning": "hm", "content": "Look",
                "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "MARK"}],
                "tool_calls": [{"id": "c1", "type": "function",
                    "extra_content": {"google": {"thought_signature": "MARK"}},
                    "function": {"name": "weather", "arguments": "{\"city\":\"Paris\"}"}}]}}]}),
            &["reasoning_details", "extra_content"],
        ),
        (
            "anthropic",
            json!({"type": "message", "stop_reason": "tool_use", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "MARK"},
                {"type": "redacted_thinking", "data": "MARK"},
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"q": "MARK"}},
                {"type": "text", "text": "Look", "citations": [{"cited_text": "MARK"}]},
                {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Paris"},
                    "caller": {"type": "MARK"}}]}),
            &[
                "citations",
                "caller",
                "redacted_thinking",
                "server_tool_use",
            ],
        ),
        (
            "ollama_chat",
            json!({"done": true, "done_reason": "stop", "message": {"role": "assistant",
                "content": "Look", "thinking": "hm", "tool_calls": [{"id": "c1", "odd": "MARK",
                    "function": {"name": "weather", "arguments": {"city": "Paris"}}}]}}),
            &["odd"],
        ),
        (
            "openai_responses",
            json!({"object": "response", "status": "completed", "output": [
                {"type": "reasoning", "id": "rs_MARK", "encrypted_content": "MARK",
                    "summary": [{"type": "summary_text", "text": "hm"}]},
                {"type": "web_search_call", "id": "ws_MARK", "status": "completed"},
                {"type": "message", "id": "msg_MARK", "role": "assistant", "phase": "MARK",
                    "content": [{"type": "output_text", "text": "Look", "annotations": []}]},
                {"type": "function_call", "id": "fc_MARK", "call_id": "c1", "name": "weather",
                    "arguments": "{\"city\":\"Paris\"}"}]}),
            &["encrypted_content", "web_search_call", "phase"],
        ),
        (
            "gemini",
            json!({"candidates": [{"finishReason": "STOP", "content": {"role": "model", "parts": [
                {"text": "hm", "thought": true},
                {"text": "Look", "thoughtSignature": "MARK"},
                {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Paris"}},
                    "thoughtSignature": "MARK"}]}}]}),
            &["thoughtSignature"],
        ),
    ]
}

fn decode(dialect: &dyn Dialect, answer: &Value) -> ChatResponse {
    let head = http::Response::new(()).into_parts().0;
    let mut decoder = dialect.decoder(&head, Mode::Whole, Caps::default());
    decoder.feed(answer.to_string().into());
    decoder.end();
    let mut fold = Fold::new();
    while let Some(event) = decoder.next_event().unwrap() {
        fold.push(event);
    }
    fold.finish()
}

/// The conversation after an answer whose call was run. In between, it was stored as JSON.
fn conversation(answer: ChatResponse) -> ChatRequest {
    let call = answer.tool_calls().next().unwrap().id.clone();
    let result = Message::new(Role::Tool, [ToolResult::new(call, "rain").into()]);
    let messages = [Message::user("weather?"), answer.message, result];
    let stored = serde_json::to_string(&messages).unwrap();
    let messages: Vec<Message> = serde_json::from_str(&stored).unwrap();
    ChatRequest::new(messages)
}

#[test]
fn an_answer_of_each_dialect_goes_on_in_each() {
    let dialects = dialects();
    for (of, answer, own) in answers() {
        let find = |name: &str| dialects.iter().find(|known| known.facts().name() == name);
        let answer = decode(&**find(of).unwrap(), &answer);
        assert_eq!(
            (&*answer.text(), &*answer.reasoning()),
            ("Look", "hm"),
            "{of}"
        );
        let request = conversation(answer);
        for dialect in &dialects {
            let name = dialect.facts().name();
            let body = sent(&**dialect, &request).unwrap_or_else(|error| panic!("{of}: {error}"));
            let body = body.to_string();
            for told in ["Look", "weather", "Paris", "rain"] {
                assert!(
                    body.contains(told),
                    "{of}: {name} leaves out {told}: {body}"
                );
            }
            assert_eq!(
                body.contains("MARK"),
                name == of,
                "of {of}, {name} says {body}"
            );
            for field in own {
                let has = body.contains(&format!("{field:?}"));
                assert_eq!(has, name == of, "of {of}, {name} says {field}: {body}");
            }
        }
    }
}

#[test]
fn a_block_of_no_dialect_goes_where_it_is_sent() {
    let block = json!({"type": "custom", "mark": 1});
    let asked = Message::user("hi").part(Part::Other {
        dialect: None,
        value: block,
    });
    for dialect in dialects() {
        let sent = sent(&*dialect, &ChatRequest::new([asked.clone()]));
        match dialect.facts().name() {
            "ollama_chat" => assert!(sent.unwrap_err().to_string().contains("cannot carry")),
            name => assert!(sent.unwrap().to_string().contains(r#""mark":1"#), "{name}"),
        }
    }
}
