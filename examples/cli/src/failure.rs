//! Failures of the program: a message of one line and an exit status.

use std::error::Error as _;
use std::io;

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
            message: in_options(&error.to_string()),
        }
    }
}

/// Replaces the library's names for what a user can do by the program's options.
fn in_options(message: &str) -> String {
    message
        .replace(" (FilesBuilder::retry_errors)", "")
        .replace(" or Provider::with_base_url", "")
        .replace("set LLM_BASE_URL", "set --base-url or LLM_BASE_URL")
        .replace("or force the run", "or use --force")
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self {
            status: FAILED,
            message: error.to_string(),
        }
    }
}

impl Failure {
    /// The failure of a step before anything was sent. A file that cannot be opened or read is then
    /// a wrong option or input.
    pub(crate) fn of_beginning(error: Error) -> Self {
        let of_file = error.source().and_then(|error| error.downcast_ref());
        let status = of_file.map(status_of_file);
        let failure = Self::from(error);
        Self {
            status: status.unwrap_or(failure.status),
            ..failure
        }
    }

    /// The failure to open, read or create a file that an option names, before anything was sent.
    pub(crate) fn of_file(message: String, error: &io::Error) -> Self {
        Self {
            status: status_of_file(error),
            message,
        }
    }
}

/// Whether another path or other content helps, or the machine must be mended.
fn status_of_file(error: &io::Error) -> u8 {
    use io::ErrorKind::{
        AlreadyExists, InvalidData, InvalidFilename, InvalidInput, IsADirectory, NotADirectory,
        NotFound, Other, PermissionDenied, ReadOnlyFilesystem, UnexpectedEof,
    };
    match error.kind() {
        AlreadyExists | InvalidFilename | InvalidInput | IsADirectory | NotADirectory
        | NotFound | PermissionDenied | ReadOnlyFilesystem => WRONG,
        // What is compressed is broken.
        InvalidData | Other | UnexpectedEof => WRONG,
        _ => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_options() {
        let error = Error::new(
            ErrorKind::Config,
            "run them again with --retry-errors (FilesBuilder::retry_errors), or force the run",
        );
        let message = Failure::from(error).message;
        assert!(
            message.ends_with("again with --retry-errors, or use --force"),
            "{message}"
        );
    }

    #[test]
    fn a_disk_that_fails_is_no_wrong_file() {
        for (kind, status) in [
            (io::ErrorKind::IsADirectory, WRONG),
            (io::ErrorKind::UnexpectedEof, WRONG),
            (io::ErrorKind::StorageFull, FAILED),
            (io::ErrorKind::TimedOut, FAILED),
        ] {
            let error = Error::new(ErrorKind::Journal, "in").with_source(io::Error::from(kind));
            assert_eq!(Failure::from(error.clone()).status, FAILED, "{kind}");
            assert_eq!(Failure::of_beginning(error).status, status, "{kind}");
        }
        // Not of a file.
        let error = Error::new(ErrorKind::Journal, "away");
        assert_eq!(Failure::of_beginning(error).status, FAILED);
    }

    #[test]
    fn a_base_url_is_an_option_too() {
        let of = |told: &str| Failure::from(Error::new(ErrorKind::Config, told)).message;
        for (told, expected) in [
            (
                "no base URL: set LLM_BASE_URL or Provider::with_base_url",
                "no base URL: set --base-url or LLM_BASE_URL",
            ),
            (
                "set --base-url or LLM_BASE_URL",
                "set --base-url or LLM_BASE_URL",
            ),
        ] {
            let message = of(told);
            assert!(message.ends_with(expected), "{message}");
        }
    }
}
