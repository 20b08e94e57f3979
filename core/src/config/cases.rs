//! The rules for base URLs and keys, case by case. The TypeScript tests read the same file.

use serde_json::Value;

use super::Config;
use crate::error::ErrorKind;
use crate::provider::{KEY_FORMS, Provider};

fn cases(of: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../../cases/keys.json")).unwrap();
    let cases = file[of].as_array().unwrap().clone();
    assert!(!cases.is_empty(), "{of}");
    cases
}

fn provider(url: &str, key: bool, allow_http: bool) -> Provider {
    let mut provider = Provider::openai_compatible(url.to_owned(), "m");
    if key {
        provider = provider.with_api_key("sk-0123456789");
    }
    if allow_http {
        provider = provider.allow_http();
    }
    provider
}

#[test]
fn base_urls() {
    // Some placeholders are those of providers whose dialects are features.
    let has_every_row = cfg!(all(
        feature = "anthropic",
        feature = "gemini",
        feature = "openai-responses"
    ));
    for case in cases("base_urls") {
        let url = case["url"].as_str().unwrap();
        if case["refused"] == "placeholder" && !has_every_row {
            continue;
        }
        for (key, allow_http) in [(false, false), (true, false), (false, true), (true, true)] {
            let of_key = match key {
                true => &case["with_key"],
                false => &case["without_key"],
            };
            let refused = match &case["refused"] {
                Value::Null if !allow_http => of_key.as_str(),
                refused => refused.as_str(),
            };
            match (provider(url, key, allow_http).endpoint(), refused) {
                (Ok(endpoint), None) => {
                    let base = case["base"].as_str().unwrap();
                    let query = case["query"].as_str();
                    let query = query.map_or(String::new(), |query| format!("?{query}"));
                    let uri = endpoint.uri("/x").unwrap();
                    assert_eq!(uri.to_string(), format!("{base}/x{query}"), "{url}");
                    let shown = format!("{endpoint:?}");
                    assert!(!shown.contains("hunter2"), "{shown}");
                }
                (Err(error), Some(code)) => {
                    assert_eq!(error.kind(), ErrorKind::Config, "{url}");
                    assert_eq!(error.code(), Some(code), "{url}: {error}");
                    assert!(!error.to_string().contains("hunter2"), "{error}");
                }
                (Ok(_), Some(code)) => panic!("{url} passed, and {code} was expected"),
                (Err(error), None) => panic!("{url}: {error}"),
            }
        }
    }
}

#[test]
fn keys() {
    for case in cases("keys") {
        let key = case["key"].as_str().unwrap();
        let provider = Provider::deepseek().with_api_key(key);
        match (provider.api_key().unwrap().header(""), case["is"].as_str()) {
            (Ok(header), Some(is)) => assert_eq!(header, is, "{key:?}"),
            (Err(error), None) => {
                assert_eq!(error.code(), case["refused"].as_str(), "{key:?}: {error}");
            }
            (other, _) => panic!("{key:?}: {other:?}"),
        }
    }
}

#[test]
fn key_forms() {
    let cases = cases("key_forms");
    assert_eq!(cases.len(), KEY_FORMS.len());
    for (case, form) in cases.iter().zip(KEY_FORMS) {
        assert_eq!(form.prefix, case["prefix"]);
        assert_eq!(form.what_to_set(), case["set"].as_str().unwrap());
        let key = format!("{}0123456789abcdef", form.prefix);
        let error = Config::from_vars(|var| (var == "LLM_API_KEY").then(|| key.clone()));
        let error = error.unwrap_err();
        assert_eq!(error.code(), Some("key_of_another_provider"));
        assert!(error.to_string().contains(&*form.what_to_set()), "{error}");
    }
}
