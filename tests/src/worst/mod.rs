//! The answers that cost a decoder the most per byte, in any size.

mod anthropic;
mod gemini;
mod openai;
mod responses;
mod shapes;

use bytes::Bytes;
use chatcore::dialect::{Anthropic, Gemini, OpenAiChat, OpenAiResponses};
use chatcore::{Caps, ChatResponse, Dialect, Error, Fold, Mode};

/// One kind of answer, of any size.
#[derive(Clone, Copy)]
pub struct Case {
    /// The dialect, and what the answer consists of.
    pub name: &'static str,
    /// The status of the response.
    pub status: u16,
    /// Makes an answer of about this many bytes.
    pub make: fn(usize) -> String,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn case(name: &'static str, make: fn(usize) -> String) -> Case {
    Case {
        name,
        status: 200,
        make,
    }
}

/// All cases.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    let openai = openai::CASES.iter().chain(responses::CASES);
    openai.chain(anthropic::CASES).chain(gemini::CASES)
}

impl Case {
    /// The dialect that decodes the answer.
    pub fn dialect(&self) -> Box<dyn Dialect> {
        match self.name.split(':').next() {
            Some("openai") => Box::new(OpenAiChat::default()),
            Some("responses") => Box::new(OpenAiResponses::default()),
            Some("gemini") => Box::new(Gemini::default()),
            _ => Box::new(Anthropic::default()),
        }
    }

    /// Decodes an answer. Returns it with the error that ended it.
    pub fn decode(&self, body: Bytes) -> (ChatResponse, Option<Error>) {
        decode(&*self.dialect(), self.status, [body])
    }
}

/// Decodes an answer from these pieces. Returns it with the error that ended it.
pub fn decode(
    dialect: &dyn Dialect,
    status: u16,
    pieces: impl IntoIterator<Item = Bytes>,
) -> (ChatResponse, Option<Error>) {
    let mut head = http::Response::new(());
    *head.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    let mut decoder = dialect.decoder(&head.into_parts().0, Mode::Stream, Caps::default());
    let mut pieces = pieces.into_iter();
    let mut fold = Fold::new();
    loop {
        match decoder.next_event() {
            Ok(Some(event)) => fold.push(event),
            Ok(None) if decoder.is_done() => return (fold.finish(), None),
            Ok(None) => match pieces.next() {
                Some(piece) => decoder.feed(piece),
                None => decoder.end(),
            },
            Err(error) => return (fold.finish(), Some(error)),
        }
    }
}
