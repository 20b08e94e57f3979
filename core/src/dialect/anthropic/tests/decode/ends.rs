//! How an answer ends, and its usage.

use super::*;

#[test]
fn the_stop_sequence_is_told() {
    let body = json!({"type": "message", "content": [], "stop_reason": "stop_sequence",
        "stop_sequence": "END"});
    let answer = fold(events(&mut *decoder(), [body.to_string().as_bytes()]).unwrap());
    assert_eq!(answer.finish_reason, Some(FinishReason::Stop));
    assert_eq!(answer.extra["stop_sequence"], "END");
}

#[test]
fn each_reason_to_stop() {
    for (raw, reason) in [
        ("end_turn", FinishReason::Stop),
        ("stop_sequence", FinishReason::Stop),
        ("max_tokens", FinishReason::Length),
        ("model_context_window_exceeded", FinishReason::Length),
        ("tool_use", FinishReason::ToolCalls),
        ("refusal", FinishReason::Refusal),
        ("pause_turn", FinishReason::Pause),
        ("tired", FinishReason::Other("tired".into())),
    ] {
        for answer in [stream(&[], raw), whole(json!([]), raw)] {
            assert_eq!(answer.finish_reason.as_ref(), Some(&reason));
            assert_eq!(answer.finish_reason_raw, raw);
        }
    }
}

#[test]
fn usage_is_merged_and_counts_the_cache() {
    let body = sse(&[
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 5,
            "cache_creation_input_tokens": 20, "cache_read_input_tokens": 300,
            "output_tokens": 1, "service_tier": "standard"}}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {
            "input_tokens": 6, "cache_read_input_tokens": null, "output_tokens": 40,
            "output_tokens_details": {"thinking_tokens": 30}}}),
        json!({"type": "message_stop"}),
    ]);
    let answer = fold(events(&mut *decoder(), [body.as_bytes()]).unwrap());
    let usage = answer.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (326, 40));
    assert_eq!(usage.cache_read_tokens, Some(300));
    assert_eq!(usage.cache_write_tokens, Some(20));
    assert_eq!(usage.reasoning_tokens, Some(30));
    assert_eq!(
        usage.raw(),
        json!({"input_tokens": 6, "cache_creation_input_tokens": 20,
            "cache_read_input_tokens": 300, "output_tokens": 40, "service_tier": "standard",
            "output_tokens_details": {"thinking_tokens": 30}})
    );
}

#[test]
fn nothing_after_the_end_counts() {
    let mut body = body(
        &[start(0, json!({"type": "text", "text": "a"}))],
        "end_turn",
    );
    body.push_str(&sse(&[text(0, "b")]));
    let answer = fold(events(&mut *decoder(), [body.as_bytes()]).unwrap());
    assert_eq!(answer.text(), "a");
}

#[test]
fn an_end_before_the_stop_reason_is_a_cut() {
    let all = body(
        &[
            start(0, json!({"type": "text", "text": "a"})),
            stop(0),
            start(
                1,
                json!({"type": "server_tool_use", "id": "s", "input": {}}),
            ),
            input(1, "{\"q\": 1}"),
        ],
        "end_turn",
    );
    let cut = &all[..all.find("event: message_delta").unwrap()];
    let (partial, error) = failed(cut);
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert_eq!(partial.text(), "a");
    assert_eq!(partial.finish_reason, None);
    let value = json!({"type": "server_tool_use", "id": "s", "input": {"q": 1}});
    assert_eq!(
        partial.message.parts[1],
        Part::Other {
            dialect: Some("anthropic".into()),
            value
        }
    );
    assert_eq!(
        failed("event: ping\ndata: {\"type\": \"ping\"}\n\n")
            .1
            .kind(),
        ErrorKind::Truncated
    );
}
