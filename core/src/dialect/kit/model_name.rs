//! Checks of a model's name before a request is sent.

use crate::error::Error;
#[cfg(any(feature = "anthropic", feature = "gemini"))]
use crate::quote::Quoted;

/// Refuses a request without a model.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput).
pub(crate) fn check(model: &str) -> Result<(), Error> {
    if model.trim().is_empty() {
        return Err(Error::invalid(
            "no model is set; set LLM_MODEL, or name a model in the request",
        ));
    }
    Ok(())
}

/// Refuses a name that cannot be a segment of a URL's path. Servers and proxies resolve `.` and
/// `..`, escaped or not, so that the request would reach another path.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput).
#[cfg(any(feature = "anthropic", feature = "gemini"))]
pub(crate) fn check_segment(model: &str) -> Result<(), Error> {
    check(model)?;
    if matches!(model, "." | "..") {
        return Err(Error::invalid(format!(
            "{} is not a valid model name",
            Quoted(model)
        )));
    }
    Ok(())
}
