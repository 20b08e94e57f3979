//! The offline demo model: a [`Transport`] that answers with real wire bytes.
//!
//! It speaks OpenAI's chat completions, as complete answers and as streams, with request ids,
//! usage, finish reasons and errors in OpenAI's own form. A program therefore uses the same code of
//! the library as with a real provider. Nothing leaves the process, and no key is checked.
//!
//! The model consists of a few rules. It calculates, counts, says what it is told to say,
//! translates a few phrases, remembers a name, writes a verse, and calls a tool that the prompt
//! names. In all other cases it repeats the prompt. It answers Chinese in Chinese, except for the
//! verse. The same request always gets the same bytes.
//!
//! **A token** of the demo model is a word with the white space before it, or one Chinese character
//! with the punctuation after it. A token has at most 16 characters. Each message and each tool
//! costs four tokens more. For English, a real model counts about a third more tokens.

mod ask;
mod model;
mod sums;
mod tokens;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{
    BoxFuture, ByteStream, ChatEvent, ChatResponse, Executor, Fold, Transport, TransportError,
};
use futures_core::Stream;
use http::{HeaderValue, Request, Response, StatusCode, header};

use self::ask::Ask;
use crate::answers::openai_chat::OpenAiChatForm;
use crate::answers::{Form, Frame, Refusal};

/// The offline demo model. See the [module](self).
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
/// let answer = run_async_in_sync(client.chat_async("What is 2+2?"))?;
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

/// How long the model takes.
#[derive(Clone)]
struct Pace {
    executor: Arc<dyn Executor>,
    first: Duration,
    per_word: Duration,
}

impl DemoTransport {
    /// A model that answers at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// A model that takes time, measured by `executor`: `first` for its first word, and `per_word`
    /// for each later word. A complete answer arrives after the time of all its words.
    #[must_use]
    pub fn latency(self, executor: Arc<dyn Executor>, first: Duration, per_word: Duration) -> Self {
        let pace = Pace {
            executor,
            first,
            per_word,
        };
        Self { pace: Some(pace) }
    }
}

#[async_trait]
impl Transport for DemoTransport {
    /// Never fails: a wrong request gets a response with status 400 or 404.
    ///
    /// Cancel-safe, and so is the body: dropping either cancels its timer.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let id = fingerprint(&request);
        let (status, content_type, pieces) = match Ask::read(&request) {
            Err(refusal) => (refusal.status, "application/json", vec![refused(&refusal)]),
            Ok(ask) => {
                let (frame, events) = answer(&ask, &id);
                let words = events.iter().filter(|event| is_word(event)).count();
                let at_once = if ask.stream {
                    0
                } else {
                    words.saturating_sub(1)
                };
                if let Some(pace) = &self.pace {
                    let rest = pace
                        .per_word
                        .saturating_mul(u32::try_from(at_once).unwrap_or(u32::MAX));
                    pace.executor.sleep(pace.first.saturating_add(rest)).await;
                }
                match ask.stream {
                    true => (
                        200,
                        "text/event-stream; charset=utf-8",
                        streamed(frame, &events),
                    ),
                    false => (200, "application/json", vec![whole(&frame, &events)]),
                }
            }
        };
        let mut response = Response::new(ByteStream::new(Playing {
            pieces: pieces.into_iter(),
            next: None,
            pace: self.pace.clone(),
            has_begun: false,
            wait: None,
        }));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Ok(id) = HeaderValue::try_from(format!("req_{id}")) {
            headers.insert(OpenAiChatForm.request_id_header(), id);
        }
        Ok(response)
    }
}

/// A chunk of a body, and whether the model takes time for it.
type Piece = (Bytes, bool);

fn is_word(event: &ChatEvent) -> bool {
    matches!(
        event,
        ChatEvent::Text(_) | ChatEvent::ToolCallArguments { .. }
    )
}

fn answer(ask: &Ask, id: &str) -> (Frame, Vec<ChatEvent>) {
    let mut frame = Frame::new(format!("chatcmpl-{id}"), &*ask.model);
    // A fixed time, so that the same request gets the same bytes.
    frame.created = 1_700_000_000;
    frame.include_usage = ask.include_usage;
    (frame, model::answer(ask, id))
}

fn streamed(frame: Frame, events: &[ChatEvent]) -> Vec<Piece> {
    let mut writer = OpenAiChatForm.stream(frame);
    let pieces = events
        .iter()
        .map(|event| (writer.write(event).into(), is_word(event)));
    pieces
        .filter(|(bytes, _): &Piece| !bytes.is_empty())
        .collect()
}

fn whole(frame: &Frame, events: &[ChatEvent]) -> Piece {
    let mut fold = Fold::new();
    events.iter().for_each(|event| fold.push_ref(event));
    let answer: ChatResponse = fold.finish();
    (
        OpenAiChatForm.whole(&answer, frame).to_string().into(),
        false,
    )
}

fn refused(refusal: &Refusal) -> Piece {
    (OpenAiChatForm.refuse(refusal).to_string().into(), false)
}

/// A body that is sent piece by piece. Its first word does not wait, because the headers have
/// waited for it already.
struct Playing {
    pieces: std::vec::IntoIter<Piece>,
    next: Option<Bytes>,
    pace: Option<Pace>,
    has_begun: bool,
    wait: Option<BoxFuture<'static, ()>>,
}

impl Stream for Playing {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.next.is_none() {
            let Some((bytes, is_word)) = this.pieces.next() else {
                return Poll::Ready(None);
            };
            let is_later = is_word && std::mem::replace(&mut this.has_begun, true);
            let pace = this.pace.as_ref().filter(|_| is_later);
            this.wait = pace.map(|pace| pace.executor.sleep(pace.per_word));
            this.next = Some(bytes);
        }
        if let Some(wait) = &mut this.wait {
            ready!(wait.as_mut().poll(cx));
            this.wait = None;
        }
        Poll::Ready(this.next.take().map(Ok))
    }
}

impl fmt::Debug for DemoTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pace = self.pace.as_ref();
        f.debug_struct("DemoTransport")
            .field("first", &pace.map(|pace| pace.first))
            .field("per_word", &pace.map(|pace| pace.per_word))
            .finish_non_exhaustive()
    }
}

/// The part that ids are made of, a hash of the request (FNV-1a, 64 bits). The same request has the
/// same ids.
fn fingerprint(request: &Request<Bytes>) -> String {
    let bytes = request
        .uri()
        .path()
        .bytes()
        .chain(request.body().iter().copied());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("demo_{hash:016x}")
}

#[cfg(test)]
mod tests;
