//! The one form of all errors: a status, a stable code and a sentence. OpenAI's clients understand
//! it.

use std::fmt;
use std::time::Duration;

use chatcore::{Error, ErrorKind};
use chatcore_adapters::answers::openai_chat::OpenAiChatForm;
use chatcore_adapters::answers::{Form, Refusal};
use serde_json::Value;

/// An error as sent to a client. The code is stable; the message is for people.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// The field that caused the error.
    pub(crate) param: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    /// The methods that the path accepts.
    pub(crate) allow: Option<&'static str>,
    /// Whether the client may send the request again, if the status alone would say otherwise.
    pub(crate) should_retry: Option<bool>,
}

impl ApiError {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            param: None,
            retry_after: None,
            allow: None,
            should_retry: None,
        }
    }

    /// A field with an invalid value.
    pub(crate) fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            param: Some(param.into()),
            ..Self::new(400, "invalid_value", message)
        }
    }

    /// An error that should pass within a moment.
    pub(crate) fn busy(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            retry_after: Some(Duration::from_secs(1)),
            ..Self::new(status, code, message)
        }
    }

    pub(crate) fn draining() -> Self {
        Self::busy(503, "shutting_down", "the server is shutting down")
    }

    /// `{"error": {…}}`, in OpenAI's form.
    pub(crate) fn to_json(&self) -> Value {
        OpenAiChatForm.refuse(&self.clone().into())
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let mut refusal = Self::new(error.status, error.message);
        refusal.code = Some(error.code);
        refusal.param = error.param;
        refusal
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.message)
    }
}

impl From<Error> for ApiError {
    /// The code is the name of the error's kind. Errors between the server and the provider (its
    /// key, its settings) are 5xx, because the client cannot fix them.
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            // `OutOfTokens` is here because the client's limit of tokens was too low.
            ErrorKind::InvalidInput | ErrorKind::BadRequest | ErrorKind::OutOfTokens => 400,
            ErrorKind::NotFound => 404,
            ErrorKind::RateLimited | ErrorKind::QuotaExceeded => 429,
            ErrorKind::QueueFull | ErrorKind::Overloaded | ErrorKind::Closed => 503,
            ErrorKind::Timeout => 504,
            ErrorKind::Config | ErrorKind::Journal | ErrorKind::Internal => 500,
            _ => 502,
        };
        let (retry_after, should_retry) = match error.kind() {
            ErrorKind::QueueFull | ErrorKind::Closed => (Some(Duration::from_secs(1)), None),
            // chatcore has already retried what is worth retrying. If the client retried too, each
            // of its attempts would become several at the provider.
            _ => (error.retry_after(), Some(false)),
        };
        Self {
            param: error.param().map(str::to_owned),
            retry_after,
            should_retry,
            ..Self::new(status, error.kind().as_str(), error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_providers_refusal_of_the_key_is_not_the_clients() {
        let error = ApiError::from(Error::new(ErrorKind::Auth, "no"));
        assert_eq!((error.status, error.code.as_str()), (502, "auth"));
        assert_eq!(error.to_json()["error"]["type"], "server_error");
        assert_eq!(error.should_retry, Some(false));
    }

    #[test]
    fn a_full_queue_says_when_to_come_back() {
        let error = ApiError::from(Error::new(ErrorKind::QueueFull, "full"));
        assert_eq!(error.status, 503);
        assert_eq!(error.retry_after, Some(Duration::from_secs(1)));
        assert_eq!(error.should_retry, None);
    }
}
