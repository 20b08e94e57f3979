//! Server-sent events by the WHATWG standard.
//!
//! Lines end in LF, CR or CRLF, split anywhere. A BOM may come first. Lines of `data` are joined.
//! Comments and unknown fields are ignored. An event without its final empty line is dropped. Data
//! that lies in one chunk is a slice of that chunk, and every byte is read once. What servers send
//! outside the standard is handled in [`stray`](super::stray).

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr2};

use super::stray::Stray;
use crate::error::{Error, ErrorKind};

/// One event. Its fields are the bytes as they came: to replace invalid UTF-8 as the standard
/// demands, use [`String::from_utf8_lossy`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SseEvent {
    /// The field `event`; empty if there was none, which means `message`.
    pub name: Bytes,
    /// The lines of `data`, joined by line feeds.
    pub data: Bytes,
    /// The last `id` so far, from this event or an earlier one.
    pub id: Bytes,
}

/// Turns bytes into server-sent events, by the
/// [standard](https://html.spec.whatwg.org/multipage/server-sent-events.html).
///
/// Comments and empty events are not returned. They are keep-alives, which the code that feeds the
/// bytes has already seen. The data of an event that lies in one line and one chunk is a slice of
/// that chunk.
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
    /// The maximum number of bytes of a line, and of an event's data.
    cap: usize,
    /// The bytes that have not been read yet.
    chunk: Bytes,
    /// The beginning of a line that is not complete.
    line: BytesMut,
    /// Whether a line feed now would be the second half of a CRLF.
    skip_line_feed: bool,
    /// Whether no line has come yet: the first one may begin with a BOM.
    at_start: bool,
    name: Bytes,
    data: Option<Data>,
    id: Bytes,
    retry: Option<Duration>,
    /// Lines outside the standard; `None` if they are ignored.
    stray: Option<Box<Stray>>,
    /// How many bytes were read or copied.
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
    /// Creates a reader for a stream in which a line, and the data of an event, have at most `cap`
    /// bytes.
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

    /// Creates a reader that also accepts what servers of JSON events send outside the standard:
    ///
    /// - A field `error` is an event of that name.
    /// - A line that is JSON, without `data:` before it, is an event.
    /// - A line of `data` or `event` after `data` that is a whole JSON object or `[DONE]` begins
    ///   another event, as if there were an empty line between the two.
    /// - [`rest`](Self::rest) returns what is left at the end of the input.
    pub fn lenient(cap: usize) -> Self {
        Self {
            stray: Some(Box::default()),
            ..Self::new(cap)
        }
    }

    /// Takes in the next bytes. They may be split anywhere. Take out all events before you feed
    /// more, because bytes that are left are copied.
    pub fn feed(&mut self, chunk: Bytes) {
        if self.chunk.is_empty() {
            self.chunk = chunk;
        } else {
            let mut both = BytesMut::from(&self.chunk[..]);
            both.extend_from_slice(&chunk);
            self.chunk = both.freeze();
        }
    }

    /// The next event, or `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`ResponseTooLarge`](ErrorKind::ResponseTooLarge) for a line or an event beyond the cap. The
    /// reader cannot go on after that.
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

    /// At the end of the input: the next event without its empty line, including one in an
    /// unfinished last line. Only a [lenient](Self::lenient) reader returns any. The framing cannot
    /// tell whether the event is complete.
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

    /// Whether all input so far is comments and fields of the standard, or the beginning of one.
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

    /// Whether an event has begun that is not complete. At the end of the input the event is lost,
    /// as the standard demands. A caller that expected the event then knows that the stream was
    /// cut.
    pub fn is_pending(&self) -> bool {
        !self.chunk.is_empty()
            || !self.line.is_empty()
            || self.data.is_some()
            || !self.name.is_empty()
    }

    /// The time to wait before a reconnect, from the last `retry` field.
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

    /// Appends a piece to the line that is not complete.
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

    /// Counts bytes that were read or copied, so that a test can prove that this happens once for
    /// each.
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
            // Copied, because the id outlives the event and must not keep the chunk alive.
            b"id" if memchr(0, &value).is_none() => self.id = Bytes::copy_from_slice(&value),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let digits = std::str::from_utf8(&value).ok();
                let milliseconds = digits.and_then(|digits| digits.parse().ok());
                self.retry = milliseconds.map(Duration::from_millis).or(self.retry);
            }
            // A comment.
            b"" => {}
            // A field that the standard does not define.
            field => return self.take_stray(field, &value, line),
        }
        Ok(None)
    }

    /// The event with whole data, if the next event's name comes without an empty line between
    /// them.
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
        // The event before it is handed over first.
        let before = self.dispatch(self.name.clone());
        Ok(match &mut self.stray {
            Some(stray) if before.is_none() => stray.ready.take(),
            _ => before,
        })
    }

    /// The event with the data collected so far, if there is any.
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
