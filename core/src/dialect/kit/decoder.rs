//! What all dialects' decoders have in common: telling a stream from a whole answer, errors by
//! status, caps and the end.
//!
//! ```text
//!            ┌─ status ≥ 300 ──► Failure ──end──► the provider's error
//!  feed ──►  │                  ┌─ `{` `[` ──► Whole ──end──► Assemble::whole
//!            └─ first byte ─────┼─ a field ──► Stream ──────► Assemble::event …, ::end
//!                               └─ else ─────► Whole ──end──► Protocol
//! ```
//!
//! What was asked for does not count: servers answer a stream's request with a whole answer, and
//! the other way around. Blank lines before the first byte are keep-alives. Bytes that are not
//! UTF-8 are replaced before a dialect sees them, as the standard of event streams has it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};

use super::failure;
use crate::chat::ChatEvent;
use crate::dialect::{Caps, Decoder};
use crate::error::{Error, ErrorKind};
use crate::frame::Sse;

/// What a dialect itself does: frames → events.
pub(crate) trait Assemble: Send {
    /// Takes in one event of a stream.
    fn event(&mut self, name: &[u8], data: &str, out: &mut Out) -> Result<(), Error>;

    /// Takes in a whole answer: one JSON object.
    fn whole(&mut self, body: &str, out: &mut Out) -> Result<(), Error>;

    /// The stream ended without its terminal event.
    fn end(&mut self, out: &mut Out) -> Result<(), Error>;
}

/// What came out of the frames so far.
#[derive(Debug, Default)]
pub(crate) struct Out {
    pub(crate) events: VecDeque<ChatEvent>,
    /// The terminal event was read.
    pub(crate) done: bool,
    /// Events that were passed over.
    pub(crate) skipped: u32,
}

impl Out {
    pub(crate) fn push(&mut self, event: ChatEvent) {
        self.events.push_back(event);
    }
}

/// The decoder of every dialect, around what is its own.
pub(crate) struct AnswerDecoder<A> {
    assemble: A,
    reading: Reading,
}

/// What does not depend on the dialect, so that there is one copy of its code.
struct Reading {
    status: StatusCode,
    form: Form,
    out: Out,
    caps: Caps,
    received: usize,
    /// The first bytes of what may be a stream, until an event of it was read.
    beginning: Bytes,
    has_events: bool,
    ended: bool,
    error: Option<Error>,
}

enum Form {
    /// Nothing but white space has come: keep-alives, before a whole answer.
    Unknown,
    Stream(Sse),
    Whole(Body),
    Failure(Box<HeaderMap>, Body),
}

/// How much is kept to show what an answer began with.
const SHOWN: usize = 4096;

const BOM: &[u8] = b"\xef\xbb\xbf";

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

impl<A: Assemble> AnswerDecoder<A> {
    pub(crate) fn new(head: &http::response::Parts, caps: Caps, assemble: A) -> Self {
        let form = match head.status.is_success() {
            true => Form::Unknown,
            false => Form::Failure(Box::new(head.headers.clone()), Body::default()),
        };
        let reading = Reading {
            status: head.status,
            form,
            out: Out::default(),
            caps,
            received: 0,
            beginning: Bytes::new(),
            has_events: false,
            ended: false,
            error: None,
        };
        Self { assemble, reading }
    }
}

impl Reading {
    fn feed(&mut self, bytes: Bytes) {
        self.received = self.received.saturating_add(bytes.len());
        let is_failure = matches!(self.form, Form::Failure(..));
        if self.received > self.caps.body && !is_failure {
            let message = format!("the answer has more than {} bytes", self.caps.body);
            self.error = Some(Error::new(ErrorKind::ResponseTooLarge, message));
            return;
        }
        self.take_in(bytes);
    }

    fn next_event(&mut self, assemble: &mut dyn Assemble) -> Result<Option<ChatEvent>, Error> {
        if self.out.events.is_empty() && !self.out.done {
            let advanced = match self.error.take() {
                Some(error) => Err(error),
                None => self.advance(assemble),
            };
            advanced.map_err(|error| match error.status() {
                Some(_) => error,
                None => error.with_status(self.status),
            })?;
        }
        Ok(self.out.events.pop_front())
    }

