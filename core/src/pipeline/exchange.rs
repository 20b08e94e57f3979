//! The exchange with the server once the headers are there: bytes → reader, under the time limits
//! of an attempt.

use std::any::Any;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::response::Parts;

use super::attempt::Held;
use super::job::{Progress, Reader};
use super::watch::Watch;
use crate::admission::limiter::Reservation;
use crate::admission::queue::Permit;
use crate::error::{Error, ErrorKind, Phase};
use crate::policy::deadlines::{Deadline, Deadlines};
use crate::time::Instant;
use crate::transport::ByteStream;

/// How long the end of the body is awaited after the terminal event, so that the connection can
/// be used again. A server that leaves it open longer loses it.
const LINGER: Duration = Duration::from_millis(50);

/// How long the body of an error is awaited once its status is there. After that the error tells
/// what came of it: its status says more than a time limit would.
const ERROR_BODY: Duration = Duration::from_secs(2);

/// How long what may follow the finish reason is awaited, such as what the answer cost. Some
/// servers then neither say that this is all nor close the connection, or send keep-alives for ever.
const GRACE: Duration = Duration::from_secs(2);

/// How many chunks are taken in without a wait between them before other tasks have their turn.
const CHUNKS_PER_TURN: usize = 64;

/// How many bytes are read without a wait between them before other tasks have their turn, and
/// before a time limit is looked at: a large chunk is read in pieces of this size.
const BYTES_PER_TURN: usize = 64 << 10;

/// One attempt whose headers are there. Dropping it closes its connection and frees its permit.
pub(crate) struct Exchange {
    permit: Option<Permit>,
    reservation: Option<Box<Reservation>>,
    /// Tokens, as far as the provider has said.
    used: Option<u64>,
    /// Bytes of the answer.
    received: u64,
    watch: Watch,
    deadlines: Deadlines,
    body: Option<ByteStream>,
    /// What was not read yet of the last chunk.
    unread: Bytes,
    /// How many chunks came, and how many bytes were read, without a wait between them.
    chunks: usize,
    bytes: usize,
    reader: Box<dyn Reader>,
    /// Until when the rest of the body is awaited, where the call does not need it: that of an
    /// answer that is complete, or of an error.
    lingers: Option<Deadline>,
    /// Until when more is awaited after the finish reason.
    grace: Option<Deadline>,
}

impl Exchange {
    /// An exchange whose answer begins with `head`, and is read by `reader`.
    pub(super) fn new(
        held: Held,
        watch: Watch,
        deadlines: Deadlines,
        head: &Parts,
        body: ByteStream,
        reader: Box<dyn Reader>,
    ) -> Self {
        let is_error = !head.status.is_success();
        let lingers = is_error.then(|| linger(watch.now(), ERROR_BODY));
        Self {
            permit: Some(held.permit),
            reservation: held.reservation,
            used: None,
            received: 0,
            watch,
            deadlines,
            reader,
            body: Some(body),
            unread: Bytes::new(),
            chunks: 0,
            bytes: 0,
            lingers,
            grace: None,
        }
    }

    /// Reads a whole answer.
    pub(super) async fn read_to_end(&mut self) -> Result<(), Error> {
        while poll_fn(|cx| self.poll_progress(cx)).await?.is_some() {}
        Ok(())
    }

    /// Reads ahead until the first content is there: from then on there is no other attempt.
    pub(super) async fn read_to_content(&mut self) -> Result<(), Error> {
        while let Some(progress) = poll_fn(|cx| self.poll_progress(cx)).await? {
            if progress.is_content {
                break;
            }
        }
        Ok(())
    }

    /// What reads the answer.
    pub(super) fn reader(&self) -> &dyn Reader {
        &*self.reader
    }

    /// The reader, of the type that the job of this attempt has.
    pub(super) fn reader_as<R: Reader>(&self) -> Option<&R> {
        let reader: &dyn Any = &*self.reader;
        reader.downcast_ref()
    }

    /// The reader, to take from it what it has read.
    pub(super) fn reader_mut<R: Reader>(&mut self) -> Option<&mut R> {
        let reader: &mut dyn Any = &mut *self.reader;
        reader.downcast_mut()
    }

    /// Notes in the answer how many attempts it took.
    pub(super) fn set_attempts(&mut self, attempts: u32) {
        self.reader.set_attempts(attempts);
    }

