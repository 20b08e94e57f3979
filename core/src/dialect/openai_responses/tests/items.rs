//! The items of an answer, in a stream and in one piece.

use super::*;

#[test]
fn a_stream_and_a_whole_answer_say_the_same() {
    let reasoning = json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA",
        "summary": [{"type": "summary_text", "text": "First."},
            {"type": "summary_text", "text": "Then."}]});
    let said = json!({"type": "message", "id": "msg_1", "status": "completed", "phase": "commentary",
        "role": "assistant", "content": [{"type": "output_text", "text": "Hello, é",
            "annotations": [{"type": "url_citation", "url": "u"}], "logprobs": []}]});
    let search = json!({"type": "web_search_call", "id": "ws_1", "status": "completed",
        "action": {"query": "q"}});
    let output = json!([reasoning, search, said, call("a", "{\"x\":1}")]);
    let usage = json!({"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4,
        "cache_write_tokens": 2}, "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 16});
    let response = json!({"id": "resp_1", "object": "response", "model": "m", "status": "completed",
        "error": null, "incomplete_details": null, "output": output, "usage": usage,
        "service_tier": "default", "tools": [{"type": "web_search"}]});
    let summary = |part: u64, delta: &str| {
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0,
            "summary_index": part, "delta": delta})
    };
    let summary_done = |part: u64, text: &str| {
        json!({"type": "response.reasoning_summary_part.done", "output_index": 0,
            "summary_index": part, "part": {"type": "summary_text", "text": text}})
    };
    let streamed = stream(&[
        json!({"type": "response.created", "response": {"id": "resp_1", "model": "m",
            "status": "in_progress", "output": []}}),
        json!({"type": "response.in_progress", "response": {"id": "resp_1", "model": "m"}}),
        added(0, json!({"type": "reasoning", "id": "rs_1", "summary": []})),
        summary(0, "Fir"),
        summary(0, "st."),
        summary_done(0, "First."),
        summary(1, "Then"),
        // The rest that the deltas left out.
        summary_done(1, "Then."),
        done(0, reasoning),
        added(
            1,
            json!({"type": "web_search_call", "id": "ws_1", "status": "in_progress"}),
        ),
        done(1, search.clone()),
        added(
            2,
            json!({"type": "message", "id": "msg_1", "content": [], "role": "assistant"}),
        ),
        json!({"type": "response.content_part.added", "output_index": 2, "content_index": 0,
            "part": {"type": "output_text", "text": "", "annotations": []}}),
        text(2, "Hel"),
        text(2, "lo, é"),
        json!({"type": "response.output_text.annotation.added", "output_index": 2,
            "content_index": 0, "annotation": {"type": "url_citation", "url": "u"}}),
        json!({"type": "response.output_text.done", "output_index": 2, "content_index": 0,
            "text": "Hello, é"}),
        done(2, said),
        added(3, call("a", "")),
        arguments(3, "{\"x\""),
        arguments(3, ":1}"),
        json!({"type": "response.function_call_arguments.done", "output_index": 3,
            "arguments": "{\"x\":1}"}),
        done(3, call("a", "{\"x\":1}")),
        json!({"type": "response.completed", "response": response}),
    ]);
    let whole = whole(&response);
    assert_eq!(streamed, whole);
    assert_eq!(whole.text(), "Hello, é");
    assert_eq!(whole.reasoning(), "First.Then.");
    assert_eq!(calls(&whole), [("a", "{\"x\":1}")]);
    assert_eq!(whole.finish_reason, Some(FinishReason::ToolCalls));
    assert_eq!(whole.finish_reason_raw, "completed");
    assert_eq!((&*whole.id, &*whole.model), ("resp_1", "m"));
    assert!(whole.extra.keys().eq(["service_tier"]), "{:?}", whole.extra);
    let kinds: Vec<_> = whole.message.parts.iter().map(Part::kind).collect();
    assert_eq!(
        kinds,
        ["reasoning", "reasoning", "other", "text", "tool_call"]
    );
    let Part::Text(said) = &whole.message.parts[3] else {
        panic!("{:?}", whole.message);
    };
    assert_eq!(said.extra["openai_responses"]["annotations"][0]["url"], "u");
    assert_eq!(
        said.extra["openai_responses"]["item"]["phase"],
        "commentary"
    );
    let Part::Other { dialect, value } = &whole.message.parts[2] else {
        panic!("{:?}", whole.message);
    };
    assert_eq!(
        (dialect.as_deref(), value),
        (Some("openai_responses"), &search)
    );
    let counted = whole.usage.unwrap();
    assert_eq!((counted.input_tokens, counted.output_tokens), (9, 7));
    assert_eq!(counted.cache_read_tokens, Some(4));
    assert_eq!(counted.cache_write_tokens, Some(2));
    assert_eq!(counted.reasoning_tokens, Some(3));
    assert_eq!(counted.raw(), usage);
}

