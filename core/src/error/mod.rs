//! The error type: its kind, whether a retry may help, and everything that is known about the
//! error.

mod display;
mod json;
mod kind;
mod outside;
mod phase;
mod serial;
mod transport;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

pub use kind::ErrorKind;
pub use phase::Phase;

use crate::chat::ChatResponse;
use crate::head::ResponseHead;
use crate::quote::Span;

/// The most bytes of an error's body that are kept.
pub(crate) const MAX_KEPT_BODY: usize = 8 * 1024;

/// Why a chat failed, or could not begin.
///
/// `Display` says what happened and what to do next, in one line. `Debug` (`{:?}`, which is printed
/// for an error that `main` returns) is the same line with the [kind](Self::kind) in it. `{:#?}`
/// shows every field.
///
/// None of these forms contains a secret that the client knows: the key, the values of headers, the
/// query of the base URL, or the password of a proxy. If a server echoes a secret in any form
/// ([`Secrets`](crate::Secrets)), the secret is removed from the message, the body, the code, the
/// type, the param, the request id, the causes and the sources. A [partial](Self::partial) answer
/// is data, like a whole answer: it is returned as it arrived, and is not part of the printed
/// forms.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) {
/// match client.ask("Why is the sky blue?").await {
///     Ok(answer) => println!("{answer}"),
///     Err(error) if error.is_retryable() => println!("later, after {:?}", error.retry_after()),
///     Err(error) => println!("{error} (request {:?})", error.request_id()),
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    status: Option<StatusCode>,
    code: Option<String>,
    error_type: Option<String>,
    param: Option<String>,
    refused_option: Option<String>,
    request_id: Option<String>,
    body: Option<String>,
    retry_after: Option<Duration>,
    should_retry: Option<bool>,
    phase: Option<Phase>,
    in_stream: bool,
    attempts: u32,
    provider: Option<Arc<str>>,
    partial: Option<Box<ChatResponse>>,
    head: Option<Box<ResponseHead>>,
    /// What to do next, if more is known than the kind's advice.
    advice: Option<Arc<str>>,
    causes: Vec<Error>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` with `message`, which must contain no key.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            status: None,
            code: None,
            error_type: None,
            param: None,
            refused_option: None,
            request_id: None,
            body: None,
            retry_after: None,
            should_retry: None,
            phase: None,
            in_stream: false,
            attempts: 0,
            provider: None,
            partial: None,
            head: None,
            advice: None,
            causes: Vec::new(),
            source: None,
        }))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// The time limit `limit` of `phase` ran out.
    pub fn timeout(phase: Phase, limit: Duration) -> Self {
        let mut error = Self::new(
            ErrorKind::Timeout,
            format!("timed out after {} {phase}", Span(limit)),
        );
        error.0.phase = Some(phase);
        error
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, without the context that `Display` adds.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The HTTP status of the response, if there was one. It is 200 for an error inside a stream.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The provider's error code, such as `insufficient_quota`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The provider's error type, such as `overloaded_error`.
    pub fn error_type(&self) -> Option<&str> {
        self.0.error_type.as_deref()
    }

    /// The field of the request that the provider names as the cause.
    pub fn param(&self) -> Option<&str> {
        self.0.param.as_deref()
    }

    /// The option that the caller set and the provider refuses, by its name in the request's JSON,
    /// such as `temperature`.
    pub fn refused_option(&self) -> Option<&str> {
        self.0.refused_option.as_deref()
    }

    /// The provider's id of the request. The provider's support asks for it.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The body of the error as the provider sent it, at most 8 KiB.
    pub fn body(&self) -> Option<&str> {
        self.0.body.as_deref()
    }

    /// How long the provider asks to wait before the next attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Which time limit ran out, for [`ErrorKind::Timeout`].
    pub fn phase(&self) -> Option<Phase> {
        self.0.phase
    }

    /// Whether the provider reported the error inside a stream that had begun with a success
    /// status.
    pub fn is_in_stream(&self) -> bool {
        self.0.in_stream
    }

    /// How many times the request was sent. 0 if never.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The provider's name.
    pub fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// The part of the answer that had arrived before the error.
    pub fn partial(&self) -> Option<&ChatResponse> {
        self.0.partial.as_deref()
    }

    /// The head of the response, if [`keep_head`](crate::ChatCall::keep_head) asked for it and
    /// there was a response.
    pub fn head(&self) -> Option<&ResponseHead> {
        self.0.head.as_deref()
    }

    /// The errors of the attempts before the last one, in order.
    pub fn causes(&self) -> &[Error] {
        &self.0.causes
    }

    /// Whether sending the same request again may help. The provider's own statement counts if it
    /// made one, otherwise the documentation of the [`kind`](ErrorKind).
    pub fn is_retryable(&self) -> bool {
        let otherwise = match (self.0.kind, self.0.phase) {
            (ErrorKind::Timeout, Some(phase)) => phase.is_retryable(),
            (kind, _) => kind.is_retryable(),
        };
        self.0.should_retry.unwrap_or(otherwise)
    }

    /// Sets the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Sets the provider's error code.
    #[must_use]
    pub fn with_code(mut self, code: Option<String>) -> Self {
        self.0.code = code;
        self
    }

    /// Sets the provider's error type.
    #[must_use]
    pub fn with_error_type(mut self, error_type: Option<String>) -> Self {
        self.0.error_type = error_type;
        self
    }

    /// Sets the field of the request that the provider names as the cause.
    #[must_use]
    pub fn with_param(mut self, param: Option<String>) -> Self {
        self.0.param = param;
        self
    }

    pub(crate) fn with_refused_option(mut self, option: String) -> Self {
        self.0.refused_option = Some(option);
        self
    }

    /// Sets the provider's id of the request.
    #[must_use]
    pub fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.0.request_id = request_id.or(self.0.request_id);
        self
    }

    /// Keeps the error's body, at most 8 KiB. Bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn with_body(mut self, body: &[u8]) -> Self {
        let kept = &body[..body.len().min(MAX_KEPT_BODY)];
        self.0.body = Some(String::from_utf8_lossy(kept).into_owned());
        self
    }

    /// Sets how long the provider asks to wait.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    /// Sets whether the provider says that a retry may help.
    #[must_use]
    pub fn with_should_retry(mut self, should_retry: Option<bool>) -> Self {
        self.0.should_retry = should_retry;
        self
    }

    /// Marks the error as reported inside a stream.
    #[must_use]
    pub fn in_stream(mut self) -> Self {
        self.0.in_stream = true;
        self
    }

    /// Puts before the message what could not be done because of it.
    pub(crate) fn with_context(mut self, context: &str) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    pub(crate) fn with_head(mut self, head: Option<Box<ResponseHead>>) -> Self {
        self.0.head = head;
        self
    }

    /// Adds the part of the answer that had arrived.
    #[must_use]
    pub fn with_partial(mut self, partial: ChatResponse) -> Self {
        self.0.partial = Some(Box::new(partial));
        self
    }

    /// Adds the error that caused this one. It must contain no key.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// Replaces the source by an error that may keep it as its own source.
    #[cfg(feature = "typed")]
    pub(crate) fn with_outer_source<E: StdError + Send + Sync + 'static>(
        mut self,
        wrap: impl FnOnce(Option<Arc<dyn StdError + Send + Sync>>) -> E,
    ) -> Self {
        self.0.source = Some(Arc::new(wrap(self.0.source.take())));
        self
    }

    pub(crate) fn with_causes(mut self, causes: Vec<Error>) -> Self {
        self.0.causes = causes;
        self
    }

    pub(crate) fn set_attempts(&mut self, attempts: u32) {
        self.0.attempts = attempts;
    }

    pub(crate) fn set_provider(&mut self, provider: &Arc<str>) {
        self.0.provider = Some(Arc::clone(provider));
    }

    pub(crate) fn set_advice(&mut self, advice: &Arc<str>) {
        self.0.advice = Some(Arc::clone(advice));
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_one_line_with_its_context() {
        let mut error = Error::new(ErrorKind::RateLimited, "slow down")
            .with_status(StatusCode::TOO_MANY_REQUESTS)
            .with_code(Some("rate_limit_exceeded".into()))
            .with_retry_after(Some(Duration::from_secs(2)));
        error.set_attempts(3);
        error.set_provider(&"deepseek".into());
        assert_eq!(
            error.to_string(),
            "deepseek: slow down (status 429, code rate_limit_exceeded, attempts 3, retry after \
             2s); wait, or lower LLM_ASYNC_WORKERS"
        );
    }

    #[test]
    fn the_server_has_the_last_word_on_retries() {
        let error = Error::new(ErrorKind::Server, "no");
        assert!(error.is_retryable());
        assert!(!error.with_should_retry(Some(false)).is_retryable());
    }

    #[test]
    fn a_timeout_names_its_phase() {
        let error = Error::timeout(Phase::Overall, Duration::from_secs(30));
        assert_eq!(error.phase(), Some(Phase::Overall));
        assert!(!error.is_retryable());
        assert!(Error::timeout(Phase::Headers, Duration::ZERO).is_retryable());
        assert_eq!(error.message(), "timed out after 30s over the whole call");
        assert_eq!(
            Error::timeout(Phase::ByteIdle, Duration::from_millis(500)).message(),
            "timed out after 500ms without a byte of the answer"
        );
    }
}
