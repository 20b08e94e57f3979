//! One event of a stream, of whatever dialect.

use super::{Assemble, Output};
use crate::dialect::kit::failure;
use crate::dialect::kit::read::not_of;
use crate::error::Error;
use crate::json::{JsonError, Reader};

/// Takes in one event.
pub(super) fn take(
    name: &[u8],
    data: &str,
    assemble: &mut dyn Assemble,
    out: &mut Output,
) -> Result<(), Error> {
    let data = data.trim_ascii();
    let is_complete = assemble.is_complete();
    let Err(error) = take_one(name, data, assemble, out) else {
        return Ok(());
    };
    match is_several(data) {
        true => take_each(name, data, assemble, out),
        false => judge(name, data, is_complete, error, assemble, out),
    }
}

/// Several events that were put into one.
pub(super) fn take_each(
    name: &[u8],
    data: &str,
    assemble: &mut dyn Assemble,
    out: &mut Output,
) -> Result<(), Error> {
    let mut reader = Reader::new(data);
    loop {
        let rest = reader.rest().trim_ascii_start();
        if rest.is_empty() || out.is_last {
            return Ok(());
        }
        let one = reader.raw();
        let (one, is_json) = (one.unwrap_or(rest), one.is_ok());
        let is_complete = assemble.is_complete();
        if let Err(error) = take_one(name, one, assemble, out) {
            judge(name, one, is_complete, error, assemble, out)?;
        }
        if !is_json {
            return Ok(());
        }
    }
}

fn take_one(
    name: &[u8],
    data: &str,
    assemble: &mut dyn Assemble,
    out: &mut Output,
) -> Result<(), Error> {
    match data.as_bytes() {
        [b'{', ..] if name != b"error" && !is_keep_alive(name) => assemble.event(name, data, out),
        _ => take_other(name, data, assemble, out),
    }
}

/// Whether an error of an event is one of the answer.
fn judge(
    name: &[u8],
    data: &str,
    is_complete: bool,
    error: Error,
    assemble: &mut dyn Assemble,
    out: &mut Output,
) -> Result<(), Error> {
    let is_foreign = || !assemble.knows(name) && name != b"error" && check(data).is_err();
    match is_complete || is_foreign() {
        // What follows a finished answer does not undo it.
        true => {
            out.skipped += 1;
            Ok(())
        }
        false => Err(error),
    }
}

/// An event that is no object.
#[cold]
fn take_other(
    name: &[u8],
    data: &str,
    assemble: &mut dyn Assemble,
    out: &mut Output,
) -> Result<(), Error> {
    if name == b"error" {
        return Err(failure::reported(data, data));
    }
    if data.is_empty() || is_keep_alive(name) || is_keep_alive(data.as_bytes()) {
        return Ok(());
    }
    if is_done(data) {
        assemble.marker(out);
        return Ok(());
    }
    check(data).map_err(|error| not_of(assemble.name(), data, error))?;
    let value = out.value(data);
    if failure::is_envelope(&value, false) {
        return Err(failure::in_stream(&value, data));
    }
    out.skipped += 1;
    Ok(())
}

/// Whether data is more than one JSON value.
pub(super) fn is_several(data: &str) -> bool {
    let mut reader = Reader::new(data);
    reader.raw().is_ok() && !reader.rest().trim_ascii().is_empty()
}

/// Whether data is one JSON value.
pub(super) fn check(data: &str) -> Result<(), JsonError> {
    let mut reader = Reader::new(data);
    reader.raw()?;
    reader.end()
}

/// Whether data that the end of the input left, without its empty line, is all of an event.
pub(super) fn is_whole(name: &[u8], data: &str) -> bool {
    name == b"error" || is_done(data) || check(data).is_ok()
}

/// Whether the server says that this is all.
fn is_done(data: &str) -> bool {
    let word = data.trim_ascii().trim_matches('"');
    word.eq_ignore_ascii_case("[DONE]") || word.eq_ignore_ascii_case("DONE")
}

/// Whether an event's name, or all of its data, is a word for one that means nothing.
fn is_keep_alive(word: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] = [
        b"ping",
        b"pong",
        b"heartbeat",
        b"keepalive",
        b"keep-alive",
        b"keep_alive",
    ];
    // Most events have no name, and most that have one a longer one.
    (4..=10).contains(&word.len()) && WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}
