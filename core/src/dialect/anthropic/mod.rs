//! Anthropic's messages.

mod block;
mod blocks;
mod check;
mod decode;
mod encode;
mod models;
mod platform;
mod schema;
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
    Caps, Decoder, Dialect, Endpoint, Facts, KeyHeader, LimitHints, Mode, ModelsDialect, Quota,
};
use crate::chat::ChatRequest;
use crate::error::Error;
use crate::frame::Framing;
use crate::quote::Quoted;
use decode::Events;

const DIALECT: &str = "anthropic";

pub(super) static FACTS: Facts = BEARER_FACTS.with_key_header(KeyHeader::new("x-api-key", ""));

static BEARER_FACTS: Facts =
    Facts::new(DIALECT).with_response_headers(response_headers::ANTHROPIC.as_flattened());

/// Makes the framing of one stream.
type MakeFraming = fn(&Caps) -> Box<dyn Framing>;

/// Anthropic's messages: `POST {base}/v1/messages`; and its list of models, `GET
/// {base}/v1/models`. A base URL that ends in `/v1` is taken as it is.
///
/// The dialect refuses a request that Anthropic's protocol cannot express, before anything is sent:
/// one with a seed, a temperature above 1, JSON mode without a schema, or a message whose role is
/// not system, user, assistant or tool. Beyond that:
///
/// - **`max_tokens`** is 4,096 where the request does not set it, and 29,096 where the model
///   reasons, because Anthropic demands a number. Every Claude model takes them.
/// - **`temperature` and `top_p`** go as they are set; the API version `2026-10-21` refuses them, and
///   so does this dialect then. A default temperature is not sent where it would be refused: to that
///   version and newer ones, and to models that refuse it by the table
///   [`MODEL_RULES`](crate::MODEL_RULES).
/// - **`reasoning_effort`** asks Claude 4.6 and newer to reason as they see fit, guided by the
///   effort (`minimal` goes as `low`). Older ones, and models of other makers, get a budget: a
///   share of `max_tokens`, from 10 % (`minimal`) over 20, 50 and 80 % to 95 % (`xhigh`, `max`)
///   and at least 1,024 tokens, so that `max_tokens` must be more. `none` turns reasoning off, in
///   the way that the table has for the model.
/// - **Reasoning** goes back with its signature, which proves it. Reasoning without one is left
///   out: the provider would refuse it. So is text of nothing but white space.
/// - **Messages** of one side that follow each other go as one, the results of tools first in it.
/// - **A schema** ([`ResponseFormat::JsonSchema`](crate::chat::ResponseFormat)) is
///   `output_config.format`. What Anthropic refuses of a schema (bounds of numbers, strings and
///   arrays, `oneOf`, more properties than are named) is taken out of it and told in its description;
///   so in the schema of a `strict` tool. `cache_control` is an extra field: of the request, of a part, of a tool.
/// - **Why the model refuses** is the answer's extra field `stop_details`.
/// - **A file's id** needs the beta `files-api-2025-04-14` in the version `2023-06-01`:
///   [`beta`](Self::beta).
/// - **A stream** that ends after the model said why it stopped is complete, though the event
///   `message_stop` is missing; one that ends before is [`Truncated`](crate::ErrorKind::Truncated).
///
/// On Google's Vertex AI and Amazon's Bedrock the same protocol has other URLs and credentials:
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
    /// The version of the protocol: the header `anthropic-version`, or at a cloud the field
    /// `anthropic_version`. Default `2023-06-01`; at Vertex `vertex-2023-10-16`, at Bedrock
    /// `bedrock-2023-05-31`.
    pub version: Cow<'static, str>,
    /// The betas that are asked for, by name. Default none.
    pub betas: Vec<String>,
    /// How reasoning is shown where the model reasons as it sees fit: `summarized` or `omitted`.
    /// Default `None`: as the model has it.
    pub thinking_display: Option<Cow<'static, str>>,
    /// Where the protocol is spoken.
    pub platform: AnthropicPlatform,
    /// Whether a key goes as `authorization: Bearer …` and not as `x-api-key`. Default false; at a
    /// cloud it always does.
    pub bearer: bool,
    /// Whether to send `anthropic-dangerous-direct-browser-access`, without which the provider
    /// answers no page. Default false.
    pub browser_access: bool,
    /// Makes what splits a stream of Bedrock's into events.
    framing: Option<MakeFraming>,
}

impl Anthropic {
    /// The dialect as Google's Vertex AI speaks it. The base URL is that of a place:
    /// `https://REGION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/REGION`. A key is an
    /// access token; since it expires, a [`TokenSource`](crate::TokenSource) is the better choice.
    pub fn vertex() -> Self {
        Self::at(AnthropicPlatform::Vertex)
    }

    /// The dialect as Amazon's Bedrock speaks it (`InvokeModel`). The base URL is
    /// `https://bedrock-runtime.REGION.amazonaws.com`; a key is one of Bedrock's API keys, and SigV4
    /// signs as [`Credentials`](crate::Credentials).
    ///
    /// Bedrock's streams are in a framing of Amazon's own. Without
    /// [`framing`](Self::framing) a stream is asked for as a whole answer, and comes in
    /// one piece.
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

    /// The dialect with another version of the protocol.
    #[must_use]
    pub fn version(mut self, version: impl Into<Cow<'static, str>>) -> Self {
        self.version = version.into();
        self
    }

    /// Asks for a beta by its name, for example `files-api-2025-04-14`, beside those that are asked
    /// for already.
    #[must_use]
    pub fn beta(mut self, name: impl Into<String>) -> Self {
        self.betas.push(name.into());
        self
    }

    /// How reasoning is shown: `summarized` or `omitted`.
    #[must_use]
    pub fn thinking_display(mut self, display: impl Into<Cow<'static, str>>) -> Self {
        self.thinking_display = Some(display.into());
        self
    }

    /// Whether a key goes as `authorization: Bearer …`.
    #[must_use]
    pub fn bearer(mut self, bearer: bool) -> Self {
        self.bearer = bearer;
        self
    }

    /// The dialect as a page in a browser must speak it, which shows the key to everybody who looks.
    #[must_use]
    pub fn browser_access(mut self, browser_access: bool) -> Self {
        self.browser_access = browser_access;
        self
    }

    /// The framing of Bedrock's streams, AWS event streams: `framing` makes what splits one of them
    /// into events.
    #[must_use]
    pub fn framing(mut self, framing: fn(&Caps) -> Box<dyn Framing>) -> Self {
        self.framing = Some(framing);
        self
    }

    /// Whether the version refuses temperatures and the like.
    fn is_without_sampling(&self) -> bool {
        // Versions are dates, but for those of the clouds.
        !self.platform.is_cloud() && *self.version >= *"2026-10-21"
    }

    /// How an answer is asked for: without their framing, Bedrock's streams cannot be read.
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

// Made when it is compiled: the code that makes a name is large.
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

    fn streams_tell_all(&self) -> bool {
        self.asked(Mode::Stream) == Mode::Stream
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
