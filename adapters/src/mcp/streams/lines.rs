//! Splits a stream into lines, each a message.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

/// Bytes of a stream that are no whole line yet. Every byte is searched once.
#[derive(Debug)]
pub(in crate::mcp) struct Lines {
    cap: usize,
    bytes: BytesMut,
    /// How many bytes contain no end of a line.
    searched: usize,
    /// Whether the rest of a line that is too long is being skipped.
    is_skipping: bool,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::mcp) enum Line {
    /// Its bytes, without the line break.
    Whole(Bytes),
    /// It was longer than the cap, and was skipped.
    TooLong,
}

impl Lines {
    pub(in crate::mcp) fn new(cap: usize) -> Self {
        Self {
            cap,
            bytes: BytesMut::new(),
            searched: 0,
            is_skipping: false,
        }
    }

    /// Takes in the next bytes. They may be split anywhere.
    pub(in crate::mcp) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next line that is not empty, or `None` if more bytes are needed.
    pub(in crate::mcp) fn next(&mut self) -> Option<Line> {
        loop {
            let Some(place) = memchr(b'\n', &self.bytes[self.searched..]) else {
                self.searched = self.bytes.len();
                if self.searched > self.cap {
                    self.bytes.clear();
                    self.searched = 0;
                    // Reported once, at its end.
                    self.is_skipping = true;
                }
                return None;
            };
            let line = self.bytes.split_to(self.searched + place).freeze();
            self.bytes.advance(1);
            self.searched = 0;
            if std::mem::take(&mut self.is_skipping) || line.len() > self.cap {
                return Some(Line::TooLong);
            }
            if !line.trim_ascii().is_empty() {
                return Some(Line::Whole(line));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(cap: usize, pieces: &[&[u8]]) -> Vec<Line> {
        let mut lines = Lines::new(cap);
        let mut found = Vec::new();
        for piece in pieces {
            lines.feed(piece);
            found.extend(std::iter::from_fn(|| lines.next()));
            assert!(lines.bytes.len() <= cap);
        }
        found
    }

    fn whole(text: &'static str) -> Line {
        Line::Whole(Bytes::from(text))
    }

    #[test]
    fn lines_are_the_same_however_they_are_split() {
        let text = b"{}\n\n \r\n{\"a\": 1}\r\ntoo long a line\nlast\nunfinished";
        let right = [
            whole("{}"),
            whole("{\"a\": 1}\r"),
            Line::TooLong,
            whole("last"),
        ];
        for size in 1..text.len() {
            let pieces: Vec<_> = text.chunks(size).collect();
            assert_eq!(all(10, &pieces), right, "{size}");
        }
    }

    #[test]
    fn a_line_of_the_cap_is_whole() {
        assert_eq!(all(4, &[b"1234\n12345\n"]), [whole("1234"), Line::TooLong]);
    }
}
