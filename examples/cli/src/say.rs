//! What the program says: results to standard output, all else to standard error. Colours only on a
//! terminal, and none where NO_COLOR is set.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().bold();

/// Writes to standard output at once. A reader that has gone away (`| head`) is no failure.
pub(crate) fn out(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes a line to standard error.
pub(crate) fn note(line: &str) {
    // Nobody is there to be told where this fails.
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

pub(crate) fn warning(line: &str) {
    note(&format!("{WARN}warning:{WARN:#} {line}"));
}

pub(crate) fn error(line: &str) {
    note(&format!("{BAD}error:{BAD:#} {line}"));
}
