//! What a client sends its calls to: an endpoint, or a wrapper around one or more of them.

use std::collections::VecDeque;
use std::fmt::{self, Debug};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

#[cfg(feature = "jobs")]
use crate::catalogue::ModelInfo;
use crate::chat::{ChatEvent, ChatResponse, Fold};
use crate::dialect::Mode;
#[cfg(feature = "jobs")]
use crate::embed::{EmbedRequest, Embeddings};
use crate::error::{Error, ErrorKind};
use crate::executor::BoxFuture;
#[cfg(feature = "jobs")]
use crate::pipeline::JobCall;
use crate::pipeline::{Call, ChatReader, Opened};
use crate::status::Status;

/// Answers a client's calls. A client for one endpoint has a built-in backend. Other backends are
/// routers over several endpoints, caches, recorders and replayers.
///
/// A router that falls back to a second backend if the first one fails before its first content:
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
    /// Runs a call until its first content has arrived ([`Mode::Stream`]) or until its end
    /// ([`Mode::Whole`]). A call is never retried after its first content.
    ///
    /// Cancel-safe: dropping the future, or the answer, ends the call.
    ///
    /// # Errors
    /// Any reason why the call has no answer, or ended before its first content.
    fn open(&self, call: Call, mode: Mode) -> BoxFuture<'static, Result<Answer, Error>>;

    /// Runs a call for embeddings. The default implementation fails with
    /// [`InvalidInput`](ErrorKind::InvalidInput).
    ///
    /// # Errors
    /// Any reason why the call has no vectors.
    #[cfg(feature = "jobs")]
    fn embed(&self, call: JobCall<EmbedRequest>) -> BoxFuture<'static, Result<Embeddings, Error>> {
        drop(call);
        missing("embeddings")
    }

    /// Reads the list of models. The default implementation fails with
    /// [`InvalidInput`](ErrorKind::InvalidInput).
    ///
    /// # Errors
    /// Any reason why the list could not be read.
    #[cfg(feature = "jobs")]
    fn models(&self, call: JobCall<()>) -> BoxFuture<'static, Result<Vec<ModelInfo>, Error>> {
        drop(call);
        missing("list of models")
    }

    /// The provider's Batch API. The default implementation fails with
    /// [`InvalidInput`](ErrorKind::InvalidInput).
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the backend has none.
    #[cfg(feature = "provider-batches")]
    fn provider_batches(&self) -> Result<super::ProviderBatches, Error> {
        let why = "this client's backend has no Batch API: it answers chats only";
        Err(Error::invalid(why))
    }

    /// The backend's current status.
    fn status(&self) -> Status;

    /// Changes how many requests run at once. The default implementation does nothing.
    fn set_workers(&self, workers: usize) {
        let _ = workers;
    }

    /// Refuses new calls, and completes when all running calls have ended.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// The error of a backend that does not support `what`.
#[cfg(feature = "jobs")]
fn missing<T: Send + 'static>(what: &str) -> BoxFuture<'static, Result<T, Error>> {
    let why = format!("this client's backend has no {what}: it answers chats only");
    Box::pin(std::future::ready(Err(Error::invalid(why))))
}

/// An answer of which at least the first content has arrived.
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
    /// Behind a trait, so that only a program that has such an answer has the code for it.
    Foreign(Box<dyn Foreign>),
}

/// An answer that does not come from an endpoint. The methods are those of [`Answer`].
trait Foreign: Send {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<ChatEvent, Error>>>;
    fn partial(&self) -> &ChatResponse;
    fn is_whole(&self) -> bool;
    fn finish(self: Box<Self>) -> Result<ChatResponse, Error>;
}

/// An answer that arrives in events, and the partial response that they make up so far.
struct Events {
    events: Pin<Box<dyn Stream<Item = Result<ChatEvent, Error>> + Send>>,
    fold: Fold,
}

impl Foreign for Events {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<ChatEvent, Error>>> {
        let event = ready!(self.events.as_mut().poll_next(cx));
        if let Some(Ok(event)) = &event {
            self.fold.push_ref(event);
        }
        Poll::Ready(event)
    }

    fn partial(&self) -> &ChatResponse {
        self.fold.partial()
    }

    fn is_whole(&self) -> bool {
        false
    }

    fn finish(self: Box<Self>) -> Result<ChatResponse, Error> {
        if self.fold.partial().finish_reason.is_none() {
            let why = "the events of the answer ended without a finish";
            return Err(Error::new(ErrorKind::Truncated, why));
        }
        Ok(self.fold.finish())
    }
}

/// An answer that was complete from the start.
struct Whole {
    response: ChatResponse,
    /// The response as events, without those already returned. `None` until the first poll.
    events: Option<VecDeque<ChatEvent>>,
}

impl Foreign for Whole {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<ChatEvent, Error>>> {
        let response = &self.response;
        let events = (self.events).get_or_insert_with(|| response.to_events().into());
        Poll::Ready(events.pop_front().map(Ok))
    }

    fn partial(&self) -> &ChatResponse {
        &self.response
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn finish(self: Box<Self>) -> Result<ChatResponse, Error> {
        Ok(self.response)
    }
}

impl Answer {
    pub(super) fn of_endpoint(opened: Opened<ChatReader>) -> Self {
        Self(Inner::Endpoint(opened))
    }

    /// An answer that arrives in events. The last event must be [`ChatEvent::Finish`] or an error.
    pub fn from_events(
        events: impl Stream<Item = Result<ChatEvent, Error>> + Send + 'static,
    ) -> Self {
        Self(Inner::Foreign(Box::new(Events {
            events: Box::pin(events),
            fold: Fold::new(),
        })))
    }

    /// An answer that is already complete, for example from a cache.
    pub fn from_response(response: ChatResponse) -> Self {
        Self(Inner::Foreign(Box::new(Whole {
            response,
            events: None,
        })))
    }

    /// The next event; `None` at the end, and after an error.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<ChatEvent, Error>>> {
        match &mut self.0 {
            Inner::Endpoint(opened) => opened.poll_next(cx),
            Inner::Foreign(foreign) => foreign.poll_next(cx),
        }
    }

    /// The response made up of the events returned so far; the whole response if it was complete
    /// from the start.
    pub fn partial(&self) -> Option<&ChatResponse> {
        match &self.0 {
            Inner::Endpoint(opened) => opened.partial(),
            Inner::Foreign(foreign) => Some(foreign.partial()),
        }
    }

    /// Reads to the end and returns the whole answer, including the events that were already read.
    ///
    /// # Errors
    /// The first error among the events.
    pub async fn into_response(mut self) -> Result<ChatResponse, Error> {
        while let Some(event) = poll_fn(|cx| self.poll_next(cx)).await {
            event?;
        }
        self.finish()
    }

    /// Whether [`finish`](Self::finish) may be called without reading any events.
    pub(super) fn is_whole(&self, mode: Mode) -> bool {
        match &self.0 {
            Inner::Endpoint(_) => mode == Mode::Whole,
            Inner::Foreign(foreign) => foreign.is_whole(),
        }
    }

    /// The whole answer. All events must have been read, unless [`is_whole`](Self::is_whole).
    pub(super) fn finish(self) -> Result<ChatResponse, Error> {
        match self.0 {
            Inner::Endpoint(opened) => opened.finish(ChatReader::take_response),
            Inner::Foreign(foreign) => foreign.finish(),
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
