//! Decodes lines to events, split anywhere.

use bytes::Bytes;
use chatcore::{Caps, ChatResponse, Dialect, Error, ErrorKind, FinishReason, Fold, Mode};
use chatcore_stranger::OllamaChat;
use serde_json::json;

fn decode<'a>(
    status: u16,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<ChatResponse, Error> {
    let head = http::Response::builder().status(status).body(()).unwrap();
    let head = head.into_parts().0;
    let mut decoder = OllamaChat::default().decoder(&head, Mode::Stream, Caps::default());
    let mut fold = Fold::new();
    let mut pieces = pieces.into_iter();
    loop {
        while let Some(event) = decoder.next_event()? {
            fold.push(event);
        }
        if decoder.is_done() {
            return Ok(fold.finish());
        }
        match pieces.next() {
            Some(piece) => decoder.feed(Bytes::copy_from_slice(piece)),
            None => decoder.end(),
        }
    }
}

fn one(body: &str) -> Result<ChatResponse, Error> {
    decode(200, [body.as_bytes()])
}

const STREAM: &str = concat!(
    r#"{"model":"m","created_at":"x","message":{"role":"assistant","content":"","thinking":"Hm"},"done":false}"#,
    "\n",
    r#"{"model":"m","message":{"content":"Grüß"},"done":false}"#,
    "\n",
    r#"{"model":"m","message":{"content":" dich","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}},{"id":"c2","function":{"name":"g","arguments":{}}}]},"done":false}"#,
    "\r\n\n",
    r#"{"model":"m","message":{"content":""},"done":true,"done_reason":"stop","total_duration":7,"prompt_eval_count":11,"eval_count":5}"#,
    "\n",
);

#[test]
fn a_stream_is_the_same_however_it_is_split() {
    let whole = one(STREAM).unwrap();
    assert_eq!(whole.model, "m");
    assert_eq!(whole.reasoning(), "Hm");
    assert_eq!(whole.text(), "Grüß dich");
    assert_eq!(whole.finish_reason, Some(FinishReason::ToolCalls));
    assert_eq!(whole.finish_reason_raw, "stop");
    let calls: Vec<_> = whole
        .tool_calls()
        .map(|call| (&*call.id, &*call.name, call.arguments_json().unwrap()))
        .collect();
    assert_eq!(calls, [("", "f", json!({"a": 1})), ("c2", "g", json!({}))]);
    let usage = whole.usage.as_ref().unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (11, 5));
    assert_eq!(
        usage.raw(),
        json!({"prompt_eval_count": 11, "eval_count": 5})
    );
    assert_eq!(whole.extra["total_duration"], 7);
    let bytes = STREAM.as_bytes();
    assert_eq!(decode(200, bytes.chunks(1)).unwrap(), whole);
    for at in 0..bytes.len() {
        let (head, tail) = bytes.split_at(at);
        assert_eq!(decode(200, [head, tail]).unwrap(), whole, "split at {at}");
    }
}

#[test]
fn a_whole_answer_comes_in_one_line_or_in_several() {
    let answer = json!({
        "model": "m", "done": true, "done_reason": "length",
        "message": {"role": "assistant", "content": "Hello"},
    });
    for body in [answer.to_string(), format!("{answer:#}")] {
        let answer = one(&body).unwrap();
        assert_eq!(answer.text(), "Hello");
        assert_eq!(answer.finish_reason, Some(FinishReason::Length));
        assert_eq!(answer.usage, None);
    }
}

#[test]
fn an_end_before_the_last_line_is_told() {
    let cut = STREAM.rfind("{\"model\"").unwrap();
    for body in [&STREAM[..cut], &STREAM[..STREAM.len() - 30], ""] {
        let error = one(body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated, "{body}");
    }
}

#[test]
fn errors_in_mid_stream_and_by_status() {
    let begun = r#"{"message":{"content":"Hel"},"done":false}"#;
    let error = one(&format!(
        "{begun}\n{{\"error\":\"llama runner has died\"}}\n"
    ))
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert!(error.message().contains("llama runner has died"), "{error}");
    let body = br#"{"error":"model 'nope' not found"}"#;
    let error = decode(404, [&body[..]]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.message().contains("model 'nope' not found"),
        "{error}"
    );
}

#[test]
fn a_field_of_an_unexpected_type_costs_no_more_than_itself() {
    let body = r#"{"model":1,"message":{"content":"a","tool_calls":{},"thinking":[]},"done":true,"eval_count":"7"}"#;
    let answer = one(body).unwrap();
    assert_eq!(answer.text(), "a");
    assert_eq!(answer.tool_calls().count(), 0);
    assert_eq!(answer.usage.unwrap().output_tokens, 7);
}
