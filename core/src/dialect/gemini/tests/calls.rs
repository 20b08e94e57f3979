//! Function calls, whole and in pieces.

use serde_json::{Value, json};

use crate::chat::{ChatEvent, FinishReason};
use crate::error::ErrorKind;

use super::{chunk, events, failure, sent_back, sse, streamed};

fn call(call: Value) -> Value {
    json!({ "functionCall": call })
}

fn piece(path: &str, value: Value) -> Value {
    let mut arg = value;
    arg["jsonPath"] = path.into();
    call(json!({"partialArgs": [arg], "willContinue": true}))
}

fn text(path: &str, text: &str, goes_on: bool) -> Value {
    piece(path, json!({"stringValue": text, "willContinue": goes_on}))
}

fn arguments(pieces: &[Value]) -> String {
    let mut parts = vec![call(json!({"name": "f", "willContinue": true}))];
    parts.extend_from_slice(pieces);
    parts.push(call(json!({})));
    let told = streamed(&parts);
    assert_eq!(told.finish_reason, Some(FinishReason::ToolCalls));
    let calls: Vec<_> = told.tool_calls().collect();
    assert_eq!(calls.len(), 1);
    calls[0].arguments.clone()
}

#[test]
fn calls_come_whole() {
    let told = streamed(&[
        call(json!({"name": "f", "args": {"a": [1.0, "é"]}, "id": "c1", "note": 1})),
        call(json!({"name": "g"})),
        call(json!({})),
        json!({"text": "done"}),
    ]);
    let calls: Vec<_> = told
        .tool_calls()
        .map(|call| (&*call.id, &*call.name, &*call.arguments))
        .collect();
    assert_eq!(calls, [("c1", "f", r#"{"a":[1.0,"é"]}"#), ("", "g", "")]);
    assert_eq!(told.finish_reason, Some(FinishReason::ToolCalls));
    assert_eq!(told.finish_reason_raw, "STOP");
    assert_eq!(
        sent_back(&told)[0]["functionCall"],
        json!({"id": "c1", "name": "f", "args": {"a": [1.0, "é"]}, "note": 1})
    );
}

#[test]
fn arguments_come_in_pieces() {
    for (pieces, expected) in [
        (vec![], ""),
        (vec![text("$.a", "x", false)], r#"{"a":"x"}"#),
        (
            vec![
                text("$.r.name", "Las", true),
                text("$.r.name", "ag\"na\n", true),
                text("$.r.name", "", false),
                text("$.r.steps[0]", "Boil", false),
                piece("$.r.steps[1]", json!({"numberValue": 0.5})),
                piece("$.ok", json!({"boolValue": true})),
                piece("$.none", json!({"nullValue": "NULL_VALUE"})),
                piece("$.nothing", json!({"nullValue": null})),
                text("$['a b'][0][1].c", "", false),
            ],
            r#"{"r":{"name":"Lasag\"na\n","steps":["Boil",0.5]},"ok":true,"none":null,"nothing":null,"a b":[[null,{"c":""}]]}"#,
        ),
        // A string that never ends, and half a character between two pieces.
        (vec![text("$.a", "x", true)], r#"{"a":"x"}"#),
    ] {
        assert_eq!(arguments(&pieces), expected);
    }
    let halves = [r#""\ud83d""#, r#""\ude00""#].map(|half| {
        let part = text("$.a", "HALF", true).to_string();
        part.replace("\"HALF\"", half)
    });
    let chunks = format!(
        "data: {}\n\ndata: {{\"candidates\":[{{\"content\":{{\"parts\":[{},{}]}},\
         \"finishReason\":\"STOP\"}}]}}\n\n",
        chunk(
            json!([call(json!({"name": "f", "willContinue": true}))]),
            ""
        ),
        halves[0],
        halves[1],
    );
    let told = super::answer(&chunks);
    assert_eq!(told.tool_calls().next().unwrap().arguments, r#"{"a":"😀"}"#);
}

#[test]
fn pieces_are_handed_over_as_they_come() {
    let begun = chunk(
        json!([call(json!({"name": "f", "willContinue": true}))]),
        "",
    );
    let more = chunk(json!([text("$.a", "long", true)]), "");
    let (events, _) = events(&[&sse(&[begun, more])]);
    let last = events.last().unwrap();
    assert!(
        matches!(last, ChatEvent::ToolCallArguments { index: 0, fragment } if fragment == "{\"a\":\"long"),
        "{last:?}"
    );
}

#[test]
fn pieces_that_do_not_fit_together_are_an_error() {
    for pieces in [
        vec![text("$.a", "x", false), text("$.a", "y", false)],
        vec![
            text("$.a", "x", false),
            text("$.b", "", false),
            text("$.a", "y", false),
        ],
        vec![text("$.a", "x", false), text("$.a.b", "y", false)],
        vec![text("$.a.b", "x", false), text("$.a", "y", false)],
        vec![text("$.a[1]", "x", false), text("$.a[0]", "y", false)],
        vec![text("$.a[0]", "x", false), text("$.a.b", "y", false)],
        vec![text("$.a[4000000000]", "x", false)],
        vec![text("a", "x", false)],
    ] {
        let mut parts = vec![call(json!({"name": "f", "willContinue": true}))];
        parts.extend_from_slice(&pieces);
        let error = failure(200, &sse(&[chunk(json!(parts), "STOP")]));
        assert_eq!(error.kind(), ErrorKind::Protocol, "{pieces:?}: {error}");
    }
    let nameless = chunk(json!([call(json!({"args": {"a": 1}}))]), "STOP");
    let error = failure(200, &sse(&[nameless]));
    assert!(
        error
            .to_string()
            .contains("the call in the answer has no name"),
        "{error}"
    );
}
