//! How an answer ends.

use super::*;

#[test]
fn a_stream_and_a_whole_answer_say_the_same() {
    let streamed = stream(&[
        json!({"id": "1", "model": "m", "object": "chat.completion.chunk", "created": 1,
            "system_fingerprint": "fp", "choices": [{"index": 0, "delta": {"role": "assistant",
            "content": "", "reasoning_content": "h"}, "finish_reason": null}], "usage": null}),
        json!({"id": "1", "model": "m", "system_fingerprint": "fp", "choices": [{"index": 0,
            "delta": {"content": null, "reasoning_content": "m"}}]}),
        delta(json!({"content": "Hel", "obfuscation": "x"})),
        delta(json!({"content": "lo\n\"you\""})),
        finish("stop"),
        json!({"choices": [], "usage": {"prompt_tokens": 2, "completion_tokens": 3}}),
    ]);
    let body = json!({"id": "1", "model": "m", "object": "chat.completion", "created": 1,
        "system_fingerprint": "fp", "choices": [{"index": 0, "message": {"role": "assistant",
        "content": "Hello\n\"you\"", "reasoning_content": "hm"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 2, "completion_tokens": 3}});
    let mut whole = fold(events([body.to_string().as_bytes()]).unwrap());
    // Some servers put `obfuscation` into the delta. It is ignored.
    assert!(
        streamed.extra.keys().eq(["system_fingerprint"]),
        "{:?}",
        streamed.extra
    );
    assert_eq!(whole, streamed);
    assert_eq!(whole.text(), "Hello\n\"you\"");
    assert_eq!(whole.usage.take().unwrap().total_tokens(), 5);
}

#[test]
fn finish_comes_last_and_once() {
    let body = sse(
        &[
            delta(json!({"content": "a"})),
            finish("stop"),
            json!({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}),
        ],
        true,
    );
    let events = events([body.as_bytes()]).unwrap();
    let finishes = |event: &ChatEvent| matches!(event, ChatEvent::Finish { .. });
    assert_eq!(events.iter().filter(|event| finishes(event)).count(), 1);
    assert!(finishes(events.last().unwrap()));
}

#[test]
fn a_finish_reason_and_the_end_of_input_are_an_end_too() {
    let body = sse(&[delta(json!({"content": "a"})), finish("length")], false);
    let answer = fold(events([body.as_bytes()]).unwrap());
    assert_eq!(answer.finish_reason, Some(FinishReason::Length));
}

#[test]
fn an_end_before_the_finish_is_a_cut() {
    let body = sse(&[delta(json!({"content": "a"}))], false);
    let (events, error) = events([body.as_bytes()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert_eq!(fold(events).text(), "a");
    // An end marker without content is no answer either.
    assert_eq!(failed("data: [DONE]\n\n").kind(), ErrorKind::Truncated);
    let whole = r#"{"choices": [{"message": {"content": "ab"#;
    assert_eq!(failed(whole).kind(), ErrorKind::Truncated);
}

#[test]
fn finish_reasons() {
    for (raw, reason) in [
        ("stop", FinishReason::Stop),
        ("STOP", FinishReason::Stop),
        ("length", FinishReason::Length),
        ("tool_calls", FinishReason::ToolCalls),
        ("function_call", FinishReason::ToolCalls),
        ("content_filter", FinishReason::ContentFilter),
        (
            "insufficient_system_resource",
            FinishReason::Other("insufficient_system_resource".into()),
        ),
    ] {
        let answer = stream(&[delta(json!({"content": "a"})), finish(raw)]);
        assert_eq!(answer.finish_reason, Some(reason));
        assert_eq!(answer.finish_reason_raw, raw);
    }
}
