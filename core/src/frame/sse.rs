//! Server-sent events by the WHATWG rules.
//!
//! Lines end in LF, CR or CRLF, split anywhere; a BOM may stand at the start; lines of `data`
//! join; comments and unknown fields mean nothing; an event without its empty line is not one.
//! What lies in one chunk is borrowed from it; every byte is looked at once.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr2};

use crate::error::{Error, ErrorKind};

/// One event. Its fields are bytes as they came: the standard has what is not UTF-8 replaced, as
/// [`String::from_utf8_lossy`] does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SseEvent {
    /// The field `event`; empty where there was none, which means `message`.
    pub name: Bytes,
    /// The lines of `data`, joined by line feeds.
    pub data: Bytes,
    /// The last `id` so far, of this event or of one before it.
    pub id: Bytes,
}

/// Turns bytes into server-sent events, by the rules of the
/// [standard](https://html.spec.whatwg.org/multipage/server-sent-events.html).
///
/// Comments and empty events are no events: they are keep-alives, and whoever feeds the bytes
/// saw them come. The data of an event that lies in one chunk, in one line, is a slice of it.
///
/// ```
/// use chatcore::frame::Sse;
///
/// let mut sse = Sse::new(1024);
/// sse.feed("data: Hel".into());
/// assert_eq!(sse.next_event()?, None);
/// sse.feed("lo\n\n".into());
/// assert_eq!(sse.next_event()?.unwrap().data, "Hello");
/// assert!(!sse.is_pending());
/// # Ok::<(), chatcore::Error>(())
/// ```
#[derive(Debug)]
pub struct Sse {
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
    id: Bytes,
    retry: Option<Duration>,
    /// How many bytes were looked at or copied.
    #[cfg(test)]
    work: usize,
}

/// The data of the event that is being read.
#[derive(Debug)]
enum Data {
    One(Bytes),
    Joined(BytesMut),
}

impl Sse {
    /// A stream in which a line, and the data of an event, have at most `cap` bytes.
    pub fn new(cap: usize) -> Self {
        Self {
            cap,
            chunk: Bytes::new(),
            line: BytesMut::new(),
            skip_line_feed: false,
            at_start: true,
            name: Bytes::new(),
            data: None,
            id: Bytes::new(),
            retry: None,
            #[cfg(test)]
            work: 0,
        }
    }

    /// Takes in the next bytes, split anywhere. Take all events out before you feed more, or
    /// what is left is copied.
    pub fn feed(&mut self, chunk: Bytes) {
        if self.chunk.is_empty() {
            self.chunk = chunk;
        } else {
            let mut both = BytesMut::from(&self.chunk[..]);
            both.extend_from_slice(&chunk);
            self.chunk = both.freeze();
        }
    }

