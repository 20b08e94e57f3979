//! Anthropic's messages.

mod decode;
mod encode;
mod wire;

use std::borrow::Cow;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request};

use super::answer::Answer;
use super::{Caps, Decoder, Dialect, Endpoint, LimitHints, Mode, hints};
use crate::chat::ChatRequest;
use crate::error::Error;
use crate::provider::Provider;
use decode::Events;

/// How many tokens an answer may have where the request does not say: Anthropic demands a number.
const DEFAULT_MAX_TOKENS: u32 = 4096;

/// Anthropic's messages: `POST {base}/v1/messages`. A base URL that ends in `/v1` is taken as it
/// is.
///
/// What this protocol has no word for is refused before it is sent: a seed, and a temperature
/// above 1. Where a request does not say how many tokens its answer may have, 4,096 are asked for,
/// since Anthropic demands a number. Reasoning without a signature is not sent back: the provider
/// would refuse it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Anthropic {
    /// The value of the header `anthropic-version`. Default `2023-06-01`. From `2026-10-21` on the
    /// provider refuses `temperature` and `top_p`, so they are not sent then.
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

    /// The dialect as a page in a browser must speak it, which shows the key to whoever looks.
    #[must_use]
    pub fn with_browser_access(mut self, browser_access: bool) -> Self {
        self.browser_access = browser_access;
        self
    }

    /// Whether this version takes `temperature` and `top_p`. Versions are dates.
    fn takes_sampling(&self) -> bool {
        *self.version < *"2026-10-21"
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

impl Dialect for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn headers(&self, provider: &Provider) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let version = HeaderValue::try_from(&*self.version).map_err(|_| {
            Error::config(format!("{:?} cannot be an anthropic-version", self.version))
        })?;
        headers.insert(HeaderName::from_static("anthropic-version"), version);
        if self.browser_access {
            let name = HeaderName::from_static("anthropic-dangerous-direct-browser-access");
            headers.insert(name, HeaderValue::from_static("true"));
        }
        if let Some(key) = provider.api_key() {
            headers.insert(HeaderName::from_static("x-api-key"), key.header("")?);
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
        let body = encode::body(self.takes_sampling(), model, request, mode)?;
        let path = match endpoint.base_path().ends_with("/v1") {
            true => "/messages",
            false => "/v1/messages",
        };
        let mut encoded = Request::new(Bytes::from(body));
        *encoded.method_mut() = http::Method::POST;
        *encoded.uri_mut() = endpoint.uri(path)?;
        *encoded.headers_mut() = endpoint.headers().clone();
        Ok(encoded)
    }

    fn decoder(&self, head: &http::response::Parts, _: Mode, caps: Caps) -> Box<dyn Decoder> {
        Box::new(Answer::new(head, caps, Events::default()))
    }

    fn limits(&self, headers: &HeaderMap) -> LimitHints {
        LimitHints {
            requests: hints::quota(
                headers,
                "anthropic-ratelimit-requests-limit",
                "anthropic-ratelimit-requests-remaining",
                "anthropic-ratelimit-requests-reset",
            ),
            tokens: hints::quota(
                headers,
                "anthropic-ratelimit-tokens-limit",
                "anthropic-ratelimit-tokens-remaining",
                "anthropic-ratelimit-tokens-reset",
            ),
        }
    }
}
