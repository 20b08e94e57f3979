//! What answers a call: an endpoint, or something in front of one.

use std::collections::VecDeque;
use std::fmt::{self, Debug};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::catalogue::ModelInfo;
use crate::chat::{ChatEvent, ChatResponse, Fold};
use crate::dialect::Mode;
use crate::embed::{EmbedRequest, Embeddings};
use crate::error::{Error, ErrorKind};
use crate::executor::BoxFuture;
use crate::pipeline::{Call, ChatReader, JobCall, Opened};
use crate::status::Status;

/// What answers a call. The client of one endpoint is a backend; a router over several, a cache, a
/// recorder and a replayer are others.
///
/// A router that asks a second backend where the first one fails before its first content:
///
/// ```
/// use std::sync::Arc;
/// use chatcore::{Answer, Backend, BoxFuture, Call, Error, Mode, Status};
///
/// #[derive(Debug)]
/// struct Fallback(Arc<dyn Backend>, Arc<dyn Backend>);
///
/// impl Backend for Fallback {
///     fn open(&self, call: Call, mode: Mode) -> BoxFuture<'static, Result<Answer, Error>> {
///         let second = Arc::clone(&self.1);
///         let first = self.0.open(call.clone(), mode);
///         Box::pin(async move {
///             match first.await {
///                 Err(error) if error.is_retryable() => second.open(call, mode).await,
///                 answered => answered,
///             }
///         })
///     }
///
///     fn status(&self) -> Status {
///         self.0.status()
///     }
///
///     fn close(&self) -> BoxFuture<'_, ()> {
///         Box::pin(async move {
///             self.0.close().await;
///             self.1.close().await;
///         })
///     }
/// }
/// ```
pub trait Backend: Debug + Send + Sync + 'static {
    /// Runs a call up to its first content ([`Mode::Stream`]) or to its end ([`Mode::Whole`]).
    /// There is no other attempt after the first content.
    ///
    /// Cancel-safe: dropping the future, or the answer, ends the call.
    ///
    /// # Errors
    /// Why there is no answer, or why it ended before its first content.
    fn open(&self, call: Call, mode: Mode) -> BoxFuture<'static, Result<Answer, Error>>;

    /// Runs a call for embeddings. By default the backend has none.
    ///
    /// # Errors
    /// Why there are no vectors.
    fn embed(&self, call: JobCall<EmbedRequest>) -> BoxFuture<'static, Result<Embeddings, Error>> {
        drop(call);
        missing("embeddings")
    }

    /// Reads the list of models. By default the backend has none.
    ///
    /// # Errors
    /// Why there is no list.
    fn models(&self, call: JobCall<()>) -> BoxFuture<'static, Result<Vec<ModelInfo>, Error>> {
        drop(call);
        missing("list of models")
    }

    /// What the backend does at this moment.
    fn status(&self) -> Status;

    /// Takes no more calls, and completes when those that run have ended.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// The answer of a backend that does not do `what` is asked.
fn missing<T: Send + 'static>(what: &str) -> BoxFuture<'static, Result<T, Error>> {
    let why = format!("this client's backend has no {what}: it answers chats only");
    Box::pin(std::future::ready(Err(Error::invalid(why))))
}

/// An answer whose first content is there, or all of it.
///
/// ```
/// use chatcore::{Answer, ChatEvent, ChatResponse, Error, FinishReason, Message};
/// use chatcore::Stream;
///
/// /// An answer that is known already.
/// fn cached(text: &str) -> Answer {
///     let mut answer = ChatResponse::default();
///     answer.message = Message::assistant(text);
///     answer.finish_reason = Some(FinishReason::Stop);
///     Answer::from_response(answer)
/// }
///
/// /// An answer that comes in events.
/// fn streamed(events: impl Stream<Item = Result<ChatEvent, Error>> + Send + 'static) -> Answer {
///     Answer::from_events(events)
/// }
/// assert_eq!(cached("Hello").partial().unwrap().text(), "Hello");
/// ```
pub struct Answer(Inner);

enum Inner {
    Endpoint(Opened<ChatReader>),
    Events(Box<Events>),
    Whole {
        response: Box<ChatResponse>,
        /// The events that it is made of, as far as they were not handed over.
        events: Option<VecDeque<ChatEvent>>,
    },
}

/// An answer that comes in events, and what they have added up to so far.
struct Events {
    events: Pin<Box<dyn Stream<Item = Result<ChatEvent, Error>> + Send>>,
    fold: Fold,
}

impl Answer {
    pub(super) fn of_endpoint(opened: Opened<ChatReader>) -> Self {
        Self(Inner::Endpoint(opened))
    }

    /// An answer that comes in events. The last one is [`ChatEvent::Finish`], or an error.
    pub fn from_events(
        events: impl Stream<Item = Result<ChatEvent, Error>> + Send + 'static,
    ) -> Self {
        Self(Inner::Events(Box::new(Events {
            events: Box::pin(events),
            fold: Fold::new(),
        })))
    }

    /// An answer that is there already, for example from a cache.
    pub fn from_response(response: ChatResponse) -> Self {
        Self(Inner::Whole {
            response: Box::new(response),
            events: None,
        })
    }

    /// The next event; `None` at the end, and after an error.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<ChatEvent, Error>>> {
        match &mut self.0 {
            Inner::Endpoint(opened) => opened.poll_next(cx),
            Inner::Events(from) => {
                let event = ready!(from.events.as_mut().poll_next(cx));
                if let Some(Ok(event)) = &event {
                    from.fold.push_ref(event);
                }
                Poll::Ready(event)
            }
            Inner::Whole { response, events } => {
                let events = events.get_or_insert_with(|| response.to_events().into());
                Poll::Ready(events.pop_front().map(Ok))
            }
        }
    }

    /// What was handed over so far.
    pub fn partial(&self) -> Option<&ChatResponse> {
        match &self.0 {
            Inner::Endpoint(opened) => opened.partial(),
            Inner::Events(from) => Some(from.fold.partial()),
            Inner::Whole { response, .. } => Some(response),
        }
    }

    /// Reads to the end, and gives the whole answer, the events already taken included.
    ///
    /// # Errors
    /// That of an event.
    pub async fn into_response(mut self) -> Result<ChatResponse, Error> {
        while let Some(event) = poll_fn(|cx| self.poll_next(cx)).await {
            event?;
        }
        self.finish()
    }

    /// Whether all of it is there, so that no event need be read to [`finish`](Self::finish).
    pub(super) fn is_whole(&self, mode: Mode) -> bool {
        match self.0 {
            Inner::Endpoint(_) => mode == Mode::Whole,
            Inner::Whole { .. } => true,
            Inner::Events(_) => false,
        }
    }

    /// The whole answer, once all of it was read.
    pub(super) fn finish(self) -> Result<ChatResponse, Error> {
        match self.0 {
            Inner::Endpoint(opened) => opened.finish(ChatReader::take_response),
            Inner::Events(from) if from.fold.partial().finish_reason.is_none() => {
                let why = "the events of the answer ended without a finish";
                Err(Error::new(ErrorKind::Truncated, why))
            }
            Inner::Events(from) => Ok(from.fold.finish()),
            Inner::Whole { response, .. } => Ok(*response),
        }
    }
}

impl Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("partial", &self.partial())
            .finish()
    }
}
