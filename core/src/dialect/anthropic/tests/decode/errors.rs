//! Errors in an answer, and bodies that are no answer.

use super::*;

#[test]
fn errors_inside_a_stream() {
    for (error, kind) in [
        (
            json!({"type": "overloaded_error", "message": "busy"}),
            ErrorKind::Overloaded,
        ),
        (
            json!({"type": "rate_limit_error", "message": "slow"}),
            ErrorKind::RateLimited,
        ),
        (
            json!({"type": "api_error", "message": "oops"}),
            ErrorKind::Server,
        ),
        (
            json!({"type": "timeout_error", "message": "late"}),
            ErrorKind::Server,
        ),
        (
            json!({"type": "invalid_request_error", "message": "no"}),
            ErrorKind::BadRequest,
        ),
        (
            json!({"type": "rate_limit_error", "message": "paid up",
                "details": {"error_code": "enforced_spend_limit_reached"}}),
            ErrorKind::QuotaExceeded,
        ),
    ] {
        let event = json!({"type": "error", "error": error, "request_id": "req_1"});
        let body = sse(&[start(0, json!({"type": "text", "text": "a"})), event]);
        let (partial, told) = failed(&body);
        assert_eq!(partial.text(), "a");
        assert_eq!(told.kind(), kind, "{error}");
        assert_eq!(told.message(), error["message"].as_str().unwrap());
        assert_eq!(told.error_type(), error["type"].as_str());
        assert_eq!(told.request_id(), Some("req_1"));
        assert!(told.is_in_stream());
        assert_eq!(told.status().unwrap(), 200);
    }
    let (_, bare) = failed("data: {\"type\": \"error\"}\n\n");
    assert_eq!(bare.kind(), ErrorKind::Server);
}

#[test]
fn errors_by_status() {
    let told = |status: u16, error: Value| {
        let head = http::Response::builder().status(status).body(()).unwrap();
        let head = head.into_parts().0;
        let mut decoder = Anthropic::default().decoder(&head, Mode::Stream, Caps::default());
        let body = json!({"type": "error", "error": error}).to_string();
        events(&mut *decoder, [body.as_bytes()]).unwrap_err().1
    };
    let error = |kind: &str| json!({"type": kind, "message": "m"});
    for (status, kind, expected, retried) in [
        (401, "authentication_error", ErrorKind::Auth, false),
        (403, "permission_error", ErrorKind::Auth, false),
        (404, "not_found_error", ErrorKind::NotFound, false),
        (413, "request_too_large", ErrorKind::BadRequest, false),
        (429, "rate_limit_error", ErrorKind::RateLimited, true),
        (500, "api_error", ErrorKind::Server, true),
        (504, "timeout_error", ErrorKind::Server, true),
        (529, "overloaded_error", ErrorKind::Overloaded, true),
    ] {
        let told = told(status, error(kind));
        assert_eq!(told.kind(), expected, "{kind}");
        assert_eq!(told.is_retryable(), retried, "{kind}");
        assert_eq!(told.error_type(), Some(kind));
    }
    let spent = told(
        429,
        json!({"type": "rate_limit_error", "message": "m",
            "details": {"error_code": "enforced_spend_limit_reached"}}),
    );
    assert_eq!(spent.kind(), ErrorKind::QuotaExceeded);
    assert!(!spent.is_retryable());
    assert_eq!(spent.code(), Some("enforced_spend_limit_reached"));
}

#[test]
fn errors_in_a_whole_answer() {
    let body = r#"{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}"#;
    let (_, error) = failed(body);
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    let (_, error) = failed(r#"{"choices": []}"#);
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[test]
fn what_is_not_of_the_dialect_is_told() {
    for body in [
        "event: message_start\ndata: {\"type\": x}\n\n",
        "data: {\"type\"}\n\n",
        "data: hi\n\n",
    ] {
        let (_, error) = failed(body);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{body}: {error}");
        assert!(error.message().contains("anthropic"), "{error}");
    }
}
