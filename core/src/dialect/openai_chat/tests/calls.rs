//! Calls for tools.

use super::*;

#[test]
fn a_stop_with_tool_calls_is_a_call_for_tools() {
    let answer = stream(&[
        delta(
            json!({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"},
            "extra_content": {"google": {"thought_signature": "s"}}}]}),
        ),
        finish("stop"),
    ]);
    assert_eq!(answer.finish_reason, Some(FinishReason::ToolCalls));
    assert_eq!(answer.finish_reason_raw, "stop");
    let call = answer.tool_calls().next().unwrap();
    assert_eq!(
        call.extra["extra_content"]["google"]["thought_signature"],
        "s"
    );
}

#[test]
fn tool_calls_with_an_index_interleave() {
    let piece = |index: u64, text: &str| {
        delta(json!({"tool_calls": [{"index": index, "function": {"arguments": text}}]}))
    };
    let answer = stream(&[
        delta(json!({"tool_calls": [
            {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}},
            {"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}},
        ]})),
        piece(1, "{\"y\""),
        piece(0, "{\"x\""),
        piece(1, ":2}"),
        piece(0, ":1}"),
        finish("tool_calls"),
    ]);
    assert_eq!(
        calls(&answer),
        [("a", "f", "{\"x\":1}"), ("b", "g", "{\"y\":2}")]
    );
}

#[test]
fn tool_calls_without_an_index_follow_each_other() {
    let answer = stream(&[
        delta(json!({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": ""}}]})),
        delta(json!({"tool_calls": [{"function": {"arguments": "{\"x\":"}}]})),
        delta(json!({"tool_calls": [{"function": {"arguments": "1}"}}]})),
        delta(json!({"tool_calls": [{"id": "b", "function": {"name": "g", "arguments": ""}}]})),
        delta(json!({"tool_calls": [{"function": {"arguments": "{}"}}]})),
        finish("tool_calls"),
    ]);
    assert_eq!(calls(&answer), [("a", "f", "{\"x\":1}"), ("b", "g", "{}")]);
}

#[test]
fn several_pieces_without_an_index_go_by_their_place() {
    let answer = stream(&[
        delta(json!({"tool_calls": [
            {"id": "a", "function": {"name": "f"}}, {"id": "b", "function": {"name": "g"}},
        ]})),
        delta(json!({"tool_calls": [
            {"function": {"arguments": "1"}}, {"function": {"arguments": "2"}},
        ]})),
        finish("tool_calls"),
    ]);
    assert_eq!(calls(&answer), [("a", "f", "1"), ("b", "g", "2")]);
}

#[test]
fn tool_calls_with_an_id_in_every_piece_go_by_it() {
    let piece = |id: &str, text: &str| {
        delta(json!({"tool_calls": [
            {"id": id, "function": {"name": "f", "arguments": text}},
        ]}))
    };
    let answer = stream(&[
        piece("a", "{\"x\""),
        piece("b", "{\"y\""),
        piece("a", ":1}"),
        piece("b", ":2}"),
        finish("tool_calls"),
    ]);
    assert_eq!(
        calls(&answer),
        [("a", "f", "{\"x\":1}"), ("b", "f", "{\"y\":2}")]
    );
}

#[test]
fn a_server_that_numbers_every_call_0_is_understood() {
    let call = |id: &str| {
        delta(json!({"tool_calls": [
            {"index": 0, "id": id, "function": {"name": "f", "arguments": "{}"}},
        ]}))
    };
    let answer = stream(&[call("a"), call("b"), finish("tool_calls")]);
    assert_eq!(calls(&answer), [("a", "f", "{}"), ("b", "f", "{}")]);
}

#[test]
fn a_call_may_come_whole_in_the_finishing_chunk_with_an_object() {
    let answer = stream(&[
        json!({"choices": [{"index": 0, "finish_reason": "tool_calls",
        "delta": {"tool_calls": [{"index": 0, "id": "a",
        "function": {"name": "f", "arguments": {"x": 1}}}]}}]}),
    ]);
    assert_eq!(calls(&answer), [("a", "f", "{\"x\":1}")]);
    assert_eq!(answer.finish_reason, Some(FinishReason::ToolCalls));
}

#[test]
fn calls_of_a_whole_answer_stay_apart_whatever_their_ids() {
    for id in [json!("same"), json!(""), json!(null)] {
        let call = json!({"id": id, "function": {"name": "f", "arguments": "{}"}});
        let answer = whole(json!({"content": null, "tool_calls": [call, call]}));
        assert_eq!(answer.tool_calls().count(), 2, "{id}");
        assert!(answer.tool_calls().all(|call| call.arguments == "{}"));
    }
}

#[test]
fn the_older_function_call_is_a_tool_call() {
    let answer = stream(&[
        delta(json!({"function_call": {"name": "f", "arguments": ""}})),
        delta(json!({"function_call": {"arguments": "{}"}})),
        finish("function_call"),
    ]);
    assert_eq!(calls(&answer), [("", "f", "{}")]);
}

#[test]
fn an_id_and_a_name_may_come_late() {
    let answer = stream(&[
        delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]})),
        delta(json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]})),
        delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]})),
        finish("tool_calls"),
    ]);
    assert_eq!(calls(&answer), [("a", "f", "{}")]);
}
