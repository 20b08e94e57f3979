//! Errors in an answer, and bodies that are no answer.

use super::*;

#[test]
fn errors_in_a_stream() {
    let begun = sse(&[delta(json!({"content": "a"}))], false);
    for (more, kind, message) in [
        (
            r#"data: {"error": {"message": "busy", "type": "overloaded_error"}}"#,
            ErrorKind::Overloaded,
            "busy",
        ),
        (
            r#"data: {"id": "x", "error": {"code": 502, "message": "gone"},
data: "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}"#,
            ErrorKind::Server,
            "gone",
        ),
        (r#"data: {"error": "slow"}"#, ErrorKind::Server, "slow"),
        (
            r#"data: {"object": "error", "message": "too long", "type": "invalid_request_error"}"#,
            ErrorKind::BadRequest,
            "too long",
        ),
        (
            "event: error\ndata: {\"message\": \"no\", \"code\": 429}",
            ErrorKind::RateLimited,
            "no",
        ),
        (
            "event: error\ndata: it broke",
            ErrorKind::Server,
            "it broke",
        ),
        (
            r#"data: {"choices": [], "x_groq": {"error": "stopped early"}}"#,
            ErrorKind::Server,
            "stopped early",
        ),
    ] {
        let body = format!("{begun}{more}\n\n");
        let (events, error) = events([body.as_bytes()]).unwrap_err();
        assert_eq!(error.kind(), kind, "{more}: {error}");
        assert_eq!(error.message(), message, "{more}");
        assert!(error.is_in_stream(), "{more}");
        assert_eq!(fold(events).text(), "a", "{more}");
    }
}

#[test]
fn an_error_under_a_good_status_is_an_error() {
    let error = failed(r#"{"error": {"message": "no money", "code": "insufficient_quota"}}"#);
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
    assert_eq!(error.status().unwrap().as_u16(), 200);
}

#[test]
fn what_is_not_of_the_dialect_is_shown() {
    for body in [
        "data: {\"a\": \n\n",
        "data: nonsense\n\n",
        "{}",
        "{\"choices\": []}",
    ] {
        let error = failed(body);
        assert!(
            matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Truncated),
            "{body}: {error:?}"
        );
        assert!(error.body().is_some(), "{body}");
    }
}
