//! Arguments that come value by value, each with its path, → JSON text.
//!
//! ```text
//!  $.recipe.name      "Las"  goes on     {"recipe":{"name":"Las
//!  $.recipe.name      "agna"             agna"
//!  $.recipe.steps[0]  "Boil"             ,"steps":["Boil"
//!                                        ]}}
//! ```
//!
//! The values come in the order in which they stand in the arguments, so that the text is written
//! as they come, and nothing but the path is held.

use std::collections::HashSet;

use super::path::{self, Step};
use super::wire::PartialArg;
use crate::error::{Error, ErrorKind};
use crate::json::{Joiner, Piece, Writer};

/// How many items of a list may be missing before one that comes: they are null.
const MOST_MISSING: usize = 8;

/// Arguments, as far as they have come.
#[derive(Debug, Default)]
pub(super) struct Args {
    /// The containers that are open, the outermost first.
    open: Vec<Level>,
    /// The string that goes on, which is the last value; and half a character at its end.
    string: Option<Joiner>,
}

/// A container, and where in it the last value stands.
#[derive(Debug)]
struct Level {
    last: Step,
    /// The names of an object's members so far.
    names: HashSet<String>,
}

impl Args {
    /// Takes in the next value, or the next piece of a string; `text` grows by what that adds.
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
            // Nothing more comes of a string, without a piece of its own.
            (None, true) => {}
            // What is none of these is null.
            (None, false) => text.push_str(arg.number.or(arg.boolean).unwrap_or("null")),
        }
        if !goes_on {
            self.end_string(text);
        }
        Ok(())
    }

    /// No more values come.
    pub(super) fn end(&mut self, text: &mut String) {
        self.end_string(text);
        self.close_from(0, text);
    }

    fn is_at(&self, path: &[Step]) -> bool {
        self.open.len() == path.len()
            && (self.open.iter().zip(path)).all(|(level, step)| level.last == *step)
    }

    /// Closes and opens containers, and names the value that is written next.
    fn go_to(&mut self, path: Vec<Step>, text: &mut String) -> Result<(), Error> {
        let steps = self.open.iter().zip(&path);
        let shared = steps
            .take_while(|(level, step)| level.last == **step)
            .count();
        // Something else stands there already.
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

    /// Names the next member of the innermost container.
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

    /// Opens a container and names its first member.
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
            "the arguments of a call came in pieces, and {count} items of a list did not come"
        )));
    }
    text.extend(std::iter::repeat_n("null,", count));
    Ok(())
}

fn twice(path: &str) -> Error {
    wrong(format!(
        "the arguments of a call came in pieces that do not fit together: {} came again, or out \
         of order",
        crate::quote::Quoted(path)
    ))
}

pub(super) fn wrong(why: String) -> Error {
    Error::new(ErrorKind::Protocol, why)
}
