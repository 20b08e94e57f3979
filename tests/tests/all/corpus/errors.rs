//! Recorded errors.

use chatcore::{ErrorKind, Mode};
use serde_json::Value;

use super::decode::decode;
use super::rows::{each, name};

#[test]
#[cfg_attr(not(has_corpus), ignore = "no recordings: set CHATCORE_CORPUS")]
fn errors() {
    each("errors.jsonl", |row, dialect| {
        let name = name(row);
        let input = row["input"].as_str().unwrap().as_bytes();
        let expect = &row["expect"];
        let status = u16::try_from(expect["status"].as_u64().unwrap()).unwrap();
        for mode in [Mode::Whole, Mode::Stream] {
            let error = decode(dialect, status, mode, input.chunks(7)).unwrap_err();
            let text = |value: &Value| match value {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            assert_eq!(
                Some(error.message().to_owned()),
                text(&expect["message"]),
                "{name}"
            );
            assert_eq!(
                error.code().map(str::to_owned),
                text(&expect["code"]),
                "{name}"
            );
            assert_eq!(
                error.error_type().map(str::to_owned),
                text(&expect["type"]),
                "{name}"
            );
            assert_eq!(error.status().unwrap().as_u16(), status, "{name}");
            let kind = match status {
                // Google reports an invalid key with another status.
                _ if row["input"].as_str().unwrap().contains("API_KEY_INVALID") => ErrorKind::Auth,
                401 | 403 => ErrorKind::Auth,
                404 => ErrorKind::NotFound,
                500.. => ErrorKind::Server,
                _ => ErrorKind::BadRequest,
            };
            assert_eq!(error.kind(), kind, "{name}");
        }
    });
}
