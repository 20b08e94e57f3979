//! An answer as a stream of events.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::Answer;
use crate::chat::{ChatEvent, ChatResponse};
use crate::error::{Error, ErrorKind};
use crate::executor::BoxFuture;

/// An answer as a stream of [`ChatEvent`]s. It ends after the event
/// [`Finish`](ChatEvent::Finish), or with one error.
///
/// Cancel-safe: dropping the stream frees its permit and closes its connection. Dropping a future
/// of [`next`](Self::next) loses no event.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// let mut stream = client.ask("Tell me a story.").stream();
/// while let Some(event) = stream.next().await {
///     if let Some(text) = event?.as_text() {
///         print!("{text}");
///     }
/// }
/// let answer = stream.into_response().await?;
/// println!("\n{:?}", answer.usage);
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct ChatStream {
    state: State,
}

enum State {
    Opening(BoxFuture<'static, Result<Answer, Error>>),
    Reading(Answer),
    Failed,
}

impl ChatStream {
    pub(super) fn new(opening: BoxFuture<'static, Result<Answer, Error>>) -> Self {
        Self {
            state: State::Opening(opening),
        }
    }

    /// The next event.
    pub async fn next(&mut self) -> Option<Result<ChatEvent, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The next piece of text; other events are skipped.
    pub async fn next_text(&mut self) -> Option<Result<String, Error>> {
        loop {
            match self.next().await? {
                Ok(ChatEvent::Text(text)) => return Some(Ok(text)),
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The answer as read so far, without its end. `None` before the first event, and after an
    /// error, because the error then holds it.
    pub fn partial(&self) -> Option<&ChatResponse> {
        match &self.state {
            State::Reading(answer) => answer.partial(),
            _ => None,
        }
    }

    /// Reads to the end and returns the whole answer, including the events that were already read.
    ///
    /// # Errors
    /// The stream's error, or [`Truncated`](crate::ErrorKind::Truncated) if that error was already
    /// returned.
    pub async fn into_response(mut self) -> Result<ChatResponse, Error> {
        while let Some(event) = self.next().await {
            event?;
        }
        match self.state {
            State::Reading(answer) => answer.finish(),
            _ => Err(Error::new(
                ErrorKind::Truncated,
                "the stream failed before, and has already returned its error",
            )),
        }
    }
}

impl Stream for ChatStream {
    type Item = Result<ChatEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match &mut self.state {
                State::Opening(opening) => {
                    self.state = match ready!(opening.as_mut().poll(cx)) {
                        Ok(answer) => State::Reading(answer),
                        Err(error) => {
                            self.state = State::Failed;
                            return Poll::Ready(Some(Err(error)));
                        }
                    };
                }
                State::Reading(answer) => {
                    let event = ready!(answer.poll_next(cx));
                    if matches!(event, Some(Err(_))) {
                        self.state = State::Failed;
                    }
                    return Poll::Ready(event);
                }
                State::Failed => return Poll::Ready(None),
            }
        }
    }
}

impl fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Opening(_) => "opening",
            State::Reading(_) => "reading",
            State::Failed => "failed",
        };
        f.debug_struct("ChatStream").field("state", &state).finish()
    }
}
