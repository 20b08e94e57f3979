//! Mistakes of servers.

use super::*;

/// Decodes a body. Returns the answer, and how many events were skipped.
fn read(body: &str) -> (ChatResponse, u32) {
    let mut decoder = decoder();
    let events = events(&mut *decoder, [body.as_bytes()]);
    let events = events.unwrap_or_else(|(_, error)| panic!("{body}: {error:?}"));
    (fold(events), decoder.skipped())
}

/// The stream of an answer with one block of text. `more` is inserted in the middle of the text.
fn hello(more: &str) -> String {
    let all = body(
        &[
            start(0, json!({"type": "text", "text": ""})),
            text(0, "Hel"),
            json!({"type": "here"}),
            text(0, "lo"),
            stop(0),
        ],
        "end_turn",
    );
    all.replace("event: here\ndata: {\"type\":\"here\"}\n\n", more)
}

/// The end of a stream.
fn end(reason: Value) -> String {
    sse(&[
        json!({"type": "message_delta", "delta": {"stop_reason": reason}}),
        json!({"type": "message_stop"}),
    ])
}

#[test]
fn what_means_nothing_is_passed_over() {
    for (more, skipped) in [
        ("event: ping\ndata:\n\n", 0),
        ("event: ping\ndata: 2026-01-02\n\n", 0),
        ("event: ping\ndata: {\"type\": \"ping\"}\n\n", 0),
        ("data: {\"type\": \"ping\"}\n\n", 0),
        (": hi\n\n", 0),
        ("data: [DONE]\n\n", 0),
        ("event: status\ndata: queued\n\n", 1),
        ("data: {\"type\": 1}\n\n", 1),
        ("data: []\n\n", 1),
        ("data: {\"type\": \"hologram\", \"message\": \"x\"}\n\n", 1),
        (
            "data: {\"type\": \"content_block_delta\", \"delta\": []}\n\n",
            1,
        ),
        (
            "data: {\"type\": \"content_block_delta\", \"delta\": \"x\"}\n\n",
            1,
        ),
        (
            "data: {\"type\": \"content_block_start\", \"content_block\": 1}\n\n",
            0,
        ),
        (
            "data: {\"type\": \"message_start\", \"message\": [1]}\n\n",
            0,
        ),
        (
            "data: {\"type\": \"message_delta\", \"delta\": 7, \"usage\": []}\n\n",
            0,
        ),
        (
            "data: {\"type\": \"content_block_stop\", \"index\": \"x\", \"error\": \"\"}\n\n",
            0,
        ),
    ] {
        // The last case ends the block, and its text continues without one.
        let (answer, found) = read(&hello(more));
        assert_eq!((&*answer.text(), found), ("Hello", skipped), "{more}");
        assert_eq!(answer.finish_reason, Some(FinishReason::Stop), "{more}");
    }
}

#[test]
fn fields_of_another_type_cost_no_more_than_themselves() {
    let body = sse(&[
        json!({"type": "message_start", "message": {"id": 7, "model": true, "content": {},
            "stop_reason": "null", "usage": {"input_tokens": "3", "output_tokens": 1.0}}}),
        json!({"type": "content_block_start", "index": "0",
            "content_block": {"type": "text", "text": null}}),
        json!({"type": "content_block_delta", "index": "0",
            "delta": {"type": "text_delta", "text": 0.005}}),
        json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": ["x"]}}),
        json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": true}}),
        json!({"type": "content_block_stop", "index": 0.0, "error": {}}),
        json!({"type": "message_delta", "error": null, "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": "9"}}),
        json!({"type": "message_stop"}),
    ]);
    let (answer, _) = read(&body);
    assert_eq!((&*answer.id, &*answer.model), ("7", "true"));
    assert_eq!(answer.text(), "0.005true");
    let usage = answer.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (3, 9));

    let whole = json!({"type": "message", "content": "Hello", "stop_reason": "end_turn"});
    assert_eq!(read(&whole.to_string()).0.text(), "Hello");
    let whole = json!({"content": [null, 1, "a", {"type": "text", "text": "b"}, []]});
    assert_eq!(read(&whole.to_string()).0.text(), "ab");
}

