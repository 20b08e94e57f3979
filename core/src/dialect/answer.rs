//! What all dialects' decoders have in common: telling a stream from a whole answer, errors by
//! status, caps and the end.
//!
//! ```text
//!            ┌─ status ≥ 300 ──► Failure ──end──► the provider's error
//!  feed ──►  │                  ┌─ `{` `[` ──► Whole ──end──► Assemble::whole
//!            └─ first byte ─────┼─ a field ──► Stream ──────► Assemble::event …, ::end
//!                               └─ else ─────► Whole ──end──► Protocol
//! ```

use std::collections::VecDeque;
use std::fmt;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};

use super::{Caps, Decoder, failure};
use crate::chat::ChatEvent;
use crate::error::{Error, ErrorKind};
use crate::frame::Sse;

/// What a dialect itself does: frames → events.
pub(super) trait Assemble: Send {
    /// Takes in one event of a stream.
    fn event(&mut self, name: &[u8], data: &[u8], out: &mut Out) -> Result<(), Error>;

    /// Takes in a whole answer: one JSON object.
    fn whole(&mut self, body: &[u8], out: &mut Out) -> Result<(), Error>;

    /// The stream ended without its terminal event.
    fn end(&mut self, out: &mut Out) -> Result<(), Error>;
}

/// What came out of the frames so far.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub(super) events: VecDeque<ChatEvent>,
    /// The terminal event was read.
    pub(super) done: bool,
    /// Events that were passed over.
    pub(super) skipped: u32,
}

impl Out {
    pub(super) fn push(&mut self, event: ChatEvent) {
        self.events.push_back(event);
    }
}

/// The decoder of every dialect, around what is its own.
pub(super) struct Answer<A> {
    form: Form,
    assemble: A,
    out: Out,
    caps: Caps,
    received: usize,
    has_events: bool,
    ended: bool,
    error: Option<Error>,
}

enum Form {
    /// Nothing but white space has come: keep-alives, before a whole answer.
    Unknown,
    Stream(Sse),
    Whole(Body),
    Failure(StatusCode, Box<HeaderMap>, Body),
}

/// Bytes that are collected; not copied where they come in one piece.
#[derive(Default)]
enum Body {
    #[default]
    Empty,
    One(Bytes),
    Many(BytesMut),
}

impl Body {
    fn push(&mut self, bytes: Bytes) {
        *self = match std::mem::take(self) {
            Self::Empty => Self::One(bytes),
            Self::One(first) => {
                let mut many = BytesMut::with_capacity((first.len() + bytes.len()) * 2);
                many.extend_from_slice(&first);
                many.extend_from_slice(&bytes);
                Self::Many(many)
            }
            Self::Many(mut many) => {
                many.extend_from_slice(&bytes);
                Self::Many(many)
            }
        };
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Empty => &[],
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes,
        }
    }
}

impl<A: Assemble> Answer<A> {
    pub(super) fn new(head: &http::response::Parts, caps: Caps, assemble: A) -> Self {
        let form = match head.status.is_success() {
            true => Form::Unknown,
            false => Form::Failure(head.status, Box::new(head.headers.clone()), Body::default()),
        };
        Self {
            form,
            assemble,
            out: Out::default(),
            caps,
            received: 0,
            has_events: false,
            ended: false,
            error: None,
        }
    }

    fn take_in(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        if matches!(self.form, Form::Unknown) {
            let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace());
            let blank = blank.count();
            let Some(first) = bytes.get(blank) else {
                return Ok(());
            };
            self.form = match first {
                b'd' | b'e' | b'i' | b'r' | b':' | 0xef => Form::Stream(Sse::new(self.caps.event)),
                _ => Form::Whole(Body::default()),
            };
            bytes = bytes.slice(blank..);
        }
        match &mut self.form {
            Form::Stream(sse) => sse.feed(bytes),
            Form::Whole(body) => body.push(bytes),
            Form::Failure(_, _, body) => {
                let room = self.caps.error_body.saturating_sub(body.bytes().len());
                body.push(bytes.slice(..bytes.len().min(room)));
            }
            Form::Unknown => {}
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<(), Error> {
        match &mut self.form {
            Form::Stream(sse) => {
                while self.out.events.is_empty() && !self.out.done {
                    let Some(event) = sse.next_event()? else {
                        break;
                    };
                    self.has_events = true;
                    self.assemble
                        .event(&event.name, &event.data, &mut self.out)?;
                }
                if self.ended && self.out.events.is_empty() && !self.out.done {
                    if !self.has_events {
                        let why = "the answer is neither JSON nor an event stream";
                        return Err(Error::new(ErrorKind::Protocol, why));
                    }
                    self.assemble.end(&mut self.out)?;
                }
            }
            Form::Whole(body) if self.ended && !self.out.done => {
                let body = std::mem::take(body);
                if !matches!(body.bytes().first(), Some(b'{' | b'[')) {
                    return Err(failure::not_understood(
                        "the answer is neither JSON nor an event stream",
                        body.bytes(),
                    ));
                }
                self.assemble.whole(body.bytes(), &mut self.out)?;
                self.out.done = true;
            }
            Form::Failure(status, headers, body) if self.ended => {
                return Err(failure::from_status(*status, headers, body.bytes()));
            }
            Form::Unknown if self.ended => {
                let why = "the answer is empty";
                return Err(Error::new(ErrorKind::Protocol, why));
            }
            _ => {}
        }
        Ok(())
    }
}

impl<A: Assemble> Decoder for Answer<A> {
    fn feed(&mut self, bytes: Bytes) {
        self.received = self.received.saturating_add(bytes.len());
        let is_failure = matches!(self.form, Form::Failure(..));
        if self.received > self.caps.body && !is_failure {
            let message = format!("the answer has more than {} bytes", self.caps.body);
            self.error = Some(Error::new(ErrorKind::ResponseTooLarge, message));
            return;
        }
        if let Err(error) = self.take_in(bytes) {
            self.error = Some(error);
        }
    }

    fn end(&mut self) {
        self.ended = true;
    }

    fn next_event(&mut self) -> Result<Option<ChatEvent>, Error> {
        if self.out.events.is_empty() && !self.out.done {
            if let Some(error) = self.error.take() {
                return Err(error);
            }
            self.advance()?;
        }
        Ok(self.out.events.pop_front())
    }

    fn is_done(&self) -> bool {
        self.out.done && self.out.events.is_empty()
    }

    fn skipped(&self) -> u32 {
        self.out.skipped
    }
}

impl<A> fmt::Debug for Answer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}