    fn take_in(&mut self, mut bytes: Bytes) {
        if matches!(self.form, Form::Unknown) {
            let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace());
            bytes = bytes.slice(blank.count()..);
            let Some(first) = bytes.first() else {
                return;
            };
            self.form = match first {
                // The first letter of a field, a comment, or a BOM.
                b'd' | b'e' | b'i' | b'r' | b':' | 0xef => {
                    self.beginning = bytes.slice(..bytes.len().min(SHOWN));
                    Form::Stream(Sse::new(self.caps.event))
                }
                _ => Form::Whole(Body::default()),
            };
            // Only JSON can follow a BOM like this; where the first piece ends inside of the BOM
            // or after it, it is a stream.
            if let Some(json) = bytes.strip_prefix(BOM)
                && matches!(json.trim_ascii_start().first(), Some(b'{' | b'['))
            {
                self.form = Form::Whole(Body::default());
                bytes = bytes.slice(BOM.len()..);
            }
        }
        match &mut self.form {
            Form::Stream(sse) => sse.feed(bytes),
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
            Form::Stream(sse) => {
                while self.out.events.is_empty() && !self.out.done {
                    let Some(event) = sse.next_event()? else {
                        break;
                    };
                    if !self.has_events {
                        self.has_events = true;
                        self.beginning = Bytes::new();
                    }
                    assemble.event(&event.name, &utf8(&event.data), &mut self.out)?;
                }
                if self.ended && self.out.events.is_empty() && !self.out.done {
                    if !self.has_events {
                        return Err(not_an_answer(&self.beginning));
                    }
                    assemble.end(&mut self.out)?;
                }
            }
            Form::Whole(body) if self.ended && !self.out.done => {
                let body = std::mem::take(body);
                let body = utf8(body.bytes());
                if !body.trim_start().starts_with(['{', '[']) {
                    return Err(not_an_answer(body.as_bytes()));
                }
                assemble.whole(&body, &mut self.out)?;
                self.out.done = true;
            }
            // What is beyond the cap need not be awaited: it may have no end.
            Form::Failure(headers, body)
                if self.ended || body.bytes().len() >= self.caps.error_body =>
            {
                return Err(failure::from_status(self.status, headers, body.bytes()));
            }
            Form::Unknown if self.ended => {
                return Err(Error::new(ErrorKind::Protocol, "the answer is empty"));
            }
            _ => {}
        }
        Ok(())
    }
}

/// What is not UTF-8 is replaced. `from_utf8_lossy` alone goes byte by byte, valid or not.
fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// The error for a body that is neither of what every dialect speaks.
fn not_an_answer(body: &[u8]) -> Error {
    failure::not_understood("the answer is neither JSON nor an event stream", body)
}

impl<A: Assemble> Decoder for AnswerDecoder<A> {
    fn feed(&mut self, bytes: Bytes) {
        self.reading.feed(bytes);
    }

    fn end(&mut self) {
        self.reading.ended = true;
    }

    fn next_event(&mut self) -> Result<Option<ChatEvent>, Error> {
        self.reading.next_event(&mut self.assemble)
    }

    fn is_done(&self) -> bool {
        self.reading.out.done && self.reading.out.events.is_empty()
    }

    fn skipped(&self) -> u32 {
        self.reading.out.skipped
    }
}

