//! Where Anthropic's protocol is spoken: at Anthropic, or at a cloud that has its models.
//!
//! | | URL below the base | `model`, `stream` | the version | betas | the key |
//! |---|---|---|---|---|---|
//! | Anthropic | `/v1/messages` | in the body | header | header | `x-api-key`, or Bearer |
//! | Vertex | `/publishers/anthropic/models/M:rawPredict`, `:streamRawPredict` | `stream` in the body | body | header | Bearer |
//! | Bedrock | `/model/M/invoke`, `/invoke-with-response-stream` | neither | body | body | Bearer, or SigV4 |
//!
//! Read from Anthropic's own SDK for Python (`lib/vertex`, `lib/bedrock`) in August 2026.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::dialect::kit::model_name;
use crate::dialect::{Endpoint, Mode};
use crate::error::Error;

/// Where Anthropic's protocol is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnthropicPlatform {
    /// Anthropic itself, and other servers that have its API.
    #[default]
    Anthropic,
    /// Google's Vertex AI, by `rawPredict`.
    Vertex,
    /// Amazon's Bedrock, by its `InvokeModel`.
    Bedrock,
}

/// What a model's name may have in a segment of a path beside letters and digits.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@');

impl AnthropicPlatform {
    /// The version of the protocol that is asked for.
    pub(super) fn version(self) -> &'static str {
        match self {
            Self::Anthropic => "2023-06-01",
            Self::Vertex => "vertex-2023-10-16",
            Self::Bedrock => "bedrock-2023-05-31",
        }
    }

    /// Whether the version stands in the body, and the model in the URL.
    pub(super) fn is_cloud(self) -> bool {
        self != Self::Anthropic
    }

    /// The path of a request to `model`, below the endpoint's base URL.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a model without a name, and at a
    /// cloud for a name that cannot stand in a path.
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

/// `path`, which begins with `/v1`, below a base URL that may have it at its end already.
pub(super) fn below_v1(endpoint: &Endpoint, path: &'static str) -> &'static str {
    match endpoint.base_path().ends_with("/v1") {
        true => path.strip_prefix("/v1").unwrap_or(path),
        false => path,
    }
}