    /// The next event, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// [`ResponseTooLarge`](ErrorKind::ResponseTooLarge) for a line or an event beyond the cap;
    /// there is no going on after it.
    pub fn next_event(&mut self) -> Result<Option<SseEvent>, Error> {
        while let Some(line) = self.next_line()? {
            if let Some(event) = self.take_line(&line)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Whether an event has begun that is not complete. At the end of the input it is lost, as
    /// the standard has it: whoever expected it knows that the stream was cut.
    pub fn is_pending(&self) -> bool {
        !self.chunk.is_empty()
            || !self.line.is_empty()
            || self.data.is_some()
            || !self.name.is_empty()
    }

    /// The time to wait before reconnecting that the last field `retry` named.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn next_line(&mut self) -> Result<Option<Bytes>, Error> {
        if self.skip_line_feed && !self.chunk.is_empty() {
            self.skip_line_feed = false;
            if self.chunk[0] == b'\n' {
                let _ = self.chunk.split_to(1);
            }
        }
        let Some(end) = memchr2(b'\n', b'\r', &self.chunk) else {
            self.count(self.chunk.len());
            let rest = std::mem::take(&mut self.chunk);
            self.begin_line(&rest)?;
            return Ok(None);
        };
        self.count(end + 1);
        let rest = self.chunk.split_to(end);
        let line = match self.line.is_empty() {
            true => {
                self.check(rest.len())?;
                rest
            }
            false => {
                self.begin_line(&rest)?;
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

    /// Keeps a piece of a line, behind what came of it before.
    fn begin_line(&mut self, piece: &Bytes) -> Result<(), Error> {
        let (old, room) = (self.line.len(), self.line.capacity());
        self.check(old + piece.len())?;
        self.line.extend_from_slice(piece);
        self.count(piece.len());
        if self.line.capacity() != room {
            self.count(old);
        }
        Ok(())
    }

    /// Counts bytes that were looked at or copied, to prove that it is done once for each.
    fn count(&mut self, _bytes: usize) {
        #[cfg(test)]
        {
            self.work += _bytes;
        }
    }

    fn take_line(&mut self, line: &Bytes) -> Result<Option<SseEvent>, Error> {
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            return Ok(self.data.take().map(|data| SseEvent {
                name,
                id: self.id.clone(),
                data: match data {
                    Data::One(data) => data,
                    Data::Joined(data) => data.freeze(),
                },
            }));
        }
        let colon = memchr(b':', line).unwrap_or(line.len());
        let (field, value) = (&line[..colon], line.slice((colon + 1).min(line.len())..));
        let value = match value.first() {
            Some(b' ') => value.slice(1..),
            _ => value,
        };
        match field {
            b"data" => self.push_data(value)?,
            b"event" => self.name = value,
            // Copied: it lives on, and the chunk must not.
            b"id" if memchr(0, &value).is_none() => self.id = Bytes::copy_from_slice(&value),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let digits = std::str::from_utf8(&value).ok();
                let milliseconds = digits.and_then(|digits| digits.parse().ok());
                self.retry = milliseconds.map(Duration::from_millis).or(self.retry);
            }
            // A comment, or a field that the standard does not know.
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
        let mut sse = Sse::new(100);
        assert!(!sse.is_pending());
        for (input, is_pending, retry) in [
            ("retry: 10\n", false, Some(10)),
            (
                "retry: x\nretry\nretry: 99999999999999999999\n",
                false,
                Some(10),
            ),
            ("event: a\n", true, Some(10)),
            ("\n", false, Some(10)),
            ("data", true, Some(10)),
            (": 1\n", true, Some(10)),
        ] {
            sse.feed(input.into());
            assert_eq!(sse.next_event().unwrap(), None);
            assert_eq!(sse.is_pending(), is_pending, "{input:?}");
            assert_eq!(sse.retry(), retry.map(Duration::from_millis), "{input:?}");
        }
        sse.feed("id: 1\n\ndata\nid: 2\0\n\n".into());
        let event = sse.next_event().unwrap().unwrap();
        assert_eq!(event.data, "1");
        let event = sse.next_event().unwrap().unwrap();
        assert_eq!((&event.id[..], &event.data[..]), (&b"1"[..], &b""[..]));
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

    #[test]
    fn a_line_takes_work_by_its_length_in_whatever_pieces_it_comes() {
        let size = 8 << 20;
        for piece in [1, 1024, 64 * 1024] {
            let mut sse = Sse::new(size + 64);
            sse.feed(Bytes::from_static(b"data:"));
            let bytes = Bytes::from(vec![b'x'; piece]);
            for _ in 0..size / piece {
                sse.feed(bytes.clone());
                assert_eq!(sse.next_event().unwrap(), None);
            }
            sse.feed(Bytes::from_static(b"\n\n"));
            assert_eq!(sse.next_event().unwrap().unwrap().data.len(), size);
            // Looked at once, copied once, and at most two times more as the buffer grew.
            assert!(sse.work <= 5 * size, "{} in pieces of {piece}", sse.work);
        }
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
