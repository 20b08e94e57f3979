//! Mistakes of servers.

use super::*;

/// The answer of a body.
fn read(body: &str) -> ChatResponse {
    let events = events([body.as_bytes()]);
    fold(events.unwrap_or_else(|(_, error)| panic!("{body}: {error:?}")))
}

/// The answer before the error of a body, and the error.
fn cut(body: &str) -> (ChatResponse, Error) {
    let (events, error) = events([body.as_bytes()]).unwrap_err();
    (fold(events), error)
}

#[test]
fn the_only_choice_is_the_answer_whatever_its_index() {
    for indexes in [[0, 1, 2], [1, 1, 1], [7, 0, 3]] {
        let chunks: Vec<_> = indexes
            .iter()
            .zip(["Hel", "lo", "!"])
            .map(|(index, text)| json!({"choices": [{"index": index, "delta": {"content": text}}]}))
            .collect();
        let end = json!({"choices": [{"index": 9, "delta": {}, "finish_reason": "stop"}]});
        let answer = stream(&[&chunks[..], &[end]].concat());
        assert_eq!((&*answer.text(), answer.skipped_events), ("Hello!", 0));
        assert_eq!(answer.finish_reason_raw, "stop");
    }
    let choice = |index: Value, text: &str| json!({"index": index, "message": {"content": text}});
    for (choices, text) in [
        (json!([choice(json!(1), "a")]), "a"),
        (json!([choice(json!(1), "b"), choice(json!(0), "a")]), "a"),
        (json!([choice(json!(1), "a"), choice(json!(2), "b")]), "a"),
        (
            json!([choice(json!("1"), "b"), choice(json!("0"), "a")]),
            "a",
        ),
        (
            json!([null, 1, choice(json!([]), "a"), choice(json!(0), "b")]),
            "a",
        ),
    ] {
        assert_eq!(
            read(&json!({"choices": choices}).to_string()).text(),
            text,
            "{choices}"
        );
    }
}

#[test]
fn content_that_is_no_string_is_its_own_text() {
    let answer = stream(&[
        delta(json!({"content": "It costs $"})),
        delta(json!({"content": 0.005})),
        delta(json!({"content": " each, ["})),
        delta(json!({"content": 1})),
        delta(json!({"content": "], "})),
        delta(json!({"content": true})),
        delta(json!({"content": {"type": "text", "text": "!"}})),
        delta(json!({"content": ["?", {"text": -1e3}]})),
        finish("stop"),
    ]);
    assert_eq!(answer.text(), "It costs $0.005 each, [1], true!?-1000.0");
    let answer = stream(&[
        delta(json!({"reasoning": 12, "refusal": 3})),
        finish("stop"),
    ]);
    assert_eq!((&*answer.reasoning(), answer.refusal()), ("12", Some("3")));
}

