//! The part of [`AnswerDecoder`](super::AnswerDecoder) that is the same for all dialects. It is not
//! generic, so that its code is compiled once.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::body::Body;
use super::{Assemble, Output, event};
use crate::chat::ChatEvent;
use crate::dialect::Caps;
use crate::dialect::kit::failure;
use crate::error::{Error, ErrorKind};
use crate::frame::{Frame, Framing, Sse, SseEvent};

/// The state of reading one answer.
pub(super) struct Reading {
    status: StatusCode,
    coding: Option<HeaderValue>,
    /// The dialect's own framing. Taken once the first byte shows whether the answer uses it.
    framing: Option<Box<dyn Framing>>,
    form: Form,
    out: Output,
    caps: Caps,
    received: usize,
    /// The first bytes of a possible stream, for an error message. Dropped at its first event.
    beginning: Bytes,
    has_events: bool,
    ended: bool,
    /// An error that is returned after the events that were read before it.
    error: Option<Error>,
    /// An error was returned, so that there is nothing more to take.
    has_failed: bool,
}

enum Form {
    /// Only white space has come so far. Servers send it as keep-alives before a whole answer.
    Unknown,
    Stream(Sse),
    Frames(Box<dyn Framing>),
    Whole(Body),
    Failure(Box<HeaderMap>, Body),
}

impl Form {
    /// The next frame of a stream. At the end of the input, also an unterminated last frame.
    fn next_frame(&mut self, ended: bool) -> Result<Option<Frame>, Error> {
        let frame = |event: SseEvent| Frame::new(event.data).name(event.name);
        match self {
            Self::Stream(sse) => {
                let event = sse.next_event()?;
                if event.is_some() || !ended {
                    return Ok(event.map(frame));
                }
                while let Some(rest) = sse.rest()? {
                    if event::is_whole(&rest.name, &utf8(&rest.data)) {
                        return Ok(Some(frame(rest)));
                    }
                }
                Ok(None)
            }
            Self::Frames(framing) => match framing.next_frame()? {
                None if ended => framing.rest(),
                frame => Ok(frame),
            },
            _ => Ok(None),
        }
    }

    /// Whether a stream held only lines that its framing defines.
    fn is_regular(&self) -> bool {
        match self {
            Self::Stream(sse) => sse.is_regular(),
            _ => true,
        }
    }
}

/// How many of an answer's first bytes are kept to be shown in an error.
const SHOWN: usize = 4096;

const BOM: &[u8] = b"\xef\xbb\xbf";

impl Reading {
    pub(super) fn new(head: &http::response::Parts, caps: Caps) -> Self {
        let form = match head.status.is_success() {
            true => Form::Unknown,
            false => Form::Failure(Box::new(head.headers.clone()), Body::default()),
        };
        Self {
            status: head.status,
            coding: head.headers.get(CONTENT_ENCODING).cloned(),
            framing: None,
            form,
            out: Output::default(),
            caps,
            received: 0,
            beginning: Bytes::new(),
            has_events: false,
            ended: false,
            error: None,
            has_failed: false,
        }
    }

    pub(super) fn set_framing(&mut self, framing: Box<dyn Framing>) {
        self.framing = Some(framing);
    }

    /// `is_complete`: whether the answer is complete, so that bytes beyond the cap are no error.
    pub(super) fn feed(&mut self, bytes: Bytes, is_complete: bool) {
        self.received = self.received.saturating_add(bytes.len());
        let is_failure = matches!(self.form, Form::Failure(..));
        if self.received > self.caps.body && !is_failure {
            match is_complete {
                true => self.ended = true,
                false => self.error = Some(self.too_large()),
            }
            return;
        }
        self.take_in(bytes);
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    pub(super) fn is_done(&self) -> bool {
        self.out.done && self.out.events.is_empty()
    }

    pub(super) fn skipped(&self) -> u32 {
        self.out.skipped
    }

    pub(super) fn next_event(
        &mut self,
        assemble: &mut dyn Assemble,
    ) -> Result<Option<ChatEvent>, Error> {
        if self.out.events.is_empty() && !self.out.done && !self.has_failed {
            let advanced = match self.error.take() {
                Some(error) => Err(error),
                None => self.advance(assemble),
            };
            if let Err(error) = advanced {
                self.fail(error)?;
            }
        }
        Ok(self.out.events.pop_front())
    }

    /// Returns `error`, or keeps it until the events before it were taken.
    fn fail(&mut self, error: Error) -> Result<(), Error> {
        let error = match error.status() {
            Some(_) => error,
            None => error.with_status(self.status),
        };
        self.out.end_text();
        if self.out.events.is_empty() {
            self.has_failed = true;
            return Err(error);
        }
        self.error = Some(error);
        Ok(())
    }

    fn take_in(&mut self, mut bytes: Bytes) {
        if matches!(self.form, Form::Unknown) {
            let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace());
            bytes = bytes.slice(blank.count()..);
            let Some(first) = bytes.first() else {
                return;
            };
            let own = self.framing.take();
            let own = own.filter(|framing| framing.begins_with(*first));
            self.form = match (own, first) {
                (Some(framing), _) => Form::Frames(framing),
                // The first letter of a field's name, a comment or a BOM.
                (None, b'd' | b'e' | b'i' | b'r' | b':' | 0xef) => {
                    self.beginning = bytes.slice(..bytes.len().min(SHOWN));
                    Form::Stream(Sse::lenient(self.caps.event))
                }
                _ => Form::Whole(Body::default()),
            };
            if !matches!(first, b'{' | b'd')
                && let Some(coding) = failure::compression(self.coding.as_ref(), &bytes)
            {
                self.error = Some(failure::compressed(&coding));
                return;
            }
            // A BOM with `{` or `[` after it begins a JSON body. If the first chunk ends within the
            // BOM or right after it, the body is read as a stream.
            if let Some(json) = bytes.strip_prefix(BOM)
                && matches!(json.trim_ascii_start().first(), Some(b'{' | b'['))
            {
                self.form = Form::Whole(Body::default());
                bytes = bytes.slice(BOM.len()..);
            }
        }
        match &mut self.form {
            Form::Stream(sse) => sse.feed(bytes),
            Form::Frames(framing) => framing.feed(bytes),
            Form::Whole(body) => body.push(bytes),
            Form::Failure(_, body) => {
                let room = self.caps.error_body.saturating_sub(body.bytes().len());
                body.push(bytes.slice(..bytes.len().min(room)));
            }
            Form::Unknown => {}
        }
    }

