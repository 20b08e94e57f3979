//! How the answers of particular providers are read.

use chatcore::{ErrorKind, FinishReason};
use serde_json::{Value, json};

use super::read;

fn sse(chunks: &[Value]) -> String {
    let chunks = chunks.iter().map(|chunk| format!("data: {chunk}\n\n"));
    chunks.collect()
}

fn delta(delta: Value) -> Value {
    json!({"id": "x", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

fn stop() -> Value {
    json!({"id": "x", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
}

const DONE: &str = "data: [DONE]\n\n";

#[test]
fn groq_tells_usage_and_errors_beside_the_chunk() {
    let mut last = stop();
    last["x_groq"] = json!({"id": "req_1", "usage": {"prompt_tokens": 3, "completion_tokens": 2,
        "total_tokens": 5, "queue_time": 0.01}});
    let body = sse(&[
        delta(json!({"reasoning": "hm"})),
        delta(json!({"content": "hi"})),
        last,
    ]);
    let (answer, error) = read("groq", 200, &(body + DONE));
    assert!(error.is_none(), "{error:?}");
    assert_eq!(
        (answer.text(), answer.message.reasoning()),
        ("hi".into(), "hm".into())
    );
    assert_eq!(answer.usage.unwrap().total_tokens(), 5);
    let mut failed = delta(json!({}));
    failed["x_groq"] = json!({"error": "over capacity"});
    let error = read("groq", 200, &sse(&[failed])).1.unwrap();
    assert_eq!(error.message(), "over capacity");
}

#[test]
fn perplexity_cites_its_sources() {
    let mut first = delta(json!({"content": "hi"}));
    first["citations"] = json!(["https://a.test"]);
    first["search_results"] = json!([{"title": "A", "url": "https://a.test"}]);
    first["usage"] = json!({"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4});
    let mut last = stop();
    last["citations"] = json!(["https://a.test", "https://b.test"]);
    last["usage"] = json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5});
    let (answer, error) = read("perplexity", 200, &sse(&[first, last]));
    assert!(error.is_none(), "{error:?}");
    assert_eq!(
        answer.extra["citations"],
        json!(["https://a.test", "https://b.test"])
    );
    assert_eq!(answer.extra["search_results"][0]["title"], "A");
    assert_eq!(answer.usage.unwrap().total_tokens(), 5);
}

#[test]
fn mistral_thinks_in_parts_and_lists_what_is_wrong() {
    let thinking = json!([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]);
    let body = sse(&[
        delta(json!({"content": thinking})),
        delta(json!({"content": [{"type": "text", "text": "hi"}]})),
        stop(),
    ]);
    let (answer, error) = read("mistral", 200, &(body + DONE));
    assert!(error.is_none(), "{error:?}");
    assert_eq!(
        (answer.text(), answer.message.reasoning()),
        ("hi".into(), "hm".into())
    );
    let refused = json!({"object": "error", "message": {"detail": [{"type": "extra_forbidden",
        "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]},
        "type": "invalid_request_error", "code": null});
    let error = read("mistral", 422, &refused.to_string()).1.unwrap();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert_eq!(error.message(), "Extra inputs are not permitted");
    assert_eq!(error.param(), Some("body.stream_options"));
}

#[test]
fn openrouter_keeps_alive_and_names_the_status_of_its_error() {
    let details =
        |text: &str| json!([{"type": "reasoning.text", "index": 0, "format": "x", "text": text}]);
    let body = [
        ": OPENROUTER PROCESSING\n\n".to_owned(),
        sse(&[
            delta(json!({"reasoning": "h", "reasoning_details": details("h")})),
            delta(json!({"reasoning": "m", "reasoning_details": details("m")})),
            delta(json!({"content": "hi"})),
            stop(),
        ]),
        DONE.to_owned(),
    ];
    let (answer, error) = read("openrouter", 200, &body.concat());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(answer.message.reasoning(), "hm");
    let kept = serde_json::to_string(&answer.message).unwrap();
    assert!(kept.contains(r#""text":"hm""#), "{kept}");
    let failed = json!({"id": "x", "error": {"code": 429, "message": "Provider returned error",
        "metadata": {"raw": "slow down"}},
        "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]});
    let error = read("openrouter", 200, &sse(&[failed])).1.unwrap();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.message().contains("slow down"), "{error}");
}

#[test]
fn azure_filters_before_it_answers() {
    let filter = json!({"hate": {"filtered": false, "severity": "safe"}});
    let first = json!({"choices": [], "prompt_filter_results": [
        {"prompt_index": 0, "content_filter_results": filter}]});
    let mut last = stop();
    last["choices"][0]["content_filter_results"] = filter;
    let body = sse(&[first, delta(json!({"content": "hi"})), last]);
    let (answer, error) = read("azure", 200, &(body + DONE));
    assert!(error.is_none(), "{error:?}");
    assert_eq!(answer.text(), "hi");
    assert_eq!(answer.extra["prompt_filter_results"][0]["prompt_index"], 0);
    let mut blocked = stop();
    blocked["choices"][0]["finish_reason"] = "content_filter".into();
    let (answer, _) = read("azure", 200, &(sse(&[blocked]) + DONE));
    assert_eq!(answer.finish_reason, Some(FinishReason::ContentFilter));
    let refused = json!({"error": {"code": "content_filter", "message": "filtered",
        "param": "prompt", "status": 400, "innererror": {"code": "ResponsibleAIPolicyViolation"}}});
    let error = read("azure", 400, &refused.to_string()).1.unwrap();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::BadRequest, Some("content_filter"))
    );
}

#[test]
fn xai_counts_reasoning_beside_the_answer() {
    let body = json!({"choices": [{"message": {"content": "hi", "reasoning_content": "hm"},
        "finish_reason": "stop"}], "usage": {"prompt_tokens": 10, "completion_tokens": 2,
        "total_tokens": 112, "completion_tokens_details": {"reasoning_tokens": 100}}});
    let (answer, error) = read("xai", 200, &body.to_string());
    assert!(error.is_none(), "{error:?}");
    let usage = answer.usage.unwrap();
    assert_eq!(
        (usage.output_tokens, usage.reasoning_tokens),
        (102, Some(100))
    );
    assert_eq!(answer.message.reasoning(), "hm");
}

#[test]
fn deepseek_and_moonshot_tell_what_their_caches_held() {
    for (name, usage) in [
        (
            "deepseek",
            json!({"prompt_tokens": 10, "completion_tokens": 2, "prompt_cache_hit_tokens": 8,
            "prompt_cache_miss_tokens": 2}),
        ),
        (
            "moonshot",
            json!({"prompt_tokens": 10, "completion_tokens": 2, "cached_tokens": 8}),
        ),
    ] {
        let body = json!({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
            "usage": usage});
        let usage = read(name, 200, &body.to_string()).0.usage.unwrap();
        assert_eq!(usage.cache_read_tokens, Some(8), "{name}");
    }
}

#[test]
fn minimax_has_its_status_beside_its_answer() {
    let body = json!({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
        "base_resp": {"status_code": 0, "status_msg": ""}});
    assert_eq!(read("minimax", 200, &body.to_string()).0.text(), "hi");
    let body = json!({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}});
    let error = read("minimax", 200, &body.to_string()).1.unwrap();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
}

#[test]
fn errors_of_others() {
    for (name, status, body, kind, message) in [
        (
            "zhipu",
            429,
            json!({"error": {"code": "1302", "message": "Rate limit reached for requests"}}),
            ErrorKind::RateLimited,
            "Rate limit reached for requests",
        ),
        (
            "qwen",
            400,
            json!({"error": {"code": "Arrearage", "message": "Access denied, account overdue.",
                "type": "Arrearage", "param": null}, "request_id": "r-1"}),
            ErrorKind::QuotaExceeded,
            "Access denied, account overdue.",
        ),
        (
            "volcengine",
            403,
            json!({"error": {"code": "AccountOverdueError", "message": "overdue", "param": "",
                "type": "Forbidden"}}),
            ErrorKind::QuotaExceeded,
            "overdue",
        ),
        (
            "huggingface",
            400,
            json!({"error": "The requested model is not supported by any provider."}),
            ErrorKind::BadRequest,
            "The requested model is not supported by any provider.",
        ),
        (
            "cerebras",
            404,
            json!({"message": "Model x does not exist.", "type": "not_found_error",
                "param": "model", "code": "model_not_found"}),
            ErrorKind::NotFound,
            "Model x does not exist.",
        ),
        (
            "cohere",
            401,
            json!({"id": "1", "message": "invalid api token"}),
            ErrorKind::Auth,
            "invalid api token",
        ),
    ] {
        let error = read(name, status, &body.to_string()).1.unwrap();
        assert_eq!((error.kind(), error.message()), (kind, message), "{name}");
    }
}

#[test]
fn a_servers_name_for_reasoning_is_read() {
    for (name, field) in [
        ("stepfun", "reasoning"),
        ("cerebras", "reasoning"),
        ("vllm", "reasoning_content"),
        ("sglang", "reasoning_content"),
        ("llamacpp", "reasoning_content"),
        ("lmstudio", "reasoning_content"),
        ("qianfan", "reasoning_content"),
        ("hunyuan", "reasoning_content"),
    ] {
        let mut first = delta(json!({}));
        first["choices"][0]["delta"][field] = "hm".into();
        let body = sse(&[first, delta(json!({"content": "hi"})), stop()]);
        let (answer, error) = read(name, 200, &(body + DONE));
        assert!(error.is_none(), "{name}: {error:?}");
        assert_eq!(
            (answer.text(), answer.message.reasoning()),
            ("hi".into(), "hm".into())
        );
    }
}
