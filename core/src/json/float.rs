//! Reads and writes floats, with the standard library and `serde_json`.
//!
//! A program that is built with `--cfg chatcore_floats="host"` gives the two functions itself, with
//! `set_floats`. The npm package does so in its module for pages, because the tables of both
//! directions are 14 KB that cannot be compressed, and every JavaScript host has its own.

#[cfg(chatcore_floats = "host")]
pub use host::set_floats;
#[cfg(chatcore_floats = "host")]
use host::{read, write};
#[cfg(not(chatcore_floats = "host"))]
use own::{read, write};

/// The float nearest to a decimal number from JSON, a setting or a header. Infinite if the number
/// is too large. `None` for anything else, which includes the `inf` and `nan` that the standard
/// library would read.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    match text.as_bytes().last() {
        Some(b'0'..=b'9' | b'.') => read(text),
        _ => None,
    }
}

/// A float as JSON: the shortest text that [`decimal`] reads as the same float. `None` if it is not
/// finite, because JSON has no form for that.
pub(crate) fn text(number: f64) -> Option<String> {
    number.is_finite().then(|| write(number))
}

/// A float in an error message.
pub(crate) fn shown(number: f64) -> String {
    match text(number) {
        Some(text) => text.strip_suffix(".0").unwrap_or(&text).to_owned(),
        None if number.is_nan() => "NaN".to_owned(),
        None if number > 0.0 => "inf".to_owned(),
        None => "-inf".to_owned(),
    }
}

#[cfg(not(chatcore_floats = "host"))]
mod own {
    use serde_json::Number;

    pub(super) fn read(text: &str) -> Option<f64> {
        text.parse().ok()
    }

    pub(super) fn write(number: f64) -> String {
        Number::from_f64(number).map_or_else(String::new, |number| number.to_string())
    }
}

#[cfg(chatcore_floats = "host")]
mod host {
    use std::sync::OnceLock;

    type Floats = (fn(&str) -> Option<f64>, fn(f64) -> String);

    static FLOATS: OnceLock<Floats> = OnceLock::new();

    /// Sets the functions that read a decimal number and write a finite float, before anything else
    /// is called. Later calls change nothing.
    pub fn set_floats(read: fn(&str) -> Option<f64>, write: fn(f64) -> String) {
        let _ = FLOATS.set((read, write));
    }

    pub(super) fn read(text: &str) -> Option<f64> {
        FLOATS.get().and_then(|(read, _)| read(text))
    }

    pub(super) fn write(number: f64) -> String {
        FLOATS
            .get()
            .map_or_else(String::new, |(_, write)| write(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Writer;

    fn written(number: f64) -> String {
        let mut writer = Writer::default();
        writer.float(number);
        writer.into_text()
    }

    #[test]
    fn decimals_are_what_the_standard_library_reads() {
        for text in [
            "30", "0", "-1", "+5", "1.5", ".5", "5.", "1e3", "2E-3", "1e+2", "0.1", "1e400", "",
            ".", "-", "+", "e3", "1e", "1e+", "1.2.3", "1_0", "0x1", " 1", "1 ", "++1", "--1",
            "1s", "+-1",
        ] {
            assert_eq!(decimal(text), text.parse().ok(), "{text:?}");
        }
        for text in ["inf", "nan", "infinity", "-inf", "NaN", "+Infinity"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }

    #[test]
    fn texts_are_as_short_as_can_be() {
        for (number, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.7, "0.7"),
            (2.0, "2.0"),
            (-1.25, "-1.25"),
            (0.1 + 0.2, "0.30000000000000004"),
            (123_456_789.5, "123456789.5"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
        ] {
            assert_eq!(written(number), expected);
        }
    }

    #[test]
    fn a_message_shows_a_whole_number_without_its_point() {
        let numbers = [-1.0, 2.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        assert_eq!(numbers.map(shown), ["-1", "2.5", "NaN", "inf", "-inf"]);
    }

    proptest::proptest! {
        #[test]
        fn a_text_is_read_back_as_its_float(bits in proptest::num::u64::ANY) {
            let number = f64::from_bits(bits);
            if number.is_finite() {
                let text = written(number);
                let back = decimal(&text).unwrap();
                proptest::prop_assert_eq!(back.to_bits(), bits, "{}", text);
            }
        }
    }
}
