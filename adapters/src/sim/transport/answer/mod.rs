//! Encodes an answer as the real providers do.

mod anthropic;
mod openai;

use serde_json::{Value, json};

use super::request::SimRequest;

/// The provider's answer to one request.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) ask: &'a SimRequest,
    /// The words of the answer, each with the space before it.
    pub(super) tokens: Vec<&'a str>,
    /// Whether it was cut to the request's limit.
    is_cut: bool,
    /// Whether it includes its usage.
    tells_usage: bool,
}

impl<'a> Answer<'a> {
    pub(super) fn new(ask: &'a SimRequest, text: &'a str, tells_usage: bool) -> Self {
        let mut tokens: Vec<_> = text.split_inclusive(' ').collect();
        let allowed = ask.max_tokens.unwrap_or(usize::MAX);
        let is_cut = tokens.len() > allowed;
        tokens.truncate(allowed);
        Self {
            ask,
            tokens,
            is_cut,
            tells_usage,
        }
    }

    /// The answer in one piece.
    pub(super) fn whole(&self) -> String {
        match self.ask.is_anthropic {
            true => anthropic::whole(self),
            false => openai::whole(self),
        }
    }

    /// The beginning of a stream, before the first token.
    pub(super) fn opening(&self) -> String {
        match self.ask.is_anthropic {
            true => anthropic::opening(self),
            false => openai::opening(self),
        }
    }

    /// One token of a stream.
    pub(super) fn token(&self, token: &str) -> String {
        match self.ask.is_anthropic {
            true => anthropic::token(token),
            false => openai::token(self, token),
        }
    }

    /// The end of a stream, with its terminal event last.
    pub(super) fn ending(&self) -> String {
        match self.ask.is_anthropic {
            true => anthropic::ending(self),
            false => openai::ending(self),
        }
    }
}

/// The error object for a status, or for an error with status 200 if `status` is `None`.
pub(super) fn error(is_anthropic: bool, status: Option<u16>, message: &str) -> Value {
    let status = status.unwrap_or(500);
    match is_anthropic {
        true => {
            let kind = match status {
                400 => "invalid_request_error",
                401 => "authentication_error",
                404 => "not_found_error",
                429 => "rate_limit_error",
                529 => "overloaded_error",
                _ => "api_error",
            };
            json!({"type": "error", "error": {"type": kind, "message": message}})
        }
        false => {
            let (kind, code) = match status {
                400 => ("invalid_request_error", Value::Null),
                404 => ("invalid_request_error", json!("not_found")),
                429 => ("requests", json!("rate_limit_exceeded")),
                _ => ("server_error", json!("server_error")),
            };
            json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
        }
    }
}

/// An error as an event of a stream.
pub(super) fn error_event(is_anthropic: bool, message: &str) -> String {
    let error = error(is_anthropic, None, message);
    match is_anthropic {
        true => format!("event: error\ndata: {error}\n\n"),
        false => format!("data: {error}\n\n"),
    }
}
