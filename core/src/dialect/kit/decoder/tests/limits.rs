//! Texts, values and caps.

use super::*;

#[test]
fn bytes_that_are_not_utf_8_are_replaced() {
    let body = [b"data: {\"text\":\"a\xffb\"}\n\n", END.as_bytes()].concat();
    assert_eq!(one(200, &body).unwrap(), ["a\u{fffd}b"]);
    let whole = one(200, b"{\"a\": \"\xff\"}").unwrap();
    assert_eq!(whole, ["whole {\"a\": \"\u{fffd}\"}"]);
}

#[test]
fn half_a_character_waits_for_its_other_half() {
    let piece = |json: &str| json::Reader::new(json).piece().unwrap().into_owned();
    let mut out = Output::default();
    out.say(Prose::Text, piece(r#""a\ud83d""#));
    out.say(Prose::Text, piece("\"\""));
    out.push(ChatEvent::Usage(crate::chat::Usage::default()));
    out.say(Prose::Text, piece(r#""\ude00b\ud83d""#));
    out.say(Prose::Reasoning, piece(r#""c\ud83d""#));
    out.push(ChatEvent::PartEnd);
    let said: Vec<_> = out
        .events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::Text(text) => Some(format!("t {text}")),
            ChatEvent::Reasoning(text) => Some(format!("r {text}")),
            ChatEvent::PartEnd => Some("end".to_owned()),
            _ => None,
        })
        .collect();
    let lone = char::REPLACEMENT_CHARACTER;
    let expected = [
        "t a",
        "t 😀b",
        &format!("t {lone}"),
        "r c",
        &format!("r {lone}"),
        "end",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_value_that_would_take_too_much_memory_stays_text() {
    let mut out = Output::default();
    out.begin_event();
    let dense = format!("[{}0]", "0,".repeat(10_000));
    assert_eq!(out.value(&dense), Value::String(dense.clone()));
    let list = format!("[{}0]", "123456,".repeat(10_000));
    assert_eq!(out.value(&list).as_array().unwrap().len(), 10_001);
    // A small value always fits.
    assert_eq!(out.value("[0,0]"), json::parse("[0,0]").unwrap());
}

#[test]
fn caps_hold() {
    let caps = Caps {
        event: 40,
        body: 100,
        error_body: 8,
    };
    let long = format!("data: {{\"text\":\"{}\"}}\n\n", "x".repeat(40));
    for pieces in [
        vec![long.as_bytes()],
        vec![A.as_bytes(); 10],
        vec![b"{          "; 10],
    ] {
        let error = read(200, caps, pieces).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
    }
}

#[test]
fn an_error_without_end_is_cut_and_not_awaited() {
    let caps = Caps {
        error_body: 8,
        ..Caps::default()
    };
    let head = http::Response::builder().status(500).body(()).unwrap();
    let mut answer = AnswerDecoder::new(&head.into_parts().0, caps, Small::default());
    answer.feed(Bytes::from_static(b"1234"));
    assert_eq!(answer.next_event().unwrap(), None);
    answer.feed(Bytes::from_static(b"567890"));
    let error = answer.next_event().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(error.body(), Some("12345678"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_no_split_makes_a_difference(
        status in prop::sample::select(vec![200_u16, 204, 302, 400, 429, 500]),
        body in "(data: |error: |event: |x|\\{\"text\":\"a\"\\}|\\{\"stop\":true\\}|\\[DONE\\]|\n|\n\n|\r\n|:|\\{|\\}|<p>| |\u{feff}|é){0,20}",
        at in any::<prop::sample::Index>(),
    ) {
        let told = |answer: Result<Vec<String>, Error>| answer.map_err(|error| {
            (error.kind(), error.message().to_owned())
        });
        let body = body.as_bytes();
        // A BOM in a chunk of its own begins a stream, whatever follows.
        prop_assume!(!body.trim_ascii_start().starts_with("\u{feff}".as_bytes()));
        let (left, right) = body.split_at(at.index(body.len() + 1));
        let whole = told(one(status, body));
        let split = told(read(status, Caps::default(), [left, right]));
        // The text shown in the error may differ.
        match (&whole, &split) {
            (Err((kind, _)), Err((same, _))) => prop_assert_eq!(kind, same),
            (whole, split) => prop_assert_eq!(whole, split),
        }
    }
}
