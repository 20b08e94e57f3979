//! Server-sent events by the WHATWG rules.
//!
//! Lines end in LF, CR or CRLF, split anywhere; a BOM may stand at the start; lines of `data`
//! join; comments and unknown fields mean nothing; an event without its empty line is not one.
//! What lies in one chunk is borrowed from it; every byte is looked at once.

use bytes::{Bytes, BytesMut};
use memchr::memchr2;

use crate::error::{Error, ErrorKind};

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// The field `event`; empty where there was none.
    pub(crate) name: Bytes,
    /// The lines of `data`, joined.
    pub(crate) data: Bytes,
}

/// Turns bytes into events.
#[derive(Debug)]
pub(crate) struct Sse {
    /// The most bytes that a line or an event may have.
    cap: usize,
    /// What is not looked at yet.
    chunk: Bytes,
    /// The beginning of a line whose end has not come.
    line: BytesMut,
    /// Whether a line feed is the second half of a line end.
    skip_line_feed: bool,
    /// Whether no line has come yet, so that it may begin with a BOM.
    at_start: bool,
    name: Bytes,
    data: Option<Data>,
}

/// The data of the event that is being read.
#[derive(Debug)]
enum Data {
    One(Bytes),
    Joined(BytesMut),
}

impl Sse {
    /// A stream in which a line or an event has at most `cap` bytes.
    pub(crate) fn new(cap: usize) -> Self {
        Self {
            cap,
            chunk: Bytes::new(),
            line: BytesMut::new(),
            skip_line_feed: false,
            at_start: true,
            name: Bytes::new(),
            data: None,
        }
    }

    /// Takes in the next bytes. All events of those before must have been taken.
    pub(crate) fn feed(&mut self, chunk: Bytes) {
        if self.chunk.is_empty() {
            self.chunk = chunk;
        } else {
            let mut both = BytesMut::from(&self.chunk[..]);
            both.extend_from_slice(&chunk);
            self.chunk = both.freeze();
        }
    }

