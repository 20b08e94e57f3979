use super::*;

#[test]
fn the_forms_of_one_request_are_read_alike() {
    let whole = r#"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":
        {"model":"m","messages":[{"role":"user","content":"h\u0069"}],"max_tokens":7}}"#;
    let expected = ChatRequest::new([Message::user("hi")])
        .model("m")
        .max_tokens(7);
    for line in [
        whole,
        r#"{"model":"m","prompt":"hi","max_completion_tokens":7}"#,
        r#"{"max_tokens":7,"model":"m","messages":[{"role":"user","content":"hi"}],"seed":null}"#,
    ] {
        assert_eq!(request(line).unwrap(), expected, "{line}");
    }
    assert_eq!(custom_id(whole).unwrap().unwrap(), "a");
    assert_eq!(leading_custom_id(whole), Some("a"));
    assert_eq!(leading_custom_id("{ \"custom_id\" : \"b\"}"), Some("b"));
    for other in [
        "{\"custom_id\":\"\\u0061\"}",
        "{\"prompt\":\"a\"}",
        "{\"custom_id\":\"a",
    ] {
        assert_eq!(leading_custom_id(other), None, "{other}");
    }
    assert_eq!(custom_id(r#"{"prompt":"a"}"#).unwrap(), None);
}

#[test]
fn a_misspelt_field_is_found_before_the_line_runs() {
    for line in [
        r#"{"custom_id":"a","prompt":"x","max_token":1}"#,
        r#"{"custom_id":"a","body":{"messages":[],"max_token":1}}"#,
        r#"{"body" : { "max_token" : 1 }, "custom_id":"a"}"#,
    ] {
        let error = checked_custom_id(line).unwrap_err();
        assert!(error.message().contains("write \"max_tokens\""), "{error}");
        assert_eq!(custom_id(line).unwrap().as_deref(), Some("a"));
    }
    // Names within a field's value are not chatcore's.
    let fine = r#"{"custom_id":"a","body":{"metadata":{"max_token":1},"top_k":2}}"#;
    assert_eq!(checked_custom_id(fine).unwrap().as_deref(), Some("a"));
}

#[test]
fn a_custom_id_that_is_a_number_is_its_text() {
    for (line, id) in [
        (r#"{"custom_id":7,"prompt":"y"}"#, Some("7")),
        (r#"{"prompt":"y","custom_id": -1.5e3 }"#, Some("-1.5e3")),
        (r#"{"custom_id":null,"prompt":"y"}"#, None),
    ] {
        assert_eq!(custom_id(line).unwrap().as_deref(), id, "{line}");
    }
    for value in ["true", "[1]", r#"{"a":1}"#] {
        let line = format!(r#"{{"custom_id":{value},"prompt":"y"}}"#);
        let error = custom_id(&line).unwrap_err();
        assert!(error.message().contains(value), "{error}");
        assert_eq!(error.code(), Some("invalid_line"));
    }
}

#[test]
fn every_field_has_its_place() {
    let read = request(
        r#"{"prompt":"hi","system_prompt":"be brief","temperature":0.5,"top_p":0.9,"seed":-1,
        "stop":"x","reasoning_effort":"low","presence_penalty":1,"n":1,"stream":false,
        "tools":[{"type":"function","function":{"name":"f","strict":true}}],
        "tool_choice":{"type":"function","function":{"name":"f"}},
        "response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"a":1}}}}"#,
    )
    .unwrap();
    assert_eq!(
        read.messages,
        [Message::system("be brief"), Message::user("hi")]
    );
    assert_eq!(
        (read.temperature, read.top_p, read.seed),
        (Some(0.5), Some(0.9), Some(-1))
    );
    assert_eq!(read.stop, ["x"]);
    assert_eq!(read.reasoning_effort, Some(ReasoningEffort::Low));
    assert_eq!(read.extra.len(), 1);
    assert_eq!(read.extra["presence_penalty"], 1);
    assert_eq!(read.tools[0].strict, Some(true));
    assert_eq!(read.tool_choice, Some(ToolChoice::Tool("f".into())));
    let Some(ResponseFormat::JsonSchema { name, schema, .. }) = read.response_format else {
        unreachable!("{:?}", read.response_format);
    };
    assert_eq!((name.as_str(), schema["a"].as_u64()), ("s", Some(1)));
    // Messages with parts and tool calls take the slow path.
    let long = request(
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]},
        {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",
        "function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"c","content":"r"}]}"#,
    )
    .unwrap();
    assert_eq!(long.messages.len(), 3);
    assert_eq!(long.messages[0], Message::user("hi"));
    assert_eq!(long.messages[1].tool_calls().count(), 1);
}

#[test]
fn what_cannot_be_run_says_why() {
    for (line, why) in [
        ("{", "not the JSON"),
        ("[]", "not the JSON"),
        (r#"{"prompt":"a"} x"#, "not the JSON"),
        ("{}", "neither a body"),
        (r#"{"prompt":7}"#, "7 is not a string"),
        (
            r#"{"body":{"messages":[]},"prompt":"a"}"#,
            "beside the body",
        ),
        (
            r#"{"url":"/v1/embeddings","body":{}}"#,
            "only /v1/chat/completions",
        ),
        (r#"{"method":"GET","body":{}}"#, "not POST"),
        (
            r#"{"custom_id":"a","prompt":"a","custom_id":"b"}"#,
            "two custom_ids",
        ),
        (r#"{"body":{"prompt":"a"},"body":{}}"#, "two bodies"),
        (r#"{"body":{"messages":[7]}}"#, "its messages is wrong"),
        (
            r#"{"messages":[{"role":"user","content":"\ud800"}]}"#,
            "its messages is wrong",
        ),
        (r#"{"prompt":"a","stream":true}"#, "stream"),
        (r#"{"prompt":"a","n":2}"#, "one line for each answer"),
        (
            r#"{"prompt":"a","max_tokens":-1}"#,
            "its max_tokens is wrong",
        ),
        (r#"{"prompt":"a","max_token":5}"#, "write \"max_tokens\""),
        (r#"{"promt":"a"}"#, "unknown field \"promt\""),
        (r#"{"messages":[{"content":"a"}]}"#, "no role"),
        (
            r#"{"prompt":"a","tools":[{"type":"web"}]}"#,
            "type function",
        ),
    ] {
        let error = request(line).unwrap_err();
        assert!(error.message().contains(why), "{line}: {error}");
        assert_eq!(error.code(), Some("invalid_line"));
    }
    assert!(custom_id(r#"{"custom_id":-}"#).is_err());
    assert!(custom_id(r#"{"custom_id":"a","body":{"a":}}"#).is_err());
}
