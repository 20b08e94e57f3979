//! Paths, headers, and the limits that response headers report.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::chat::{ChatRequest, Message};
use crate::dialect::anthropic::Anthropic;
use crate::dialect::{Dialect, LimitHints, Mode, Quota};
use crate::error::ErrorKind;
use crate::provider::Provider;

fn request(dialect: Anthropic, base_url: &'static str) -> http::Request<bytes::Bytes> {
    let provider = Provider::anthropic()
        .with_dialect(dialect.clone())
        .with_base_url(base_url)
        .with_api_key("sk-ant-secret");
    let endpoint = provider.endpoint().unwrap();
    let request = ChatRequest::new([Message::user("hi")]);
    dialect.encode(&endpoint, &request, Mode::Whole).unwrap()
}

#[test]
fn the_path_has_its_version_once() {
    for (base, expected) in [
        (
            "https://api.anthropic.com",
            "https://api.anthropic.com/v1/messages",
        ),
        (
            "https://api.anthropic.com/v1/",
            "https://api.anthropic.com/v1/messages",
        ),
        ("https://a.example/x", "https://a.example/x/v1/messages"),
        ("https://a.example/x/v1", "https://a.example/x/v1/messages"),
        ("https://a.example/xv1", "https://a.example/xv1/v1/messages"),
    ] {
        let request = request(Anthropic::default(), base);
        assert_eq!(request.method(), http::Method::POST);
        assert_eq!(request.uri(), expected);
    }
}

#[test]
fn only_the_headers_it_needs() {
    let plain = request(Anthropic::default(), "https://a.example");
    let headers = plain.headers();
    assert_eq!(headers.len(), 3);
    assert_eq!(headers["anthropic-version"], "2023-06-01");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["x-api-key"], "sk-ant-secret");
    assert!(headers["x-api-key"].is_sensitive());
    assert!(!format!("{plain:?}").contains("secret"));

    let browser = Anthropic::default()
        .version("2026-10-21")
        .browser_access(true);
    let request = request(browser, "https://a.example");
    assert_eq!(request.headers().len(), 4);
    assert_eq!(request.headers()["anthropic-version"], "2026-10-21");
    let access = "anthropic-dangerous-direct-browser-access";
    assert_eq!(request.headers()[access], "true");
}

#[test]
fn a_version_that_cannot_be_sent_is_told() {
    let dialect = Anthropic::default().version("2023\n06");
    let error = dialect.headers().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("anthropic-version"), "{error}");
}

const DATE: (&str, &str) = ("date", "Mon, 23 Nov 2026 10:00:00 GMT");

fn limits(pairs: &[(&'static str, &'static str)]) -> LimitHints {
    let pairs = pairs.iter().map(|&(name, value)| {
        let value = HeaderValue::from_static(value);
        (HeaderName::from_static(name), value)
    });
    Anthropic::default().limits(&pairs.collect::<HeaderMap>())
}

fn quota(limit: u64, remaining: u64, reset: Option<u64>) -> Quota {
    Quota {
        limit: Some(limit),
        remaining: Some(remaining),
        reset: reset.map(Duration::from_secs),
    }
}

#[test]
fn resets_count_from_the_date() {
    let told = [
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "49"),
        ("anthropic-ratelimit-requests-reset", "2026-11-23T10:00:05Z"),
        ("anthropic-ratelimit-tokens-limit", "80000"),
        ("anthropic-ratelimit-tokens-remaining", "79000"),
        ("anthropic-ratelimit-tokens-reset", "2026-11-23T10:01:00Z"),
    ];
    let dated = limits(&[&told[..], &[DATE]].concat());
    assert_eq!(dated.requests, quota(50, 49, Some(5)));
    assert_eq!(dated.tokens, quota(80_000, 79_000, Some(60)));
    assert_eq!(limits(&told).requests, quota(50, 49, None));
    assert_eq!(limits(&[]), LimitHints::default());
}

#[test]
fn of_two_limits_on_tokens_the_nearer_counts() {
    let told = |output| {
        limits(&[
            ("anthropic-ratelimit-input-tokens-limit", "1000"),
            ("anthropic-ratelimit-input-tokens-remaining", "500"),
            ("anthropic-ratelimit-output-tokens-limit", "900"),
            ("anthropic-ratelimit-output-tokens-remaining", output),
        ])
    };
    assert_eq!(told("10").tokens, quota(900, 10, None));
    assert_eq!(told("800").tokens, quota(1000, 500, None));
}
