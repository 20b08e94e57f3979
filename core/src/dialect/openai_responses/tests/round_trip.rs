//! Conversations with several turns.

use super::*;
use crate::chat::{Reasoning, Role, Text, ToolCall, ToolResult};

fn reasoning(id: &str, text: &str) -> Value {
    json!({"type": "reasoning", "id": id, "summary": [{"type": "summary_text", "text": text}],
        "encrypted_content": format!("gAAA{id}"), "status": null})
}

/// The message after a round trip through JSON.
fn kept(message: Message) -> Message {
    serde_json::from_str(&serde_json::to_string(&message).unwrap()).unwrap()
}

#[test]
fn several_turns_with_reasoning_and_tools() {
    let first = json!([
        reasoning("rs_1", "I need it."),
        call("c1", "{}"),
        call("c2", "{\"a\":1}")
    ]);
    let second = json!([
        reasoning("rs_2", "Now."),
        message("m_1", "It is 4."),
        json!({"type": "web_search_call", "id": "ws_1", "status": "completed"}),
        message("m_2", "Or 5.")
    ]);
    let answer = |output: &Value| whole(&json!({"status": "completed", "output": output})).message;
    let conversation = [
        Message::system("Be brief."),
        Message::user("2 + 2?"),
        answer(&first),
        Message::tool_result("c1", "4"),
        Message::new(Role::Tool, [Part::ToolResult(ToolResult::new("c2", "5"))]),
        answer(&second),
        Message::user("Sure?"),
    ]
    .map(kept);
    let output = |id: &str, output: &str| json!({"type": "function_call_output", "call_id": id, "output": output});
    let mut expected = vec![
        json!({"role": "system", "content": "Be brief."}),
        json!({"role": "user", "content": "2 + 2?"}),
    ];
    expected.extend(first.as_array().unwrap().iter().cloned());
    expected.extend([output("c1", "4"), output("c2", "5")]);
    expected.extend(second.as_array().unwrap().iter().cloned());
    expected.push(json!({"role": "user", "content": "Sure?"}));
    assert_eq!(input(conversation), Value::Array(expected));
}

#[test]
fn a_text_that_was_edited_goes_as_it_is_now() {
    let mut item = message("m_1", "It is 4.");
    item["phase"] = json!("final_answer");
    item["content"][0]["annotations"] = json!([{"type": "url_citation", "start_index": 3}]);
    let mut answer = whole(&json!({"output": [reasoning("rs_1", "a"), item]})).message;
    for part in &mut answer.parts {
        if let Part::Text(text) = part {
            text.text.push_str(" I think.");
        }
    }
    let fresh = json!({"type": "message", "role": "assistant", "phase": "final_answer",
        "content": [{"type": "output_text", "text": "It is 4. I think."}]});
    assert_eq!(
        input([kept(answer)]),
        json!([reasoning("rs_1", "a"), fresh])
    );
}

#[test]
fn parts_that_were_left_out_leave_the_others_as_they_are() {
    let output = json!([reasoning("rs_1", "a"), message("m_1", "b"), call("c", "{}")]);
    let whole = whole(&json!({"output": output})).message;
    let without = |kind: &str| {
        let mut message = whole.clone();
        message.parts.retain(|part| part.kind() != kind);
        input([message])
    };
    assert_eq!(without("reasoning"), json!([output[1], output[2]]));
    assert_eq!(without("text"), json!([output[0], output[2]]));
    assert_eq!(without("tool_call"), json!([output[0], output[1]]));
}

#[test]
fn of_several_texts_some_may_go() {
    let item = json!({"type": "message", "id": "m", "role": "assistant", "content": [
        {"type": "output_text", "text": "a", "annotations": [1]},
        {"type": "output_text", "text": "b", "annotations": [2]}]});
    let mut answer = whole(&json!({"output": [item]})).message;
    assert_eq!(input([answer.clone()]), json!([item]));
    // The last part holds the item. Without it the other part is ordinary text.
    answer.parts.pop();
    let fresh = json!([{"type": "message", "role": "assistant",
        "content": [{"type": "output_text", "text": "a"}]}]);
    assert_eq!(input([answer]), fresh);
}

#[test]
fn a_conversation_that_another_dialect_began() {
    let own = |name: &str| {
        let mut extra = crate::chat::Extra::new();
        extra.insert(name.to_owned(), json!({"x": 1}));
        extra
    };
    let mut said = Text::new("Hi");
    said.extra = own("gemini");
    let mut called = ToolCall::new("c", "f", "");
    called.extra = own("gemini");
    let block = |dialect: &str| Part::Other {
        dialect: Some(dialect.to_owned()),
        value: json!({"type": "x"}),
    };
    let mut answer = Message::new(
        Role::Assistant,
        [
            Part::Reasoning(Reasoning::new("hm").signature("s")),
            Part::Reasoning(Reasoning::encrypted("e")),
            Part::Text(said),
            Part::text("you"),
            block("anthropic"),
            block("openai_responses"),
            called.into(),
        ],
    );
    answer.extra = own("openai_chat");
    assert_eq!(
        input([answer]),
        json!([
            {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": "Hi"}, {"type": "output_text", "text": "you"}]},
            {"type": "x"},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        ])
    );
}
