//! How an answer begins, and which bodies are no answer.

use super::*;

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
        // The first byte could begin the name of a field.
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
    // A browser decodes the body and leaves the header as it was.
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