impl<A> fmt::Debug for AnswerDecoder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerDecoder")
            .field("received", &self.reading.received)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A dialect whose events and answers are their own text; `end` is the terminal event.
    #[derive(Debug)]
    struct Plain;

    impl Assemble for Plain {
        fn event(&mut self, _: &[u8], data: &str, out: &mut Out) -> Result<(), Error> {
            out.done = data == "end";
            if !out.done {
                out.push(ChatEvent::Text(data.to_owned()));
            }
            Ok(())
        }

        fn whole(&mut self, body: &str, out: &mut Out) -> Result<(), Error> {
            out.push(ChatEvent::Text(format!("whole {}", body.trim())));
            Ok(())
        }

        fn end(&mut self, _: &mut Out) -> Result<(), Error> {
            Err(Error::new(ErrorKind::Truncated, "cut"))
        }
    }

    fn read<'a>(
        status: u16,
        caps: Caps,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<String>, Error> {
        let head = http::Response::builder().status(status).body(()).unwrap();
        let mut answer = AnswerDecoder::new(&head.into_parts().0, caps, Plain);
        let mut texts = Vec::new();
        let mut take = |answer: &mut AnswerDecoder<Plain>| {
            while let Some(event) = answer.next_event()? {
                texts.extend(event.as_text().map(str::to_owned));
            }
            Ok::<_, Error>(answer.is_done())
        };
        for piece in pieces {
            answer.feed(Bytes::copy_from_slice(piece));
            if take(&mut answer)? {
                return Ok(texts);
            }
        }
        answer.end();
        assert!(take(&mut answer)?, "neither done nor an error");
        Ok(texts)
    }

    fn one(status: u16, body: &[u8]) -> Result<Vec<String>, Error> {
        read(status, Caps::default(), [body])
    }

    #[test]
    fn the_first_byte_tells_a_stream_from_a_whole_answer() {
        for (body, expected) in [
            ("data: a\n\ndata: end\n\n", "a"),
            (": hi\n\ndata: a\n\ndata: end\n\n", "a"),
            ("event: x\ndata: a\n\ndata: end\n\n", "a"),
            ("id: 1\ndata: a\n\ndata: end\n\n", "a"),
            ("retry: 1\ndata: a\n\ndata: end\n\n", "a"),
            ("\u{feff}data: a\n\ndata: end\n\n", "a"),
            ("\n\ndata: a\n\ndata: end\n\n", "a"),
            ("{}", "whole {}"),
            ("[1]", "whole [1]"),
            ("\n\n \r\n{}\n", "whole {}"),
            ("\u{feff}{}", "whole {}"),
        ] {
            assert_eq!(one(200, body.as_bytes()).unwrap(), [expected], "{body:?}");
        }
    }

    #[test]
    fn a_terminal_event_ends_the_answer() {
        let pieces = [&b"data: a\n\ndata: end\n\n"[..], b"data: b\n\n"];
        assert_eq!(read(200, Caps::default(), pieces).unwrap(), ["a"]);
        let cut = one(200, b"data: a\n\n").unwrap_err();
        assert_eq!(cut.kind(), ErrorKind::Truncated);
        assert_eq!(cut.status(), Some(StatusCode::OK));
    }

    #[test]
    fn what_is_no_answer_says_what_it_is() {
        for (status, body, why) in [
            (200, "", "is empty"),
            (200, "\n\n \n", "is empty"),
            (204, "", "is empty"),
            (
                200,
                "<html><head><title>Sign in</title>",
                "a web page: Sign in",
            ),
            (200, "not found", "neither JSON nor an event stream"),
            // The first byte could be that of a field.
            (200, "error: no backend\n", "error: no backend"),
            (200, "invalid path", "invalid path"),
        ] {
            let error = one(status, body.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{body:?}");
            assert!(error.message().contains(why), "{body:?}: {error}");
            assert_eq!(error.status().unwrap().as_u16(), status, "{body:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced() {
        let stream = one(200, b"data: a\xffb\n\ndata: end\n\n").unwrap();
        assert_eq!(stream, ["a\u{fffd}b"]);
        assert_eq!(one(200, b"{\xff}").unwrap(), ["whole {\u{fffd}}"]);
    }

    #[test]
    fn caps_hold() {
        let caps = Caps {
            event: 16,
            body: 64,
            error_body: 8,
        };
        let long = [b"data: ", &[b'x'; 32][..], b"\n\n"].concat();
        let error = read(200, caps, [&long[..]]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
        let error = read(200, caps, [&b"data: x\n\n"[..]; 10]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
        let error = read(200, caps, [&b"{          "[..]; 10]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
    }

    #[test]
    fn an_error_without_end_is_cut_and_not_awaited() {
        let caps = Caps {
            error_body: 8,
            ..Caps::default()
        };
        let head = http::Response::builder().status(500).body(()).unwrap();
        let mut answer = AnswerDecoder::new(&head.into_parts().0, caps, Plain);
        answer.feed(Bytes::from_static(b"1234"));
        assert_eq!(answer.next_event().unwrap(), None);
        answer.feed(Bytes::from_static(b"567890"));
        let error = answer.next_event().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server);
        assert_eq!(error.body(), Some("12345678"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_no_split_makes_a_difference(
            status in prop::sample::select(vec![200_u16, 204, 302, 400, 429, 500]),
            body in "(data: a|data: end|\n|\n\n|\r\n|:|\\{|\\}|<p>| |\u{feff}|é){0,20}",
            at in any::<prop::sample::Index>(),
        ) {
            let told = |answer: Result<Vec<String>, Error>| answer.map_err(|error| {
                (error.kind(), error.message().to_owned())
            });
            let body = body.as_bytes();
            // A BOM that comes alone begins a stream, whatever follows.
            prop_assume!(!body.trim_ascii_start().starts_with(BOM));
            let (left, right) = body.split_at(at.index(body.len() + 1));
            let whole = told(one(status, body));
            let split = told(read(status, Caps::default(), [left, right]));
            // What is shown of an answer that is none may differ.
            match (&whole, &split) {
                (Err((kind, _)), Err((same, _))) => prop_assert_eq!(kind, same),
                (whole, split) => prop_assert_eq!(whole, split),
            }
        }
    }
}
