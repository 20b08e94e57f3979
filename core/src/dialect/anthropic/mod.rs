//! Anthropic's messages.

mod block;
mod blocks;
mod decode;
mod encode;
mod models;
mod thinking;
mod usage;
mod wire;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request};

use super::kit::decoder::AnswerDecoder;
use super::kit::{hints, response_headers};
use super::{
    Caps, Decoder, Dialect, Endpoint, Facts, KeyHeader, LimitHints, Mode, ModelsDialect, Quota,
};
use crate::chat::ChatRequest;
use crate::error::Error;
use crate::quote::Quoted;
use decode::Events;

const DIALECT: &str = "anthropic";

pub(super) static FACTS: Facts = Facts::new(DIALECT)
    .with_key_header(KeyHeader::new("x-api-key", ""))
    .with_response_headers(response_headers::ANTHROPIC.as_flattened());

/// How many tokens an answer may have where the request does not say: Anthropic demands a number.
const DEFAULT_MAX_TOKENS: u32 = 4096;

/// Anthropic's messages: `POST {base}/v1/messages`; and its list of models, `GET
/// {base}/v1/models`. A base URL that ends in `/v1` is taken as it is.
///
/// What Anthropic has no word for is refused before it is sent: a seed, a temperature above 1, a
/// JSON mode without a schema, roles of one's own. Beyond that:
///
/// - **`max_tokens`** is 4,096 where the request does not say: Anthropic demands a number.
/// - **`temperature` and `top_p`** go as they are set. A default temperature is not sent where it
///   would be refused: to the API version `2026-10-21` and newer, and to models that refuse it by
///   the table [`MODEL_RULES`](crate::MODEL_RULES).
/// - **`reasoning_effort`** asks Claude 4.6 and newer to reason as they see fit, guided by the
///   effort (`minimal` goes as `low`). Older ones, and models of other makers, get a budget: a
///   share of `max_tokens`, from 10 % (`minimal`) over 20, 50 and 80 % to 95 % (`xhigh`, `max`)
///   and at least 1,024 tokens, so that `max_tokens` must be more. `none` turns reasoning off, in
///   the way that the table has for the model.
/// - **Reasoning** goes back with its signature, which proves it. Reasoning without one is left
///   out: the provider would refuse it. So is text of nothing but white space.
/// - **Messages** of one side that follow each other go as one, the results of tools first in it.
/// - **A stream** that ends after the model said why it stopped is complete, though the event
///   `message_stop` is missing; one that ends before is [`Truncated`](crate::ErrorKind::Truncated).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Anthropic {
    /// The value of the header `anthropic-version`. Default `2023-06-01`.
    pub version: Cow<'static, str>,
    /// Whether to send `anthropic-dangerous-direct-browser-access`, without which the provider
    /// answers no page. Default false.
    pub browser_access: bool,
}

impl Anthropic {
    /// The dialect with another `anthropic-version`.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<Cow<'static, str>>) -> Self {
        self.version = version.into();
        self
    }

    /// The dialect as a page in a browser must speak it, which shows the key to everybody who looks.
    #[must_use]
    pub fn with_browser_access(mut self, browser_access: bool) -> Self {
        self.browser_access = browser_access;
        self
    }
}

impl Default for Anthropic {
    fn default() -> Self {
        Self {
            version: Cow::Borrowed("2023-06-01"),
            browser_access: false,
        }
    }
}

// Made when it is compiled: the code that makes a name is large.
static VERSION: HeaderName = HeaderName::from_static("anthropic-version");
static BROWSER_ACCESS: HeaderName =
    HeaderName::from_static("anthropic-dangerous-direct-browser-access");

impl Dialect for Anthropic {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(&CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let version = HeaderValue::try_from(&*self.version).map_err(|_| {
            Error::config(format!(
                "{} cannot be an anthropic-version",
                Quoted(&self.version)
            ))
        })?;
        headers.insert(&VERSION, version);
        if self.browser_access {
            headers.insert(&BROWSER_ACCESS, HeaderValue::from_static("true"));
        }
        Ok(headers)
    }

    fn encode(
        &self,
        endpoint: &Endpoint,
        request: &ChatRequest,
        mode: Mode,
    ) -> Result<Request<Bytes>, Error> {
        let model = request.model.as_deref().unwrap_or(endpoint.model());
        let rule = endpoint.model_rule(request.model.as_deref());
        let body = encode::body(rule, model, request, mode)?;
        endpoint.post(path(endpoint, "/v1/messages"), body)
    }

    fn decoder(&self, head: &http::response::Parts, _: Mode, caps: Caps) -> Box<dyn Decoder> {
        Box::new(AnswerDecoder::new(head, caps, Events::default()))
    }

    fn models(&self) -> Option<&dyn ModelsDialect> {
        Some(&models::AnthropicModels)
    }

    fn limits(&self, headers: &HeaderMap) -> LimitHints {
        let [requests, tokens, input, output] = &response_headers::ANTHROPIC;
        let tokens = match hints::quota(headers, tokens) {
            none if none == Quota::default() => {
                nearest(hints::quota(headers, input), hints::quota(headers, output))
            }
            both => both,
        };
        LimitHints {
            requests: hints::quota(headers, requests),
            tokens,
        }
    }

    fn refuses_sampling(&self) -> bool {
        // Versions are dates.
        *self.version >= *"2026-10-21"
    }
}

/// `path`, which begins with `/v1`, below a base URL that may have it at its end already.
fn path(endpoint: &Endpoint, path: &'static str) -> &'static str {
    match endpoint.base_path().ends_with("/v1") {
        true => path.strip_prefix("/v1").unwrap_or(path),
        false => path,
    }
}

/// Of two limits, the one that is nearer to its end.
fn nearest(input: Quota, output: Quota) -> Quota {
    let left = |quota: &Quota| quota.remaining.unwrap_or(u64::MAX);
    match left(&output) < left(&input) {
        true => output,
        false => input,
    }
}
