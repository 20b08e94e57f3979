//! The offline demo model: a [`Transport`] that answers with real wire bytes.
//!
//! ```text
//!  request ─► openai, anthropic ─► model ───────► reply ───────► openai, anthropic ─► script
//!             bytes → Ask          Ask → text     cut, counted   reply → bytes        paced
//! ```
//!
//! It speaks OpenAI's chat completions, and Anthropic's messages where the path ends in
//! `/messages`, whole and as a stream, with request ids, usage, finish reasons and errors in the
//! provider's own form, so that a program takes the same way through the library as with a real
//! provider. Nothing leaves the process and nothing is checked of the key.
//!
//! The model is a set of rules: it greets, calculates, counts, translates some phrases, remembers
//! what the conversation says, follows simple system prompts, calls tools it is asked for by
//! name, and says of all else that it does not know. It answers Chinese in Chinese. The same
//! request always gets the same bytes.
//!
//! **A token** of the demo model is a word together with the white space before it, or one
//! Chinese character with the punctuation behind it; each message costs four more. That is an
//! estimate: a real model counts about a third more for English.

mod anthropic;
mod ask;
mod model;
mod openai;
mod reply;
mod script;
mod tokens;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{ByteStream, Executor, Transport, TransportError};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use self::ask::{Ask, Refusal};
use self::reply::Reply;
use self::script::{Pace, Script};

/// The offline demo model, see the [module](self).
///
/// ```
/// use std::sync::Arc;
/// use chatcore::{LlmClient, Provider};
/// use chatcore_adapters::demo::DemoTransport;
/// # use chatcore_adapters::run_async_in_sync;
/// # fn example(executor: Arc<dyn chatcore::Executor>) -> Result<(), chatcore::Error> {
///
/// let client = LlmClient::builder(executor, Arc::new(DemoTransport::new()))
///     .provider(Provider::demo())
///     .build()?;
/// let answer = run_async_in_sync(client.ask("What is 2+2?"))?;
/// assert_eq!(answer.text(), "2+2 = 4.");
/// # Ok(())
/// # }
/// # #[cfg(feature = "smol")]
/// # example(Arc::new(chatcore_adapters::executor::SmolExecutor::new())).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct DemoTransport {
    pace: Option<Pace>,
}

impl DemoTransport {
    /// A model that answers at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// A model that takes its time, as `executor` measures it: `first` until its first word, and
    /// `per_word` for each word after it. A whole answer comes once all of its words are there.
    #[must_use]
    pub fn latency(self, executor: Arc<dyn Executor>, first: Duration, per_word: Duration) -> Self {
        Self {
            pace: Some(Pace {
                executor,
                first,
                per_word,
            }),
        }
    }
}

#[async_trait]
impl Transport for DemoTransport {
    /// Never fails: what is wrong with a request is a response with status 400, 404 or 405.
    ///
    /// Cancel-safe, as the body is: dropping either cancels its timer.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let wire = Wire::of(request.uri().path());
        let id = fingerprint(&request);
        let answered = wire.answer(&request, &id);
        let (status, content_type, script) = match answered {
            Ok((script, true)) => (StatusCode::OK, "text/event-stream; charset=utf-8", script),
            Ok((script, false)) => (StatusCode::OK, "application/json", script),
            Err(refusal) => (
                refusal.status,
                "application/json",
                Script::whole(wire.refuse(&refusal, &id), 0),
            ),
        };
        if let Some(pace) = self.pace.as_ref().filter(|_| status == StatusCode::OK) {
            pace.before_headers(&script).await;
        }
        let length = script.length();
        let mut response = Response::new(script.play(self.pace.clone()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(length) = length {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        if let Ok(id) = HeaderValue::try_from(format!("req_{id}")) {
            headers.insert(wire.request_id_header(), id);
        }
        Ok(response)
    }
}

impl fmt::Debug for DemoTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("DemoTransport");
        if let Some(pace) = &self.pace {
            debug
                .field("first", &pace.first)
                .field("per_word", &pace.per_word);
        }
        debug.finish_non_exhaustive()
    }
}

/// The protocol that a request speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    OpenAi,
    Anthropic,
}

impl Wire {
    fn of(path: &str) -> Self {
        if path.ends_with("/messages") {
            Self::Anthropic
        } else {
            Self::OpenAi
        }
    }

    fn request_id_header(self) -> &'static str {
        match self {
            Self::OpenAi => "x-request-id",
            Self::Anthropic => "request-id",
        }
    }

    /// The answer, and whether it is a stream.
    fn answer(self, request: &Request<Bytes>, id: &str) -> Result<(Script, bool), Refusal> {
        let path = request.uri().path();
        if self == Self::OpenAi && !path.ends_with("/chat/completions") {
            return Err(Refusal {
                status: StatusCode::NOT_FOUND,
                ..Refusal::new(format!("Invalid URL ({} {path})", request.method()))
            });
        }
        if request.method() != Method::POST {
            return Err(Refusal {
                status: StatusCode::METHOD_NOT_ALLOWED,
                ..Refusal::new(format!("Not allowed to {} on {path}", request.method()))
            });
        }
        let body = serde_json::from_slice(request.body()).map_err(|error| {
            Refusal::new(format!(
                "We could not parse the JSON body of your request: {error}"
            ))
        })?;
        let ask: Ask = match self {
            Self::OpenAi => openai::read(&body)?,
            Self::Anthropic => anthropic::read(&body)?,
        };
        let reply = Reply::to(&ask);
        let script = match (self, ask.stream) {
            (Self::OpenAi, false) => openai::whole(&ask, &reply, id),
            (Self::OpenAi, true) => openai::stream(&ask, &reply, id),
            (Self::Anthropic, false) => anthropic::whole(&ask, &reply, id),
            (Self::Anthropic, true) => anthropic::stream(&ask, &reply, id),
        };
        Ok((script, ask.stream))
    }

    fn refuse(self, refusal: &Refusal, id: &str) -> serde_json::Value {
        match self {
            Self::OpenAi => openai::refuse(refusal),
            Self::Anthropic => anthropic::refuse(refusal, id),
        }
    }
}

/// What ids are made of: the same for the same request (FNV-1a, 64 bits).
fn fingerprint(request: &Request<Bytes>) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in request
        .uri()
        .path()
        .bytes()
        .chain(request.body().iter().copied())
    {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("demo_{hash:016x}")
}

#[cfg(test)]
mod tests;
