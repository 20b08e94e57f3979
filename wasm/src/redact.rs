//! Redacts secrets that the core does not know or no longer remembers: the caller's headers, the
//! passwords of proxies, and keys that a function returned long ago.

#![allow(unreachable_pub, reason = "what wasm-bindgen exports has to be public")]

use chatcore::{Secrets, json};
use serde_json::Value;
use wasm_bindgen::prelude::*;

/// Redacts `secrets` in `texts`. Both are JSON arrays of strings, as is the result.
#[wasm_bindgen]
pub fn redact(secrets: &str, texts: &str) -> String {
    let mut known = Secrets::new();
    for secret in strings(secrets) {
        known.add(&secret);
    }
    let mut writer = json::Writer::default();
    writer.open('[');
    for mut text in strings(texts) {
        known.redact(&mut text);
        writer.string(&text);
    }
    writer.close(']');
    writer.into_text()
}

fn strings(list: &str) -> Vec<String> {
    let Ok(Value::Array(list)) = json::parse(list) else {
        return Vec::new();
    };
    let text = |value: Value| value.as_str().unwrap_or_default().to_owned();
    list.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_keeps_its_place() {
        let texts = r#"["bad key sk-0123\/4567", "", "sk-0123%2F4567", "fine"]"#;
        let redacted = redact(r#"["Bearer sk-0123/4567", "x"]"#, texts);
        assert_eq!(redacted, r#"["bad key [redacted]","","[redacted]","fine"]"#);
        assert_eq!(redact("[]", "no JSON"), "[]");
    }
}
