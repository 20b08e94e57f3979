//! The platforms that serve Anthropic's protocol: Anthropic itself, or a cloud.
//!
//! | | URL below the base | `model`, `stream` | the version | betas | the key |
//! |---|---|---|---|---|---|
//! | Anthropic | `/v1/messages` | in the body | header | header | `x-api-key`, or Bearer |
//! | Vertex | `/publishers/anthropic/models/M:rawPredict`, `:streamRawPredict` | `stream` in the body | body | header | Bearer |
//! | Bedrock | `/model/M/invoke`, `/invoke-with-response-stream` | neither | body | body | Bearer, or SigV4 |
//!
//! Source: Anthropic's SDK for Python (`lib/vertex`, `lib/bedrock`), August 2026.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::dialect::kit::model_name;
use crate::dialect::{Endpoint, Mode};
use crate::error::Error;

/// A platform that serves Anthropic's protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnthropicPlatform {
    /// Anthropic itself, and other servers with the same API.
    #[default]
    Anthropic,
    /// Google's Vertex AI, through `rawPredict`.
    Vertex,
    /// Amazon Bedrock, through `InvokeModel`.
    Bedrock,
}

/// The characters that are not escaped in a model's name, in addition to letters and digits.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@');

impl AnthropicPlatform {
    /// The default version of the protocol.
    pub(super) fn version(self) -> &'static str {
        match self {
            Self::Anthropic => "2023-06-01",
            Self::Vertex => "vertex-2023-10-16",
            Self::Bedrock => "bedrock-2023-05-31",
        }
    }

    /// Whether the version is in the body and the model in the URL.
    pub(super) fn is_cloud(self) -> bool {
        self != Self::Anthropic
    }

    /// The path of a request to `model`, below the endpoint's base URL.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an empty model name and, on a cloud,
    /// for a name that cannot be a segment of a path.
    pub(super) fn path(
        self,
        endpoint: &Endpoint,
        model: &str,
        mode: Mode,
    ) -> Result<Cow<'static, str>, Error> {
        match self.is_cloud() {
            true => model_name::check_segment(model)?,
            false => model_name::check(model)?,
        }
        let model = utf8_percent_encode(model, SEGMENT);
        Ok(match (self, mode) {
            (Self::Anthropic, _) => below_v1(endpoint, "/v1/messages").into(),
            (Self::Vertex, Mode::Whole) => {
                format!("/publishers/anthropic/models/{model}:rawPredict").into()
            }
            (Self::Vertex, Mode::Stream) => {
                format!("/publishers/anthropic/models/{model}:streamRawPredict").into()
            }
            (Self::Bedrock, Mode::Whole) => format!("/model/{model}/invoke").into(),
            (Self::Bedrock, Mode::Stream) => {
                format!("/model/{model}/invoke-with-response-stream").into()
            }
        })
    }
}

/// `path`, which begins with `/v1`, for a base URL that may already end in `/v1`.
pub(super) fn below_v1(endpoint: &Endpoint, path: &'static str) -> &'static str {
    match endpoint.base_path().ends_with("/v1") {
        true => path.strip_prefix("/v1").unwrap_or(path),
        false => path,
    }
}
