//! What servers were seen to send, each quirk in a fixture of its own.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::OpenAiChat;
use crate::chat::{ChatEvent, ChatResponse, FinishReason, Fold, Part};
use crate::dialect::{Caps, Dialect, Mode};
use crate::error::{Error, ErrorKind};

fn events<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<ChatEvent>, (Vec<ChatEvent>, Error)> {
    let head = http::Response::new(()).into_parts().0;
    let mut decoder = OpenAiChat::default().decoder(&head, Mode::Stream, Caps::default());
    let mut events = Vec::new();
    let mut pieces = pieces.into_iter();
    loop {
        match decoder.next_event() {
            Ok(Some(event)) => events.push(event),
            Ok(None) if decoder.is_done() => return Ok(events),
            Ok(None) => match pieces.next() {
                Some(piece) => decoder.feed(Bytes::copy_from_slice(piece)),
                None => decoder.end(),
            },
            Err(error) => return Err((events, error)),
        }
    }
}

fn fold(events: Vec<ChatEvent>) -> ChatResponse {
    let mut fold = Fold::new();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

/// The answer of a stream of these chunks, and `[DONE]`.
fn stream(chunks: &[Value]) -> ChatResponse {
    fold(events([sse(chunks, true).as_bytes()]).unwrap())
}

fn sse(chunks: &[Value], done: bool) -> String {
    let mut text: String = chunks.iter().map(|c| format!("data: {c}\n\n")).collect();
    if done {
        text.push_str("data: [DONE]\n\n");
    }
    text
}

fn failed(body: &str) -> Error {
    events([body.as_bytes()]).unwrap_err().1
}

fn delta(delta: Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta}]})
}

fn finish(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn whole(message: Value) -> ChatResponse {
    let body = json!({"choices": [{"message": message, "finish_reason": "stop"}]});
    fold(events([body.to_string().as_bytes()]).unwrap())
}

/// The name and the arguments of each call.
fn calls(answer: &ChatResponse) -> Vec<(&str, &str, &str)> {
    let calls = answer.tool_calls();
    calls
        .map(|call| (&*call.id, &*call.name, &*call.arguments))
        .collect()
}

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
    // `obfuscation` stands in the delta at some servers, and says nothing.
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
    // Nothing but the end is no answer either.
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

#[test]
fn reasoning_under_each_of_its_names() {
    for name in ["reasoning_content", "reasoning"] {
        let answer = stream(&[
            delta(json!({name: "h"})),
            delta(json!({name: "m"})),
            delta(json!({"content": "a"})),
            finish("stop"),
        ]);
        assert_eq!(
            (&*answer.reasoning(), &*answer.text()),
            ("hm", "a"),
            "{name}"
        );
    }
    let both = stream(&[
        delta(json!({"reasoning": "h", "reasoning_content": "h"})),
        finish("stop"),
    ]);
    assert_eq!(both.reasoning(), "h");
}

#[test]
fn content_may_be_a_list_of_parts() {
    let content = json!([
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "a"},
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "b"},
    ]);
    let answer = whole(json!({"content": content}));
    assert_eq!((&*answer.reasoning(), &*answer.text()), ("hm", "ab"));
    let other = json!({"type": "reference", "reference_ids": [1]});
    assert!(answer.message.parts.contains(&Part::Other { value: other }));
}

#[test]
fn reasoning_details_are_put_together_and_go_back() {
    let detail = |detail: Value| delta(json!({"reasoning_details": [detail]}));
    let answer = stream(&[
        detail(json!({"type": "reasoning.text", "index": 0, "text": "h", "signature": null})),
        detail(json!({"type": "reasoning.text", "index": 0, "text": "m"})),
        detail(json!({"type": "reasoning.text", "index": 0, "signature": "s"})),
        detail(json!({"type": "reasoning.encrypted", "index": 1, "data": "e"})),
        delta(json!({"content": "a"})),
        finish("stop"),
    ]);
    assert_eq!(
        answer.message.extra["reasoning_details"],
        json!([
            {"type": "reasoning.text", "index": 0, "text": "hm", "signature": "s"},
            {"type": "reasoning.encrypted", "index": 1, "data": "e"},
        ])
    );
}

#[test]
fn a_refusal_is_kept_apart() {
    let answer = stream(&[
        delta(json!({"refusal": "I "})),
        delta(json!({"refusal": "won't"})),
        finish("stop"),
    ]);
    assert_eq!(answer.refusal(), Some("I won't"));
    assert_eq!(answer.text(), "");
}

