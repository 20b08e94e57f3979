use proptest::prelude::*;

use bytes::Bytes;

use super::*;

fn events<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<(String, String)> {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    let mut sse = Sse::new(1 << 20);
    let mut events = Vec::new();
    for piece in pieces {
        sse.feed(Bytes::copy_from_slice(piece));
        while let Some(event) = sse.next_event().unwrap() {
            events.push((text(&event.name), text(&event.data)));
        }
    }
    events
}

fn data(input: &str) -> Vec<String> {
    let events = events([input.as_bytes()]).into_iter();
    events.map(|(_, data)| data).collect()
}

#[test]
fn the_rules() {
    for (input, expected) in [
        ("data: a\n\n", &["a"][..]),
        ("data:a\r\rdata:b\r\n\r\n", &["a", "b"]),
        ("data: a\ndata:  b\n\n", &["a\n b"]),
        ("data\ndata\n\n", &["\n"]),
        ("data\n\n", &[""]),
        (": keep-alive\n\ndata: a\n\n", &["a"]),
        ("\u{feff}data: a\n\n", &["a"]),
        ("\u{feff}\u{feff}data: a\n\ndata: b\n\n", &["b"]),
        ("event: x\n\ndata: a\n\n", &["a"]),
        ("data: a", &[]),
        ("data: a\n", &[]),
        ("Data: a\nfoo: b\nid: 1\nretry: 2\n\n", &[]),
    ] {
        assert_eq!(data(input), expected, "{input:?}");
    }
    let mut sse = Sse::new(100);
    assert!(!sse.is_pending());
    for (input, is_pending, retry) in [
        ("retry: 10\n", false, Some(10)),
        (
            "retry: x\nretry\nretry: 99999999999999999999\n",
            false,
            Some(10),
        ),
        ("event: a\n", true, Some(10)),
        ("\n", false, Some(10)),
        ("data", true, Some(10)),
        (": 1\n", true, Some(10)),
    ] {
        sse.feed(input.into());
        assert_eq!(sse.next_event().unwrap(), None);
        assert_eq!(sse.is_pending(), is_pending, "{input:?}");
        assert_eq!(sse.retry(), retry.map(Duration::from_millis), "{input:?}");
    }
    sse.feed("id: 1\n\ndata\nid: 2\0\n\n".into());
    let event = sse.next_event().unwrap().unwrap();
    assert_eq!(event.data, "1");
    let event = sse.next_event().unwrap().unwrap();
    assert_eq!((&event.id[..], &event.data[..]), (&b"1"[..], &b""[..]));
    let named = events([&b"event: ping\ndata: 1\n\ndata: 2\n\n"[..]]);
    let named: Vec<_> = named.iter().map(|(n, d)| (&n[..], &d[..])).collect();
    assert_eq!(named, [("ping", "1"), ("", "2")]);
}

#[test]
fn a_line_end_split_in_two_is_one() {
    assert_eq!(
        events([&b"data: a\r"[..], b"\n\r", b"\ndata: b\r\n\r\n"]).len(),
        2
    );
}

#[test]
fn lines_and_events_are_capped() {
    for input in [
        "data: too long for this\n\n".to_owned(),
        "x".repeat(17),
        "data: 12345678\n".repeat(3),
    ] {
        let mut sse = Sse::new(16);
        sse.feed(input.clone().into());
        let error = sse.next_event().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResponseTooLarge, "{input}");
    }
}

#[test]
fn what_lies_in_one_chunk_is_not_copied() {
    let chunk = Bytes::from_static(b"data: 0123456789\n\n");
    let mut sse = Sse::new(100);
    sse.feed(chunk.clone());
    let event = sse.next_event().unwrap().unwrap();
    assert_eq!(event.data.as_ptr(), chunk[6..].as_ptr());
}

#[test]
fn a_line_takes_work_by_its_length_in_whatever_pieces_it_comes() {
    let size = 8 << 20;
    for piece in [1, 1024, 64 * 1024] {
        let mut sse = Sse::new(size + 64);
        sse.feed(Bytes::from_static(b"data:"));
        let bytes = Bytes::from(vec![b'x'; piece]);
        for _ in 0..size / piece {
            sse.feed(bytes.clone());
            assert_eq!(sse.next_event().unwrap(), None);
        }
        sse.feed(Bytes::from_static(b"\n\n"));
        assert_eq!(sse.next_event().unwrap().unwrap().data.len(), size);
        // Each byte is read once, copied once, and copied at most twice more as the buffer grows.
        assert!(sse.work <= 5 * size, "{} in pieces of {piece}", sse.work);
    }
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(
        input in "(data|event|id|:|: |x|\r|\n|\r\n|\n\n|é|\u{feff}){0,40}",
        cuts in prop::collection::vec(0..200_usize, 0..8),
    ) {
        let bytes = input.as_bytes();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([bytes.len()]) {
            pieces.push(&bytes[from..cut]);
            from = cut;
        }
        let whole = events([bytes]);
        prop_assert_eq!(&events(pieces), &whole);
        prop_assert_eq!(&events(bytes.chunks(1)), &whole);
    }
}

