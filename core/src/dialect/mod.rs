//! Encodes requests and decodes their answers: pure codecs, bytes in, events out.
//!
//! ```text
//!  ChatRequest ──encode──► http::Request ─ ─ (transport) ─ ─► bytes ──feed──► frames ──► ChatEvents
//!                                                              frame::…        the dialect's own
//! ```
//!
//! A dialect does no I/O and keeps no state between requests. A [`Decoder`] is the state of one
//! answer. Bytes are split into frames the same way for all dialects; a dialect only turns frames
//! into events. A whole answer takes the same path as a stream: its single frame comes out at
//! [`Decoder::end`].

#[cfg(feature = "anthropic")]
mod anthropic;
#[cfg(feature = "provider-batches")]
pub mod batches;
mod caps;
mod endpoint;
mod facts;
#[cfg(feature = "gemini")]
mod gemini;
mod jobs;
mod json_output;
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
pub use json_output::JsonOutput;
pub(crate) use kit::hints::request_id;
pub use kit::response_headers::COMMON_RESPONSE_HEADERS;
#[cfg(feature = "jobs")]
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

/// The short names of all dialects, including those that are not compiled in. What a conversation
/// stores under one of these names belongs to that dialect alone: see [`kit::is_foreign`].
pub const NAMES: [&str; 5] = [
    openai_chat::FACTS.name(),
    "anthropic",
    "ollama_chat",
    "openai_responses",
    "gemini",
];

/// How the answer is requested.
///
/// ```
/// use chatcore::Mode;
///
/// /// What a backend of one's own counts.
/// fn count(mode: Mode) -> &'static str {
///     match mode {
///         Mode::Whole => "answers",
///         Mode::Stream => "streams",
///     }
/// }
/// assert_eq!(count(Mode::Stream), "streams");
/// ```
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
///
/// ```
/// use chatcore::dialect::{Dialect, OpenAiChat};
/// use chatcore::{ChatRequest, Mode, Provider};
///
/// let endpoint = Provider::openai_compatible("http://127.0.0.1:8080/v1", "tiny").endpoint()?;
/// let request = OpenAiChat::default().encode(&endpoint, &ChatRequest::from("hi"), Mode::Whole)?;
/// assert_eq!(request.uri(), "http://127.0.0.1:8080/v1/chat/completions");
/// # Ok::<(), chatcore::Error>(())
/// ```
pub trait Dialect: Debug + Send + Sync + 'static {
    /// What this dialect states about itself: its name, the header that carries the key, and the
    /// response headers that it reads.
    fn facts(&self) -> &'static Facts;

    /// The headers of every request, without the key. `content-type: application/json` by default.
    /// Called once for each client.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if a setting of this dialect is not a valid header
    /// value.
    fn headers(&self) -> Result<HeaderMap, Error> {
        let json = HeaderValue::from_static("application/json");
        Ok(HeaderMap::from_iter([(CONTENT_TYPE, json)]))
    }

    /// The dialect for this call, if the provider speaks several and the call needs another one
    /// than `self`. `None` by default. Called once for each call. The returned dialect encodes the
    /// call, decodes its answer and reads its limits.
    fn variant(&self, _endpoint: &Endpoint, _request: &ChatRequest) -> Option<Arc<dyn Dialect>> {
        None
    }

    /// Checks what only this protocol requires of a request, and writes the request. `mode` says
    /// whether it asks for a stream. Its URI is below the endpoint's base URL.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what this protocol cannot express.
    fn encode(
        &self,
        endpoint: &Endpoint,
        request: &ChatRequest,
        mode: Mode,
    ) -> Result<http::Request<Bytes>, Error>;

    /// Begins to read an answer with the response head `head`. The body's first bytes take
    /// precedence over `mode`, which is only what the request asked for.
    fn decoder(&self, head: &http::response::Parts, mode: Mode, caps: Caps) -> Box<dyn Decoder>;

    /// How embeddings are requested. `None`, the default, if the dialect has none.
    fn embeddings(&self) -> Option<&dyn EmbedDialect> {
        None
    }

    /// How the list of models is requested. `None`, the default, if the dialect has none.
    fn models(&self) -> Option<&dyn ModelsDialect> {
        None
    }

    /// How the provider's Batch API is used. `None`, the default, if there is none.
    #[cfg(feature = "provider-batches")]
    fn batches(&self) -> Option<&dyn batches::BatchDialect> {
        None
    }

    /// What the response's headers say about the provider's limits. Nothing by default.
    fn limits(&self, _headers: &HeaderMap) -> LimitHints {
        LimitHints::default()
    }

    /// Whether the protocol refuses `temperature` and `top_p` for every model. If so, no default
    /// temperature is sent.
    fn refuses_sampling(&self) -> bool {
        false
    }

    /// The members of a request's JSON, without the braces, that turn reasoning off. If the model
    /// refuses them, the next attempt leaves them out. By default the members of the model's rule
    /// or, if it has none, `reasoning_effort` and `thinking`.
    fn reasoning_off<'a>(&self, rule: &'a ModelRule) -> &'a str {
        &rule.reasoning_off
    }

    /// How far the provider holds an answer to
    /// [`ResponseFormat::JsonSchema`](crate::chat::ResponseFormat::JsonSchema). Not at all by
    /// default.
    fn json_output(&self, _endpoint: &Endpoint, _request: &ChatRequest) -> JsonOutput {
        JsonOutput::Prompt
    }

    /// Whether a stream reports everything that a whole answer does, usage included. If so, whole
    /// answers that may take long are fetched as streams.
    fn streams_tell_all(&self) -> bool {
        true
    }
}

