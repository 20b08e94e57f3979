//! Reads floats from decimal text with the standard library. [`Writer`](super::Writer) writes them.

/// The float nearest to a decimal number from JSON, a setting or a header. Infinite if the number
/// is too large. `None` for anything else, which includes the `inf` and `nan` that the standard
/// library would read.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    match text.as_bytes().last() {
        Some(b'0'..=b'9' | b'.') => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Writer;

    fn text(number: f64) -> String {
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
            assert_eq!(text(number), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_text_is_read_back_as_its_float(bits in proptest::num::u64::ANY) {
            let number = f64::from_bits(bits);
            if number.is_finite() {
                let text = text(number);
                let back = decimal(&text).unwrap();
                proptest::prop_assert_eq!(back.to_bits(), bits, "{}", text);
            }
        }
    }
}
