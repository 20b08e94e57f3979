//! An answer on its way to the caller, and the outcome of its call.

use std::marker::PhantomData;
use std::task::{Context, Poll, ready};

use super::CallHeaders;
use super::begin::Begun;
use super::chat_reader::ChatReader;
use super::exchange::Exchange;
use super::job::{Job, Reader};
use super::settle::Outcome;
use crate::chat::{ChatEvent, ChatResponse};
use crate::error::{Error, ErrorKind};

/// An answer of which the first content has come, or all of it. `R` is the type of the job's
/// reader.
pub(crate) struct Opened<R> {
    outcome: Outcome,
    exchange: Box<Exchange>,
    job: Box<dyn Job>,
    /// Kept to redact their secrets from an error.
    headers: CallHeaders,
    /// Whether nothing more will be handed over.
    ended: bool,
    reader: PhantomData<fn() -> R>,
}

impl<R: Reader> Opened<R> {
    pub(super) fn new(call: Begun, mut exchange: Box<Exchange>) -> Self {
        exchange.set_attempts(call.outcome.attempts());
        Self {
            outcome: call.outcome,
            exchange,
            job: call.job,
            headers: call.rules.headers,
            ended: false,
            reader: PhantomData,
        }
    }

    fn settle(&mut self) {
        self.outcome.succeeded(&self.exchange.reader().summary());
    }

    /// Takes the answer out of the reader once it was read whole.
    ///
    /// # Errors
    /// Only for a defect in chatcore: the job's reader has another type than `R`.
    pub(crate) fn finish<T>(mut self, take: impl FnOnce(&mut R) -> T) -> Result<T, Error> {
        self.settle();
        self.exchange
            .reader_mut()
            .map(take)
            .ok_or_else(not_its_reader)
    }
}

impl Opened<ChatReader> {
    /// The next event to hand over; `None` at the end and after an error.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<ChatEvent, Error>>> {
        let next = ready!(self.poll_with(cx, ChatReader::next_event));
        // The finish event completes the answer, so dropping the stream now cancels nothing.
        if let Some(Ok(ChatEvent::Finish { .. })) = &next {
            self.settle();
        }
        Poll::Ready(next)
    }

    /// The response so far.
    pub(crate) fn partial(&self) -> Option<&ChatResponse> {
        self.exchange
            .reader_as::<ChatReader>()
            .map(ChatReader::partial)
    }
}

impl<R: Reader> Opened<R> {
    /// What `next` takes out of the reader next; `None` at the end and after an error.
    pub(super) fn poll_with<T>(
        &mut self,
        cx: &mut Context<'_>,
        next: impl FnMut(&mut R) -> Result<Option<T>, Error>,
    ) -> Poll<Option<Result<T, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let exchange = &mut self.exchange;
        match ready!(self.outcome.span().enter(|| poll_next(exchange, cx, next))) {
            Ok(Some(item)) => Poll::Ready(Some(Ok(item))),
            Ok(None) => {
                self.ended = true;
                self.settle();
                Poll::Ready(None)
            }
            Err(error) => {
                self.ended = true;
                self.outcome.learn(&*self.job, &error);
                Poll::Ready(Some(Err(self.outcome.failed(error, &self.headers))))
            }
        }
    }
}

fn poll_next<R: Reader, T>(
    exchange: &mut Exchange,
    cx: &mut Context<'_>,
    mut next: impl FnMut(&mut R) -> Result<Option<T>, Error>,
) -> Poll<Result<Option<T>, Error>> {
    loop {
        let Some(reader) = exchange.reader_mut::<R>() else {
            return Poll::Ready(Err(not_its_reader()));
        };
        match next(reader) {
            Ok(None) => {}
            Ok(item) => return Poll::Ready(Ok(item)),
            Err(error) => return Poll::Ready(Err(exchange.fail(error))),
        }
        if ready!(exchange.poll_progress(cx))?.is_none() {
            return Poll::Ready(Ok(None));
        }
    }
}

fn not_its_reader() -> Error {
    Error::new(
        ErrorKind::Internal,
        "the reader belongs to another kind of job",
    )
}