#[test]
fn a_refusal_is_no_text() {
    let item = json!({"type": "message", "id": "msg_1", "role": "assistant", "content":
        [{"type": "refusal", "refusal": "I cannot."}]});
    let answer = stream(&[
        added(
            0,
            json!({"type": "message", "id": "msg_1", "role": "assistant", "content": []}),
        ),
        json!({"type": "response.refusal.delta", "output_index": 0, "content_index": 0,
            "delta": "I can"}),
        json!({"type": "response.refusal.done", "output_index": 0, "content_index": 0,
            "refusal": "I cannot."}),
        done(0, item.clone()),
        completed(json!([])),
    ]);
    assert_eq!((&*answer.text(), answer.refusal()), ("", Some("I cannot.")));
    assert_eq!(input([answer.message]), json!([item]));
}

#[test]
fn custom_tools_are_called_with_text() {
    let item = json!({"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "sql",
        "input": "SELECT 1"});
    let delta = |delta: &str| json!({"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": delta});
    let answer = stream(&[
        added(
            0,
            json!({"type": "custom_tool_call", "id": "ctc_1", "call_id": "c",
            "name": "sql", "input": ""}),
        ),
        delta("SELECT"),
        delta(" 1"),
        json!({"type": "response.custom_tool_call_input.done", "output_index": 0,
            "input": "SELECT 1"}),
        done(0, item.clone()),
        completed(json!([])),
    ]);
    assert_eq!(calls(&answer), [("c", "SELECT 1")]);
    let result = Message::tool_result("c", "1");
    let output = json!({"type": "custom_tool_call_output", "call_id": "c", "output": "1"});
    assert_eq!(input([answer.message, result]), json!([item, output]));
}

#[test]
fn deltas_are_not_needed() {
    let item = message("msg_1", "Hi");
    for all in [
        vec![done(0, item.clone()), completed(json!([]))],
        vec![completed(json!([item]))],
        vec![
            json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0,
                "text": "Hi"}),
            completed(json!([item])),
        ],
        vec![
            json!({"type": "response.content_part.done", "output_index": 0, "content_index": 0,
                "part": {"type": "output_text", "text": "Hi", "annotations": []}}),
            done(0, item.clone()),
            completed(json!([item])),
        ],
        // One of the deltas was lost.
        vec![
            text(0, "H"),
            done(0, item.clone()),
            completed(json!([item])),
        ],
    ] {
        let answer = stream(&all);
        assert_eq!(answer.text(), "Hi", "{all:?}");
        assert_eq!(input([answer.message]), json!([item]), "{all:?}");
    }
}

#[test]
fn what_is_done_counts_for_more_than_its_deltas() {
    // Text that was handed over cannot be taken back. The item is sent back as it was completed.
    let item = message("msg_1", "Ho");
    let all = [
        text(0, "Hi"),
        done(0, item.clone()),
        completed(json!([item])),
    ];
    let answer = stream(&all);
    assert_eq!(answer.text(), "Hi");
    assert_eq!(input([answer.message]), json!([item]));
    let item = call("a", "{}");
    let answer = stream(&[
        added(0, call("a", "")),
        arguments(0, "{"),
        arguments(0, "1"),
        done(0, item.clone()),
        completed(json!([])),
    ]);
    assert_eq!(input([answer.message]), json!([item]));
}

#[test]
fn ids_may_change_within_an_item() {
    let delta = |id: &str, delta: &str| {
        json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0,
            "item_id": id, "delta": delta})
    };
    let answer = stream(&[
        added(0, message("a", "")),
        delta("b", "Hel"),
        delta("c", "lo"),
        done(0, message("d", "Hello")),
        completed(json!([message("e", "Hello")])),
    ]);
    assert_eq!(answer.text(), "Hello");
    assert_eq!(input([answer.message]), json!([message("d", "Hello")]));
}

#[test]
fn interleaved_items_come_in_their_order() {
    let (first, second) = (message("a", "Hello"), message("b", "world"));
    let output = json!([first, second, call("c", "{\"x\":1}"), call("d", "{}")]);
    let answer = stream(&[
        added(0, message("a", "")),
        added(1, message("b", "")),
        added(2, call("c", "")),
        added(3, call("d", "")),
        text(0, "He"),
        text(1, "wor"),
        arguments(2, "{\"x\""),
        text(0, "llo"),
        arguments(3, "{}"),
        text(1, "ld"),
        arguments(2, ":1}"),
        done(3, call("d", "{}")),
        done(2, call("c", "{\"x\":1}")),
        done(1, second),
        done(0, first),
        completed(output.clone()),
    ]);
    assert_eq!(answer, whole(&completed(output.clone())["response"]));
    assert_eq!(input([answer.message]), output);
}

