//! Tool calls.

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
        call.extra["openai_chat"]["extra_content"]["google"]["thought_signature"],
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

/// A piece of a call. An empty or absent field is left out.
fn piece(index: Option<u64>, id: &str, name: &str, arguments: &str) -> Value {
    let mut function = json!({"arguments": arguments});
    if !name.is_empty() {
        function["name"] = name.into();
    }
    let mut call = json!({"type": "function", "function": function});
    if let Some(index) = index {
        call["index"] = index.into();
    }
    if !id.is_empty() {
        call["id"] = id.into();
    }
    delta(json!({"tool_calls": [call]}))
}

fn calls_of(pieces: &[Value]) -> Vec<(String, String, String)> {
    let answer = stream(&[pieces, &[finish("tool_calls")]].concat());
    let owned = |(id, name, arguments): (&str, &str, &str)| {
        (id.to_owned(), name.to_owned(), arguments.to_owned())
    };
    calls(&answer).into_iter().map(owned).collect()
}

#[test]
fn numbers_and_ids_may_be_those_of_the_pieces() {
    let i = Some;
    for pieces in [
        // The ids change from piece to piece.
        [
            (i(0), "a", "f", ""),
            (i(0), "b", "", "{\"x\":"),
            (i(0), "c", "", "1}"),
        ],
        [
            (None, "a", "f", ""),
            (None, "b", "", "{\"x\":"),
            (None, "c", "", "1}"),
        ],
        // The indexes count the pieces.
        [
            (i(0), "a", "f", ""),
            (i(1), "", "", "{\"x\":"),
            (i(2), "", "", "1}"),
        ],
        [
            (i(0), "a", "f", ""),
            (i(1), "a", "", "{\"x\":"),
            (i(2), "a", "", "1}"),
        ],
        // Both change.
        [
            (i(0), "a", "f", ""),
            (i(1), "b", "", "{\"x\":"),
            (i(2), "c", "", "1}"),
        ],
        // The name is repeated.
        [
            (i(0), "a", "f", ""),
            (i(0), "a", "f", "{\"x\":"),
            (i(0), "a", "f", "1}"),
        ],
        [
            (i(0), "", "f", ""),
            (i(0), "", "f", "{\"x\":"),
            (i(0), "", "f", "1}"),
        ],
        [
            (i(0), "a", "f", "{\"x\":"),
            (i(0), "b", "f", "1"),
            (i(0), "c", "f", "}"),
        ],
        [
            (None, "a", "f", "{\"x\":"),
            (None, "a", "f", "1"),
            (None, "a", "f", "}"),
        ],
        // A piece that repeats the whole call.
        [
            (i(0), "a", "f", "{\"x\":"),
            (i(0), "a", "", "1}"),
            (i(0), "a", "f", "{\"x\":1}"),
        ],
        // A piece that is empty, or repeats what is known.
        [
            (i(0), "a", "f", "{\"x\":1"),
            (i(0), "", "", "}"),
            (i(1), "", "", ""),
        ],
        [
            (i(0), "a", "f", "{\"x\":1}"),
            (i(1), "b", "", ""),
            (i(2), "", "", "{}"),
        ],
    ] {
        let written: Vec<_> = pieces.iter().map(|p| piece(p.0, p.1, p.2, p.3)).collect();
        let found = calls_of(&written);
        let expected_id = if pieces[0].1.is_empty() { "" } else { "a" };
        let expected = (expected_id.into(), "f".into(), "{\"x\":1}".into());
        assert_eq!(found, [expected], "{pieces:?}");
    }
}

#[test]
fn two_calls_are_two_however_they_are_numbered() {
    let i = Some;
    for pieces in [
        // All calls have the index 0, and are interleaved by id.
        [
            (i(0), "a", "f", ""),
            (i(0), "b", "g", ""),
            (i(0), "a", "", "{\"x\":1}"),
            (i(0), "b", "", "{\"y\":2}"),
        ],
        [
            (i(0), "a", "f", "{"),
            (i(0), "b", "g", "{"),
            (i(0), "a", "", "\"x\":1}"),
            (i(0), "b", "", "\"y\":2}"),
        ],
        // One call after the other.
        [
            (i(0), "a", "f", ""),
            (i(0), "a", "", "{\"x\":1}"),
            (i(0), "b", "g", ""),
            (i(0), "b", "", "{\"y\":2}"),
        ],
        [
            (i(0), "a", "f", ""),
            (i(0), "", "", "{\"x\":1}"),
            (i(0), "b", "g", ""),
            (i(0), "", "", "{\"y\":2}"),
        ],
        [
            (None, "a", "f", ""),
            (None, "", "", "{\"x\":1}"),
            (None, "b", "g", ""),
            (None, "", "", "{\"y\":2}"),
        ],
        // Correct indexes, and indexes as strings.
        [
            (i(0), "a", "f", ""),
            (i(1), "b", "g", ""),
            (i(0), "", "", "{\"x\":1}"),
            (i(1), "", "", "{\"y\":2}"),
        ],
        [
            (i(5), "a", "f", ""),
            (i(3), "b", "g", ""),
            (i(5), "", "", "{\"x\":1}"),
            (i(3), "", "", "{\"y\":2}"),
        ],
    ] {
        let written: Vec<_> = pieces.iter().map(|p| piece(p.0, p.1, p.2, p.3)).collect();
        let expected = [
            ("a".into(), "f".into(), "{\"x\":1}".into()),
            ("b".into(), "g".into(), "{\"y\":2}".into()),
        ];
        assert_eq!(calls_of(&written), expected, "{pieces:?}");
        let text = serde_json::to_string(&written).unwrap();
        let text = text.replace("\"index\":0", "\"index\":\"0\"");
        let written: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(calls_of(&written), expected, "{pieces:?}");
    }
    // Whole calls of the same function.
    for pieces in [
        [(i(0), "a", "f", "{}"), (i(0), "b", "f", "{}")],
        [(i(0), "", "f", "{}"), (i(0), "", "f", "{}")],
        [(i(0), "a", "f", "{}"), (i(1), "a", "f", "{}")],
        [(None, "", "f", "{}"), (None, "", "f", "{}")],
    ] {
        let written: Vec<_> = pieces.iter().map(|p| piece(p.0, p.1, p.2, p.3)).collect();
        assert_eq!(calls_of(&written).len(), 2, "{pieces:?}");
    }
}

