//! Formats values inside messages.
//!
//! Messages must not use `{:?}`, because the npm package is built without `Debug` output to save
//! space, and would leave a gap there.

use std::fmt::{self, Display, Write};
use std::time::Duration;

/// Text in quotes, on one line.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for letter in self.0.chars() {
            match letter {
                '"' | '\\' => {
                    f.write_char('\\')?;
                    f.write_char(letter)?;
                }
                _ if letter.is_control() => escape(f, letter)?,
                _ => f.write_char(letter)?,
            }
        }
        f.write_char('"')
    }
}

/// Writes a character as Rust escapes it.
pub(crate) fn escape(f: &mut fmt::Formatter<'_>, letter: char) -> fmt::Result {
    match letter {
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        _ => write!(f, "\\u{{{:x}}}", letter as u32),
    }
}

/// A duration in seconds, or in milliseconds if it is below a second.
pub(crate) struct Span(pub(crate) Duration);

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part, unit) = match self.0.as_secs() {
            0 => (
                u64::from(self.0.subsec_millis()),
                self.0.subsec_nanos() % 1_000_000,
                "ms",
            ),
            seconds => (seconds, self.0.subsec_millis(), "s"),
        };
        write!(f, "{whole}")?;
        if part > 0 {
            let width = if unit == "s" { 3 } else { 6 };
            let digits = format!("{part:0width$}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_debug_quotes_them() {
        for text in ["", "deepseek", "say \"hi\"", "a\\b\nc", "\u{7}", "你好"] {
            assert_eq!(Quoted(text).to_string(), format!("{text:?}"));
        }
    }

    #[test]
    fn times_are_written_as_debug_writes_them() {
        for nanoseconds in [
            0,
            1_000_000,
            250_000_000,
            1_500_000,
            1_000_000_000,
            30_000_000_000,
            1_250_000_000,
            61_010_000_000,
        ] {
            let time = Duration::from_nanos(nanoseconds);
            let expected = match nanoseconds {
                0 => "0ms".to_owned(),
                _ => format!("{time:?}"),
            };
            assert_eq!(Span(time).to_string(), expected);
        }
    }
}
