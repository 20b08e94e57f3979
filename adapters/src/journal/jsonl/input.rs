//! What a check of the whole input found.

use std::io;

use chatcore::{Error, ErrorKind};

/// How many unreadable lines are reported.
pub(in crate::journal) const TOLD: usize = 5;

/// How input lines that are not the JSON of a request are handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadLines {
    /// The line is recorded as an error, and the other lines run.
    #[default]
    Record,
    /// The whole input is refused before anything is sent.
    Refuse,
}

/// The result of checking the input.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Input {
    /// The number of items.
    pub items: u64,
    /// The number of lines that are not JSON, have a misspelt field, or have a `custom_id` that is
    /// neither a string nor a number. Other faults are found when the line is about to be sent.
    pub bad_lines: u64,
    /// The errors of the first few bad lines.
    pub first_bad: Vec<Error>,
}

pub(in crate::journal) fn unreadable(name: &str, error: &io::Error) -> Error {
    let of_input = error
        .get_ref()
        .and_then(|error| error.downcast_ref::<Error>());
    match of_input {
        // Only the message, because the new error shows the code itself.
        Some(error) => {
            let why = format!("{name} cannot be read: {}", error.message());
            Error::new(error.kind(), why).with_code(error.code().map(str::to_owned))
        }
        None => {
            let why = format!("{name} cannot be read: {error}");
            let source = io::Error::new(error.kind(), error.to_string());
            Error::new(ErrorKind::Journal, why).with_source(source)
        }
    }
}