    /// The next event, or `None` when more bytes are needed.
    pub(crate) fn next_event(&mut self) -> Result<Option<Event>, Error> {
        while let Some(line) = self.next_line()? {
            if let Some(event) = self.take_line(&line)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn next_line(&mut self) -> Result<Option<Bytes>, Error> {
        if self.skip_line_feed && !self.chunk.is_empty() {
            self.skip_line_feed = false;
            if self.chunk[0] == b'\n' {
                let _ = self.chunk.split_to(1);
            }
        }
        let Some(end) = memchr2(b'\n', b'\r', &self.chunk) else {
            self.check(self.line.len() + self.chunk.len())?;
            self.line.extend_from_slice(&self.chunk);
            self.chunk = Bytes::new();
            return Ok(None);
        };
        let rest = self.chunk.split_to(end);
        self.check(self.line.len() + rest.len())?;
        let line = match self.line.is_empty() {
            true => rest,
            false => {
                self.line.extend_from_slice(&rest);
                std::mem::take(&mut self.line).freeze()
            }
        };
        self.skip_line_feed = self.chunk[0] == b'\r';
        let _ = self.chunk.split_to(1);
        Ok(Some(match std::mem::take(&mut self.at_start) {
            true if line.starts_with(b"\xef\xbb\xbf") => line.slice(3..),
            _ => line,
        }))
    }

    fn take_line(&mut self, line: &Bytes) -> Result<Option<Event>, Error> {
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            return Ok(self.data.take().map(|data| Event {
                name,
                data: match data {
                    Data::One(data) => data,
                    Data::Joined(data) => data.freeze(),
                },
            }));
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (field, value) = (&line[..colon], line.slice((colon + 1).min(line.len())..));
        let value = match value.first() {
            Some(b' ') => value.slice(1..),
            _ => value,
        };
        match field {
            b"data" => self.push_data(value)?,
            b"event" => self.name = value,
            // A comment, `id` and `retry`, which mean nothing without reconnecting, or unknown.
            _ => {}
        }
        Ok(None)
    }

    fn push_data(&mut self, value: Bytes) -> Result<(), Error> {
        let mut joined = match self.data.take() {
            None => {
                self.data = Some(Data::One(value));
                return Ok(());
            }
            Some(Data::One(first)) => BytesMut::from(&first[..]),
            Some(Data::Joined(joined)) => joined,
        };
        self.check(joined.len() + 1 + value.len())?;
        joined.extend_from_slice(b"\n");
        joined.extend_from_slice(&value);
        self.data = Some(Data::Joined(joined));
        Ok(())
    }

    fn check(&self, size: usize) -> Result<(), Error> {
        match size <= self.cap {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::ResponseTooLarge,
                format!("an event of the stream has more than {} bytes", self.cap),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<(String, String)> {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let mut sse = Sse::new(1 << 20);
        let mut events = Vec::new();
        for piece in pieces {
            sse.feed(Bytes::copy_from_slice(piece));
            while let Some(event) = sse.next_event().unwrap() {
                events.push((text(&event.name), text(&event.data)));
            }
        }
        events
    }

    fn data(input: &str) -> Vec<String> {
        let events = events([input.as_bytes()]).into_iter();
        events.map(|(_, data)| data).collect()
    }

    #[test]
    fn the_rules() {
        for (input, expected) in [
            ("data: a\n\n", &["a"][..]),
            ("data:a\r\rdata:b\r\n\r\n", &["a", "b"]),
            ("data: a\ndata:  b\n\n", &["a\n b"]),
            ("data\ndata\n\n", &["\n"]),
            ("data\n\n", &[""]),
            (": keep-alive\n\ndata: a\n\n", &["a"]),
            ("\u{feff}data: a\n\n", &["a"]),
            ("\u{feff}\u{feff}data: a\n\ndata: b\n\n", &["b"]),
            ("event: x\n\ndata: a\n\n", &["a"]),
            ("data: a", &[]),
            ("data: a\n", &[]),
            ("Data: a\nfoo: b\nid: 1\nretry: 2\n\n", &[]),
        ] {
            assert_eq!(data(input), expected, "{input:?}");
        }
        let named = events([&b"event: ping\ndata: 1\n\ndata: 2\n\n"[..]]);
        let named: Vec<_> = named.iter().map(|(n, d)| (&n[..], &d[..])).collect();
        assert_eq!(named, [("ping", "1"), ("", "2")]);
    }

    #[test]
    fn a_line_end_split_in_two_is_one() {
        assert_eq!(
            events([&b"data: a\r"[..], b"\n\r", b"\ndata: b\r\n\r\n"]).len(),
            2
        );
    }

    #[test]
    fn lines_and_events_are_capped() {
        for input in [
            "data: too long for this\n\n".to_owned(),
            "x".repeat(17),
            "data: 12345678\n".repeat(3),
        ] {
            let mut sse = Sse::new(16);
            sse.feed(input.clone().into());
            let error = sse.next_event().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ResponseTooLarge, "{input}");
        }
    }

    #[test]
    fn what_lies_in_one_chunk_is_not_copied() {
        let chunk = Bytes::from_static(b"data: 0123456789\n\n");
        let mut sse = Sse::new(100);
        sse.feed(chunk.clone());
        let event = sse.next_event().unwrap().unwrap();
        assert_eq!(event.data.as_ptr(), chunk[6..].as_ptr());
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_events(
            input in "(data|event|id|:|: |x|\r|\n|\r\n|\n\n|é|\u{feff}){0,40}",
            cuts in prop::collection::vec(0..200_usize, 0..8),
        ) {
            let bytes = input.as_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([bytes.len()]) {
                pieces.push(&bytes[from..cut]);
                from = cut;
            }
            let whole = events([bytes]);
            prop_assert_eq!(&events(pieces), &whole);
            prop_assert_eq!(&events(bytes.chunks(1)), &whole);
        }
    }
}
