//! Reads a response of lines, such as a file of results, without holding all of it.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::response::Parts;

use super::job::{Progress, Reader};
use super::{Opened, Shared};
use crate::dialect::kit::not_understood;
use crate::dialect::{WholeBody, request_id};
use crate::error::{Error, ErrorKind};
use crate::observe::Summary;

/// The most bytes of a response of lines. Each line has the cap of an event.
const MOST: u64 = 16 << 30;

/// One line of a response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line without its end. Never empty.
    Text(Bytes),
    /// A line that is longer than the cap, and was skipped.
    TooLong,
}

/// Splits a response into lines.
pub(crate) struct LinesReader {
    /// Reads the body of an error.
    failed: Option<WholeBody>,
    cap: usize,
    /// The beginning of the line that has not ended.
    buffer: BytesMut,
    /// Whether the line that has not ended is too long.
    is_skipping: bool,
    received: u64,
    lines: VecDeque<Line>,
    /// Whether lines came since the last `advance`.
    is_fresh: bool,
    /// Whether a line was checked to be JSON.
    is_checked: bool,
    ended: bool,
    request_id: Option<String>,
}

impl LinesReader {
    pub(super) fn new(head: &Parts, shared: &Shared) -> Self {
        Self {
            failed: (!head.status.is_success()).then(|| WholeBody::new(head, shared.caps)),
            cap: shared.caps.event,
            buffer: BytesMut::new(),
            is_skipping: false,
            received: 0,
            lines: VecDeque::new(),
            is_fresh: false,
            is_checked: false,
            ended: false,
            request_id: request_id(&head.headers).map(|mut id| {
                shared.redact(&mut id);
                id
            }),
        }
    }

    fn push(&mut self, piece: &[u8], is_end: bool) {
        let is_too_long = self.buffer.len() + piece.len() > self.cap;
        if is_too_long || self.is_skipping {
            self.is_skipping = true;
            self.buffer.clear();
        } else {
            self.buffer.extend_from_slice(piece);
        }
        if !is_end {
            return;
        }
        if std::mem::take(&mut self.is_skipping) {
            self.lines.push_back(Line::TooLong);
            self.is_fresh = true;
            return;
        }
        let line = self.buffer.split().freeze();
        let trimmed = line.trim_ascii();
        if !trimmed.is_empty() {
            self.lines.push_back(Line::Text(line.slice_ref(trimmed)));
            self.is_fresh = true;
        }
    }
}

impl Reader for LinesReader {
    fn feed(&mut self, bytes: Bytes) {
        self.received = self.received.saturating_add(bytes.len() as u64);
        if let Some(failed) = &mut self.failed {
            failed.feed(bytes);
            return;
        }
        let mut rest = &bytes[..];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.push(&rest[..end], true);
            rest = &rest[end + 1..];
        }
        self.push(rest, false);
    }

    fn end(&mut self) {
        self.ended = true;
        match &mut self.failed {
            Some(failed) => failed.end(),
            None => self.push(&[], true),
        }
    }

    fn advance(&mut self) -> Result<Option<Progress>, Error> {
        if let Some(failed) = &mut self.failed {
            failed.read(|_| Ok(()))?;
            return Ok(None);
        }
        if self.received > MOST {
            let why = format!("the results have more than {MOST} bytes");
            return Err(Error::new(ErrorKind::ResponseTooLarge, why));
        }
        if !self.is_checked
            && let Some(Line::Text(first)) = self.lines.front()
        {
            self.is_checked = true;
            if !first.starts_with(b"{") {
                return Err(not_understood("the results are not lines of JSON", first));
            }
        }
        Ok(std::mem::take(&mut self.is_fresh).then_some(Progress {
            is_content: true,
            used: None,
        }))
    }

    fn is_done(&self) -> bool {
        self.ended && self.failed.is_none()
    }

    fn summary(&self) -> Summary<'_> {
        Summary {
            request_id: self.request_id.as_deref(),
            ..Summary::default()
        }
    }

    fn set_attempts(&mut self, _: u32) {}
}

impl Opened<LinesReader> {
    /// The next line; `None` at the end and after an error.
    pub(crate) fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Line, Error>>> {
        let next = ready!(self.poll_with(cx, |reader: &mut LinesReader| {
            Ok(reader.lines.pop_front())
        }));
        Poll::Ready(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(cap: usize) -> LinesReader {
        LinesReader {
            failed: None,
            cap,
            buffer: BytesMut::new(),
            is_skipping: false,
            received: 0,
            lines: VecDeque::new(),
            is_fresh: false,
            is_checked: false,
            ended: false,
            request_id: None,
        }
    }

    fn lines(reader: &mut LinesReader) -> Vec<String> {
        let lines = reader.lines.drain(..).map(|line| match line {
            Line::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
            Line::TooLong => "too long".to_owned(),
        });
        lines.collect()
    }

    #[test]
    fn lines_split_anywhere_are_the_same() {
        let text = "{\"a\":1}\r\n\n{\"b\":2}\n{\"cccccccccccccccc\":3}\n{\"d\":4}";
        let expected = ["{\"a\":1}", "{\"b\":2}", "too long", "{\"d\":4}"];
        for size in 1..text.len() {
            let mut reader = reader(12);
            for piece in text.as_bytes().chunks(size) {
                reader.feed(Bytes::copy_from_slice(piece));
                reader.advance().unwrap();
            }
            assert!(!reader.is_done());
            reader.end();
            assert!(reader.is_done());
            assert_eq!(lines(&mut reader), expected, "{size}");
        }
    }

    #[test]
    fn a_web_page_is_no_result() {
        let mut reader = reader(100);
        reader.feed(Bytes::from_static(b"<html>\n"));
        let error = reader.advance().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }

    #[test]
    fn a_long_line_is_not_kept() {
        let mut reader = reader(10);
        for _ in 0..1_000 {
            reader.feed(Bytes::from_static(&[b'x'; 1_000]));
            assert!(reader.buffer.len() <= 10);
        }
    }
}
