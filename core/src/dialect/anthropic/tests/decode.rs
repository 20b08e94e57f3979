//! Answers.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::chat::{ChatEvent, ChatResponse, FinishReason, Fold, Part, Reasoning, Text};
use crate::dialect::anthropic::Anthropic;
use crate::dialect::{Caps, Decoder, Dialect, Mode};
use crate::error::{Error, ErrorKind};

fn decoder() -> Box<dyn Decoder> {
    let head = http::Response::new(()).into_parts().0;
    Anthropic::default().decoder(&head, Mode::Stream, Caps::default())
}

fn events<'a>(
    decoder: &mut dyn Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<ChatEvent>, (Vec<ChatEvent>, Error)> {
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

fn sse(events: &[Value]) -> String {
    let lines = events.iter().map(|event| {
        let kind = event["type"].as_str().unwrap_or("");
        format!("event: {kind}\ndata: {event}\n\n")
    });
    lines.collect()
}

/// A stream with these events between its begin and its end.
fn body(events: &[Value], stop_reason: &str) -> String {
    let begin = json!({"type": "message_start", "message": {"id": "msg_1", "type": "message",
        "role": "assistant", "model": "claude-haiku-4-5", "content": [], "stop_reason": null,
        "stop_sequence": null, "usage": {"input_tokens": 3, "output_tokens": 1}}});
    let end = [
        json!({"type": "message_delta", "delta": {"stop_reason": stop_reason,
            "stop_sequence": null}, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ];
    sse(&[&[begin], events, &end].concat())
}

fn stream(events_: &[Value], stop_reason: &str) -> ChatResponse {
    let body = body(events_, stop_reason);
    fold(events(&mut *decoder(), [body.as_bytes()]).unwrap())
}

fn whole(content: Value, stop_reason: &str) -> ChatResponse {
    let body = json!({"id": "msg_1", "type": "message", "role": "assistant",
        "model": "claude-haiku-4-5", "content": content, "stop_reason": stop_reason,
        "stop_sequence": null, "usage": {"input_tokens": 3, "output_tokens": 9}});
    fold(events(&mut *decoder(), [body.to_string().as_bytes()]).unwrap())
}

fn failed(body: &str) -> (ChatResponse, Error) {
    let (events, error) = events(&mut *decoder(), [body.as_bytes()]).unwrap_err();
    (fold(events), error)
}

fn start(index: u64, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn stop(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn text(index: u64, text: &str) -> Value {
    delta(index, json!({"type": "text_delta", "text": text}))
}

fn input(index: u64, json: &str) -> Value {
    delta(
        index,
        json!({"type": "input_json_delta", "partial_json": json}),
    )
}

fn tool(index: u64, id: &str, given: Value) -> Value {
    start(
        index,
        json!({"type": "tool_use", "id": id, "name": "weather", "input": given}),
    )
}

fn arguments(answer: &ChatResponse) -> Vec<(&str, &str)> {
    let calls = answer.tool_calls();
    calls.map(|call| (&*call.id, &*call.arguments)).collect()
}

fn citation(n: u32) -> Value {
    json!({"type": "char_location", "cited_text": n.to_string()})
}

fn cites(index: u64, n: u32) -> Value {
    delta(
        index,
        json!({"type": "citations_delta", "citation": citation(n)}),
    )
}

/// Every kind of block, as a stream has it.
fn everything() -> Vec<Value> {
    vec![
        json!({"type": "ping"}),
        start(
            0,
            json!({"type": "thinking", "thinking": "", "signature": ""}),
        ),
        delta(0, json!({"type": "thinking_delta", "thinking": "h"})),
        delta(0, json!({"type": "thinking_delta", "thinking": "m"})),
        delta(0, json!({"type": "signature_delta", "signature": "sig=="})),
        stop(0),
        start(1, json!({"type": "redacted_thinking", "data": "xyz"})),
        stop(1),
        start(2, json!({"type": "text", "text": ""})),
        text(2, "Look, "),
        text(2, "天气 \"x\"\n"),
        stop(2),
        start(
            3,
            json!({"type": "server_tool_use", "id": "s1", "name": "web_search",
            "input": {}}),
        ),
        input(3, ""),
        input(3, "{\"query\": "),
        input(3, "\"rain\"}"),
        stop(3),
        start(
            4,
            json!({"type": "web_search_tool_result", "tool_use_id": "s1", "content": [
            {"type": "web_search_result", "url": "https://a.example"}]}),
        ),
        stop(4),
        // Citations come before their text, or after it.
        start(5, json!({"type": "text", "text": "", "citations": []})),
        cites(5, 1),
        text(5, "It rains."),
        cites(5, 2),
        stop(5),
        tool(6, "t1", json!({})),
        input(6, "{\"city\": "),
        input(6, "\"Paris\"}"),
        stop(6),
        tool(7, "t2", json!({})),
        stop(7),
    ]
}

#[test]
fn a_stream_and_a_whole_answer_say_the_same() {
    let streamed = stream(&everything(), "tool_use");
    let searched = json!({"type": "server_tool_use", "id": "s1", "name": "web_search",
        "input": {"query": "rain"}});
    let found = json!({"type": "web_search_tool_result", "tool_use_id": "s1", "content": [
        {"type": "web_search_result", "url": "https://a.example"}]});
    let mut cited = Text::new("It rains.");
    let list = json!([citation(1), citation(2)]);
    cited.extra.insert("citations".into(), list.clone());
    assert_eq!(
        streamed.message.parts[..6],
        [
            Part::Reasoning(Reasoning::new("hm").with_signature("sig==")),
            Part::Reasoning(Reasoning::encrypted("xyz")),
            Part::text("Look, 天气 \"x\"\n"),
            Part::Other {
                value: searched.clone()
            },
            Part::Other {
                value: found.clone()
            },
            Part::Text(cited),
        ]
    );
    assert_eq!(
        arguments(&streamed),
        [("t1", r#"{"city": "Paris"}"#), ("t2", "{}")]
    );
    assert_eq!(streamed.id, "msg_1");
    assert_eq!(streamed.model, "claude-haiku-4-5");
    assert_eq!(streamed.finish_reason, Some(FinishReason::ToolCalls));
    assert!(streamed.extra.is_empty(), "{:?}", streamed.extra);

    let whole = whole(
        json!([
            {"type": "thinking", "thinking": "hm", "signature": "sig=="},
            {"type": "redacted_thinking", "data": "xyz"},
            {"type": "text", "text": "Look, 天气 \"x\"\n"},
            searched,
            found,
            {"type": "text", "text": "It rains.", "citations": list},
            {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Paris"}},
            {"type": "tool_use", "id": "t2", "name": "weather", "input": {}},
        ]),
        "tool_use",
    );
    assert_eq!(whole.message.parts[..6], streamed.message.parts[..6]);
    assert_eq!(
        arguments(&whole),
        [("t1", r#"{"city":"Paris"}"#), ("t2", "{}")]
    );
    assert_eq!(whole.usage, streamed.usage);
}

#[test]
fn what_came_goes_back_as_it_was() {
    let answer = stream(&everything(), "tool_use");
    let request = crate::ChatRequest::new([crate::Message::user("weather?"), answer.message]);
    let provider = crate::Provider::anthropic().with_api_key("sk-ant-secret");
    let endpoint = provider.endpoint().unwrap();
    let sent = Anthropic::default().encode(&endpoint, &request, Mode::Whole);
    let sent: Value = serde_json::from_slice(sent.unwrap().body()).unwrap();
    let blocks = sent["messages"][1]["content"].as_array().unwrap();
    let kinds: Vec<_> = blocks.iter().map(|block| &block["type"]).collect();
    assert_eq!(
        kinds,
        [
            "thinking",
            "redacted_thinking",
            "text",
            "server_tool_use",
            "web_search_tool_result",
            "text",
            "tool_use",
            "tool_use"
        ]
    );
    assert_eq!(blocks[5]["citations"], json!([citation(1), citation(2)]));
    assert_eq!(blocks[6]["input"], json!({"city": "Paris"}));
}

#[test]
fn a_block_ends_its_part() {
    let body = body(
        &[
            start(0, json!({"type": "text", "text": ""})),
            text(0, "a"),
            stop(0),
            start(1, json!({"type": "text", "text": "b"})),
            stop(1),
        ],
        "end_turn",
    );
    let events = events(&mut *decoder(), [body.as_bytes()]).unwrap();
    let prose = |event: &&ChatEvent| matches!(event, ChatEvent::Text(_) | ChatEvent::PartEnd);
    let prose: Vec<_> = events.iter().filter(prose).cloned().collect();
    let (a, b) = (ChatEvent::Text("a".into()), ChatEvent::Text("b".into()));
    assert_eq!(prose, [a, ChatEvent::PartEnd, b, ChatEvent::PartEnd]);
    assert_eq!(fold(events).message.parts.len(), 2);
}

#[test]
fn blocks_that_all_end_at_the_end_stay_apart() {
    let answer = stream(
        &[
            start(0, json!({"type": "thinking", "thinking": ""})),
            delta(0, json!({"type": "thinking_delta", "thinking": "hm"})),
            start(1, json!({"type": "text", "text": ""})),
            text(1, "a"),
            tool(2, "t1", json!({})),
            input(2, "{\"a\":1}"),
            stop(0),
            stop(1),
            stop(2),
        ],
        "end_turn",
    );
    assert_eq!(answer.message.parts.len(), 3);
    assert_eq!(arguments(&answer), [("t1", "{\"a\":1}")]);
}

#[test]
fn input_at_the_start_and_in_pieces() {
    let given = json!({"city": "Paris"});
    let written = given.to_string();
    for (events, expected) in [
        (vec![tool(0, "t", given.clone()), stop(0)], written.as_str()),
        // A server that sends both means one of them.
        (
            vec![tool(0, "t", given.clone()), input(0, &written), stop(0)],
            &written,
        ),
        (vec![tool(0, "t", json!(written)), stop(0)], &written),
        (vec![tool(0, "t", json!(null)), stop(0)], "{}"),
        (vec![tool(0, "t", json!({})), input(0, ""), stop(0)], "{}"),
        // Without an end of its own.
        (vec![tool(0, "t", json!({}))], "{}"),
    ] {
        let answer = stream(&events, "tool_use");
        assert_eq!(arguments(&answer), [("t", expected)], "{events:?}");
    }
}

#[test]
fn a_call_that_was_cut_is_not_made_whole() {
    let answer = stream(&[tool(0, "t", json!({})), input(0, "{\"ci")], "max_tokens");
    assert_eq!(answer.finish_reason, Some(FinishReason::Length));
    assert_eq!(arguments(&answer), [("t", "{\"ci")]);
    let answer = stream(&[tool(0, "t", json!({}))], "max_tokens");
    assert_eq!(arguments(&answer), [("t", "")]);
}

#[test]
fn calls_are_counted_among_themselves() {
    let body = body(
        &[
            start(0, json!({"type": "text", "text": "a"})),
            stop(0),
            tool(4, "x", json!({})),
            tool(9, "y", json!({})),
            input(9, "{\"y\":1}"),
            input(4, "{\"x\":1}"),
            stop(4),
            stop(9),
        ],
        "tool_use",
    );
    let events = events(&mut *decoder(), [body.as_bytes()]).unwrap();
    let places = events.iter().filter_map(|event| match event {
        ChatEvent::ToolCallStart { index, id, .. } => Some((*index, id.as_str())),
        _ => None,
    });
    assert!(places.eq([(0, "x"), (1, "y")]));
    assert_eq!(
        arguments(&fold(events)),
        [("x", "{\"x\":1}"), ("y", "{\"y\":1}")]
    );
}

#[test]
fn fields_without_a_name_survive() {
    let caller = json!({"type": "direct"});
    let answer = stream(
        &[
            start(0, json!({"type": "text", "text": "", "mood": "blue"})),
            text(0, "a"),
            stop(0),
            start(1, json!({"type": "thinking", "thinking": "", "place": 7})),
            stop(1),
            start(
                2,
                json!({"type": "tool_use", "id": "t", "name": "f", "input": {},
                "caller": caller}),
            ),
            stop(2),
            json!({"type": "message_delta", "delta": {"stop_reason": null, "container":
                {"id": "c"}, "stop_details": {"why": "x"}}, "context_management": {"edits": 1}}),
        ],
        "stop_sequence",
    );
    let [
        Part::Text(said),
        Part::Reasoning(thought),
        Part::ToolCall(call),
    ] = answer.message.parts.as_slice()
    else {
        panic!("{:?}", answer.message);
    };
    assert_eq!(said.extra["mood"], "blue");
    assert_eq!(thought.extra["place"], 7);
    assert_eq!(call.extra["caller"], caller);
    assert_eq!(answer.extra["container"], json!({"id": "c"}));
    assert_eq!(answer.extra["stop_details"], json!({"why": "x"}));
    assert_eq!(answer.extra["context_management"], json!({"edits": 1}));
}

#[test]
fn the_stop_sequence_is_told() {
    let body = json!({"type": "message", "content": [], "stop_reason": "stop_sequence",
        "stop_sequence": "END"});
    let answer = fold(events(&mut *decoder(), [body.to_string().as_bytes()]).unwrap());
    assert_eq!(answer.finish_reason, Some(FinishReason::Stop));
    assert_eq!(answer.extra["stop_sequence"], "END");
}

#[test]
fn what_is_not_known_is_skipped_and_counted() {
    let body = body(
        &[
            json!({"type": "hologram", "x": 1}),
            start(0, json!({"type": "text", "text": ""})),
            delta(0, json!({"type": "hologram_delta", "x": 1})),
            text(0, "a"),
            // Of a block that never began.
            input(7, "{"),
            stop(7),
            stop(0),
            // A block without a name of ours grows by its own deltas.
            start(
                1,
                json!({"type": "compaction", "content": null, "log": [1]}),
            ),
            delta(
                1,
                json!({"type": "compaction_delta", "content": "so ", "log": [2]}),
            ),
            delta(1, json!({"type": "compaction_delta", "content": "far"})),
            stop(1),
        ],
        "end_turn",
    );
    let mut decoder = decoder();
    let answer = fold(events(&mut *decoder, [body.as_bytes()]).unwrap());
    assert_eq!(decoder.skipped(), 3);
    let compacted = json!({"type": "compaction", "content": "so far", "log": [1, 2]});
    assert_eq!(
        answer.message.parts,
        [Part::text("a"), Part::Other { value: compacted }]
    );
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
fn an_end_before_message_stop_is_a_cut() {
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
    let cut = &all[..all.find("event: message_stop").unwrap()];
    let (partial, error) = failed(cut);
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert_eq!(partial.text(), "a");
    assert_eq!(partial.finish_reason, None);
    let value = json!({"type": "server_tool_use", "id": "s", "input": {"q": 1}});
    assert_eq!(partial.message.parts[1], Part::Other { value });
    assert_eq!(
        failed("event: ping\ndata: {\"type\": \"ping\"}\n\n")
            .1
            .kind(),
        ErrorKind::Truncated
    );
}

#[test]
fn errors_inside_a_stream() {
    for (error, kind) in [
        (
            json!({"type": "overloaded_error", "message": "busy"}),
            ErrorKind::Overloaded,
        ),
        (
            json!({"type": "rate_limit_error", "message": "slow"}),
            ErrorKind::RateLimited,
        ),
        (
            json!({"type": "api_error", "message": "oops"}),
            ErrorKind::Server,
        ),
        (
            json!({"type": "timeout_error", "message": "late"}),
            ErrorKind::Server,
        ),
        (
            json!({"type": "invalid_request_error", "message": "no"}),
            ErrorKind::BadRequest,
        ),
        (
            json!({"type": "rate_limit_error", "message": "paid up",
                "details": {"error_code": "enforced_spend_limit_reached"}}),
            ErrorKind::QuotaExceeded,
        ),
    ] {
        let event = json!({"type": "error", "error": error, "request_id": "req_1"});
        let body = sse(&[start(0, json!({"type": "text", "text": "a"})), event]);
        let (partial, told) = failed(&body);
        assert_eq!(partial.text(), "a");
        assert_eq!(told.kind(), kind, "{error}");
        assert_eq!(told.message(), error["message"].as_str().unwrap());
        assert_eq!(told.error_type(), error["type"].as_str());
        assert_eq!(told.request_id(), Some("req_1"));
        assert!(told.is_in_stream());
        assert_eq!(told.status().unwrap(), 200);
    }
    let (_, bare) = failed("data: {\"type\": \"error\"}\n\n");
    assert_eq!(bare.kind(), ErrorKind::Server);
}

#[test]
fn errors_by_status() {
    let told = |status: u16, error: Value| {
        let head = http::Response::builder().status(status).body(()).unwrap();
        let head = head.into_parts().0;
        let mut decoder = Anthropic::default().decoder(&head, Mode::Stream, Caps::default());
        let body = json!({"type": "error", "error": error}).to_string();
        events(&mut *decoder, [body.as_bytes()]).unwrap_err().1
    };
    let error = |kind: &str| json!({"type": kind, "message": "m"});
    for (status, kind, expected, retried) in [
        (401, "authentication_error", ErrorKind::Auth, false),
        (403, "permission_error", ErrorKind::Auth, false),
        (404, "not_found_error", ErrorKind::NotFound, false),
        (413, "request_too_large", ErrorKind::BadRequest, false),
        (429, "rate_limit_error", ErrorKind::RateLimited, true),
        (500, "api_error", ErrorKind::Server, true),
        (504, "timeout_error", ErrorKind::Server, true),
        (529, "overloaded_error", ErrorKind::Overloaded, true),
    ] {
        let told = told(status, error(kind));
        assert_eq!(told.kind(), expected, "{kind}");
        assert_eq!(told.is_retryable(), retried, "{kind}");
        assert_eq!(told.error_type(), Some(kind));
    }
    let spent = told(
        429,
        json!({"type": "rate_limit_error", "message": "m",
            "details": {"error_code": "enforced_spend_limit_reached"}}),
    );
    assert_eq!(spent.kind(), ErrorKind::QuotaExceeded);
    assert!(!spent.is_retryable());
    assert_eq!(spent.code(), Some("enforced_spend_limit_reached"));
}

#[test]
fn errors_in_a_whole_answer() {
    let body = r#"{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}"#;
    let (_, error) = failed(body);
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    let (_, error) = failed(r#"{"choices": []}"#);
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[test]
fn what_is_not_of_the_dialect_is_told() {
    for body in [
        "event: message_start\ndata: {\"type\": x}\n\n",
        "data: {\"type\": 1}\n\n",
        "data: []\n\n",
    ] {
        let (_, error) = failed(body);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{body}: {error}");
        assert!(error.message().contains("anthropic"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let body = body(&everything(), "tool_use");
        let body = body.as_bytes();
        let all = events(&mut *decoder(), [body]).unwrap();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(body.len())).collect();
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &body[cut[0]..cut[1]]);
        prop_assert_eq!(events(&mut *decoder(), pieces).unwrap(), all);
    }

    #[test]
    fn no_order_of_events_makes_it_panic(
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let mut all = everything();
        all.push(json!({"type": "message_stop"}));
        all.push(json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}));
        let picked: Vec<_> = picks.iter().map(|pick| pick.get(&all).clone()).collect();
        let body = sse(&picked);
        // An answer or an error, and never more calls than starts.
        let begun = picked.iter().filter(|event| event["content_block"]["type"] == "tool_use");
        let answer = match events(&mut *decoder(), [body.as_bytes()]) {
            Ok(events) | Err((events, _)) => fold(events),
        };
        prop_assert!(answer.tool_calls().count() <= begun.count());
    }
}
