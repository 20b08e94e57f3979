//! Content blocks.

use super::*;

#[test]
fn a_stream_and_a_whole_answer_say_the_same() {
    let streamed = stream(&everything(), "tool_use");
    let searched = json!({"type": "server_tool_use", "id": "s1", "name": "web_search",
        "input": {"query": "rain"}});
    let found = json!({"type": "web_search_tool_result", "tool_use_id": "s1", "content": [
        {"type": "web_search_result", "url": "https://a.example"}]});
    let mut cited = Text::new("It rains.");
    let list = json!([citation(1), citation(2)]);
    let own = json!({"citations": list});
    cited.extra.insert("anthropic".into(), own);
    assert_eq!(
        streamed.message.parts[..6],
        [
            Part::Reasoning(Reasoning::new("hm").signature("sig==")),
            Part::Reasoning(Reasoning::encrypted("xyz")),
            Part::text("Look, 天气 \"x\"\n"),
            Part::Other {
                dialect: Some("anthropic".into()),
                value: searched.clone()
            },
            Part::Other {
                dialect: Some("anthropic".into()),
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
        // A server that sends the input in both ways means one input.
        (
            vec![tool(0, "t", given.clone()), input(0, &written), stop(0)],
            &written,
        ),
        (vec![tool(0, "t", json!(written)), stop(0)], &written),
        (vec![tool(0, "t", json!(null)), stop(0)], "{}"),
        (vec![tool(0, "t", json!({})), input(0, ""), stop(0)], "{}"),
        // The block has no end of its own.
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
    assert_eq!(said.extra["anthropic"]["mood"], "blue");
    assert_eq!(thought.extra["anthropic"]["place"], 7);
    assert_eq!(call.extra["anthropic"]["caller"], caller);
    assert_eq!(answer.extra["container"], json!({"id": "c"}));
    assert_eq!(answer.extra["stop_details"], json!({"why": "x"}));
    assert_eq!(answer.extra["context_management"], json!({"edits": 1}));
}

#[test]
fn what_is_not_known_is_skipped_and_counted() {
    let body = body(
        &[
            json!({"type": "hologram", "x": 1}),
            start(0, json!({"type": "text", "text": ""})),
            delta(0, json!({"type": "hologram_delta", "x": 1})),
            text(0, "a"),
            // For a block that never began.
            input(7, "{"),
            stop(7),
            stop(0),
            // A block of an unknown type grows by deltas of its own type.
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
        [
            Part::text("a"),
            Part::Other {
                dialect: Some("anthropic".into()),
                value: compacted
            }
        ]
    );
}
