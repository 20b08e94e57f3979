//! Writes results to standard output, and everything else to standard error. Colours are used only
//! on a terminal, and not if NO_COLOR is set.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().bold();

/// Writes to standard output and flushes it. A closed pipe (`| head`) is not an error.
pub(crate) fn out(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes a line to standard error.
pub(crate) fn note(line: &str) {
    // There is nowhere to report a failure of standard error.
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

pub(crate) fn warning(line: &str) {
    note(&format!("{WARN}warning:{WARN:#} {line}"));
}

pub(crate) fn error(line: &str) {
    note(&format!("{BAD}error:{BAD:#} {line}"));
}

/// A number with a noun: `1 answer`, `2 answers`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// An amount in dollars, with cents; below 10 cents, with two significant digits.
pub(crate) fn dollars(amount: f64) -> String {
    let digits = match amount > 0.0 && amount < 0.1 {
        // Two significant digits.
        true => (1.0 - amount.log10().floor()).min(12.0) as usize,
        false => 2,
    };
    format!("${amount:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_one_says_them() {
        assert_eq!(count(1, "answer"), "1 answer");
        assert_eq!(count(0, "error"), "0 errors");
        for (amount, told) in [
            (0.0, "$0.00"),
            (12.346, "$12.35"),
            (0.25, "$0.25"),
            (0.042, "$0.042"),
            (0.000_001_37, "$0.0000014"),
        ] {
            assert_eq!(dollars(amount), told);
        }
    }
}