#[test]
fn empty_calls_are_none() {
    for empty in [
        json!({"tool_calls": [{"index": 0, "id": "", "type": "function", "function": {"arguments": null}}]}),
        json!({"tool_calls": [{"index": 0, "type": "function", "function": {"name": "", "arguments": ""}}]}),
        json!({"tool_calls": [{"index": 0, "function": {"name": null}}]}),
        json!({"tool_calls": [{}]}),
        json!({"tool_calls": []}),
        json!({"tool_calls": null}),
        json!({"tool_calls": [{"index": 0, "id": "", "function": {"name": "", "arguments": "{}"}}]}),
        json!({"function_call": {"name": "", "arguments": ""}}),
        json!({"function_call": {}}),
        json!({"function_call": null}),
    ] {
        let mut with_text = empty.clone();
        with_text["content"] = "Hi".into();
        for answer in [
            stream(&[
                delta(with_text.clone()),
                delta(empty.clone()),
                finish("stop"),
            ]),
            whole(with_text),
        ] {
            assert_eq!(answer.text(), "Hi", "{empty}");
            assert_eq!(answer.tool_calls().count(), 0, "{empty}");
            assert_eq!(answer.finish_reason, Some(FinishReason::Stop), "{empty}");
        }
    }
}

#[test]
fn a_call_without_a_name_is_no_success() {
    for pieces in [
        vec![
            piece(Some(0), "a", "", "{\"x\":"),
            piece(Some(0), "", "", "1}"),
        ],
        vec![piece(None, "", "", "{\"x\":1}")],
        vec![
            piece(Some(0), "b", "f", "{}"),
            piece(Some(1), "a", "", "{\"x\":1}"),
        ],
    ] {
        for end in ["tool_calls", "stop"] {
            let body = sse(&[&pieces[..], &[finish(end)]].concat(), true);
            let (events, error) = events([body.as_bytes()]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Server, "{pieces:?}");
            assert!(error.message().contains("has no name"), "{error}");
            let partial = fold(events);
            assert!(
                partial.tool_calls().any(|call| call.name.is_empty()),
                "{pieces:?}"
            );
        }
        // If the answer reached its limit, the finish reason says so.
        let answer = stream(&[&pieces[..], &[finish("length")]].concat());
        assert_eq!(answer.finish_reason, Some(FinishReason::Length));
    }
    // The same without arguments, if the finish reason says that there are calls.
    let empty = [piece(Some(0), "a", "", "")];
    let body = sse(&[&empty[..], &[finish("tool_calls")]].concat(), true);
    assert_eq!(failed(&body).kind(), ErrorKind::Server);
    let answer = stream(&[&empty[..], &[finish("stop")]].concat());
    assert_eq!(
        (answer.tool_calls().count(), answer.finish_reason),
        (0, Some(FinishReason::Stop))
    );
    let body = json!({"choices": [{"message": {"tool_calls": [{"id": "a", "function": {"arguments": "{\"x\":1}"}}]}}]});
    assert_eq!(failed(&body.to_string()).kind(), ErrorKind::Server);
}

#[test]
fn what_comes_before_the_name_waits_for_it() {
    let body = sse(
        &[
            piece(Some(0), "", "", "{\"x\""),
            delta(json!({"tool_calls": [{"index": 0, "extra_content": {"a": 1}}]})),
            piece(Some(0), "a", "f", ":1}"),
            finish("tool_calls"),
        ],
        true,
    );
    let events = events([body.as_bytes()]).unwrap();
    let first = events.iter().find(|event| event.is_content());
    assert!(matches!(first, Some(ChatEvent::ToolCallStart { name, .. }) if name == "f"));
    let answer = fold(events);
    assert_eq!(calls(&answer), [("a", "f", "{\"x\":1}")]);
    assert_eq!(
        answer.tool_calls().next().unwrap().extra["openai_chat"]["extra_content"]["a"],
        1
    );
}
