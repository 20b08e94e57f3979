//! Writes a call's arguments as JSON text from values that arrive one by one, each with its path.
//!
//! ```text
//!  $.recipe.name      "Las"  goes on     {"recipe":{"name":"Las
//!  $.recipe.name      "agna"             agna"
//!  $.recipe.steps[0]  "Boil"             ,"steps":["Boil"
//!                                        ]}}
//! ```
//!
//! The values arrive in the order of the arguments. Each is written as it arrives, and only the
//! path is held in memory.

use std::collections::HashSet;

use super::path::{self, Step};
use super::wire::PartialArg;
use crate::error::{Error, ErrorKind};
use crate::json::{Joiner, Piece, Writer};

/// The most items of a list that may be missing before an item that arrives. They are written as
/// null.
const MOST_MISSING: usize = 8;

/// The state of arguments that arrive in pieces.
#[derive(Debug, Default)]
pub(super) struct Args {
    /// The open containers, the outermost first.
    open: Vec<Level>,
    /// The unfinished string, if the last value is one, with half a character at its end.
    string: Option<Joiner>,
}

/// An open container, and the step to its last value.
#[derive(Debug)]
struct Level {
    last: Step,
    /// The names of an object's members so far.
    names: HashSet<String>,
}

impl Args {
    /// Reads the next value, or the next piece of a string, and appends the JSON that it adds to
    /// `text`.
    pub(super) fn take(&mut self, arg: PartialArg<'_>, text: &mut String) -> Result<(), Error> {
        let path = path::parse(&arg.path.0)?;
        let goes_on = arg.will_continue.0.text == "true";
        if !self.is_at(&path) {
            self.end_string(text);
            self.go_to(path, text)?;
        } else if self.string.is_none() {
            return Err(twice(&arg.path.0));
        }
        match (arg.string, self.string.is_some()) {
            (Some(piece), true) => self.say(piece.0, text),
            (Some(piece), false) => {
                text.push('"');
                self.string = Some(Joiner::default());
                self.say(piece.0, text);
            }
            // The string ends without another piece.
            (None, true) => {}
            // A value of no known type is null.
            (None, false) => text.push_str(arg.number.or(arg.boolean).unwrap_or("null")),
        }
        if !goes_on {
            self.end_string(text);
        }
        Ok(())
    }

    /// Closes the arguments.
    pub(super) fn end(&mut self, text: &mut String) {
        self.end_string(text);
        self.close_from(0, text);
    }

    fn is_at(&self, path: &[Step]) -> bool {
        self.open.len() == path.len()
            && (self.open.iter().zip(path)).all(|(level, step)| level.last == *step)
    }

    /// Closes and opens containers as needed, and writes the name of the next value.
    fn go_to(&mut self, path: Vec<Step>, text: &mut String) -> Result<(), Error> {
        let steps = self.open.iter().zip(&path);
        let shared = steps
            .take_while(|(level, step)| level.last == **step)
            .count();
        // A value at this path has been written already.
        if shared == path.len() || (shared == self.open.len() && shared > 0) {
            return Err(twice(&path::show(&path)));
        }
        self.close_from(shared + 1, text);
        let mut is_member = shared < self.open.len();
        for step in path.into_iter().skip(shared) {
            match is_member {
                true => self.next_in_last(step, text)?,
                false => self.begin(step, text)?,
            }
            is_member = false;
        }
        Ok(())
    }

    /// Writes the name of the next member of the innermost container.
    fn next_in_last(&mut self, step: Step, text: &mut String) -> Result<(), Error> {
        let Some(level) = self.open.last_mut() else {
            return self.begin(step, text);
        };
        text.push(',');
        match (&level.last, &step) {
            (Step::Name(_), Step::Name(name)) => {
                if !level.names.insert(name.clone()) {
                    return Err(twice(name));
                }
                write_name(name, text);
            }
            (Step::Item(last), Step::Item(item)) if item > last => {
                write_missing(item - last - 1, text)?;
            }
            _ => return Err(twice(&path::show(std::slice::from_ref(&step)))),
        }
        level.last = step;
        Ok(())
    }

    /// Opens a container and writes the name of its first member.
    fn begin(&mut self, step: Step, text: &mut String) -> Result<(), Error> {
        let mut names = HashSet::new();
        match &step {
            Step::Name(name) => {
                text.push('{');
                write_name(name, text);
                names.insert(name.clone());
            }
            Step::Item(item) => {
                text.push('[');
                write_missing(*item, text)?;
            }
        }
        self.open.push(Level { last: step, names });
        Ok(())
    }

    /// Closes the containers from this depth on.
    fn close_from(&mut self, depth: usize, text: &mut String) {
        while self.open.len() > depth {
            match self.open.pop().map(|level| level.last) {
                Some(Step::Item(_)) => text.push(']'),
                _ => text.push('}'),
            }
        }
    }

    fn say(&mut self, piece: Piece<'_>, text: &mut String) {
        let joiner = self.string.get_or_insert_default();
        let said = joiner.join(piece);
        text.push_str(inside(&quoted(&said)));
    }

    fn end_string(&mut self, text: &mut String) {
        if let Some(mut joiner) = self.string.take() {
            text.extend(joiner.rest());
            text.push('"');
        }
    }
}

fn quoted(text: &str) -> String {
    let mut writer = Writer::with_capacity(text.len() + 2);
    writer.string(text);
    writer.into_text()
}

/// A JSON string without its quotation marks.
fn inside(quoted: &str) -> &str {
    quoted.get(1..quoted.len() - 1).unwrap_or_default()
}

fn write_name(name: &str, text: &mut String) {
    text.push_str(&quoted(name));
    text.push(':');
}

fn write_missing(count: usize, text: &mut String) -> Result<(), Error> {
    if count > MOST_MISSING {
        return Err(wrong(format!(
            "the arguments of a call came in pieces, and {count} items of a list are missing"
        )));
    }
    text.extend(std::iter::repeat_n("null,", count));
    Ok(())
}

fn twice(path: &str) -> Error {
    wrong(format!(
        "the arguments of a call came in pieces that do not fit together: {} was repeated or out \
         of order",
        crate::quote::Quoted(path)
    ))
}

pub(super) fn wrong(why: String) -> Error {
    Error::new(ErrorKind::Protocol, why)
}
