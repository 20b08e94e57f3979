//! Anthropic's messages.

use std::borrow::Cow;

/// Anthropic's messages: `POST {base}/v1/messages`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Anthropic {
    /// The value of the header `anthropic-version`. Default `2023-06-01`.
    pub version: Cow<'static, str>,
}

impl Default for Anthropic {
    fn default() -> Self {
        Self {
            version: Cow::Borrowed("2023-06-01"),
        }
    }
}

impl super::Dialect for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn headers(&self, _provider: &crate::Provider) -> Result<http::HeaderMap, crate::Error> {
        Err(crate::Error::config("not there yet"))
    }

    fn encode(
        &self,
        _endpoint: &super::Endpoint,
        _request: &crate::ChatRequest,
        _mode: super::Mode,
    ) -> Result<http::Request<bytes::Bytes>, crate::Error> {
        Err(crate::Error::config("not there yet"))
    }

    fn decoder(
        &self,
        _head: &http::response::Parts,
        _mode: super::Mode,
        _caps: super::Caps,
    ) -> Box<dyn super::Decoder> {
        todo!()
    }

    fn limits(&self, _headers: &http::HeaderMap) -> super::LimitHints {
        super::LimitHints::default()
    }
}
