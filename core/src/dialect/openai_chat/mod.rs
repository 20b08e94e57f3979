//! OpenAI's chat completions, and the many servers that are compatible with them.

mod calls;
mod content;
mod decode;
mod details;
#[cfg(feature = "jobs")]
mod embed;
mod encode;
#[cfg(test)]
mod encode_tests;
mod media;
#[cfg(feature = "jobs")]
mod models;
mod quirks;
mod shape;
#[cfg(test)]
mod tests;
mod usage;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request};

#[cfg(feature = "jobs")]
pub(super) use embed::OpenAiEmbeddings;
#[cfg(feature = "jobs")]
pub(super) use models::OpenAiModels;
pub use quirks::{MaxTokensField, Quirks, ReasoningField};

#[cfg(feature = "provider-batches")]
use super::batches::{BatchDialect, OpenAiBatches};
use super::kit::decoder::AnswerDecoder;
use super::kit::ids::with_ids;
use super::kit::{hints, response_headers};
use super::{Caps, Decoder, Dialect, Endpoint, Facts, JsonOutput, KeyHeader, LimitHints, Mode};
#[cfg(feature = "jobs")]
use super::{EmbedDialect, ModelsDialect};
use crate::chat::ChatRequest;
use crate::error::Error;
use decode::Chunks;

const DIALECT: &str = "openai_chat";

pub(super) static FACTS: Facts =
    Facts::new(DIALECT).with_response_headers(response_headers::OPENAI.as_flattened());

/// The header in which Azure expects the key.
pub(super) static API_KEY: HeaderName = HeaderName::from_static("api-key");

static AZURE: Facts = Facts::new(DIALECT)
    .with_response_headers(response_headers::OPENAI.as_flattened())
    .with_key_header(KeyHeader::new(&API_KEY, ""));

/// OpenAI's chat completions (`POST {base}/chat/completions`), embeddings
/// (`POST {base}/embeddings`) and list of models (`GET {base}/models`).
///
/// Only `authorization` and `content-type` are sent as headers, because a browser sends other
/// headers only if the server allows them (CORS).
#[derive(Clone, Debug, Default)]
pub struct OpenAiChat {
    quirks: Quirks,
}

impl OpenAiChat {
    /// The dialect of a server with these quirks.
    pub fn new(quirks: Quirks) -> Self {
        Self { quirks }
    }
}

impl Dialect for OpenAiChat {
    fn facts(&self) -> &'static Facts {
        match self.quirks.api_key_header {
            true => &AZURE,
            false => &FACTS,
        }
    }

    fn encode(
        &self,
        endpoint: &Endpoint,
        request: &ChatRequest,
        mode: Mode,
    ) -> Result<Request<Bytes>, Error> {
        let request = &*with_ids(request);
        let model = request.model.as_deref().unwrap_or(endpoint.model());
        let rule = endpoint.model_rule(request.model.as_deref());
        let body = encode::body(&self.quirks, rule, model, request, mode)?;
        endpoint.post("/chat/completions", body)
    }

    fn decoder(&self, head: &http::response::Parts, _: Mode, caps: Caps) -> Box<dyn Decoder> {
        Box::new(AnswerDecoder::new(head, caps, Chunks::default()))
    }

    #[cfg(feature = "jobs")]
    fn embeddings(&self) -> Option<&dyn EmbedDialect> {
        Some(&OpenAiEmbeddings)
    }

    #[cfg(feature = "jobs")]
    fn models(&self) -> Option<&dyn ModelsDialect> {
        Some(&OpenAiModels)
    }

    #[cfg(feature = "provider-batches")]
    fn batches(&self) -> Option<&dyn BatchDialect> {
        Some(&OpenAiBatches)
    }

    fn limits(&self, headers: &HeaderMap) -> LimitHints {
        limits(headers)
    }

    fn json_output(&self, _: &Endpoint, _: &ChatRequest) -> JsonOutput {
        self.quirks.json_output
    }

    fn streams_tell_all(&self) -> bool {
        self.quirks.stream_usage || self.quirks.stream_usage_unasked
    }
}

/// The limits that OpenAI's response headers report.
pub(super) fn limits(headers: &HeaderMap) -> LimitHints {
    let [requests, tokens] = &response_headers::OPENAI;
    LimitHints {
        requests: hints::quota(headers, requests),
        tokens: hints::quota(headers, tokens),
    }
}