#[test]
fn fields_of_another_type_cost_no_more_than_themselves() {
    for odd in [
        json!({"choices": {}}),
        json!({"choices": "x"}),
        json!({"choices": [[], "x", null, 7]}),
        json!({"id": {}, "model": [], "object": 1, "choices": []}),
        json!({"choices": [{"delta": []}]}),
        json!({"choices": [{"delta": "x", "message": 1}]}),
        json!({"choices": [{"index": {}, "finish_reason": {}, "delta": {}}]}),
        json!({"choices": [{"finish_reason": 1, "delta": {}}]}),
        json!({"choices": [{"delta": {"tool_calls": {}}}]}),
        json!({"choices": [{"delta": {"tool_calls": "x"}}]}),
        json!({"choices": [{"delta": {"tool_calls": [null, 1, [], ""]}}]}),
        json!({"choices": [{"delta": {"tool_calls": [{"function": []}]}}]}),
        json!({"choices": [{"delta": {"function_call": []}}]}),
        json!({"choices": [{"delta": {"content": {}, "refusal": {}, "reasoning": {}}}]}),
        json!({"choices": [{"delta": {"content": [], "role": 1}}]}),
        json!({"choices": [], "error": ""}),
        json!({"choices": [], "error": {}}),
        json!({"choices": [], "error": null}),
        json!({"choices": [], "error": []}),
        json!({"choices": [], "error": false}),
        json!({"choices": [{"delta": {}, "error": {}}]}),
        json!({"error": ""}),
        json!([]),
        json!(1),
    ] {
        let answer = stream(&[
            delta(json!({"content": "Hel"})),
            odd.clone(),
            delta(json!({"content": "lo"})),
            finish("stop"),
        ]);
        assert_eq!(answer.text(), "Hello", "{odd}");
        assert_eq!(answer.tool_calls().count(), 0, "{odd}");
        assert_eq!(answer.finish_reason, Some(FinishReason::Stop), "{odd}");
    }
    let answer = stream(&[
        json!({"choices": [{"delta": {"content": "a", "tool_calls": {}}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": "11", "completion_tokens": "7.0", "total_tokens": 1.8e1,
                "prompt_tokens_details": {"cached_tokens": " 3 "}}}),
    ]);
    let usage = answer.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (11, 7));
    assert_eq!(usage.cache_read_tokens, Some(3));
    let answer = stream(&[
        json!({"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}], "usage": [1]}),
    ]);
    assert_eq!(answer.usage.unwrap().output_tokens, 0);
}

#[test]
fn a_word_for_null_is_no_finish_reason() {
    for word in [
        json!("null"),
        json!("None"),
        json!(""),
        json!(false),
        json!(null),
    ] {
        let chunk = json!({"choices": [{"delta": {"content": "a"}, "finish_reason": word}]});
        let (partial, error) = cut(&sse(&[chunk], false));
        assert_eq!(error.kind(), ErrorKind::Truncated, "{word}");
        assert_eq!(partial.text(), "a");
    }
}

#[test]
fn an_error_of_a_choice_is_classified_by_its_code() {
    for (code, kind) in [
        (json!(504), ErrorKind::Server),
        (json!("502"), ErrorKind::Server),
        (json!(429), ErrorKind::RateLimited),
        (json!(402), ErrorKind::QuotaExceeded),
        (json!(400), ErrorKind::BadRequest),
        (json!("x"), ErrorKind::Server),
    ] {
        let chunk = json!({"choices": [{"delta": {"content": ""}, "finish_reason": "error",
            "error": {"code": code, "message": "upstream timed out"}}]});
        for begun in [vec![], vec![delta(json!({"content": "Partial "}))]] {
            let (partial, error) = cut(&sse(
                &[&begun[..], std::slice::from_ref(&chunk)].concat(),
                true,
            ));
            assert_eq!(
                (error.kind(), error.message()),
                (kind, "upstream timed out")
            );
            assert_eq!(partial.text().is_empty(), begun.is_empty());
        }
        let whole = json!({"choices": [{"message": {"content": "a"}, "error": {"code": code}}]});
        let (partial, error) = cut(&whole.to_string());
        assert_eq!((error.kind(), &*partial.text()), (kind, "a"));
    }
    let (_, error) = cut(&sse(&[finish("error")], true));
    assert_eq!(error.kind(), ErrorKind::Server);
    let routed = json!({"error": {"code": 502, "message": "Provider returned error",
        "metadata": {"raw": "no GPU", "provider_name": "x"}}});
    let (_, error) = cut(&sse(&[routed], true));
    assert_eq!(error.message(), "Provider returned error: no GPU");
}

#[test]
fn envelopes_of_gateways_are_errors() {
    use ErrorKind::*;
    for (body, kind, message) in [
        (
            r#"{"id":"x","choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#,
            QuotaExceeded,
            "insufficient balance",
        ),
        (
            r#"{"choices":[],"base_resp":{"status_code":1002,"status_msg":"slow"}}"#,
            RateLimited,
            "slow",
        ),
        (
            r#"{"base_resp":{"status_code":"1004","status_msg":"who?"}}"#,
            Auth,
            "who?",
        ),
        (r#"{"code":401,"msg":"bad key"}"#, Auth, "bad key"),
        (
            r#"{"code":"1301","message":"sensitive","data":null}"#,
            Server,
            "sensitive",
        ),
        (
            r#"{"error_code":17,"error_msg":"daily limit"}"#,
            Server,
            "daily limit",
        ),
        (
            r#"{"errorCode":"429","errorMessage":"slow"}"#,
            RateLimited,
            "slow",
        ),
        (r#"{"success":false,"reason":"no"}"#, Server, "no"),
        (r#"{"detail":"no such model"}"#, Server, "no such model"),
        (r#"{"errors":[{"message":"no"}]}"#, Server, "no"),
        (
            r#"{"object":"error","message":{"detail":[{"loc":["body","seed"],"msg":"Extra"}]},"code":422}"#,
            BadRequest,
            "Extra",
        ),
    ] {
        for begun in ["", &sse(&[delta(json!({"content": "Hel"}))], false)] {
            let (partial, error) = cut(&format!("{begun}data: {body}\n\n"));
            assert_eq!((error.kind(), error.message()), (kind, message), "{body}");
            assert_eq!(partial.text().is_empty(), begun.is_empty());
        }
        let (_, error) = cut(body);
        assert_eq!((error.kind(), error.message()), (kind, message), "{body}");
    }
    // Such an object is an error only if it is the whole answer.
    for (body, message) in [
        (r#"{"message":"no such path"}"#, "no such path"),
        (r#"{"code":0,"msg":"what?"}"#, "what?"),
    ] {
        assert_eq!(cut(body).1.message(), message);
        let all = [
            delta(json!({"content": "a"})),
            serde_json::from_str(body).unwrap(),
            finish("stop"),
        ];
        assert_eq!(stream(&all).text(), "a");
    }
    let well = json!({"choices": [{"message": {"content": "a"}}], "code": 200, "message": "ok",
        "base_resp": {"status_code": 0, "status_msg": ""}});
    assert_eq!(read(&well.to_string()).text(), "a");
}

#[test]
fn characters_that_are_cut_in_two_are_joined() {
    let chunk = |field: &str| format!("data: {{\"choices\":[{{\"delta\":{{{field}}}}}]}}\n\n");
    let end = sse(&[finish("stop")], true);
    for name in [
        "content",
        "reasoning",
        "reasoning_content",
        "refusal",
        "arguments",
    ] {
        let field = |text: &str| match name {
            "arguments" => format!(
                r#""tool_calls":[{{"index":0,"function":{{"name":"f","arguments":"{text}"}}}}]"#
            ),
            name => format!(r#""{name}":"{text}""#),
        };
        for (halves, joined) in [
            (&["a\\ud83d", "\\ude00b"][..], "a😀b"),
            (&["a\\ud83d", "", "\\ude00"], "a😀"),
            (&["a\\ud83d", "b"], "a\u{fffd}b"),
            (&["a\\ud83d"], "a\u{fffd}"),
            (&["\\ude00b"], "\u{fffd}b"),
        ] {
            let chunks: String = halves.iter().map(|half| chunk(&field(half))).collect();
            let answer = read(&format!("{chunks}{end}"));
            let said = match name {
                "content" => answer.text().into_owned(),
                "refusal" => answer.refusal().unwrap().to_owned(),
                "arguments" => answer.tool_calls().next().unwrap().arguments.clone(),
                _ => answer.reasoning().into_owned(),
            };
            assert_eq!(said, joined, "{name} {halves:?}");
        }
    }
    let lone = [
        chunk(r#""content":"a\ud83d""#),
        chunk(r#""reasoning":"b""#),
        end,
    ]
    .concat();
    assert_eq!(read(&lone).message.parts.len(), 2);
    let whole = r#"{"choices":[{"message":{"content":["a\ud83d",{"text":"\ude00"}]}}]}"#;
    assert_eq!(read(whole).text(), "a😀");
}

#[test]
fn nesting_without_end_is_refused() {
    for (open, close) in [
        ("{\"choices\":[", "]}"),
        ("[{\"text\":", "}]"),
        ("{\"x\":", "}"),
    ] {
        for levels in [200, 4_400, 100_000] {
            let deep = format!("{}1{}", open.repeat(levels), close.repeat(levels));
            let json = match open.starts_with('[') {
                true => format!("{{\"choices\":[{{\"message\":{{\"content\":{deep}}}}}]}}"),
                false => deep,
            };
            for body in [format!("data: {json}\n\n"), json] {
                let (_, error) = cut(&body);
                assert_eq!(error.kind(), ErrorKind::Protocol, "{open} {levels}");
                assert!(error.message().contains("128 deep"), "{error}");
            }
        }
    }
    // Arguments are text, so that their depth is not limited.
    let deep = "[".repeat(10_000);
    let call = json!({"function": {"name": "f", "arguments": deep}});
    let answer = whole(json!({"tool_calls": [call]}));
    assert_eq!(answer.tool_calls().next().unwrap().arguments, deep);
}

#[test]
fn lists_that_are_longer_than_allowed_are_refused() {
    let call = json!({"function": {"name": "f", "arguments": "{}"}});
    let calls =
        |count| json!({"choices": [{"message": {"tool_calls": vec![call.clone(); count]}}]});
    assert_eq!(read(&calls(2048).to_string()).tool_calls().count(), 2048);
    let parts = vec![json!([{"text": "a"}, {"thinking": "b"}]); 1025];
    for body in [
        calls(2049),
        json!({"choices": [{"message": {"content": parts}}]}),
    ] {
        let (_, error) = cut(&body.to_string());
        assert_eq!(error.kind(), ErrorKind::ResponseTooLarge, "{error}");
    }
    let chunk = delta(json!({"tool_calls": [{"function": {"name": "f"}}]}));
    let (_, error) = cut(&sse(&vec![chunk; 2049], false));
    assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
    // Adjacent texts of the same kind become one part.
    let many = vec![json!({"text": "a"}); 10_000];
    assert_eq!(whole(json!({"content": many})).text().len(), 10_000);
    // Choices and unknown fields beyond the limit are skipped.
    let many = vec![json!({}); 10_000];
    let head = http::Response::new(()).into_parts().0;
    let mut decoder = OpenAiChat::default().decoder(&head, Mode::Whole, Caps::default());
    decoder.feed(json!({"choices": many}).to_string().into());
    decoder.end();
    while decoder.next_event().unwrap().is_some() {}
    assert_eq!(decoder.skipped(), 9_999);
    let mut fields: serde_json::Map<_, _> = (0..5_000)
        .map(|name| (name.to_string(), json!(1)))
        .collect();
    fields.insert("choices".into(), json!([{"message": {"content": "a"}}]));
    let answer = read(&Value::Object(fields).to_string());
    assert_eq!((&*answer.text(), answer.extra.len()), ("a", 1024));
}
