//! Events, errors and ends.

use super::*;

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
        // Nothing that follows a complete answer invalidates it.
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
        "data: {\"text\":\"a\"} 1 [] {\"text\":\"b\"} [DONE]\n\n",
    ] {
        for is_strict in [false, true] {
            let dialect = Small {
                is_strict,
                ..Small::default()
            };
            let pieces = [body.as_bytes()];
            let told = tell_of(dialect, 200, HeaderMap::new(), Caps::default(), pieces);
            assert!(told.error.is_none(), "{body:?}: {:?}", told.error);
            assert_eq!(told.texts, ["a", "b"], "{body:?}");
        }
    }
    let error = stream("data: {\"error\":{\"message\":\"no\"}} [DONE]\n\n").error;
    assert_eq!(error.unwrap().message(), "no");
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
