//! Anthropic's messages API.

#[cfg(feature = "provider-batches")]
mod batches;
mod block;
mod blocks;
mod check;
mod decode;
mod encode;
mod models;
mod platform;
mod thinking;
mod usage;
mod wire;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request};

pub use platform::AnthropicPlatform;

use super::kit::decoder::AnswerDecoder;
use super::kit::ids::with_ids;
use super::kit::{hints, response_headers};
use super::{
    Caps, Decoder, Dialect, Endpoint, Facts, JsonOutput, KeyHeader, LimitHints, Mode,
    ModelsDialect, Quota,
};
use crate::chat::ChatRequest;
use crate::error::Error;
use crate::frame::Framing;
use crate::quote::Quoted;
use decode::Events;

const DIALECT: &str = "anthropic";

pub(super) static FACTS: Facts = BEARER_FACTS.with_key_header(KeyHeader::new(&X_API_KEY, ""));

static BEARER_FACTS: Facts =
    Facts::new(DIALECT).with_response_headers(response_headers::ANTHROPIC.as_flattened());

/// Creates the framing for one stream.
type MakeFraming = fn(&Caps) -> Box<dyn Framing>;

/// Anthropic's messages API (`POST {base}/v1/messages`) and its list of models
/// (`GET {base}/v1/models`). If the base URL ends in `/v1`, the path is appended without its own
/// `/v1`.
///
/// The dialect refuses a request that Anthropic's protocol cannot express, before anything is sent:
/// a seed, a temperature above 1, JSON mode without a schema, or a message with a role other than
/// system, user, assistant or tool. In addition:
///
/// - **`max_tokens`** defaults to 4,096, or to 29,096 if the model reasons, because Anthropic
///   requires a number. Every Claude model accepts these defaults.
/// - **`temperature` and `top_p`** are sent as they are set. The API version `2026-10-21` refuses
///   them, so that the dialect refuses them with that version. A default temperature is not sent if
///   it would be refused: to that version and newer ones, and to models that refuse it according to
///   the table [`MODEL_RULES`](crate::MODEL_RULES).
/// - **`reasoning_effort`** lets Claude 4.6 and newer decide how much to reason, guided by the
///   effort (`minimal` is sent as `low`). Older models, and models of other makers, get a budget: a
///   share of `max_tokens`, from 10 % (`minimal`) over 20, 50 and 80 % to 95 % (`xhigh`, `max`),
///   and at least 1,024 tokens, so that `max_tokens` must be more. `none` turns reasoning off, in
///   the way that the table has for the model.
/// - **Reasoning** is sent back with its signature. Reasoning without a signature is left out,
///   because the provider would refuse it. So is blank text.
/// - **Messages** of the same side in a row are sent as one message, with the results of tools
///   first.
/// - **A schema** ([`ResponseFormat::JsonSchema`](crate::chat::ResponseFormat)) is sent as
///   `output_config.format`. Keywords that Anthropic refuses (bounds of numbers, strings and
///   arrays, `oneOf`, more properties than are named) are moved to the schema's description. The
///   schema of a `strict` tool is treated the same way. `cache_control` is an extra field: of the
///   request, of a part, of a tool.
/// - **The reason for a refusal** is the answer's extra field `stop_details`.
/// - **A file's id** needs the beta `files-api-2025-04-14` in the version `2023-06-01`:
///   [`beta`](Self::beta).
/// - **A stream** that ends after the model said why it stopped is complete, even if the event
///   `message_stop` is missing. A stream that ends before that is
///   [`Truncated`](crate::ErrorKind::Truncated).
///
/// Google's Vertex AI and Amazon Bedrock have the same protocol with other URLs and credentials:
/// [`vertex`](Self::vertex) and [`bedrock`](Self::bedrock).
///
/// ```
/// use chatcore::dialect::Anthropic;
/// use chatcore::Provider;
///
/// let cached = Anthropic::default().beta("extended-cache-ttl-2025-04-11");
/// let anthropic = Provider::anthropic().with_dialect(cached);
///
/// let base = "https://us-east5-aiplatform.googleapis.com/v1/projects/P/locations/us-east5";
/// let vertex = Provider::new("vertex", base, "claude-sonnet-5-5", Anthropic::vertex());
/// # let _ = (anthropic, vertex);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Anthropic {
    /// The version of the protocol: the header `anthropic-version` or, on a cloud, the field
    /// `anthropic_version`. Default `2023-06-01`; on Vertex `vertex-2023-10-16`, on Bedrock
    /// `bedrock-2023-05-31`.
    pub version: Cow<'static, str>,
    /// The names of the betas to enable. Default none.
    pub betas: Vec<String>,
    /// How reasoning is shown if the model decides how much to reason: `summarized` or `omitted`.
    /// Default `None`, which leaves the choice to the model.
    pub thinking_display: Option<Cow<'static, str>>,
    /// The platform that serves the protocol.
    pub platform: AnthropicPlatform,
    /// Whether the key is sent as `authorization: Bearer …` instead of `x-api-key`. Default false.
    /// On a cloud it always is.
    pub bearer: bool,
    /// Whether to send `anthropic-dangerous-direct-browser-access`. Without it the provider refuses
    /// requests from web pages. Default false.
    pub browser_access: bool,
    /// Creates the framing for a stream of Bedrock's.
    framing: Option<MakeFraming>,
}

impl Anthropic {
    /// The dialect of Google's Vertex AI. The base URL names a location:
    /// `https://REGION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/REGION`. The key is
    /// an access token. Because it expires, a [`TokenSource`](crate::TokenSource) is the better
    /// choice.
    pub fn vertex() -> Self {
        Self::at(AnthropicPlatform::Vertex)
    }