#[test]
fn a_stop_reason_completes_the_answer() {
    let all = hello("");
    let (finished, _) = all.split_at(all.find("event: message_stop").unwrap());
    for after in [
        "",
        "data: [DONE]\n\n",
        "data: [done]\n\n",
        "event: error\ndata: gone\n\n",
        "data: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"m\"}}\n\n",
        "data: nonsense\n\n",
    ] {
        let (answer, _) = read(&format!("{finished}{after}"));
        assert_eq!(answer.text(), "Hello", "{after}");
        assert_eq!(answer.finish_reason_raw, "end_turn", "{after}");
        assert_eq!(answer.usage.unwrap().output_tokens, 9, "{after}");
    }
    // The end marker of another dialect does not end the answer, so that the answer is truncated.
    let cut = &all[..all.find("event: message_delta").unwrap()];
    for after in ["", "data: [DONE]\n\n"] {
        let (partial, error) = failed(&format!("{cut}{after}"));
        assert_eq!(error.kind(), ErrorKind::Truncated);
        assert_eq!(partial.text(), "Hello");
        assert_eq!(partial.usage.unwrap().input_tokens, 3);
    }
    for null in [
        json!("null"),
        json!("None"),
        json!(""),
        json!(0),
        json!(null),
    ] {
        let events = [json!({"type": "message_delta", "delta": {"stop_reason": null}})];
        let (_, error) = failed(&format!("{cut}{}", sse(&events)));
        assert_eq!(error.kind(), ErrorKind::Truncated, "{null}");
    }
}

#[test]
fn two_messages_are_not_one_answer() {
    let begin =
        |id: Value| sse(&[json!({"type": "message_start", "message": {"id": id, "content": []}})]);
    let one = [begin(json!("msg_1")), sse(&[text(0, "a")])].concat();
    let two = [
        begin(json!("msg_2")),
        sse(&[text(0, "b")]),
        end(json!("end_turn")),
    ]
    .concat();
    let (partial, error) = failed(&format!("{one}{two}"));
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.message().contains("second message"), "{error}");
    assert_eq!(partial.text(), "a");
    // The server repeats the beginning, or sends it without an id.
    for id in [json!("msg_1"), json!(null)] {
        let again = [begin(id), sse(&[text(0, "b")]), end(json!("end_turn"))].concat();
        assert_eq!(read(&format!("{one}{again}")).0.text(), "ab");
    }
    // The first message is complete.
    let stop = sse(&[json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})]);
    assert_eq!(read(&format!("{one}{stop}{two}")).0.text(), "a");
}