/// The events of a lenient reader, including those left at the end.
fn lenient<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<(String, String)> {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    let mut sse = Sse::lenient(1 << 20);
    let mut events = Vec::new();
    for piece in pieces {
        sse.feed(Bytes::copy_from_slice(piece));
        while let Some(event) = sse.next_event().unwrap() {
            events.push((text(&event.name), text(&event.data)));
        }
    }
    while let Some(event) = sse.rest().unwrap() {
        events.push((text(&event.name), text(&event.data)));
    }
    events
}

#[test]
fn what_comes_beside_the_standard() {
    for (input, expected) in [
        // The field `error`.
        ("error: {\"a\":1}\n\n", &[("error", "{\"a\":1}")][..]),
        (
            "data: {}\nerror: x\ndata: y\n\n",
            &[("", "{}"), ("error", "x"), ("", "y")],
        ),
        // JSON without a field, in one line and in several.
        ("data: a\n\n{\"b\":1}\n", &[("", "a"), ("", "{\"b\":1}")]),
        (
            "{\n\"b\": 1\n}\n\ndata: c\n\n",
            &[("", "{\n\"b\": 1\n}"), ("", "c")],
        ),
        ("{\n}\ndata: [DONE]\n\n", &[("", "{\n}"), ("", "[DONE]")]),
        (
            "data: a\n{\n}\ndata: b\n\n",
            &[("", "a"), ("", "{\n}"), ("", "b")],
        ),
        // Events without empty lines between them.
        (
            "data: {}\ndata: {\"a\":1}\ndata: [DONE]\n",
            &[("", "{}"), ("", "{\"a\":1}"), ("", "[DONE]")],
        ),
        (
            "event: x\ndata: {}\ndata: {}\n\ndata: {}\n\n",
            &[("x", "{}"), ("x", "{}"), ("", "{}")],
        ),
        (
            "event: x\ndata: {}\nevent: y\ndata: {}\nid: 1\ndata: {\"a\":1}\n",
            &[("x", "{}"), ("y", "{}"), ("y", "{\"a\":1}")],
        ),
        (
            "data: {}\nevent: x\n\ndata: {}\n\n",
            &[("", "{}"), ("", "{}")],
        ),
        // A name after its data.
        ("data: a\nevent: x\n\n", &[("x", "a")]),
        // Lines of one event.
        ("data: {\"a\":\ndata: 1}\n\n", &[("", "{\"a\":\n1}")]),
        ("data: a\ndata: b\n\n", &[("", "a\nb")]),
        // Events without their empty line at the end.
        ("data: a", &[("", "a")]),
        ("event: x\ndata: a\n", &[("x", "a")]),
        ("{\"a\":", &[("", "{\"a\":")]),
        ("event: x\n", &[]),
        // Lines that are ignored.
        ("foo: bar\nbaz\n: hi\n\n", &[]),
    ] {
        let events = lenient([input.as_bytes()]);
        let events: Vec<_> = events.iter().map(|(n, d)| (&n[..], &d[..])).collect();
        assert_eq!(events, expected, "{input:?}");
    }
}

#[test]
fn fields_are_told_from_other_text() {
    for (input, is_regular) in [
        ("", true),
        ("da", true),
        ("data: {", true),
        (": hi\n\n", true),
        ("retry", true),
        ("invalid", false),
        ("data later: a", false),
        ("foo\n", false),
    ] {
        let mut sse = Sse::lenient(100);
        sse.feed(input.into());
        assert_eq!(sse.next_event().unwrap(), None);
        assert_eq!(sse.is_regular(), is_regular, "{input:?}");
    }
}

#[test]
fn lines_without_an_empty_one_take_work_by_their_length() {
    // Each line of one value is read once, however many lines there are.
    let lines = 200_000;
    let mut sse = Sse::lenient(16 << 20);
    let input = format!("data: [\n{}", "data: 1,\n".repeat(lines));
    let size = input.len();
    sse.feed(input.into());
    assert_eq!(sse.next_event().unwrap(), None);
    assert!(sse.work <= 2 * size, "{} of {size}", sse.work);
}

proptest! {
    #[test]
    fn any_split_gives_the_same_lenient_events(
        input in "(data: |error: |event: x|\\{|\\}|\\[DONE\\]|x|\r|\n|\r\n|\n\n|é){0,40}",
        cuts in prop::collection::vec(0..200_usize, 0..8),
    ) {
        let bytes = input.as_bytes();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([bytes.len()]) {
            pieces.push(&bytes[from..cut]);
            from = cut;
        }
        let whole = lenient([bytes]);
        prop_assert_eq!(&lenient(pieces), &whole);
        prop_assert_eq!(&lenient(bytes.chunks(1)), &whole);
    }
}
