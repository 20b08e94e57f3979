//! A small dialect, in what all have in common.

use http::{HeaderMap, HeaderValue, StatusCode};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::dialect::kit::failure;
use crate::dialect::kit::read::not_of;
use crate::error::ErrorKind;
use crate::json;

/// Events are `{"text": …}`, `{"stop": true}`, after which the answer is complete, and
/// `{"end": true}`, the terminal event. A whole answer is a text of its own.
#[derive(Debug, Default)]
struct Small {
    is_complete: bool,
}

impl Assemble for Small {
    fn name(&self) -> &'static str {
        "small"
    }

    fn knows(&self, name: &[u8]) -> bool {
        name.is_empty() || name == b"x"
    }

    fn event(&mut self, _: &[u8], data: &str, out: &mut Output) -> Result<(), Error> {
        let value = json::parse(data).map_err(|error| not_of("small", data, error))?;
        if value.get("error").is_some() {
            return Err(failure::in_stream(&value, data));
        }
        self.is_complete |= value["stop"] == true;
        out.is_last |= value["end"] == true;
        if let Some(text) = value["text"].as_str() {
            out.say(Prose::Text, text.into());
        }
        Ok(())
    }

    fn marker(&mut self, out: &mut Output) {
        out.is_last = true;
        self.is_complete = true;
    }

    fn whole(&mut self, body: &str, out: &mut Output) -> Result<(), Error> {
        let value = json::parse(body).map_err(|error| not_of("small", body, error))?;
        if value.get("error").is_some() {
            return Err(failure::in_stream(&value, body));
        }
        let text = format!("whole {body}");
        out.say(Prose::Text, (&*text).into());
        self.is_complete = true;
        Ok(())
    }

    fn end(&mut self, out: &mut Output) -> Result<(), Error> {
        if !self.is_complete && !out.is_last {
            return Err(Error::new(ErrorKind::Truncated, "cut"));
        }
        out.done = true;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.is_complete
    }
}

/// The texts of an answer, and what it ended with.
struct Told {
    texts: Vec<String>,
    skipped: u32,
    error: Option<Error>,
}

fn tell<'a>(
    status: u16,
    headers: HeaderMap,
    caps: Caps,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Told {
    let mut head = http::Response::builder().status(status).body(()).unwrap();
    *head.headers_mut() = headers;
    let mut answer = AnswerDecoder::new(&head.into_parts().0, caps, Small::default());
    let mut texts = Vec::new();
    let mut pieces = pieces.into_iter();
    let error = loop {
        match answer.next_event() {
            Ok(Some(event)) => texts.extend(event.as_text().map(str::to_owned)),
            Ok(None) if answer.is_done() => break None,
            Ok(None) => match pieces.next() {
                Some(piece) => answer.feed(Bytes::copy_from_slice(piece)),
                None => answer.end(),
            },
            Err(error) => break Some(error),
        }
    };
    Told {
        texts,
        skipped: answer.skipped(),
        error,
    }
}

fn read<'a>(
    status: u16,
    caps: Caps,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<String>, Error> {
    let told = tell(status, HeaderMap::new(), caps, pieces);
    told.error.map_or(Ok(told.texts), Err)
}

fn one(status: u16, body: &[u8]) -> Result<Vec<String>, Error> {
    read(status, Caps::default(), [body])
}

fn stream(body: &str) -> Told {
    tell(200, HeaderMap::new(), Caps::default(), [body.as_bytes()])
}

const A: &str = "data: {\"text\":\"a\"}\n\n";
const STOP: &str = "data: {\"stop\":true}\n\n";
const END: &str = "data: {\"end\":true}\n\n";

#[test]
fn the_first_byte_tells_a_stream_from_a_whole_answer() {
    for before in [
        "",
        ": hi\n\n",
        "event: x\n",
        "id: 1\n",
        "retry: 1\n",
        "\u{feff}",
        "\n\n",
    ] {
        let body = format!("{before}{A}{END}");
        assert_eq!(one(200, body.as_bytes()).unwrap(), ["a"], "{body:?}");
    }
    for (body, expected) in [
        ("{}", "whole {}"),
        ("\n\n \r\n{}\n", "whole {}"),
        ("\u{feff}{}", "whole {}"),
        ("{\n\"a\": {\n}\n}", "whole {\n\"a\": {\n}\n}"),
    ] {
        assert_eq!(one(200, body.as_bytes()).unwrap(), [expected], "{body:?}");
    }
}

#[test]
fn lines_without_framing_are_events() {
    let body = "{\"text\":\"a\"}\n\n \n{\"text\":\"b\"}\r\n{\"end\":true}\n";
    assert_eq!(one(200, body.as_bytes()).unwrap(), ["a", "b"]);
}

