//! Server-sent events by the WHATWG rules.
//!
//! Lines end in LF, CR or CRLF, split anywhere; a BOM may stand at the start; lines of `data`
//! join; comments and unknown fields mean nothing; an event without its empty line is not one.
//! What lies in one chunk is borrowed from it; every byte is looked at once. What servers send
//! beside the rules is in [`stray`](super::stray).

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr2};

use super::stray::Stray;
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
/// Comments and empty events are no events: they are keep-alives, and the code that feeds the
/// bytes saw them come. The data of an event that lies in one chunk, in one line, is a slice of it.
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
    /// What came beside the rules, if it is looked at.
    stray: Option<Box<Stray>>,
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
            stray: None,
            #[cfg(test)]
            work: 0,
        }
    }

    /// A stream that is also read where a server of JSON events does not keep to the standard:
    ///
    /// - A field `error` is an event of that name.
    /// - A line that is JSON, without `data:` before it, is an event.
    /// - A line of `data` or `event` after one of data that is a whole JSON object or `[DONE]` begins
    ///   another event, as if an empty line stood between the two.
    /// - What the end of the input leaves is handed over by [`rest`](Self::rest).
    pub fn lenient(cap: usize) -> Self {
        Self {
            stray: Some(Box::default()),
            ..Self::new(cap)
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
        if let Some(event) = self.stray.as_mut().and_then(|stray| stray.ready.take()) {
            return Ok(Some(event));
        }
        while let Some(line) = self.next_line()? {
            if let Some(event) = self.take_line(&line)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// At the end of the input: the next event that lacks its empty line, or the end of its last
    /// line. Only a [lenient](Self::lenient) stream has any; whether it is complete cannot be
    /// told from the framing.
    ///
    /// # Errors
    /// As [`next_event`](Self::next_event).
    pub fn rest(&mut self) -> Result<Option<SseEvent>, Error> {
        if self.stray.is_none() {
            return Ok(None);
        }
        if let Some(event) = self.next_event()? {
            return Ok(Some(event));
        }
        let line = std::mem::take(&mut self.line).freeze();
        if !line.is_empty()
            && let Some(event) = self.take_line(&line)?
        {
            return Ok(Some(event));
        }
        let event = self.take_line(&Bytes::new())?;
        match event {
            None => self.next_event(),
            event => Ok(event),
        }
    }

    /// Whether all that came so far were fields of the standard and comments, or the beginning of
    /// one.
    pub(crate) fn is_regular(&self) -> bool {
        if self.at_start && "\u{feff}".as_bytes().starts_with(&self.line) {
            return true;
        }
        let is_field = match memchr(b':', &self.line) {
            Some(colon) => is_field(&self.line[..colon]),
            None => FIELDS.iter().any(|field| field.starts_with(&self.line)),
        };
        is_field && self.stray.as_ref().is_none_or(|stray| !stray.came)
    }

    /// Whether an event has begun that is not complete. At the end of the input it is lost, as
    /// the standard has it: the reader that expected it knows that the stream was cut.
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
            let event = self.dispatch(name);
            return Ok(match &mut self.stray {
                Some(stray) => stray.behind(event),
                None => event,
            });
        }
        let colon = memchr(b':', line).unwrap_or(line.len());
        let (field, value) = (&line[..colon], line.slice((colon + 1).min(line.len())..));
        let value = match value.first() {
            Some(b' ') => value.slice(1..),
            _ => value,
        };
        match field {
            b"data" => return self.push_data(value),
            b"event" => {
                let event = self.before_name();
                self.name = value;
                return Ok(event);
            }
            // Copied: it lives on, and the chunk must not.
            b"id" if memchr(0, &value).is_none() => self.id = Bytes::copy_from_slice(&value),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let digits = std::str::from_utf8(&value).ok();
                let milliseconds = digits.and_then(|digits| digits.parse().ok());
                self.retry = milliseconds.map(Duration::from_millis).or(self.retry);
            }
            // A comment.
            b"" => {}
            // A field that the standard does not know.
            field => return self.take_stray(field, &value, line),
        }
        Ok(None)
    }

    /// The event whose data is whole when the name of another one comes, with no empty line
    /// between them.
    fn before_name(&mut self) -> Option<SseEvent> {
        match &self.data {
            Some(Data::One(data)) if self.stray.is_some() && Stray::is_whole(data) => {
                let name = std::mem::take(&mut self.name);
                self.dispatch(name)
            }
            _ => None,
        }
    }

    #[cold]
    fn take_stray(
        &mut self,
        field: &[u8],
        value: &Bytes,
        line: &Bytes,
    ) -> Result<Option<SseEvent>, Error> {
        let cap = self.cap;
        let Some(stray) = &mut self.stray else {
            return Ok(None);
        };
        stray.take(field, value, line, cap)?;
        if stray.ready.is_none() {
            return Ok(None);
        }
        // What came before it is handed over before it.
        let before = self.dispatch(self.name.clone());
        Ok(match &mut self.stray {
            Some(stray) if before.is_none() => stray.ready.take(),
            _ => before,
        })
    }

    /// The event whose data is there.
    fn dispatch(&mut self, name: Bytes) -> Option<SseEvent> {
        let data = self.data.take()?;
        Some(SseEvent {
            name,
            id: self.id.clone(),
            data: match data {
                Data::One(data) => data,
                Data::Joined(data) => data.freeze(),
            },
        })
    }

    fn push_data(&mut self, value: Bytes) -> Result<Option<SseEvent>, Error> {
        if let Some(stray) = &mut self.stray
            && stray.has_lines()
        {
            let before = self.data.take();
            let lines = stray.behind(None);
            if before.is_none() {
                self.data = Some(Data::One(value));
                return Ok(lines);
            }
            stray.ready = lines;
            self.data = before;
            let before = self.dispatch(self.name.clone());
            self.data = Some(Data::One(value));
            return Ok(before);
        }
        let mut joined = match self.data.take() {
            None => {
                self.data = Some(Data::One(value));
                return Ok(None);
            }
            Some(Data::One(first)) if self.stray.is_some() && Stray::is_whole(&first) => {
                self.data = Some(Data::One(first));
                let event = self.dispatch(self.name.clone());
                self.data = Some(Data::One(value));
                return Ok(event);
            }
            Some(Data::One(first)) => BytesMut::from(&first[..]),
            Some(Data::Joined(joined)) => joined,
        };
        self.check(joined.len() + 1 + value.len())?;
        joined.extend_from_slice(b"\n");
        joined.extend_from_slice(&value);
        self.data = Some(Data::Joined(joined));
        Ok(None)
    }

    fn check(&self, size: usize) -> Result<(), Error> {
        check(size, self.cap)
    }
}

const FIELDS: [&[u8]; 4] = [b"data", b"event", b"id", b"retry"];

fn is_field(name: &[u8]) -> bool {
    name.is_empty() || FIELDS.contains(&name)
}

pub(super) fn check(size: usize, cap: usize) -> Result<(), Error> {
    match size <= cap {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::ResponseTooLarge,
            format!("an event of the stream has more than {cap} bytes"),
        )),
    }
}

#[cfg(test)]
mod tests;