    /// The dialect of Amazon Bedrock (`InvokeModel`). The base URL is
    /// `https://bedrock-runtime.REGION.amazonaws.com`. The key is one of Bedrock's API keys; SigV4
    /// signs requests as [`Credentials`](crate::Credentials).
    ///
    /// Bedrock's streams have Amazon's own framing. Without [`framing`](Self::framing) a streaming
    /// call requests a whole answer, which arrives in one piece.
    pub fn bedrock() -> Self {
        Self::at(AnthropicPlatform::Bedrock)
    }

    fn at(platform: AnthropicPlatform) -> Self {
        Self {
            version: Cow::Borrowed(platform.version()),
            betas: Vec::new(),
            thinking_display: None,
            platform,
            bearer: false,
            browser_access: false,
            framing: None,
        }
    }

    /// Sets the version of the protocol.
    #[must_use]
    pub fn version(mut self, version: impl Into<Cow<'static, str>>) -> Self {
        self.version = version.into();
        self
    }

    /// Enables a beta by its name, for example `files-api-2025-04-14`, in addition to those that
    /// are enabled already.
    #[must_use]
    pub fn beta(mut self, name: impl Into<String>) -> Self {
        self.betas.push(name.into());
        self
    }

    /// Sets how reasoning is shown: `summarized` or `omitted`.
    #[must_use]
    pub fn thinking_display(mut self, display: impl Into<Cow<'static, str>>) -> Self {
        self.thinking_display = Some(display.into());
        self
    }

    /// Sets whether the key is sent as `authorization: Bearer …`.
    #[must_use]
    pub fn bearer(mut self, bearer: bool) -> Self {
        self.bearer = bearer;
        self
    }

    /// Sets whether to allow requests from a web page. A page shows its key to everyone who looks.
    #[must_use]
    pub fn browser_access(mut self, browser_access: bool) -> Self {
        self.browser_access = browser_access;
        self
    }

    /// Sets the framing of Bedrock's streams, AWS event streams. `framing` creates one for each
    /// stream.
    #[must_use]
    pub fn framing(mut self, framing: fn(&Caps) -> Box<dyn Framing>) -> Self {
        self.framing = Some(framing);
        self
    }

    /// Whether the version refuses `temperature`, `top_p` and `top_k`.
    fn is_without_sampling(&self) -> bool {
        // Versions are dates, except on the clouds.
        !self.platform.is_cloud() && *self.version >= *"2026-10-21"
    }

    /// The mode that is requested. Without a framing, Bedrock's streams cannot be read.
    fn asked(&self, mode: Mode) -> Mode {
        match self.platform {
            AnthropicPlatform::Bedrock if self.framing.is_none() => Mode::Whole,
            _ => mode,
        }
    }
}

impl Default for Anthropic {
    fn default() -> Self {
        Self::at(AnthropicPlatform::Anthropic)
    }
}

// Built at compile time, because the code that builds a header's name at run time is large.
static X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
static VERSION: HeaderName = HeaderName::from_static("anthropic-version");
static BETA: HeaderName = HeaderName::from_static("anthropic-beta");
static BROWSER_ACCESS: HeaderName =
    HeaderName::from_static("anthropic-dangerous-direct-browser-access");

impl Dialect for Anthropic {
    fn facts(&self) -> &'static Facts {
        match self.bearer || self.platform.is_cloud() {
            true => &BEARER_FACTS,
            false => &FACTS,
        }
    }

    fn headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(&CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let value = |text: &str, of: &str| {
            HeaderValue::try_from(text)
                .map_err(|_| Error::config(format!("{} cannot be an {of}", Quoted(text))))
        };
        if !self.platform.is_cloud() {
            headers.insert(&VERSION, value(&self.version, "anthropic-version")?);
        }
        if !self.betas.is_empty() && self.platform != AnthropicPlatform::Bedrock {
            headers.insert(&BETA, value(&self.betas.join(","), "anthropic-beta")?);
        }
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
        let request = &*with_ids(request);
        let model = request.model.as_deref().unwrap_or(endpoint.model());
        let rule = endpoint.model_rule(request.model.as_deref());
        let mode = self.asked(mode);
        let path = self.platform.path(endpoint, model, mode)?;
        endpoint.post(&path, encode::body(self, rule, model, request, mode)?)
    }

    fn decoder(&self, head: &http::response::Parts, _: Mode, caps: Caps) -> Box<dyn Decoder> {
        let decoder = AnswerDecoder::new(head, caps, Events::default());
        Box::new(match self.framing {
            Some(framing) => decoder.framing(framing(&caps)),
            None => decoder,
        })
    }

    fn models(&self) -> Option<&dyn ModelsDialect> {
        (!self.platform.is_cloud()).then_some(&models::AnthropicModels as _)
    }

    #[cfg(feature = "provider-batches")]
    fn batches(&self) -> Option<&dyn super::batches::BatchDialect> {
        (!self.platform.is_cloud()).then_some(&batches::AnthropicBatches as _)
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
        self.is_without_sampling()
    }

    fn json_output(&self, _: &Endpoint, _: &ChatRequest) -> JsonOutput {
        JsonOutput::Anthropic
    }

    fn streams_tell_all(&self) -> bool {
        self.asked(Mode::Stream) == Mode::Stream
    }
}

/// The one of two quotas with less remaining.
fn nearest(input: Quota, output: Quota) -> Quota {
    let left = |quota: &Quota| quota.remaining.unwrap_or(u64::MAX);
    match left(&output) < left(&input) {
        true => output,
        false => input,
    }
}
