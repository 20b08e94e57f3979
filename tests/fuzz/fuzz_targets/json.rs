//! JSON: chatcore reads it as `serde_json` does, and can read what it writes.
#![no_main]

use chatcore::json::{Joiner, Reader, Writer, parse};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Whether the text has a `\u` escape, which may be an unpaired surrogate that `serde_json`
/// refuses.
fn has_halves(text: &str) -> bool {
    text.contains("\\u")
}

/// Whether two values are equal. Floats may differ in their last bits, because `serde_json` does
/// not read all digits exactly.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) if left.is_f64() && right.is_f64() => {
            let (left, right) = (left.as_f64().unwrap(), right.as_f64().unwrap());
            left == right || ((left - right) / left).abs() < 1e-14
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| is_same(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && (left.iter().zip(right)).all(|((ln, l), (rn, r))| ln == rn && is_same(l, r))
        }
        _ => left == right,
    }
}

fuzz_target!(|text: &str| {
    let ours = parse(text);
    let theirs = serde_json::from_str::<Value>(text);
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => assert!(is_same(ours, theirs), "{ours} {theirs}"),
        (Ok(_), Err(error)) => {
            // `serde_json` may allow one level of nesting less.
            let is_deep = error.to_string().contains("recursion limit");
            assert!(is_deep || has_halves(text), "{error}");
        }
        (Err(error), Ok(_)) => panic!("{error}"),
        (Err(_), Err(_)) => {}
    }
    if let Ok(value) = &ours {
        let mut writer = Writer::default();
        writer.value(value);
        let written = writer.into_text();
        assert_eq!(&parse(&written).unwrap(), value);
    }
    let mut reader = Reader::new(text);
    let passed = reader.raw().is_ok() && reader.end().is_ok();
    // A number may be too large for a float.
    let is_large = |error: &serde_json::Error| error.to_string().contains("out of range");
    if passed != ours.is_ok() {
        assert!(passed && theirs.as_ref().is_err_and(is_large));
    }
    // A string is the same whether it is read whole or in pieces.
    let (whole, piece) = (Reader::new(text).string(), Reader::new(text).piece());
    assert_eq!(whole.is_ok(), piece.is_ok());
    if let (Ok(whole), Ok(piece)) = (whole, piece) {
        let mut joiner = Joiner::default();
        let mut joined = joiner.join(piece).into_owned();
        joined.extend(joiner.rest());
        assert_eq!(joined, whole);
    }
});
