//! A loop as a stream of its steps.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::answer::ToolLoopAnswer;
use super::event::{Events, ToolLoopEvent};
use super::run::Run;
use crate::error::{Error, ErrorKind};
use crate::executor::BoxFuture;

/// A [`ToolLoop`](super::ToolLoop) as a stream of [`ToolLoopEvent`]s. It ends after the event
/// [`Finish`](ToolLoopEvent::Finish), or with one error.
///
/// Tools run while the stream is polled. Cancel-safe: dropping the stream drops the futures of all
/// running calls, and ends the request. Dropping a future of [`next`](Self::next) loses no event.
///
/// ```
/// # async fn example(client: chatcore::LlmClient, tools: chatcore::Toolbox) -> Result<(), chatcore::Error> {
/// use chatcore::ToolLoopEvent;
///
/// let mut stream = client.ask("Plan my week.").toolbox(&tools).stream();
/// while let Some(event) = stream.next().await {
///     match event? {
///         ToolLoopEvent::CallAsked { call, .. } => println!("{}({})", call.name, call.arguments),
///         event => print!("{}", event.as_text().unwrap_or_default()),
///     }
/// }
/// let answer = stream.into_answer().await?;
/// println!("\n{} turns, {:?}", answer.turns, answer.usage);
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct ToolLoopStream {
    events: Events,
    state: State,
}

enum State {
    Running(BoxFuture<'static, Result<ToolLoopAnswer, Error>>),
    Ended(Box<ToolLoopAnswer>),
    Failed,
}

impl ToolLoopStream {
    /// `run` sends its events to the stream.
    pub(super) fn new(mut run: Run) -> Self {
        let events = Events::taken();
        run.events = events.clone();
        Self {
            events,
            state: State::Running(Box::pin(run.run())),
        }
    }

    /// The next event.
    pub async fn next(&mut self) -> Option<Result<ToolLoopEvent, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Runs to the end and returns the answer.
    ///
    /// # Errors
    /// The stream's error, or [`Truncated`](ErrorKind::Truncated) if that error was already
    /// returned.
    pub async fn into_answer(mut self) -> Result<ToolLoopAnswer, Error> {
        while let Some(event) = self.next().await {
            event?;
        }
        match self.state {
            State::Ended(answer) => Ok(*answer),
            _ => Err(Error::new(
                ErrorKind::Truncated,
                "the loop failed before, and its stream has already returned its error",
            )),
        }
    }
}

impl Stream for ToolLoopStream {
    type Item = Result<ToolLoopEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.events.take() {
                return Poll::Ready(Some(Ok(event)));
            }
            let State::Running(running) = &mut self.state else {
                return Poll::Ready(None);
            };
            match running.as_mut().poll(cx) {
                Poll::Ready(Ok(answer)) => self.state = State::Ended(Box::new(answer)),
                Poll::Ready(Err(error)) => {
                    self.state = State::Failed;
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Pending => match self.events.take() {
                    Some(event) => return Poll::Ready(Some(Ok(event))),
                    None => return Poll::Pending,
                },
            }
        }
    }
}

impl fmt::Debug for ToolLoopStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Running(_) => "running",
            State::Ended(_) => "ended",
            State::Failed => "failed",
        };
        f.debug_struct("ToolLoopStream")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
