//! How a request is spoken, and how its answer is understood: pure codecs, bytes in, events out.
//!
//! ```text
//!  ChatRequest ──encode──► http::Request ─ ─ (transport) ─ ─► bytes ──feed──► frames ──► ChatEvents
//!                                                              frame::…        the dialect's own
//! ```
//!
//! A dialect does no I/O and keeps no state between requests; a [`Decoder`] is the state of one
//! answer. Splitting bytes into frames is the same for all;
//! a dialect only turns frames into events. A whole answer goes the same way as a stream: its
//! one frame comes out at [`Decoder::end`].

#[cfg(feature = "anthropic")]
mod anthropic;
mod caps;
mod endpoint;
mod facts;
#[cfg(feature = "gemini")]
mod gemini;
mod jobs;
pub mod kit;
#[cfg(feature = "ollama")]
mod ollama_chat;
#[cfg(feature = "openai-responses")]
mod openai;
mod openai_chat;
#[cfg(feature = "openai-responses")]
mod openai_responses;
mod reserved;

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

pub use crate::head::{LimitHints, Quota};
#[cfg(feature = "anthropic")]
pub use anthropic::{Anthropic, AnthropicPlatform};
pub use caps::Caps;
pub use endpoint::Endpoint;
pub(crate) use endpoint::{Base, KeyRules};
pub use facts::{Facts, KeyHeader};
#[cfg(feature = "gemini")]
pub use gemini::Gemini;
pub use jobs::{EmbedDialect, EmbedLimits, ModelPage, ModelsDialect};
pub(crate) use kit::hints::request_id;
pub use kit::response_headers::COMMON_RESPONSE_HEADERS;
pub(crate) use kit::whole::WholeBody;
#[cfg(feature = "ollama")]
pub use ollama_chat::OllamaChat;
#[cfg(feature = "openai-responses")]
pub use openai::OpenAi;
pub use openai_chat::{MaxTokensField, OpenAiChat, Quirks, ReasoningField};
#[cfg(feature = "openai-responses")]
pub use openai_responses::OpenAiResponses;
pub use reserved::{CLIENT_HEADERS, CONNECTION_HEADERS};

use crate::chat::{ChatEvent, ChatRequest};
use crate::error::Error;
use crate::models::ModelRule;

/// The short names of all dialects, whether or not they are compiled in. What a conversation stores under one of them belongs to that
/// dialect alone: see [`kit::is_foreign`].
pub const NAMES: [&str; 5] = [
    openai_chat::FACTS.name(),
    "anthropic",
    "ollama_chat",
    "openai_responses",
    "gemini",
];

/// How an answer is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// In one piece.
    Whole,
    /// As a stream of events.
    Stream,
}

/// A provider's wire protocol.
///
/// Implement it to speak a protocol that chatcore does not know, and give it to
/// [`Provider::new`](crate::Provider::new).
pub trait Dialect: Debug + Send + Sync + 'static {
    /// What this dialect states of itself: its name, the header that carries a key, and the
    /// response headers that it reads.
    fn facts(&self) -> &'static Facts;

    /// The headers of every request, the key's aside: `content-type: application/json` by
    /// default. Called once for each client.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if a setting of this dialect cannot stand in a header.
    fn headers(&self) -> Result<HeaderMap, Error> {
        let json = HeaderValue::from_static("application/json");
        Ok(HeaderMap::from_iter([(CONTENT_TYPE, json)]))
    }

    /// The dialect that this call is made in, where a provider speaks several and the call needs
    /// another than this one: none by default. It is asked once for each call, and what it gives
    /// then encodes the call, decodes its answer and reads its limits.
    fn variant(&self, _endpoint: &Endpoint, _request: &ChatRequest) -> Option<Arc<dyn Dialect>> {
        None
    }

    /// Checks what this protocol alone demands of a request, and writes it. The request asks for
    /// what `mode` says; its URI is below the endpoint's base URL.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what cannot be said in this
    /// protocol.
    fn encode(
        &self,
        endpoint: &Endpoint,
        request: &ChatRequest,
        mode: Mode,
    ) -> Result<http::Request<Bytes>, Error>;

    /// Begins to read an answer with this head. The server's content type and first bytes count
    /// for more than `mode`, which is only what was asked for.
    fn decoder(&self, head: &http::response::Parts, mode: Mode, caps: Caps) -> Box<dyn Decoder>;

    /// How embeddings are asked for: not at all by default.
    fn embeddings(&self) -> Option<&dyn EmbedDialect> {
        None
    }

    /// How the list of models is asked for: not at all by default.
    fn models(&self) -> Option<&dyn ModelsDialect> {
        None
    }

    /// What the response's headers say about the provider's limits: nothing by default.
    fn limits(&self, _headers: &HeaderMap) -> LimitHints {
        LimitHints::default()
    }

    /// Whether the protocol refuses `temperature` and `top_p`, whatever the model: then no default
    /// temperature is sent.
    fn refuses_sampling(&self) -> bool {
        false
    }

    /// The members of a request's JSON, without the braces, with which it asks for no reasoning.
    /// They are left out where the model turns out to refuse them. By default those of the model's
    /// rule; where that has none, `reasoning_effort` or `thinking`.
    fn reasoning_off<'a>(&self, rule: &'a ModelRule) -> &'a str {
        &rule.reasoning_off
    }

    /// Whether a stream tells all that a whole answer does, usage included: then whole answers that
    /// may take long are fetched as streams.
    fn streams_tell_all(&self) -> bool {
        true
    }
}

/// The state of reading one answer.
///
/// Feed bytes as they come, take the events out after each piece, and call
/// [`end`](Self::end) when no more will come. After an error or a terminal event there is nothing
/// more to take.
pub trait Decoder: Send {
    /// Takes in the next bytes, split anywhere.
    fn feed(&mut self, bytes: Bytes);

    /// No more bytes will come.
    fn end(&mut self);

    /// The next event, or `None` when more bytes are needed, or when the answer
    /// [is done](Self::is_done).
    ///
    /// # Errors
    /// The provider's error, [`Truncated`](crate::ErrorKind::Truncated) if the end came before a
    /// terminal event, [`Protocol`](crate::ErrorKind::Protocol) for what is not of this dialect,
    /// [`ResponseTooLarge`](crate::ErrorKind::ResponseTooLarge) beyond the caps.
    fn next_event(&mut self) -> Result<Option<ChatEvent>, Error>;

    /// Whether the terminal event was read: the answer is complete, whatever the server still
    /// does with the connection.
    fn is_done(&self) -> bool;

    /// Whether the model has said why it stopped, though the terminal event is still to come.
    /// What may follow, such as what the answer cost, is awaited for a short time only; then the
    /// decoder is told the [`end`](Self::end), and must give the answer. By default, as
    /// [`is_done`](Self::is_done).
    fn is_complete(&self) -> bool {
        self.is_done()
    }

    /// How many events were passed over because the dialect does not know them.
    fn skipped(&self) -> u32;
}