#[test]
fn what_comes_of_the_first_item_is_handed_over_at_once() {
    let mut decoder = decoder();
    let mut feed = |event: Value| {
        decoder.feed(sse(&[event]).into());
        decoder.next_event().unwrap()
    };
    assert_eq!(feed(added(0, message("a", ""))), None);
    assert_eq!(feed(text(0, "a")), Some(ChatEvent::Text("a".into())));
    assert_eq!(feed(text(1, "b")), None);
    assert_eq!(feed(text(0, "c")), Some(ChatEvent::Text("c".into())));
}

/// The events that each of these server events produces.
fn told(all: &[Value]) -> Vec<Vec<ChatEvent>> {
    let mut decoder = decoder();
    let mut feed = |event: &Value| {
        decoder.feed(sse(std::slice::from_ref(event)).into());
        std::iter::from_fn(|| decoder.next_event().unwrap()).collect()
    };
    all.iter().map(&mut feed).collect()
}

#[test]
fn an_item_that_begins_late_goes_before_one_that_said_nothing() {
    let texts = [message("a", "one"), message("b", "two")];
    let search = json!({"type": "web_search_call", "id": "b", "status": "completed"});
    for second in [&texts[1], &search] {
        let begun = match *second == search {
            true => search.clone(),
            false => message("b", ""),
        };
        let output = json!([texts[0], second]);
        let all = [
            added(1, begun),
            added(0, message("a", "")),
            done(1, second.clone()),
            text(0, "o"),
            text(0, "ne"),
            done(0, texts[0].clone()),
            completed(output.clone()),
        ];
        let told = told(&all);
        assert!(told[..3].iter().all(Vec::is_empty), "{told:?}");
        assert_eq!(told[3], [ChatEvent::Text("o".into())]);
        assert_eq!(told[4], [ChatEvent::Text("ne".into())]);
        // The end of the first item hands over everything of the second.
        let before = fold(told[..6].concat()).message;
        assert_eq!(input([before]), output);
        let answer = fold(told.concat());
        assert_eq!(answer, whole(&all[6]["response"]));
    }
}

#[test]
fn an_item_that_begins_late_goes_after_one_that_said_something() {
    let texts = [message("a", "one"), message("b", "two")];
    let told = told(&[
        added(1, message("b", "")),
        text(1, "t"),
        added(0, message("a", "")),
        text(0, "o"),
        text(1, "wo"),
        done(1, texts[1].clone()),
        text(0, "ne"),
        done(0, texts[0].clone()),
        completed(json!(texts)),
    ]);
    assert_eq!(told[1], [ChatEvent::Text("t".into())]);
    assert!(told[2].is_empty() && told[3].is_empty(), "{told:?}");
    assert_eq!(told[4], [ChatEvent::Text("wo".into())]);
    // Text that waited is handed over with the end of the item before it.
    assert_eq!(told[5].last(), Some(&ChatEvent::Text("o".into())));
    assert_eq!(told[6], [ChatEvent::Text("ne".into())]);
    // The same holds if the stream is truncated.
    let (cut, _) = failed(&[
        added(1, message("b", "")),
        text(1, "two"),
        added(0, message("a", "")),
        text(0, "one"),
    ]);
    let texts_of = |part: &Part| match part {
        Part::Text(text) => text.text.to_string(),
        part => panic!("{part:?}"),
    };
    let cut: Vec<_> = cut.message.parts.iter().map(texts_of).collect();
    assert_eq!(cut, ["two", "one"]);
    // A call is announced as soon as it begins.
    let told = self::told(&[
        added(1, call("c", "")),
        added(0, message("a", "")),
        arguments(1, "{}"),
        done(1, call("c", "{}")),
        text(0, "one"),
        done(0, texts[0].clone()),
        added(2, message("b", "")),
        text(2, "two"),
        done(2, texts[1].clone()),
        completed(json!([texts[0], call("c", "{}"), texts[1]])),
    ]);
    assert_eq!(told[0].len(), 1);
    assert_eq!(told[4], [ChatEvent::Text("one".into())]);
    assert_eq!(told[7], [ChatEvent::Text("two".into())]);
    let answer = fold(told.concat());
    assert_eq!(
        (&*answer.text(), calls(&answer)),
        ("onetwo", vec![("c", "{}")])
    );
    let sent = input([answer.message]);
    assert_eq!(sent, json!([call("c", "{}"), texts[0], texts[1]]));
}