    /// Lets the reader read on; `None` once the answer is complete and its connection is handed
    /// back or closed.
    pub(super) fn poll_progress(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Progress>, Error>> {
        match ready!(self.poll_reader(cx)) {
            Ok(Some(progress)) => {
                if progress.is_content {
                    self.deadlines.saw_content();
                    self.grace = None;
                }
                self.used = progress.used.or(self.used);
                if self.reader.is_done() {
                    // The provider's work is done: the next request may run, and what this one
                    // used is known. (Before that it is not: usage may come in pieces.)
                    self.permit = None;
                    if let (Some(used), Some(reservation)) = (self.used, &mut self.reservation) {
                        reservation.settle(used, self.received);
                    }
                }
                Poll::Ready(Ok(Some(progress)))
            }
            Ok(None) => {
                self.permit = None;
                ready!(self.poll_linger(cx));
                Poll::Ready(Ok(None))
            }
            Err(error) => Poll::Ready(Err(self.fail(error))),
        }
    }

    /// The attempt has failed: its permit and its connection are given back at once.
    pub(super) fn fail(&mut self, error: Error) -> Error {
        self.permit = None;
        self.body = None;
        let request_id = self.reader.summary().request_id.map(str::to_owned);
        let error = error.with_request_id(request_id);
        match self.reader.take_partial() {
            Some(partial) if error.partial().is_none() => error.with_partial(partial),
            _ => error,
        }
    }

    fn poll_reader(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Progress>, Error>> {
        loop {
            if let Some(progress) = self.reader.advance()? {
                return Poll::Ready(Ok(Some(progress)));
            }
            if self.reader.is_done() {
                return Poll::Ready(Ok(None));
            }
            match self.reader.is_complete() {
                true if self.grace.is_none() => {
                    self.grace = Some(linger(self.watch.now(), GRACE));
                }
                true => {}
                // It goes on after all: some give a reason to stop before they run a tool.
                false => self.grace = None,
            }
            // A server that has always more to say, events or keep-alives, must neither starve the
            // others nor escape its time limits.
            if self.chunks >= CHUNKS_PER_TURN || self.bytes >= BYTES_PER_TURN {
                (self.chunks, self.bytes) = (0, 0);
                match self.poll_late(cx) {
                    Poll::Ready(late) => late?,
                    Poll::Pending => {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                }
                continue;
            }
            if !self.unread.is_empty() {
                let size = self.unread.len().min(BYTES_PER_TURN);
                self.bytes += size;
                self.reader.feed(self.unread.split_to(size));
                continue;
            }
            let Some(body) = &mut self.body else {
                let message = "the answer ended before it was complete";
                return Poll::Ready(Err(Error::new(ErrorKind::Truncated, message)));
            };
            match Pin::new(body).poll_next(cx) {
                Poll::Ready(Some(Ok(chunk))) => {
                    self.chunks += 1;
                    self.received = self.received.saturating_add(chunk.len() as u64);
                    self.unread = chunk;
                    let now = self.watch.now();
                    self.deadlines.saw_bytes(now);
                    if self.grace.is_some_and(|grace| now >= grace.at) {
                        self.end_body();
                    }
                }
                Poll::Ready(Some(Err(lost))) => self.give_up(lost.into())?,
                Poll::Ready(None) => self.end_body(),
                Poll::Pending => {
                    (self.chunks, self.bytes) = (0, 0);
                    ready!(self.poll_late(cx))?;
                }
            }
        }
    }

    /// Ready once a time limit has passed, with its error if that is the end.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut deadline = self.deadlines.in_attempt();
        for more in [self.lingers, self.grace].into_iter().flatten() {
            if deadline.is_none_or(|deadline| more.at < deadline.at) {
                deadline = Some(more);
            }
        }
        let late = ready!(self.watch.poll(deadline, cx));
        Poll::Ready(self.give_up(late))
    }

    /// No more of the body comes, because of `error`. The status of an error is told all the same,
    /// and an answer that has its finish reason stands.
    fn give_up(&mut self, error: Error) -> Result<(), Error> {
        if self.lingers.is_none() && self.grace.is_none() {
            return Err(error);
        }
        self.end_body();
        Ok(())
    }

    fn end_body(&mut self) {
        self.body = None;
        self.unread = Bytes::new();
        self.reader.end();
    }

    /// Ready once the body has ended, or was given up.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(());
        };
        // Bytes after the terminal event mean nothing; one chunk may hold the body's end.
        let mut body = Pin::new(body);
        let ended = match body.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(_))) => body.as_mut().poll_next(cx),
            other => other,
        };
        if ended.is_pending() {
            let until = *self
                .lingers
                .get_or_insert_with(|| linger(self.watch.now(), LINGER));
            if self.watch.poll(Some(until), cx).is_pending() {
                return Poll::Pending;
            }
        }
        self.body = None;
        Poll::Ready(())
    }
}

/// The end of a wait for what is not needed.
fn linger(now: Instant, limit: Duration) -> Deadline {
    Deadline {
        at: now + limit,
        phase: Phase::ByteIdle,
        limit,
        again: true,
    }
}