/// The state of reading one answer.
///
/// Feed bytes as they come, take the events after each piece, and call [`end`](Self::end) when no
/// more bytes will come. After an error or a terminal event there is nothing more to take.
///
/// ```
/// use chatcore::dialect::{Dialect, OpenAiChat};
/// use chatcore::{Caps, Mode};
/// use chatcore::bytes::Bytes;
/// use chatcore::http::Response;
///
/// let head = Response::new(()).into_parts().0;
/// let mut decoder = OpenAiChat::default().decoder(&head, Mode::Stream, Caps::default());
/// decoder.feed(Bytes::from_static(b"data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n"));
/// let mut text = String::new();
/// while let Some(event) = decoder.next_event()? {
///     text += event.as_text().unwrap_or_default();
/// }
/// assert_eq!(text, "hi");
/// # Ok::<(), chatcore::Error>(())
/// ```
pub trait Decoder: Send {
    /// Takes in the next bytes, split anywhere.
    fn feed(&mut self, bytes: Bytes);

    /// Says that no more bytes will come.
    fn end(&mut self);

    /// The next event, or `None` when more bytes are needed, or when the answer
    /// [is done](Self::is_done).
    ///
    /// # Errors
    /// The provider's error, [`Truncated`](crate::ErrorKind::Truncated) if the bytes ended before a
    /// terminal event, [`Protocol`](crate::ErrorKind::Protocol) for bytes that this dialect cannot
    /// read, [`ResponseTooLarge`](crate::ErrorKind::ResponseTooLarge) beyond the caps.
    fn next_event(&mut self) -> Result<Option<ChatEvent>, Error>;

    /// Whether the terminal event was read. The answer is complete then, whatever the server does
    /// with the connection.
    fn is_done(&self) -> bool;

    /// Whether the model has said why it stopped, though the terminal event is still to come. The
    /// pipeline waits only a short time for what may follow, such as the usage. Then it calls
    /// [`end`](Self::end), and the decoder must return the answer. By default the same as
    /// [`is_done`](Self::is_done).
    fn is_complete(&self) -> bool {
        self.is_done()
    }

    /// How many events were skipped because the dialect does not know them.
    fn skipped(&self) -> u32;
}