#[test]
fn items_without_numbers_end_where_the_next_begins() {
    // llama.cpp says only at the end that the items are complete.
    let delta = |kind: &str, id: &str, delta: &str| json!({"type": format!("response.{kind}.delta"), "item_id": id, "delta": delta});
    let added = |item: Value| json!({"type": "response.output_item.added", "item": item});
    let done = |item: Value| json!({"type": "response.output_item.done", "item": item});
    let reasoning = json!({"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "",
        "content": [{"type": "reasoning_text", "text": "hm"}]});
    let said = message("m", "Hello");
    let all = [
        added(
            json!({"type": "reasoning", "id": "r", "summary": [], "content": [],
            "encrypted_content": "", "status": "in_progress"}),
        ),
        delta("reasoning_text", "r", "h"),
        delta("reasoning_text", "r", "m"),
        added(
            json!({"type": "message", "id": "m", "content": [], "role": "assistant",
            "status": "in_progress"}),
        ),
        delta("output_text", "m", "Hel"),
        delta("output_text", "m", "lo"),
        added(
            json!({"type": "function_call", "id": "fc_c", "call_id": "c", "name": "f",
            "arguments": "", "status": "in_progress"}),
        ),
        delta("function_call_arguments", "fc_c", "{}"),
        added(
            json!({"type": "function_call", "id": "fc_d", "call_id": "d", "name": "f",
            "arguments": "", "status": "in_progress"}),
        ),
        delta("function_call_arguments", "fc_d", "{"),
        json!({"type": "response.reasoning_text.done", "item_id": "r", "text": "hm"}),
        done(reasoning.clone()),
        json!({"type": "response.output_text.done", "item_id": "m", "text": "Hello"}),
        done(said.clone()),
        done(call("c", "{}")),
        done(call("d", "{\"x\":1}")),
        completed(json!([
            reasoning,
            said,
            call("c", "{}"),
            call("d", "{\"x\":1}")
        ])),
    ];
    let answer = stream(&all);
    assert_eq!((&*answer.reasoning(), &*answer.text()), ("hm", "Hello"));
    assert_eq!(calls(&answer), [("c", "{}"), ("d", "{\"x\":1}")]);
    let mut sent = input([answer.message]);
    assert_eq!(sent[0], reasoning);
    // The item's annotations and status arrived too late.
    assert_eq!(sent[1]["content"][0]["text"], "Hello");
    assert_eq!(sent[1]["id"], "m");
    assert_eq!(sent[2].take(), call("c", "{}"));
    assert_eq!(sent[3].take(), call("d", "{\"x\":1}"));
    // Each item was handed over as it arrived.
    let count = all.len() - 7;
    let mut decoder = decoder();
    decoder.feed(sse(&all[..count]).into());
    let mut told = Vec::new();
    while let Some(event) = decoder.next_event().unwrap() {
        told.push(event);
    }
    let told = fold(told);
    assert_eq!(told.text(), "Hello");
    assert_eq!(calls(&told), [("c", "{}"), ("d", "{")]);
}

#[test]
fn calls_whose_end_was_lost_are_closed_by_the_response() {
    for output in [json!([]), json!([call("a", "{\"x\":1}"), call("b", "{}")])] {
        let answer = stream(&[
            added(0, call("a", "")),
            arguments(0, "{\"x\":1}"),
            added(1, call("b", "")),
            arguments(1, "{}"),
            completed(output),
        ]);
        assert_eq!(calls(&answer), [("a", "{\"x\":1}"), ("b", "{}")]);
        assert_eq!(answer.finish_reason, Some(FinishReason::ToolCalls));
        let items = json!([call("a", "{\"x\":1}"), call("b", "{}")]);
        assert_eq!(input([answer.message]), items);
    }
    // The call has only what its first event had.
    let answer = stream(&[added(0, call("a", "{}")), completed(json!([]))]);
    assert_eq!(calls(&answer), [("a", "{}")]);
}

#[test]
fn reasoning_without_a_text_is_kept() {
    let item = json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "g"});
    let answer = stream(&[
        done(0, item.clone()),
        done(1, message("m", "a")),
        completed(json!([])),
    ]);
    assert_eq!(answer.reasoning(), "");
    assert_eq!(input([answer.message]), json!([item, message("m", "a")]));
}

#[test]
fn other_events_are_skipped_and_counted() {
    let mut decoder = decoder();
    let all = [
        json!({"type": "response.created", "response": {"id": "r", "model": "m"}}),
        json!({"type": "keepalive", "sequence_number": 1}),
        json!({"type": "response.web_search_call.searching", "output_index": 0}),
        json!({"type": "response.something.new", "message": "hi", "code": 1}),
        json!({"type": "response.image_generation_call.partial_image", "partial_image_b64": "a"}),
        done(0, message("m", "a")),
        completed(json!([])),
    ];
    decoder.feed(sse(&all).into());
    while decoder.next_event().unwrap().is_some() {}
    assert!(decoder.is_done());
    assert_eq!(decoder.skipped(), 3);
}
