//! OpenAI's chat completions, and the many servers that call themselves compatible with it.

mod decode;
mod details;
mod encode;
#[cfg(test)]
mod encode_tests;
mod quirks;
#[cfg(test)]
mod tests;
mod wire;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request};

pub use quirks::{MaxTokensField, Quirks, ReasoningField};

use super::answer::Answer;
use super::{Caps, Decoder, Dialect, Endpoint, LimitHints, Mode, hints, response_headers};
use crate::chat::ChatRequest;
use crate::error::Error;
use crate::provider::Provider;
use decode::Chunks;

/// OpenAI's chat completions: `POST {base}/chat/completions`.
///
/// Only `authorization` and `content-type` are sent as headers: a browser asks the server's
/// leave for others.
#[derive(Clone, Debug, Default)]
pub struct OpenAiChat {
    quirks: Quirks,
}

impl OpenAiChat {
    /// The dialect as a server with these quirks speaks it.
    pub fn new(quirks: Quirks) -> Self {
        Self { quirks }
    }
}

impl Dialect for OpenAiChat {
    fn name(&self) -> &'static str {
        "openai_chat"
    }

    fn headers(&self, provider: &Provider) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(&CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = provider.api_key() {
            headers.insert(&AUTHORIZATION, key.header("Bearer ")?);
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
        let body = encode::body(&self.quirks, model, request, mode)?;
        endpoint.post("/chat/completions", body)
    }

    fn decoder(&self, head: &http::response::Parts, _: Mode, caps: Caps) -> Box<dyn Decoder> {
        Box::new(Answer::new(head, caps, Chunks::default()))
    }

    fn limits(&self, headers: &HeaderMap) -> LimitHints {
        LimitHints {
            requests: hints::quota(headers, &response_headers::OPENAI_REQUESTS),
            tokens: hints::quota(headers, &response_headers::OPENAI_TOKENS),
        }
    }
}
