use std::time::Duration;

use http::HeaderValue;

use super::*;

/// The value of JSON text.
fn parsed(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

fn error(status: u16, body: &str) -> Error {
    let status = StatusCode::from_u16(status).unwrap();
    from_status(status, &HeaderMap::new(), body.as_bytes())
}

#[test]
fn every_shape_has_its_message() {
    for (body, message) in [
        (r#"{"error": {"message": "no", "type": "x"}}"#, "no"),
        (r#"{"type": "error", "error": {"message": "no"}}"#, "no"),
        (r#"[{"error": {"code": 400, "message": "no"}}]"#, "no"),
        (r#"{"error": "no"}"#, "no"),
        (r#"{"detail": "no"}"#, "no"),
        (r#"{"message": "no"}"#, "no"),
        (r#"{"object": "error", "message": "no"}"#, "no"),
        (r#"{"errors": [{"message": "no"}]}"#, "no"),
        (r#""no""#, "no"),
        (
            r#"{"detail": [{"loc": ["body"], "msg": "no"}, {"msg": "nor that"}]}"#,
            "no; nor that",
        ),
        (
            r#"{"object": "error", "message": {"detail": [{"loc": ["body", "seed"], "msg": "no"}]}}"#,
            "no",
        ),
        (
            r#"{"message": [{"msg": "no"}, "nor that"]}"#,
            "no; nor that",
        ),
        (
            r#"{"error": {"message": {"error": {"message": "no"}}}}"#,
            "no",
        ),
        (r#"{"error": {"error_msg": "no"}}"#, "no"),
        (r#"{"error_code": 17, "error_msg": "no"}"#, "no"),
        (r#"{"errorMessage": "no"}"#, "no"),
        (r#"{"reason": "no"}"#, "no"),
        (r#"{"code": 7, "msg": "no", "data": null}"#, "no"),
        (
            r#"{"base_resp": {"status_code": 1, "status_msg": "no"}}"#,
            "no",
        ),
        (r#"{"error": {"details": [{"reason": "no"}]}}"#, "no"),
        (
            r#"{"status": 400, "error": "Bad Request", "message": "no"}"#,
            "Bad Request: no",
        ),
        (r#"{"error": "", "message": "no"}"#, "no"),
        (
            r#"{"error": {"message": "", "code": ""}, "detail": "no"}"#,
            "no",
        ),
        (r#"{"message": "", "error": {"message": "no"}}"#, "no"),
        (
            r#"{"error": {"message": "Provider returned error", "metadata": {"raw": "no"}}}"#,
            "Provider returned error: no",
        ),
        ("  upstream\n\tfailed ", "upstream failed"),
        (
            "<html><TITLE lang=en>\n502 Bad\nGateway</TITLE>",
            "502 Bad Gateway",
        ),
        ("<html><title>cut", "cut"),
        ("", "the server answered 400"),
        ("{}", "the server answered 400"),
        (
            r#"{"why": "no"}"#,
            r#"the server answered 400: {"why": "no"}"#,
        ),
        (r#"{"Message": "no"}"#, "no"),
        (r#"{"Error": {"Message": "no"}}"#, "no"),
        (
            r#"{"fault": {"faultstring": "no"}}"#,
            r#"the server answered 400: {"fault": {"faultstring": "no"}}"#,
        ),
        ("[]", "the server answered 400"),
        ("null", "the server answered 400"),
        ("\u{0}", "\u{0}"),
    ] {
        let error = error(400, body);
        assert_eq!(error.message(), message, "{body}");
        assert_eq!(error.kind(), ErrorKind::BadRequest, "{body}");
        assert_eq!(error.body(), Some(body), "{body}");
    }
    assert!(error(302, "").message().contains("not followed"));
    assert!(error(500, &"x".repeat(9999)).message().chars().count() < 210);
}

#[test]
fn details_are_kept() {
    let error = error(
        400,
        r#"{"error": {"message": "m", "type": "t", "code": 1301, "param": "p"}}"#,
    );
    assert_eq!(error.error_type(), Some("t"));
    assert_eq!(error.code(), Some("1301"));
    assert_eq!(error.param(), Some("p"));
    let error = super::tests::error(400, r#"{"type": "error", "error": "m", "code": "c"}"#);
    assert_eq!((error.code(), error.error_type()), (Some("c"), None));
    let error = super::tests::error(422, r#"{"detail": [{"loc": ["body", 0], "msg": "m"}]}"#);
    assert_eq!(error.param(), Some("body.0"));
}

#[test]
fn the_body_counts_for_more_than_the_status() {
    use ErrorKind::*;
    for (status, word, kind) in [
        (429, "insufficient_quota", QuotaExceeded),
        (429, "enforced_spend_limit_reached", QuotaExceeded),
        (429, "rate_limit_exceeded", RateLimited),
        (429, "anything", RateLimited),
        (500, "overloaded_error", Overloaded),
        (529, "overloaded_error", Overloaded),
        (400, "context_length_exceeded", BadRequest),
        (413, "rate_limit_exceeded", BadRequest),
        (400, "invalid_api_key", Auth),
        (400, "model_not_found", NotFound),
        (504, "timeout_error", Server),
        (400, "server_error", BadRequest),
        (402, "anything", QuotaExceeded),
        (404, "anything", NotFound),
        (503, "anything", Overloaded),
        (418, "anything", BadRequest),
    ] {
        let coded = error(status, &format!(r#"{{"error": {{"code": "{word}"}}}}"#));
        assert_eq!(coded.kind(), kind, "{status} {word}");
        let typed = error(status, &format!(r#"{{"error": {{"type": "{word}"}}}}"#));
        assert_eq!(typed.kind(), kind, "{status} {word}");
    }
}

#[test]
fn in_a_stream_there_is_no_status_to_go_by() {
    use ErrorKind::*;
    for (body, kind) in [
        (r#"{"error": {"type": "overloaded_error"}}"#, Overloaded),
        (r#"{"error": {"type": "api_error"}}"#, Server),
        (r#"{"error": {"code": 429, "message": "m"}}"#, RateLimited),
        (r#"{"error": {"code": "503"}}"#, Overloaded),
        (
            r#"{"error": {"type": "invalid_request_error"}}"#,
            BadRequest,
        ),
        (r#"{"error": {"code": 7}}"#, Server),
        (r#"{"error": "out of memory"}"#, Server),
    ] {
        let error = in_stream(&parsed(body), body);
        assert_eq!(error.kind(), kind, "{body}");
        assert!(error.is_in_stream());
    }
}

#[test]
fn headers_say_whether_and_when_to_retry() {
    let mut headers = HeaderMap::new();
    headers.insert("x-should-retry", HeaderValue::from_static("true"));
    headers.insert("retry-after", HeaderValue::from_static("3"));
    let quota = br#"{"error": {"code": "insufficient_quota"}}"#;
    let error = from_status(StatusCode::TOO_MANY_REQUESTS, &headers, quota);
    assert!(!error.is_retryable());
    let error = from_status(StatusCode::BAD_REQUEST, &headers, b"");
    assert!(error.is_retryable());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
}

#[test]
fn money_does_not_come_back_by_asking_again() {
    for (status, body) in [
        (
            429,
            r#"{"error": {"type": "exceeded_current_quota_error", "message": "suspended"}}"#,
        ),
        (429, r#"{"error": {"code": "credit_balance_exhausted"}}"#),
        (
            429,
            r#"{"error": {"code": "project_spend_limit_exceeded"}}"#,
        ),
        (429, r#"{"error": {"code": "usage_limit_reached"}}"#),
        (429, r#"{"error": {"code": "budget_exceeded"}}"#),
        (
            429,
            r#"{"error": {"code": "1113", "message": "余额不足或无可用资源包"}}"#,
        ),
        (
            400,
            r#"{"error": {"type": "invalid_request_error",
            "message": "Your credit balance is too low to access the Anthropic API."}}"#,
        ),
        (402, r#"{"error": {"message": "Insufficient Balance"}}"#),
        (
            403,
            r#"{"code": 30001, "message": "Sorry, your account balance is insufficient"}"#,
        ),
    ] {
        let error = error(status, body);
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{body}");
        assert!(!error.is_retryable(), "{body}");
        assert!(error.to_string().contains("balance"), "{error}");
    }
    // Gemini sends this message for limits per minute too.
    let limited = error(
        429,
        r#"{"error": {"status": "RESOURCE_EXHAUSTED", "message": "You exceeded your current quota"}}"#,
    );
    assert_eq!(limited.kind(), ErrorKind::RateLimited);
}

#[test]
fn whatever_a_server_says_is_cut_to_what_can_be_shown() {
    let long = "x".repeat(1 << 20);
    let json = |name: &str| format!(r#"{{"error": {{"message": "m", "{name}": "{long}"}}}}"#);
    let list = format!("[{}{{}}]", r#"{"message": "many words"},"#.repeat(50_000));
    for body in [
        json("message"),
        json("code"),
        json("type"),
        json("param"),
        json("request_id"),
        list,
        long.clone(),
        format!("<title>{long}"),
        format!(r#"{{"detail": [{{"msg": "m", "loc": ["{long}"]}}]}}"#),
        format!(
            r#"{{"error": {{"message": "Provider returned error", "metadata": {{"raw": "{long}"}}}}}}"#
        ),
    ] {
        for error in [error(400, &body), reported(&body, &body)] {
            assert!(
                error.to_string().len() < 4_000,
                "{}",
                error.to_string().len()
            );
            assert!(error.message().len() < 3_000);
            assert!(error.body().unwrap().len() <= 8 << 10);
            assert!(format!("{error:?}").len() < 32_000);
        }
    }
}
