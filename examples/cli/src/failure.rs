//! Failures of the program: a message of one line and an exit status.

use chatcore::{Error, ErrorKind};

/// The run could not continue.
pub(crate) const FAILED: u8 = 1;
/// An option, a setting or the input is wrong.
pub(crate) const WRONG: u8 = 2;
/// Every item has a result, and some results are errors.
pub(crate) const SOME_ERRORS: u8 = 3;
/// Stopped before the end.
pub(crate) const STOPPED: u8 = 4;

/// Why the program ends early.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: u8,
    pub(crate) message: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Config | ErrorKind::InvalidInput => WRONG,
            _ => FAILED,
        };
        Self {
            status,
            message: error.to_string(),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self {
            status: FAILED,
            message: error.to_string(),
        }
    }
}
