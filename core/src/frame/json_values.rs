//! A sequence of JSON values: lines of JSON (NDJSON), and values over several lines.

use bytes::{Buf, Bytes, BytesMut};

use super::{Frame, Framing};
use crate::error::{Error, ErrorKind};

/// Turns bytes into JSON values that follow each other, with or without line feeds between them.
///
/// An object or an array ends with its closing bracket and may span several lines. Anything else
/// ends with its line, so that an error in plain text is a frame, too. Each byte is read once.
///
/// ```
/// use chatcore::frame::{Framing, JsonValues};
///
/// let mut values = JsonValues::new(1024);
/// values.feed("{\"a\": 1}\n{\"b\":".into());
/// assert_eq!(values.next_frame()?.unwrap().data, "{\"a\": 1}");
/// assert_eq!(values.next_frame()?, None);
/// values.feed(" \"}\"}".into());
/// assert_eq!(values.next_frame()?.unwrap().data, "{\"b\": \"}\"}");
/// # Ok::<(), chatcore::Error>(())
/// ```
#[derive(Debug)]
pub struct JsonValues {
    /// The maximum number of bytes of a value.
    cap: usize,
    /// The bytes that are not handed over yet.
    buffer: BytesMut,
    /// How many bytes of the buffer have been read.
    seen: usize,
    /// How many brackets are open.
    depth: usize,
    in_string: bool,
    /// Whether a backslash precedes the next byte.
    escaped: bool,
}

impl JsonValues {
    /// Creates a framing for values of at most `cap` bytes each.
    pub fn new(cap: usize) -> Self {
        Self {
            cap,
            buffer: BytesMut::new(),
            seen: 0,
            depth: 0,
            in_string: false,
            escaped: false,
        }
    }

    /// The end of the value at the beginning of the buffer, if it is complete.
    fn end(&mut self) -> Option<usize> {
        let is_nested = matches!(self.buffer.first(), Some(b'{' | b'['));
        while let Some(&byte) = self.buffer.get(self.seen) {
            self.seen += 1;
            if !is_nested {
                if byte == b'\n' {
                    return Some(self.seen);
                }
                continue;
            }
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(self.seen);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn skip_space(&mut self) {
        if self.seen == 0 {
            let space = self
                .buffer
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace());
            let space = space.count();
            self.buffer.advance(space);
        }
    }
}

impl Framing for JsonValues {
    fn begins_with(&self, first: u8) -> bool {
        matches!(first, b'{' | b'[')
    }

    fn feed(&mut self, bytes: Bytes) {
        self.buffer.extend_from_slice(&bytes);
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        self.skip_space();
        let end = self.end();
        if end.unwrap_or(self.seen) > self.cap {
            let why = format!("an event of the answer has more than {} bytes", self.cap);
            return Err(Error::new(ErrorKind::ResponseTooLarge, why));
        }
        let Some(end) = end else {
            return Ok(None);
        };
        (self.seen, self.depth) = (0, 0);
        let data = self.buffer.split_to(end).freeze();
        Ok(Some(Frame::new(data)))
    }

    fn rest(&mut self) -> Result<Option<Frame>, Error> {
        self.skip_space();
        self.seen = 0;
        let rest = self.buffer.split().freeze();
        Ok((!rest.is_empty()).then(|| Frame::new(rest)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let mut values = JsonValues::new(1 << 20);
        let mut frames = Vec::new();
        for piece in pieces {
            values.feed(Bytes::copy_from_slice(piece));
            while let Some(frame) = values.next_frame().unwrap() {
                frames.push(frame);
            }
        }
        frames.extend(values.rest().unwrap());
        let texts = frames
            .iter()
            .map(|frame| String::from_utf8_lossy(&frame.data));
        texts.map(|text| text.trim().to_owned()).collect()
    }

    #[test]
    fn values_are_split_with_or_without_line_feeds() {
        for (text, expected) in [
            ("{}\n{}\r\n\n[1]", &["{}", "{}", "[1]"][..]),
            (
                "{\"a\":\"}\\\"\"}{\"b\":[{}]}",
                &["{\"a\":\"}\\\"\"}", "{\"b\":[{}]}"],
            ),
            ("{\n \"a\": 1\n}\n", &["{\n \"a\": 1\n}"]),
            ("oops\n{}", &["oops", "{}"]),
            ("{\"a\":", &["{\"a\":"]),
            (" \n ", &[]),
        ] {
            assert_eq!(split([text.as_bytes()]), expected, "{text:?}");
            assert_eq!(split(text.as_bytes().chunks(1)), expected, "{text:?}");
        }
    }

    #[test]
    fn a_value_beyond_the_cap_is_refused() {
        let mut values = JsonValues::new(8);
        values.feed("{\"a\": 1, ".into());
        let error = values.next_frame().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(text in "[\\{\\}\\[\\]\"\\\\a \n]{0,40}", at in 0_usize..40) {
            let bytes = text.as_bytes();
            let (head, tail) = bytes.split_at(at.min(bytes.len()));
            prop_assert_eq!(split([head, tail]), split([bytes]));
        }
    }
}