    fn advance(&mut self, assemble: &mut dyn Assemble) -> Result<(), Error> {
        match &mut self.form {
            Form::Stream(_) | Form::Frames(_) => self.advance_stream(assemble),
            Form::Whole(body) if self.ended => {
                let body = std::mem::take(body);
                self.take_whole(&utf8(body.bytes()), assemble)
            }
            // Bytes beyond the cap are not awaited, because the body may never end.
            Form::Failure(headers, body)
                if self.ended || body.bytes().len() >= self.caps.error_body =>
            {
                Err(failure::from_status(self.status, headers, body.bytes()))
            }
            Form::Unknown if self.ended => Err(match self.status {
                StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT => {
                    Error::new(ErrorKind::Protocol, "the answer is empty")
                }
                _ => Error::new(ErrorKind::Truncated, "the answer is empty"),
            }),
            _ => Ok(()),
        }
    }

    fn advance_stream(&mut self, assemble: &mut dyn Assemble) -> Result<(), Error> {
        // Only at the end of the input is it known whether a stream without events held nothing but
        // keep-alives.
        let is_regular = self.ended && self.form.is_regular();
        while self.out.events.is_empty() && !self.out.done {
            let event = match self.form.next_frame(self.ended) {
                Ok(event) => event,
                // The answer is complete, so that nothing after it is needed.
                Err(_) if assemble.is_complete() => {
                    self.ended = true;
                    None
                }
                Err(error) => return Err(error),
            };
            let Some(event) = event else {
                break;
            };
            if !self.has_events {
                self.has_events = true;
                self.beginning = Bytes::new();
            }
            self.out.begin_event();
            event::take(&event.name, &utf8(&event.data), assemble, &mut self.out)?;
            if self.out.held > self.caps.body {
                return Err(too_large(self.caps.body));
            }
            if self.out.is_last && !self.out.done {
                assemble.end(&mut self.out)?;
            }
        }
        if self.ended && self.out.events.is_empty() && !self.out.done {
            if !self.has_events && !is_regular {
                return Err(not_an_answer(&self.beginning));
            }
            assemble.end(&mut self.out)?;
        }
        Ok(())
    }

    fn take_whole(&mut self, body: &str, assemble: &mut dyn Assemble) -> Result<(), Error> {
        let body = body.trim_ascii();
        self.out.begin_event();
        // Room for a start, a text, extra fields, the usage and the finish, so that the queue
        // allocates once.
        self.out.events.reserve(8);
        match body.as_bytes() {
            [b'{', ..] => match assemble.whole(body, &mut self.out) {
                // Events that lack their framing, one on each line.
                Err(_) if event::is_several(body) => {
                    event::take(b"", body, assemble, &mut self.out)?;
                }
                taken => taken?,
            },
            [b'[', ..] if event::check(body).is_ok() => {
                let value = self.out.value(body);
                return Err(match failure::is_envelope(&value, true) {
                    true => failure::in_stream(&value, body),
                    false => not_an_answer(body.as_bytes()),
                });
            }
            _ => return Err(not_an_answer(body.as_bytes())),
        }
        if self.out.held > self.caps.body {
            return Err(too_large(self.caps.body));
        }
        if !self.out.done {
            assemble.end(&mut self.out)?;
        }
        Ok(())
    }

    fn too_large(&self) -> Error {
        too_large(self.caps.body)
    }
}

fn too_large(cap: usize) -> Error {
    let why = format!("the answer has more than {cap} bytes");
    Error::new(ErrorKind::ResponseTooLarge, why)
}

/// Decodes UTF-8 and replaces invalid bytes. Valid text is checked with `from_utf8`, because
/// `from_utf8_lossy` checks byte by byte.
pub(crate) fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// The error for a body that is neither JSON nor an event stream.
fn not_an_answer(body: &[u8]) -> Error {
    failure::not_understood("the answer is neither JSON nor an event stream", body)
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}