#[test]
fn errors_that_are_not_as_documented() {
    for (error, kind, message) in [
        (
            "event: error\ndata: upstream gone\n\n",
            ErrorKind::Server,
            "upstream gone",
        ),
        (
            "event: error\ndata: {\"message\": \"no\"}\n\n",
            ErrorKind::Server,
            "no",
        ),
        (
            "event: error\ndata: {\"error\": {\"message\": \"no\"}}\n\n",
            ErrorKind::Server,
            "no",
        ),
        (
            "error: {\"code\": 529, \"message\": \"busy\"}\n\n",
            ErrorKind::Overloaded,
            "busy",
        ),
        (
            "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n",
            ErrorKind::Overloaded,
            "busy",
        ),
        (
            "data: {\"error\": \"out of order\"}\n\n",
            ErrorKind::Server,
            "out of order",
        ),
        (
            "data: {\"base_resp\":{\"status_code\":1008,\"status_msg\":\"insufficient balance\"}}\n\n",
            ErrorKind::QuotaExceeded,
            "insufficient balance",
        ),
        (
            "data: {\"code\": 401, \"msg\": \"bad key\"}\n\n",
            ErrorKind::Auth,
            "bad key",
        ),
    ] {
        let all = hello(error);
        let at = all.find(error).unwrap() + error.len();
        let (partial, found) = failed(&all[..at]);
        assert_eq!(found.kind(), kind, "{error}: {found}");
        assert_eq!(found.message(), message, "{error}");
        assert!(found.is_in_stream(), "{error}");
        assert_eq!(partial.text(), "Hel", "{error}");
    }
    for (body, kind, message) in [
        (
            r#"{"base_resp":{"status_code":1004,"status_msg":"login fail"}}"#,
            ErrorKind::Auth,
            "login fail",
        ),
        (
            r#"{"code":"1113","msg":"余额不足"}"#,
            ErrorKind::QuotaExceeded,
            "余额不足",
        ),
        (r#"{"detail":"Not here"}"#, ErrorKind::Server, "Not here"),
        (
            r#"{"message":"no such model"}"#,
            ErrorKind::Server,
            "no such model",
        ),
    ] {
        let (_, found) = failed(body);
        assert_eq!((found.kind(), found.message()), (kind, message), "{body}");
    }
    // MiniMax reports success in every answer.
    let body = r#"{"content":[{"type":"text","text":"a"}],"base_resp":{"status_code":0,"status_msg":"success"}}"#;
    assert_eq!(read(body).0.text(), "a");
}

#[test]
fn deltas_whose_numbers_wander_go_on_with_the_block_that_grows() {
    let answer = stream(
        &[
            tool(0, "t", json!({})),
            input(1, "{\"city\":"),
            input(2, "\"Oslo\"}"),
            stop(0),
        ],
        "tool_use",
    );
    assert_eq!(arguments(&answer), [("t", "{\"city\":\"Oslo\"}")]);
}

#[test]
fn a_call_without_a_name_is_no_success() {
    let call = |name: Value| {
        start(
            0,
            json!({"type": "tool_use", "id": "t", "name": name, "input": {}}),
        )
    };
    for name in [json!(""), json!(null), json!([])] {
        let body = body(&[call(name), input(0, "{\"a\":1}"), stop(0)], "tool_use");
        let (partial, error) = failed(&body);
        assert_eq!(error.kind(), ErrorKind::Server);
        assert!(error.message().contains("has no name"), "{error}");
        assert_eq!(arguments(&partial), [("t", "{\"a\":1}")]);
        assert_eq!(partial.finish_reason, None);
    }
    // If the answer reached its limit, the finish reason says so.
    let answer = stream(&[call(json!(""))], "max_tokens");
    assert_eq!(answer.finish_reason, Some(FinishReason::Length));
}

#[test]
fn characters_that_are_cut_in_two_are_joined() {
    let delta = |kind: &str, name: &str, half: &str| {
        format!(
            "data: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"{kind}\",\
             \"{name}\":\"{half}\"}}}}\n\n"
        )
    };
    for (block, kind, name) in [
        (json!({"type": "text", "text": ""}), "text_delta", "text"),
        (
            json!({"type": "thinking", "thinking": ""}),
            "thinking_delta",
            "thinking",
        ),
        (
            json!({"type": "tool_use", "id": "t", "name": "f", "input": {}}),
            "input_json_delta",
            "partial_json",
        ),
    ] {
        for (halves, joined) in [
            (&["a\\ud83d", "", "\\ude00b"][..], "a😀b"),
            (&["a\\ud83d"], "a\u{fffd}"),
            (&["\\ude00"], "\u{fffd}"),
        ] {
            let deltas: String = halves.iter().map(|half| delta(kind, name, half)).collect();
            let body = format!(
                "{}{deltas}{}{}",
                sse(&[start(0, block.clone())]),
                sse(&[stop(0)]),
                end(json!("end_turn"))
            );
            let (answer, _) = read(&body);
            let said = match name {
                "text" => answer.text().into_owned(),
                "thinking" => answer.reasoning().into_owned(),
                _ => answer.tool_calls().next().unwrap().arguments.clone(),
            };
            assert_eq!(said, joined, "{name} {halves:?}");
        }
    }
}

#[test]
fn nesting_without_end_is_refused() {
    for (open, close) in [
        ("{\"message\":", "}"),
        ("{\"content_block\":{\"a\":", "}}"),
        ("{\"delta\":[", "]}"),
    ] {
        for levels in [200, 4_400, 100_000] {
            let json = format!("{}1{}", open.repeat(levels), close.repeat(levels));
            for body in [format!("data: {json}\n\n"), json] {
                let (_, error) = failed(&body);
                assert_eq!(error.kind(), ErrorKind::Protocol, "{open} {levels}");
                assert!(error.message().contains("128 deep"), "{error}");
            }
        }
    }
}

#[test]
fn more_blocks_than_are_allowed_are_refused() {
    let block = json!({"type": "text", "text": "a"});
    let whole = |count| json!({"content": vec![block.clone(); count]}).to_string();
    assert_eq!(read(&whole(2048)).0.message.parts.len(), 2048);
    assert_eq!(failed(&whole(2049)).1.kind(), ErrorKind::ResponseTooLarge);
}

#[test]
fn a_large_usage_is_put_together_once() {
    let large = json!({"input_tokens": 5, "note": "x".repeat(100_000)});
    let begin = json!({"type": "message_start", "message": {"id": "m", "usage": large}});
    let small = json!({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 7}});
    let body = format!(
        "{}{}{}",
        sse(&[begin]),
        sse(&vec![small; 5_000]),
        end(json!("end_turn"))
    );
    let events = events(&mut *decoder(), [body.as_bytes()]).unwrap();
    let written: usize = events
        .iter()
        .map(|event| match event {
            ChatEvent::Usage(usage) => usage.raw_json.len(),
            _ => 0,
        })
        .sum();
    assert!(written < 300_000, "{written} bytes of usage were written");
    let usage = fold(events).usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (5, 7));
    assert_eq!(usage.raw()["note"].as_str().unwrap().len(), 100_000);
}