#[test]
fn a_terminal_event_ends_the_answer() {
    let body = format!("{A}{END}");
    let pieces = [body.as_bytes(), b"data: {\"text\":\"b\"}\n\n"];
    assert_eq!(read(200, Caps::default(), pieces).unwrap(), ["a"]);
    let told = stream(A);
    let cut = told.error.unwrap();
    assert_eq!((told.texts.len(), cut.kind()), (1, ErrorKind::Truncated));
    assert_eq!(cut.status(), Some(StatusCode::OK));
}

#[test]
fn an_answer_that_is_cut_before_its_first_event_is_truncated() {
    for body in [
        "",
        "\n\n \n",
        ": hi\n\n: hi\n\n",
        "data: {\"te",
        "data: {\"te\n",
        "event: x\n",
        "da",
        "\u{feff}",
        "event: ping\ndata: {}\n\n",
        "retry: 10\n\n",
    ] {
        let error = one(200, body.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated, "{body:?}: {error}");
        assert!(error.is_retryable(), "{body:?}");
    }
}

#[test]
fn what_is_no_answer_says_what_it_is() {
    assert_eq!(one(200, b"{\xff}").unwrap_err().kind(), ErrorKind::Protocol);
    for (status, body, why) in [
        (204, "", "is empty"),
        (
            200,
            "<html><head><title>Sign in</title>",
            "a web page: Sign in",
        ),
        (200, "not found", "neither JSON nor an event stream"),
        // The first byte could be that of a field.
        (200, "invalid path", "invalid path"),
        (200, "data missing\n", "data missing"),
        (200, "[DONE]", "[DONE]"),
        (200, "[1]", "[1]"),
    ] {
        let error = one(status, body.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{body:?}");
        assert!(error.message().contains(why), "{body:?}: {error}");
        assert_eq!(error.status().unwrap().as_u16(), status, "{body:?}");
    }
}

#[test]
fn errors_beside_the_standard_are_the_servers() {
    let json = r#"{"error":{"code":429,"message":"slow"}}"#;
    for (error, kind, message) in [
        (format!("error: {json}\n\n"), ErrorKind::RateLimited, "slow"),
        (
            format!("error: {json}\ndata: [DONE]\n\n"),
            ErrorKind::RateLimited,
            "slow",
        ),
        (
            format!("event: error\ndata: {json}\n\n"),
            ErrorKind::RateLimited,
            "slow",
        ),
        (format!("{json}\n"), ErrorKind::RateLimited, "slow"),
        (
            format!("{json}\ndata: [DONE]\n\n"),
            ErrorKind::RateLimited,
            "slow",
        ),
        (json.replace(',', ",\n"), ErrorKind::RateLimited, "slow"),
        (
            "event: error\ndata: upstream gone\n\n".into(),
            ErrorKind::Server,
            "upstream gone",
        ),
        (
            "event: error\ndata: upstream gone".into(),
            ErrorKind::Server,
            "upstream gone",
        ),
        (
            "error: no backend\n".into(),
            ErrorKind::Server,
            "no backend",
        ),
        (
            "data: [{\"error\":{\"message\":\"no\"}}]\n\n".into(),
            ErrorKind::Server,
            "no",
        ),
    ] {
        for begun in ["", A] {
            let told = stream(&format!("{begun}{error}"));
            let found = told.error.unwrap();
            assert_eq!(found.kind(), kind, "{error}: {found}");
            assert_eq!(found.message(), message, "{error}");
            assert!(found.is_in_stream(), "{error}");
            assert_eq!(told.texts.len(), usize::from(!begun.is_empty()), "{error}");
        }
        // Nothing that follows a finished answer undoes it.
        assert!(
            stream(&format!("{A}{STOP}{error}")).error.is_none(),
            "{error}"
        );
    }
}

#[test]
fn what_follows_a_finished_answer_does_not_undo_it() {
    let caps = Caps {
        event: 1000,
        body: 4000,
        ..Caps::default()
    };
    for after in [
        "",
        "data: [done]\n\n",
        "data: \"[DONE]\"\n\n",
        "data: nonsense\n\n",
        "data: {\"a\":\n\n",
        "<html>\n\n",
        "data: 1\n\n",
        "\u{0}\u{1}\n",
        &format!("data: {}\n\n", "x".repeat(2000)),
        &"data: {}\n\n".repeat(1000),
    ] {
        let body = format!("{A}{STOP}{after}");
        let told = tell(200, HeaderMap::new(), caps, body.as_bytes().chunks(100));
        assert!(told.error.is_none(), "{after:?}: {:?}", told.error);
        assert_eq!(told.texts, ["a"], "{after:?}");
        let told = tell(200, HeaderMap::new(), caps, [A, after].map(str::as_bytes));
        let is_end = after.to_ascii_lowercase().contains("[done]");
        assert_eq!(told.error.is_none(), is_end, "{after:?}");
    }
}

#[test]
fn keep_alives_mean_nothing_whatever_is_in_them() {
    for (event, skipped) in [
        ("event: ping\ndata:\n\n", 0),
        ("event: ping\ndata: 2026-01-02 03:04:05.678901\n\n", 0),
        ("event: ping\ndata: {\"error\": 1}\n\n", 0),
        ("event: keep-alive\ndata: {\n\n", 0),
        ("data:\n\n", 0),
        ("data: ping\n\n", 0),
        ("event: status\ndata: waiting\n\n", 1),
        ("event: status\ndata: {\"a\n\n", 1),
        ("data: 1\n\n", 1),
        ("data: []\n\n", 1),
    ] {
        let told = stream(&format!("{event}{A}{event}{END}"));
        assert!(told.error.is_none(), "{event:?}: {:?}", told.error);
        assert_eq!((told.texts, told.skipped), (vec!["a".into()], 2 * skipped));
    }
    for event in ["event: x\ndata: waiting\n\n", "data: waiting\n\n"] {
        let error = stream(&format!("{event}{A}{END}")).error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{event:?}");
        assert!(error.message().contains("small"), "{error}");
    }
}

#[test]
fn several_events_in_one_are_that_many() {
    for body in [
        "data: {\"text\":\"a\"}\ndata: {\"text\":\"b\"}\ndata: {\"end\":true}\n\n",
        "data: {\"text\":\"a\"}\ndata: {\"text\":\"b\"}\ndata: [DONE]\n",
        "data: {\"text\":\ndata: \"a\"}\ndata: {\"text\":\"b\"}\ndata: [DONE]\n\n",
        "data: {\"text\":\"a\"}{\"text\":\"b\"} [DONE]\n\n",
    ] {
        let told = stream(body);
        assert!(told.error.is_none(), "{body:?}: {:?}", told.error);
        assert_eq!(told.texts, ["a", "b"], "{body:?}");
    }
    let many = format!("data: {}[DONE]\n\n", "{} ".repeat(200_000));
    assert!(stream(&many).error.is_none());
}

#[test]
fn the_last_event_may_lack_its_empty_line() {
    for end in [
        "data: {\"end\":true}",
        "data: {\"stop\":true}\n",
        "data: [DONE]",
    ] {
        assert!(stream(&format!("{A}{end}")).error.is_none(), "{end}");
    }
    let cut = stream(&format!("{A}data: {{\"end\":tru")).error.unwrap();
    assert_eq!(cut.kind(), ErrorKind::Truncated);
}

#[test]
fn compressed_answers_are_named() {
    let coded = |coding: &'static str| {
        HeaderMap::from_iter([(
            http::header::CONTENT_ENCODING,
            HeaderValue::from_static(coding),
        )])
    };
    let gzip = b"\x1f\x8b\x08\x00\x00".as_slice();
    for (headers, body, coding) in [
        (coded("gzip"), gzip, "gzip"),
        (HeaderMap::new(), gzip, "gzip"),
        (coded("br"), b"\x8b\x02\x80{}\x03", "br"),
        (coded("zstd"), b"\x28\xb5\x2f\xfd\x04", "zstd"),
    ] {
        let told = tell(200, headers.clone(), Caps::default(), [body]);
        let error = told.error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        let named = format!("content-encoding {coding}");
        assert!(error.message().contains(&named), "{error}");
        let error = tell(500, headers, Caps::default(), [body]).error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Server);
        assert!(error.message().contains(coding), "{error}");
    }
    // A browser decodes the body and leaves the header.
    let told = tell(200, coded("gzip"), Caps::default(), [b"{}".as_slice()]);
    assert_eq!(told.texts, ["whole {}"]);
    let told = tell(
        200,
        coded("br"),
        Caps::default(),
        [A, END].map(str::as_bytes),
    );
    assert_eq!(told.texts, ["a"]);
}

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
    // A small one always fits.
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
        // A BOM that comes alone begins a stream, whatever follows.
        prop_assume!(!body.trim_ascii_start().starts_with("\u{feff}".as_bytes()));
        let (left, right) = body.split_at(at.index(body.len() + 1));
        let whole = told(one(status, body));
        let split = told(read(status, Caps::default(), [left, right]));
        // What is shown of an answer that is none may differ.
        match (&whole, &split) {
            (Err((kind, _)), Err((same, _))) => prop_assert_eq!(kind, same),
            (whole, split) => prop_assert_eq!(whole, split),
        }
    }
}
