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

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self {
            status: FAILED,
            message: error.to_string(),
        }
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
