//! Decodes bytes to events and their result.

use std::fmt;

use bytes::Bytes;
use chatcore::{Caps, ChatEvent, ChatResponse, Decoder, Error, Fold};
use http::Response;
use http::response::Parts;

use super::{Recording, Subject};

/// The result of decoding so far.
pub(super) struct Read {
    decoder: Box<dyn Decoder>,
    fold: Fold,
    pub(super) answer: ChatResponse,
    pub(super) finishes: usize,
    pub(super) error: Option<Error>,
    pub(super) is_done: bool,
}

impl Read {
    fn new(subject: &Subject, recording: &Recording, caps: Caps) -> Self {
        let head = head(recording);
        Self {
            decoder: subject.dialect.decoder(&head, recording.mode, caps),
            fold: Fold::new(),
            answer: ChatResponse::default(),
            finishes: 0,
            error: None,
            is_done: false,
        }
    }

    fn is_over(&self) -> bool {
        self.is_done || self.error.is_some()
    }

    fn feed(&mut self, bytes: &[u8]) {
        if !self.is_over() {
            self.decoder.feed(Bytes::copy_from_slice(bytes));
            self.take();
        }
    }

    fn end(mut self) -> Self {
        if !self.is_over() {
            self.decoder.end();
            self.take();
        }
        self.answer = std::mem::take(&mut self.fold).finish();
        self
    }

    /// Takes all available events.
    fn take(&mut self) {
        loop {
            match self.decoder.next_event() {
                Ok(Some(event)) => {
                    self.finishes += usize::from(matches!(event, ChatEvent::Finish { .. }));
                    self.fold.push(event);
                }
                Ok(None) => break,
                Err(error) => {
                    self.error = Some(error);
                    break;
                }
            }
        }
        self.is_done = self.decoder.is_done();
    }

    /// Feeds further bytes, and returns how many events they give.
    pub(super) fn more(&mut self, bytes: &[u8]) -> usize {
        self.decoder.feed(Bytes::copy_from_slice(bytes));
        self.decoder.end();
        let mut events = 0;
        // An error may be repeated, but there must be no further event.
        while let Ok(Some(_)) = self.decoder.next_event() {
            events += 1;
        }
        events
    }

    pub(super) fn same_as(&self, other: &Self) -> bool {
        let error = |read: &Self| {
            read.error
                .as_ref()
                .map(|error| (error.kind(), error.to_string()))
        };
        self.answer == other.answer
            && self.finishes == other.finishes
            && self.is_done == other.is_done
            && error(self) == error(other)
    }
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            Some(error) => write!(f, "the error {:?} ({error})", error.kind())?,
            None if self.is_done => f.write_str("an answer")?,
            None => f.write_str("neither an error nor the end")?,
        }
        let (text, reason) = (self.answer.text(), &self.answer.finish_reason);
        write!(
            f,
            " with the text {text:?} and the finish reason {reason:?}"
        )
    }
}

fn head(recording: &Recording) -> Parts {
    let mut head = Response::builder().status(recording.status);
    for (name, value) in &recording.headers {
        head = head.header(name, value);
    }
    // An invalid head becomes one without headers, which the recording's author sees in the
    // outcome.
    let head = head.body(()).unwrap_or_default();
    head.into_parts().0
}

/// Decodes a recording that arrives in these pieces.
pub(super) fn read(subject: &Subject, recording: &Recording, pieces: &[&[u8]]) -> Read {
    read_with(subject, recording, pieces, Caps::default())
}

pub(super) fn read_with(
    subject: &Subject,
    recording: &Recording,
    pieces: &[&[u8]],
    caps: Caps,
) -> Read {
    let mut read = Read::new(subject, recording, caps);
    pieces.iter().for_each(|piece| read.feed(piece));
    read.end()
}

/// Decodes two recordings alternately, a few bytes of each.
pub(super) fn side_by_side(
    subject: &Subject,
    first: &Recording,
    second: &Recording,
) -> (Read, Read) {
    let mut one = Read::new(subject, first, Caps::default());
    let mut other = Read::new(subject, second, Caps::default());
    let mut pieces = (first.body.chunks(5), second.body.chunks(5));
    loop {
        match (pieces.0.next(), pieces.1.next()) {
            (None, None) => return (one.end(), other.end()),
            (mine, theirs) => {
                mine.into_iter().for_each(|piece| one.feed(piece));
                theirs.into_iter().for_each(|piece| other.feed(piece));
            }
        }
    }
}
