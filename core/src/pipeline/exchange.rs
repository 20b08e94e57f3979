//! The exchange with the server after its headers have come: feeds the body to the reader, under
//! the time limits of an attempt.

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

/// How long to wait for the end of the body after the terminal event, so that the connection can be
/// reused. A connection whose body is still open after that is closed.
const LINGER: Duration = Duration::from_millis(50);

/// How long to wait for the body of an error response. After that the error is reported with the
/// part that came, because its status says more than a timeout would.
const ERROR_BODY: Duration = Duration::from_secs(2);

/// How long to wait after the finish reason for what may follow it, such as the usage. Some servers
/// neither send a terminal event nor close the connection, or send keep-alives for ever.
const GRACE: Duration = Duration::from_secs(2);

/// How many chunks are read without a wait before the task yields to others.
const CHUNKS_PER_TURN: u32 = 64;

/// How many bytes are read without a wait before the task yields to others and checks its time
/// limits. A larger chunk is read in pieces of this size.
const BYTES_PER_TURN: u32 = 64 << 10;

/// One attempt whose response headers have come. Dropping it closes its connection and frees its
/// permit.
pub(crate) struct Exchange {
    permit: Option<Permit>,
    reservation: Option<Box<Reservation>>,
    /// Tokens used, as far as the provider has reported them.
    used: Option<u64>,
    /// How many bytes of the answer have come.
    received: u64,
    watch: Watch,
    deadlines: Deadlines,
    body: Option<ByteStream>,
    /// The part of the last chunk that the reader has not been fed yet.
    unread: Bytes,
    /// Chunks received and bytes read since the last wait.
    chunks: u32,
    bytes: u32,
    reader: Box<dyn Reader>,
    /// Until when to wait for the rest of a body that the call does not need: after a complete
    /// answer, or of an error response.
    lingers: Option<Deadline>,
    /// Until when to wait for more after the finish reason.
    grace: Option<Deadline>,
}

impl Exchange {
    /// An exchange for the response with this `head`, read by `reader`.
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

    /// Reads ahead to the first content. After content there is no other attempt.
    pub(super) async fn read_to_content(&mut self) -> Result<(), Error> {
        while let Some(progress) = poll_fn(|cx| self.poll_progress(cx)).await? {
            if progress.is_content {
                break;
            }
        }
        Ok(())
    }

    /// When the first content came.
    pub(super) fn first_content(&self) -> Option<Instant> {
        self.deadlines.first_content()
    }

    pub(super) fn reader(&self) -> &dyn Reader {
        &*self.reader
    }

    /// The reader as the type `R`; `None` if the job's reader has another type.
    pub(super) fn reader_as<R: Reader>(&self) -> Option<&R> {
        let reader: &dyn Any = &*self.reader;
        reader.downcast_ref()
    }

    /// The mutable reader as the type `R`; `None` if the job's reader has another type.
    pub(super) fn reader_mut<R: Reader>(&mut self) -> Option<&mut R> {
        let reader: &mut dyn Any = &mut *self.reader;
        reader.downcast_mut()
    }

    /// Records in the answer how many attempts it took.
    pub(super) fn set_attempts(&mut self, attempts: u32) {
        self.reader.set_attempts(attempts);
    }

    /// Lets the reader read on. `None` once the answer is complete and its connection was returned
    /// or closed.
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
                    // The provider has finished, so the next request may run. What this request
                    // used is final only now, because usage may come in pieces.
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

    /// Ends a failed attempt: frees its permit and its connection at once.
    pub(super) fn fail(&mut self, error: Error) -> Error {
        self.permit = None;
        self.body = None;
        let request_id = self.reader.summary().request_id.map(str::to_owned);
        let error = error.with_request_id(request_id);
        let error = match self.reader.take_head() {
            Some(head) => error.with_head(Some(head)),
            None => error,
        };
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
                // The answer goes on after its finish reason: some providers send one before they
                // run a tool.
                false => self.grace = None,
            }
            // A server that never pauses, with events or keep-alives, must neither starve other
            // tasks nor escape its time limits.
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
                let size = self.unread.len().min(BYTES_PER_TURN as usize);
                self.bytes += size as u32;
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

    /// Ready once a time limit has passed: with its error, or with `Ok` if the call does not need
    /// the rest of the body.
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

    /// Stops reading the body because of `error`. `Ok` if the call does not need the rest: an error
    /// response is reported by its status, and an answer with its finish reason is complete.
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

    /// Ready once the body has ended, or the wait for its end was given up.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(());
        };
        // Bytes after the terminal event are ignored. One more chunk is read, because the body may
        // end right after it.
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

/// The deadline of a wait for a rest that the call does not need.
fn linger(now: Instant, limit: Duration) -> Deadline {
    Deadline {
        at: now + limit,
        phase: Phase::ByteIdle,
        limit,
        again: true,
    }
}
