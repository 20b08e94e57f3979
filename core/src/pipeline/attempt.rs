//! One attempt whose headers are there: its bytes → its events, under its time limits.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::{Response, StatusCode};

use super::Core;
use super::watch::Watch;
use crate::admission::limiter::Reservation;
use crate::admission::queue::Permit;
use crate::chat::{ChatEvent, ChatResponse, FinishReason, Fold, Part};
use crate::dialect::{Decoder, Mode, request_id};
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

/// What an attempt holds of what all share; dropping it gives it back.
pub(super) struct Held {
    pub(super) permit: Permit,
    pub(super) reservation: Option<Box<Reservation>>,
}

/// One attempt whose headers are there. Dropping it closes its connection and frees its permit.
pub(super) struct Attempt {
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
    decoder: Box<dyn Decoder>,
    /// Events that were read ahead, up to the first content.
    ahead: VecDeque<ChatEvent>,
    /// What was handed over so far; all of it, for a whole answer.
    fold: Fold,
    /// Until when the rest of the body is awaited, where the call does not need it: that of an
    /// answer that is complete, or of an error.
    lingers: Option<Deadline>,
    /// Until when more is awaited after the finish reason.
    grace: Option<Deadline>,
}

impl Attempt {
    pub(super) fn new(
        core: &Core,
        mode: Mode,
        held: Held,
        watch: Watch,
        deadlines: Deadlines,
        response: Response<ByteStream>,
    ) -> Self {
        let (head, body) = response.into_parts();
        let mut fold = Fold::new();
        let id = &mut fold.response_mut().request_id;
        *id = request_id(&head.headers);
        if let Some(id) = id {
            core.redact(id);
        }
        let is_error = !head.status.is_success();
        let lingers = is_error.then(|| linger(watch.now(), ERROR_BODY));
        Self {
            permit: Some(held.permit),
            reservation: held.reservation,
            used: None,
            received: 0,
            watch,
            deadlines,
            decoder: core.dialect.decoder(&head, mode, core.caps),
            body: Some(body),
            unread: Bytes::new(),
            chunks: 0,
            bytes: 0,
            ahead: VecDeque::new(),
            fold,
            lingers,
            grace: None,
        }
    }

    /// Reads a whole answer.
    pub(super) async fn read_to_end(&mut self) -> Result<(), Error> {
        while let Some(event) = poll_fn(|cx| self.poll_event(cx)).await? {
            let is_cut = is_cut(&event);
            self.fold.push(event);
            if is_cut {
                self.check_for_text()?;
            }
        }
        Ok(())
    }

    /// Reads ahead until the first content is there: from then on there is no other attempt.
    pub(super) async fn read_to_content(&mut self) -> Result<(), Error> {
        while let Some(event) = poll_fn(|cx| self.poll_event(cx)).await? {
            let is_content = event.is_content();
            self.ahead.push_back(event);
            if is_content {
                break;
            }
        }
        Ok(())
    }

    /// The next event to hand over.
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<ChatEvent>, Error>> {
        let event = match self.ahead.pop_front() {
            Some(event) => Some(event),
            None => ready!(self.poll_event(cx))?,
        };
        if let Some(event) = &event {
            self.fold.push_ref(event);
            self.fold.response_mut().skipped_events = self.decoder.skipped();
            if is_cut(event) {
                self.check_for_text()?;
            }
        }
        Poll::Ready(Ok(event))
    }

    /// Refuses an answer that ran out of tokens before it said anything.
    fn check_for_text(&mut self) -> Result<(), Error> {
        let is_output = |part: &Part| match part {
            Part::Text(text) => !text.text.trim().is_empty(),
            Part::Reasoning(_) => false,
            _ => true,
        };
        if self.partial().message.parts.iter().any(is_output) {
            return Ok(());
        }
        self.permit = None;
        self.body = None;
        let answer = self.take_response();
        let error = Error::new(ErrorKind::OutOfTokens, out_of_tokens(&answer));
        Err(error
            .with_status(StatusCode::OK)
            .with_request_id(answer.request_id.clone())
            .with_partial(answer))
    }

    /// What was handed over so far.
    pub(super) fn partial(&self) -> &ChatResponse {
        self.fold.partial()
    }

    /// Notes in the answer how many attempts it took.
    pub(super) fn set_attempts(&mut self, attempts: u32) {
        self.fold.response_mut().attempts = attempts;
    }

    /// The answer, with what the headers and the decoder know of it.
    pub(super) fn take_response(&mut self) -> ChatResponse {
        let mut response = std::mem::take(&mut self.fold).finish();
        response.skipped_events = self.decoder.skipped();
        response
    }

    /// The next event of the decoder; `None` once the answer is complete and its connection is
    /// handed back or closed.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<ChatEvent>, Error>> {
        match ready!(self.poll_decoder(cx)) {
            Ok(Some(event)) => {
                self.deadlines.saw_event(&event);
                if self.grace.is_some() && event.is_content() {
                    self.grace = None;
                }
                if let ChatEvent::Usage(usage) = &event {
                    self.used = Some(usage.total_tokens());
                }
                if self.decoder.is_done() {
                    // The provider's work is done: the next request may run, and what this one
                    // used is known. (Before that it is not: usage may come in pieces.)
                    self.permit = None;
                    if let (Some(used), Some(reservation)) = (self.used, &mut self.reservation) {
                        reservation.settle(used, self.received);
                    }
                }
                Poll::Ready(Ok(Some(event)))
            }
            Ok(None) => {
                self.permit = None;
                ready!(self.poll_linger(cx));
                Poll::Ready(Ok(None))
            }
            Err(error) => {
                self.permit = None;
                self.body = None;
                let partial = self.take_response();
                let error = error.with_request_id(partial.request_id.clone());
                Poll::Ready(Err(match partial.message.parts.is_empty() {
                    true => error,
                    false => error.with_partial(partial),
                }))
            }
        }
    }

    fn poll_decoder(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<ChatEvent>, Error>> {
        loop {
            if let Some(event) = self.decoder.next_event()? {
                return Poll::Ready(Ok(Some(event)));
            }
            if self.decoder.is_done() {
                return Poll::Ready(Ok(None));
            }
            if self.grace.is_none() && self.decoder.is_complete() {
                self.grace = Some(linger(self.watch.now(), GRACE));
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
                self.decoder.feed(self.unread.split_to(size));
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
        self.decoder.end();
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

/// Whether this is the end of an answer that ran out of tokens.
fn is_cut(event: &ChatEvent) -> bool {
    let reason = match event {
        ChatEvent::Finish { reason, .. } => Some(reason),
        _ => None,
    };
    reason == Some(&FinishReason::Length)
}

/// What became of the tokens of an answer without text.
fn out_of_tokens(answer: &ChatResponse) -> String {
    let Some(usage) = &answer.usage else {
        return "the answer ran out of tokens before it had any text".to_owned();
    };
    let spent = match usage.reasoning_tokens {
        Some(reasoning) => format!("{reasoning} of them for reasoning"),
        None if answer.reasoning().is_empty() => "none of them for text".to_owned(),
        None => "all of them for reasoning".to_owned(),
    };
    format!(
        "the answer ran out of tokens before it had any text: it took {}, {spent}",
        usage.output_tokens
    )
}
