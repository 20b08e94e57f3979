//! How an answer ends.

use super::*;

fn incomplete(reason: &str) -> Value {
    json!({"type": "response.incomplete", "response": {"status": "incomplete",
        "incomplete_details": {"reason": reason}, "output": []}})
}

#[test]
fn the_reasons_of_an_incomplete_response() {
    for (reason, expected) in [
        ("max_output_tokens", FinishReason::Length),
        ("content_filter", FinishReason::ContentFilter),
        ("new", FinishReason::Other("new".into())),
    ] {
        let answer = stream(&[text(0, "a"), incomplete(reason)]);
        assert_eq!(answer.finish_reason, Some(expected.clone()));
        assert_eq!(answer.finish_reason_raw, reason);
        assert_eq!(answer.text(), "a");
        let response = json!({"status": "incomplete", "incomplete_details": {"reason": reason},
            "output": [message("m", "a")]});
        assert_eq!(whole(&response).finish_reason, Some(expected));
    }
    // A call that was cut off may have no name.
    let answer = stream(&[arguments(0, "{"), incomplete("max_output_tokens")]);
    assert_eq!(answer.finish_reason, Some(FinishReason::Length));
}

#[test]
fn a_response_that_is_not_ready_says_so() {
    let answer = whole(&json!({"id": "r", "status": "queued", "output": []}));
    assert_eq!(
        answer.finish_reason,
        Some(FinishReason::Other("queued".into()))
    );
    assert_eq!(answer.id, "r");
}

#[test]
fn nothing_follows_the_end() {
    let all = [
        done(0, message("m", "a")),
        completed(json!([])),
        json!({"type": "error", "message": "late"}),
        text(0, "b"),
    ];
    assert_eq!(stream(&all).text(), "a");
    let (body, mut decoder) = (sse(&all[..2]), decoder());
    decoder.feed(body.into());
    while decoder.next_event().unwrap().is_some() {}
    assert!(decoder.is_done(), "no `[DONE]` is needed");
}

#[test]
fn an_end_before_the_terminal_event_is_a_cut() {
    let (partial, error) = failed(&[
        added(0, message("m", "")),
        text(0, "Hel"),
        text(1, "lo"),
        added(2, call("c", "")),
        arguments(2, "{"),
    ]);
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert_eq!(partial.text(), "Hello");
    assert_eq!(calls(&partial), [("c", "{")]);
    let (partial, error) = failed(&[]);
    assert_eq!(
        (error.kind(), partial.message.parts.len()),
        (ErrorKind::Truncated, 0)
    );
    assert_eq!(
        events([&b"data: [DONE]\n\n"[..]]).unwrap_err().1.kind(),
        ErrorKind::Truncated
    );
}

#[test]
fn a_proxys_word_for_the_end_is_one() {
    let body = sse(&[done(0, message("m", "a"))]) + "data: [DONE]\n\n";
    let answer = fold(events([body.as_bytes()]).unwrap());
    assert_eq!((&*answer.text(), &*answer.finish_reason_raw), ("a", ""));
}

#[test]
fn a_terminal_event_whose_json_is_broken_ends_the_answer() {
    let mut body = sse(&[done(0, call("c", "{}"))]);
    body.push_str("data: {\"type\":\"response.completed\",\"response\":{\"output\":[]}\n\n");
    let answer = fold(events([body.as_bytes()]).unwrap());
    assert_eq!(answer.finish_reason, Some(FinishReason::ToolCalls));
    assert_eq!(answer.finish_reason_raw, "");
    let body = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\n\n";
    assert_eq!(
        events([body.as_bytes()]).unwrap_err().1.kind(),
        ErrorKind::Truncated
    );
}

#[test]
fn errors_of_a_stream() {
    let bare = json!({"type": "error", "code": "rate_limit_exceeded", "message": "Slow down",
        "param": null, "sequence_number": 3});
    let nested = json!({"type": "error", "error": {"type": "rate_limit_error",
        "code": "rate_limit_exceeded", "message": "Slow down", "param": null}});
    let failure = json!({"type": "response.failed", "response": {"id": "r", "status": "failed",
        "error": {"code": "rate_limit_exceeded", "message": "Slow down"}, "output": []}});
    for all in [
        vec![text(0, "a"), bare.clone()],
        vec![text(0, "a"), nested],
        vec![text(0, "a"), failure.clone()],
        // The server sends the same error twice.
        vec![text(0, "a"), bare, failure],
    ] {
        let (partial, error) = failed(&all);
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{all:?}");
        assert_eq!(error.message(), "Slow down");
        assert_eq!(error.code(), Some("rate_limit_exceeded"));
        assert!(error.is_in_stream());
        assert_eq!(partial.text(), "a");
    }
    let named =
        "event: error\ndata: {\"type\":\"error\",\"message\":\"m\",\"code\":\"server_error\"}\n\n";
    let (_, error) = events([named.as_bytes()]).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Server, "m"));
    let (_, error) = failed(&[json!({"type": "response.failed"})]);
    assert_eq!(error.kind(), ErrorKind::Server);
    let (_, error) = failed(&[json!({"error": {"message": "no", "code": 401}})]);
    assert_eq!(error.kind(), ErrorKind::Auth);
}

#[test]
fn errors_of_a_whole_answer() {
    let told = |body: Value| events([body.to_string().as_bytes()]).unwrap_err().1;
    let error = told(json!({"id": "r", "status": "failed", "output": [],
        "error": {"code": "insufficient_quota", "message": "No money"}}));
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::QuotaExceeded, "No money")
    );
    let error = told(json!({"error": {"message": "no", "type": "invalid_request_error"}}));
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert_eq!(
        told(json!({"message": "no such thing"})).message(),
        "no such thing"
    );
    assert_eq!(told(json!({"choices": []})).kind(), ErrorKind::Protocol);
}