#[test]
fn usage_of_many_servers() {
    let usage = |usage: Value| {
        let body = json!({"choices": [{"message": {"content": "a"}}], "usage": usage});
        let answer = fold(events([body.to_string().as_bytes()]).unwrap());
        let usage = answer.usage.unwrap();
        (
            [usage.input_tokens, usage.output_tokens],
            [
                usage.cache_read_tokens,
                usage.cache_write_tokens,
                usage.reasoning_tokens,
            ],
        )
    };
    for (given, tokens, details) in [
        (
            json!({"prompt_tokens": 1, "completion_tokens": 2}),
            [1, 2],
            [None; 3],
        ),
        (
            json!({"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17,
                "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 4}}),
            [9, 8],
            [Some(3), Some(1), Some(4)],
        ),
        (
            json!({"prompt_tokens": 9, "completion_tokens": 8, "prompt_cache_hit_tokens": 5,
                "prompt_cache_miss_tokens": 4, "prompt_tokens_details": null}),
            [9, 8],
            [Some(5), None, None],
        ),
        // Together.
        (
            json!({"prompt_tokens": 9, "completion_tokens": 8, "cached_tokens": 2}),
            [9, 8],
            [Some(2), None, None],
        ),
        // xAI counts reasoning beside the answer, not in it.
        (
            json!({"prompt_tokens": 307, "completion_tokens": 26, "total_tokens": 560,
                "completion_tokens_details": {"reasoning_tokens": 227}}),
            [307, 253],
            [None, None, Some(227)],
        ),
        // Numbers that are not whole, or no numbers, cost no more than themselves.
        (
            json!({"prompt_tokens": 9.0, "completion_tokens": "x", "prompt_tokens_details": 1}),
            [9, 0],
            [None; 3],
        ),
    ] {
        assert_eq!(usage(given.clone()), (tokens, details), "{given}");
    }
}

#[test]
fn usage_in_each_chunk_and_usage_of_groq() {
    let answer = stream(&[
        json!({"choices": [{"delta": {"content": "a"}}], "usage": {"completion_tokens": 1}}),
        json!({"choices": [{"delta": {"content": "b"}, "finish_reason": "stop"}],
            "usage": {"completion_tokens": 2}}),
    ]);
    assert_eq!(answer.usage.unwrap().output_tokens, 2);
    let answer = stream(&[
        delta(json!({"content": "a"})),
        json!({"choices": [{"delta": {}, "finish_reason": "stop"}],
            "x_groq": {"id": "r", "usage": {"prompt_tokens": 1, "completion_tokens": 3}}}),
    ]);
    assert_eq!(answer.usage.unwrap().output_tokens, 3);
    assert!(answer.extra.is_empty());
}

#[test]
fn a_field_in_every_chunk_counts_once() {
    let chunk = |citations: Value, text: &str| {
        json!({"citations": citations, "service_tier": "default",
            "choices": [{"delta": {"content": text}}]})
    };
    let answer = stream(&[
        chunk(json!(["x"]), "a"),
        chunk(json!(["x"]), "b"),
        chunk(json!(["x", "y"]), "c"),
        finish("stop"),
    ]);
    assert_eq!(answer.extra["citations"], json!(["x", "y"]));
    assert_eq!(answer.extra["service_tier"], "default");
}

#[test]
fn log_probabilities_of_all_chunks_are_kept() {
    let chunk = |token: &str| {
        json!({"choices": [{"delta": {"content": token},
            "logprobs": {"content": [{"token": token}], "refusal": null}}]})
    };
    let answer = stream(&[chunk("a"), chunk("a"), chunk("b"), finish("stop")]);
    let tokens = answer.extra["logprobs"]["content"].as_array().unwrap();
    let tokens: Vec<_> = tokens.iter().map(|token| &token["token"]).collect();
    assert_eq!(tokens, ["a", "a", "b"]);
}

#[test]
fn other_choices_are_passed_over_and_counted() {
    let head = http::Response::new(()).into_parts().0;
    let mut decoder = OpenAiChat::default().decoder(&head, Mode::Whole, Caps::default());
    let body = json!({"choices": [
        {"index": 0, "message": {"content": "a"}, "finish_reason": "stop"},
        {"index": 1, "message": {"content": "b"}, "finish_reason": "stop"},
    ]});
    decoder.feed(body.to_string().into());
    decoder.end();
    let mut fold = Fold::new();
    while let Some(event) = decoder.next_event().unwrap() {
        fold.push(event);
    }
    assert_eq!(fold.finish().text(), "a");
    assert_eq!(decoder.skipped(), 1);
}

#[test]
fn keep_alives_mean_nothing() {
    let body = format!(
        ": OPENROUTER PROCESSING\n\n\n: keep-alive\n\nevent: ping\n\n{}",
        sse(&[delta(json!({"content": "a"})), finish("stop")], true)
    );
    assert_eq!(fold(events([body.as_bytes()]).unwrap()).text(), "a");
    let body = "\n\n\n\n {\"choices\": [{\"message\": {\"content\": \"a\"}}]}\n";
    assert_eq!(fold(events([body.as_bytes()]).unwrap()).text(), "a");
}

#[test]
fn a_message_in_a_stream_and_a_delta_in_a_whole_answer_are_read() {
    let answer =
        stream(&[json!({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]})]);
    assert_eq!(answer.text(), "a");
    let body = json!({"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]});
    let answer = fold(events([body.to_string().as_bytes()]).unwrap());
    assert_eq!(answer.text(), "a");
}

#[test]
fn errors_in_a_stream() {
    let begun = sse(&[delta(json!({"content": "a"}))], false);
    for (more, kind, message) in [
        (
            r#"data: {"error": {"message": "busy", "type": "overloaded_error"}}"#,
            ErrorKind::Overloaded,
            "busy",
        ),
        (
            r#"data: {"id": "x", "error": {"code": 502, "message": "gone"},
data: "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}"#,
            ErrorKind::Server,
            "gone",
        ),
        (r#"data: {"error": "slow"}"#, ErrorKind::Server, "slow"),
        (
            r#"data: {"object": "error", "message": "too long", "type": "invalid_request_error"}"#,
            ErrorKind::BadRequest,
            "too long",
        ),
        (
            "event: error\ndata: {\"message\": \"no\", \"code\": 429}",
            ErrorKind::RateLimited,
            "no",
        ),
        (
            "event: error\ndata: it broke",
            ErrorKind::Server,
            "it broke",
        ),
        (
            r#"data: {"choices": [], "x_groq": {"error": "stopped early"}}"#,
            ErrorKind::Server,
            "stopped early",
        ),
    ] {
        let body = format!("{begun}{more}\n\n");
        let (events, error) = events([body.as_bytes()]).unwrap_err();
        assert_eq!(error.kind(), kind, "{more}: {error}");
        assert_eq!(error.message(), message, "{more}");
        assert!(error.is_in_stream(), "{more}");
        assert_eq!(fold(events).text(), "a", "{more}");
    }
}

#[test]
fn an_error_under_a_good_status_is_an_error() {
    let error = failed(r#"{"error": {"message": "no money", "code": "insufficient_quota"}}"#);
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
    assert_eq!(error.status().unwrap().as_u16(), 200);
}

#[test]
fn what_is_not_of_the_dialect_is_shown() {
    for body in [
        "data: {\"a\": \n\n",
        "data: nonsense\n\n",
        "{}",
        "{\"choices\": []}",
    ] {
        let error = failed(body);
        assert!(
            matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Truncated),
            "{body}: {error:?}"
        );
        assert!(error.body().is_some(), "{body}");
    }
}

fn fixture() -> String {
    let body = sse(
        &[
            json!({"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"role":
                "assistant", "content": "", "reasoning_content": "嗯…"}}]}),
            delta(json!({"content": "你好, \u{1f600} "})),
            delta(json!({"content": "a\\\"b"})),
            delta(json!({"tool_calls": [{"index": 0, "id": "a", "function":
                {"name": "f", "arguments": "{\"q\":"}}]})),
            delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "\"é\"}"}}]})),
            finish("tool_calls"),
            json!({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}),
        ],
        true,
    );
    format!("\u{feff}: hi\r\n\r\n{}", body.replace("\n\n", "\r\n\r\n"))
}

proptest! {
    #[test]
    fn any_split_gives_the_same_answer(cuts in prop::collection::vec(0..1500_usize, 0..12)) {
        let body = fixture();
        let body = body.as_bytes();
        let mut cuts: Vec<_> = cuts.into_iter().filter(|&cut| cut < body.len()).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([body.len()]) {
            pieces.push(&body[from..cut]);
            from = cut;
        }
        let whole = fold(events([body]).unwrap());
        prop_assert_eq!(whole.tool_calls().count(), 1);
        prop_assert_eq!(fold(events(pieces).unwrap()), whole);
    }

    #[test]
    fn no_chunk_makes_it_panic(
        text in r#"(\{|\}|\[|\]|:|,|"(choices|delta|content|tool_calls|index|error|usage)"|null|0|"x"| ){0,24}"#,
    ) {
        for body in [format!("data: {text}\n\n"), text] {
            let _ = events([body.as_bytes()]);
        }
    }
}
