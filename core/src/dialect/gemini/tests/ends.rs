//! How answers end: finish reasons, blocked prompts, errors and truncated streams.

use std::time::Duration;

use serde_json::json;

use crate::chat::FinishReason;
use crate::error::ErrorKind;

use super::{answer, chunk, events, failure, read, sse};

#[test]
fn reasons_to_stop() {
    use FinishReason::*;
    for (word, expected) in [
        ("STOP", Stop),
        ("MAX_TOKENS", Length),
        ("SAFETY", ContentFilter),
        ("RECITATION", ContentFilter),
        ("BLOCKLIST", ContentFilter),
        ("PROHIBITED_CONTENT", ContentFilter),
        ("SPII", ContentFilter),
        ("IMAGE_SAFETY", ContentFilter),
        (
            "MALFORMED_FUNCTION_CALL",
            Other("MALFORMED_FUNCTION_CALL".to_owned()),
        ),
        ("SOMETHING_NEW", Other("SOMETHING_NEW".to_owned())),
    ] {
        let mut told = chunk(json!([{"text": "x"}]), word);
        told["candidates"][0]["finishMessage"] = "why".into();
        let told = answer(&sse(&[told]));
        assert_eq!(told.finish_reason, Some(expected), "{word}");
        assert_eq!(told.finish_reason_raw, word);
        assert_eq!(told.extra["finishMessage"], "why");
    }
    // The server writes enums as numbers.
    let mut told = chunk(json!([{"text": "x"}]), "");
    told["candidates"][0]["finishReason"] = 2.into();
    assert_eq!(answer(&told.to_string()).finish_reason, Some(Length));
}

#[test]
fn a_blocked_prompt_finishes_with_the_filter() {
    let blocked = json!({
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "safetyRatings": [1]},
        "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7}, "modelVersion": "g",
    });
    for body in [blocked.to_string(), sse(&[blocked])] {
        let told = answer(&body);
        assert_eq!(told.finish_reason, Some(FinishReason::ContentFilter));
        assert_eq!(told.finish_reason_raw, "PROHIBITED_CONTENT");
        assert_eq!(told.extra["promptFeedback"]["safetyRatings"], json!([1]));
        assert_eq!(told.usage.unwrap().input_tokens, 7);
        assert!(told.message.parts.is_empty());
    }
    // A blocked candidate may have no content.
    let told = answer(r#"{"candidates":[{"finishReason":"SAFETY","safetyRatings":[]}]}"#);
    assert_eq!(told.finish_reason, Some(FinishReason::ContentFilter));
}

#[test]
fn text_may_follow_a_reason_to_stop() {
    let code = json!([{"executableCode": {"language": "PYTHON", "code": "1"}}]);
    let runs = sse(&[chunk(code, "STOP")]);
    let (_, is_complete) = events(&[&runs]);
    assert!(!is_complete, "the result of the code is still to come");
    let rest = sse(&[
        chunk(json!([{"codeExecutionResult": {"output": "1"}}]), ""),
        chunk(json!([{"text": "It is 1."}]), "STOP"),
    ]);
    let told = answer(&[&*runs, &*rest].concat());
    assert_eq!(told.text(), "It is 1.");
    assert!(events(&[&runs, &rest]).1);
    // The same holds for text. Some servers send a reason with every chunk.
    let once = sse(&[chunk(json!([{"text": "a"}]), "STOP")]);
    let more = sse(&[chunk(json!([{"text": "b"}]), "")]);
    assert!(events(&[&once]).1);
    assert!(!events(&[&once, &more]).1);
    assert!(events(&[&once, &more, &once]).1);
    assert_eq!(answer(&once.repeat(3)).text(), "aaa");
}

#[test]
fn an_answer_without_a_reason_is_cut() {
    let begun = sse(&[json!({
        "candidates": [{"content": {"parts": [{"text": "Hel"}]}}],
        "usageMetadata": {"promptTokenCount": 3},
    })]);
    let (told, error) = read(200, &begun);
    assert_eq!(error.unwrap().kind(), ErrorKind::Truncated);
    assert_eq!(told.text(), "Hel");
    assert_eq!(told.usage.unwrap().input_tokens, 3);
    let whole = answer(r#"{"candidates":[{"content":{"parts":[{"text":"x"}]}}]}"#);
    assert_eq!(whole.finish_reason, Some(FinishReason::Stop));
    for body in ["{}", r#"{"usageMetadata":{}}"#] {
        assert_eq!(failure(200, body).kind(), ErrorKind::Protocol, "{body}");
    }
}

#[test]
fn errors_are_errors_wherever_they_stand() {
    let error = json!({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}});
    let begun = sse(&[chunk(json!([{"text": "Hel"}]), "")]);
    for body in [
        error.to_string(),
        json!([error]).to_string(),
        [begun.clone(), sse(std::slice::from_ref(&error))].concat(),
        [begun, format!("data: {}\r\n\r\n", json!([error]))].concat(),
    ] {
        let failed = failure(200, &body);
        assert_eq!(failed.kind(), ErrorKind::Overloaded, "{body}");
        assert_eq!(failed.message(), "busy");
        assert_eq!(failed.error_type(), Some("UNAVAILABLE"));
    }
    let failed = failure(503, &json!([error]).to_string());
    assert_eq!(
        (failed.kind(), failed.message()),
        (ErrorKind::Overloaded, "busy")
    );
    assert!(
        failure(200, r#"{"message":"who are you"}"#)
            .message()
            .contains("who are you")
    );
}

#[test]
fn the_body_says_how_long_to_wait() {
    let limited = |details: serde_json::Value| {
        let body = json!({"error": {"code": 429, "message": "You exceeded your current quota.",
            "status": "RESOURCE_EXHAUSTED", "details": details}});
        failure(429, &json!([body]).to_string())
    };
    let kind = |name: &str| format!("type.googleapis.com/google.rpc.{name}");
    let wait = |delay: serde_json::Value| json!({"@type": kind("RetryInfo"), "retryDelay": delay});
    for (delay, expected) in [
        (json!("34.5s"), Some(34_500)),
        (json!("7s"), Some(7000)),
        (json!({"seconds": "2", "nanos": 500_000_000}), Some(2500)),
        (json!("soon"), None),
        (json!({}), None),
    ] {
        let failed = limited(json!([{"@type": kind("Help")}, wait(delay.clone())]));
        assert_eq!(failed.kind(), ErrorKind::RateLimited);
        let expected = expected.map(Duration::from_millis);
        assert_eq!(failed.retry_after(), expected, "{delay}");
    }
    // A daily quota is not restored within seconds.
    let quota = |id: &str| json!({"@type": kind("QuotaFailure"), "violations": [{"quotaId": id}]});
    let id = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";
    let failed = limited(json!([quota(id), wait(json!("5s"))]));
    assert_eq!(failed.kind(), ErrorKind::QuotaExceeded);
    let id = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";
    assert_eq!(limited(json!([quota(id)])).kind(), ErrorKind::RateLimited);
    // An invalid key is reported with status 400.
    let body = json!({"error": {"code": 400, "message": "API key not valid.",
        "status": "INVALID_ARGUMENT",
        "details": [{"@type": kind("ErrorInfo"), "reason": "API_KEY_INVALID"}]}});
    assert_eq!(failure(400, &body.to_string()).kind(), ErrorKind::Auth);
}
