//! The tests' own small dialect, for the decoding that all dialects share.

mod beginnings;
mod events;
mod limits;

use http::{HeaderMap, HeaderValue, StatusCode};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::dialect::kit::failure;
use crate::dialect::kit::read::{Raw, not_of, parse, parse_event};
use crate::error::ErrorKind;
use crate::json;

/// Events are `{"text": …}`, `{"stop": true}`, after which the answer is complete, and
/// `{"end": true}`, the terminal event. A whole answer becomes a text.
#[derive(Debug, Default)]
struct Small {
    is_complete: bool,
    /// Whether only one value of each event is read.
    is_strict: bool,
}

impl Assemble for Small {
    fn name(&self) -> &'static str {
        "small"
    }

    fn knows(&self, name: &[u8]) -> bool {
        name.is_empty() || name == b"x"
    }

    fn event(&mut self, _: &[u8], data: &str, out: &mut Output) -> Result<(), Error> {
        let (_, data) = match self.is_strict {
            true => (parse::<Raw<'_>>("small", data)?, data),
            false => parse_event::<Raw<'_>>("small", data, out)?,
        };
        let value = json::parse(data).unwrap();
        if value.get("error").is_some() {
            return Err(failure::in_stream(&value, data));
        }
        self.is_complete |= value["stop"] == true;
        out.is_last |= value["end"] == true;
        if let Some(text) = value["text"].as_str() {
            out.say(Prose::Text, text.into());
        }
        Ok(())
    }

    fn marker(&mut self, out: &mut Output) {
        out.is_last = true;
        self.is_complete = true;
    }

    fn whole(&mut self, body: &str, out: &mut Output) -> Result<(), Error> {
        let value = json::parse(body).map_err(|error| not_of("small", body, error))?;
        if value.get("error").is_some() {
            return Err(failure::in_stream(&value, body));
        }
        let text = format!("whole {body}");
        out.say(Prose::Text, (&*text).into());
        self.is_complete = true;
        Ok(())
    }

    fn end(&mut self, out: &mut Output) -> Result<(), Error> {
        if !self.is_complete && !out.is_last {
            return Err(Error::new(ErrorKind::Truncated, "cut"));
        }
        out.done = true;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.is_complete
    }
}

/// The texts of an answer, its skipped events and its error.
struct Told {
    texts: Vec<String>,
    skipped: u32,
    error: Option<Error>,
}

fn tell<'a>(
    status: u16,
    headers: HeaderMap,
    caps: Caps,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Told {
    tell_of(Small::default(), status, headers, caps, pieces)
}

fn tell_of<'a>(
    dialect: Small,
    status: u16,
    headers: HeaderMap,
    caps: Caps,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Told {
    let mut head = http::Response::builder().status(status).body(()).unwrap();
    *head.headers_mut() = headers;
    let mut answer = AnswerDecoder::new(&head.into_parts().0, caps, dialect);
    let mut texts = Vec::new();
    let mut pieces = pieces.into_iter();
    let error = loop {
        match answer.next_event() {
            Ok(Some(event)) => texts.extend(event.as_text().map(str::to_owned)),
            Ok(None) if answer.is_done() => break None,
            Ok(None) => match pieces.next() {
                Some(piece) => answer.feed(Bytes::copy_from_slice(piece)),
                None => answer.end(),
            },
            Err(error) => break Some(error),
        }
    };
    Told {
        texts,
        skipped: answer.skipped(),
        error,
    }
}

fn read<'a>(
    status: u16,
    caps: Caps,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<String>, Error> {
    let told = tell(status, HeaderMap::new(), caps, pieces);
    told.error.map_or(Ok(told.texts), Err)
}

fn one(status: u16, body: &[u8]) -> Result<Vec<String>, Error> {
    read(status, Caps::default(), [body])
}

fn stream(body: &str) -> Told {
    tell(200, HeaderMap::new(), Caps::default(), [body.as_bytes()])
}

const A: &str = "data: {\"text\":\"a\"}\n\n";
const STOP: &str = "data: {\"stop\":true}\n\n";
const END: &str = "data: {\"end\":true}\n\n";
