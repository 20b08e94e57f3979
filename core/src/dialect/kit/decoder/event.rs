//! Handling of one event of a stream, the same for all dialects.

use super::{Assemble, Output};
use crate::dialect::kit::failure;
use crate::dialect::kit::read::not_of;
use crate::error::Error;
use crate::json::{JsonError, Reader};

/// Handles one event. Some servers put several JSON values into one event: each is handled.
pub(super) fn take(
    name: &[u8],
    data: &str,
    assemble: &mut dyn Assemble,
    out: &mut Output,
) -> Result<(), Error> {
    let mut data = data.trim_ascii();
    loop {
        let is_complete = assemble.is_complete();
        out.unread = 0;
        let taken = match data.as_bytes() {
            [b'{', ..] if !is_error(name) && !is_keep_alive(name) => {
                assemble.event(name, data, out)
            }
            _ => take_other(name, data, assemble, out),
        };
        if let Err(error) = taken {
            if out.unread == 0 && is_several(data) {
                return take_each(name, data, assemble, out);
            }
            judge(name, data, is_complete, error, assemble, out)?;
        }
        if out.unread == 0 || out.is_last || out.done {
            return Ok(());
        }
        data = data[data.len() - out.unread..].trim_ascii_start();
    }
}

/// Splits an event's data into its JSON values, for a dialect that reads only one value at a time.
#[cold]
fn take_each(
    name: &[u8],
    data: &str,
    assemble: &mut dyn Assemble,
    out: &mut Output,
) -> Result<(), Error> {
    let mut reader = Reader::new(data);
    while !out.is_last && !out.done {
        let rest = reader.rest().trim_ascii_start();
        if rest.is_empty() {
            break;
        }
        match reader.raw() {
            Ok(value) => take(name, value, assemble, out)?,
            // `[DONE]`, for example.
            Err(_) => return take(name, rest, assemble, out),
        }
    }
    Ok(())
}

/// Decides whether an error in an event fails the answer. The event is skipped if the answer was
/// already complete, or if the dialect does not know the event's name and its data is not JSON.
fn judge(
    name: &[u8],
    data: &str,
    is_complete: bool,
    error: Error,
    assemble: &mut dyn Assemble,
    out: &mut Output,
) -> Result<(), Error> {
    let is_foreign = || !assemble.knows(name) && !is_error(name) && check(data).is_err();
    match is_complete || is_foreign() {
        // Nothing that follows a complete answer undoes it.
        true => {
            out.skipped += 1;
            Ok(())
        }
        false => Err(error),
    }
}

/// Handles everything but ordinary JSON objects: error events, keep-alives, `[DONE]` and other JSON
/// values.
#[cold]
fn take_other(
    name: &[u8],
    data: &str,
    assemble: &mut dyn Assemble,
    out: &mut Output,
) -> Result<(), Error> {
    if is_error(name) {
        return Err(failure::reported(data, data));
    }
    if data.is_empty() || is_keep_alive(name) || is_keep_alive(data.as_bytes()) {
        return Ok(());
    }
    if is_done(data) {
        assemble.marker(out);
        return Ok(());
    }
    let mut reader = Reader::new(data);
    let value = match reader.raw() {
        Ok(value) => value,
        Err(error) => return Err(not_of(assemble.name(), data, error)),
    };
    out.unread = reader.rest().trim_ascii_start().len();
    // Gemini wraps its error object in an array.
    if value.starts_with('[') && value.contains(['{', '"']) {
        let list = out.value(value);
        if failure::is_envelope(&list, false) {
            return Err(failure::in_stream(&list, data));
        }
    }
    out.skipped += 1;
    Ok(())
}

/// Whether `data` holds more than one JSON value.
pub(super) fn is_several(data: &str) -> bool {
    let mut reader = Reader::new(data);
    reader.raw().is_ok() && !reader.rest().trim_ascii().is_empty()
}

/// Whether `data` is exactly one JSON value.
pub(super) fn check(data: &str) -> Result<(), JsonError> {
    let mut reader = Reader::new(data);
    reader.raw()?;
    reader.end()
}

/// Whether `data` is a whole event. It was left at the end of the input, without the blank line
/// that ends an event.
pub(super) fn is_whole(name: &[u8], data: &str) -> bool {
    is_error(name) || is_done(data) || check(data).is_ok()
}

/// Whether an event of this name is an error, whatever its data.
fn is_error(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"error")
}

/// Whether the data is the marker that ends a stream.
///
/// It looks at the beginning first, and stops at the first byte that cannot follow, because it is
/// asked again for what follows each value of an event with many values.
fn is_done(data: &str) -> bool {
    let data = data.trim_ascii_start().as_bytes();
    let data = data.strip_prefix(b"\"").unwrap_or(data);
    ["[DONE]", "DONE"].iter().any(|word| {
        data.split_at_checked(word.len())
            .is_some_and(|(begin, rest)| {
                let mut rest = rest.iter();
                begin.eq_ignore_ascii_case(word.as_bytes())
                    && rest.all(|byte| *byte == b'"' || byte.is_ascii_whitespace())
            })
    })
}

/// Whether `word`, an event's name or all of its data, is a keep-alive.
fn is_keep_alive(word: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] = [
        b"ping",
        b"pong",
        b"heartbeat",
        b"keepalive",
        b"keep-alive",
        b"keep_alive",
    ];
    // A cheap check first: most events have no name, and most names are longer than ten bytes.
    (4..=10).contains(&word.len()) && WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_is_known_in_each_form() {
        for marker in ["[DONE]", " [done]\n", "\"[DONE]\"", "DONE", "\"done\" "] {
            assert!(is_done(marker), "{marker:?}");
        }
        for other in [
            "",
            "\"",
            "[DONE",
            "[DONE] {}",
            "DONE DONE",
            "{\"a\":\"[DONE]\"}",
            "é",
        ] {
            assert!(!is_done(other), "{other:?}");
        }
    }
}
