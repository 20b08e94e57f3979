//! Reads an answer that comes in one piece: the answer to any job but a chat.

use bytes::Bytes;
use http::response::Parts;

use super::Shared;
use super::job::{Progress, Reader};
use crate::dialect::{ModelPage, WholeBody, request_id};
use crate::embed::Embeddings;
use crate::error::Error;
use crate::observe::Summary;

/// An answer that is decoded from a whole body.
pub(super) trait Whole: Default + Send + 'static {
    /// What observers and spans are told about the answer.
    fn summary(&self) -> Summary<'_>;
}

impl Whole for Embeddings {
    fn summary(&self) -> Summary<'_> {
        Summary {
            model: &self.model,
            usage: self.usage.as_ref(),
            ..Summary::default()
        }
    }
}

impl Whole for ModelPage {
    fn summary(&self) -> Summary<'_> {
        Summary::default()
    }
}

/// Decodes a `T` from a body.
type Decode<T> = Box<dyn FnMut(&str) -> Result<T, Error> + Send>;

/// Collects a body, and decodes a `T` from it.
pub(crate) struct WholeReader<T> {
    body: WholeBody,
    decode: Decode<T>,
    request_id: Option<String>,
    attempts: u32,
    answer: T,
    is_done: bool,
}

impl<T: Whole> WholeReader<T> {
    pub(super) fn new(
        head: &Parts,
        shared: &Shared,
        decode: impl FnMut(&str) -> Result<T, Error> + Send + 'static,
    ) -> Self {
        let request_id = request_id(&head.headers).map(|mut id| {
            shared.redact(&mut id);
            id
        });
        Self {
            body: WholeBody::new(head, shared.caps),
            decode: Box::new(decode),
            request_id,
            attempts: 0,
            answer: T::default(),
            is_done: false,
        }
    }

    /// The answer, the request id, and how many requests were sent for the answer.
    pub(super) fn take(&mut self) -> (T, Option<String>, u32) {
        let answer = std::mem::take(&mut self.answer);
        (answer, self.request_id.take(), self.attempts)
    }
}

impl<T: Whole> Reader for WholeReader<T> {
    fn feed(&mut self, bytes: Bytes) {
        self.body.feed(bytes);
    }

    fn end(&mut self) {
        self.body.end();
    }

    fn advance(&mut self) -> Result<Option<Progress>, Error> {
        if self.is_done {
            return Ok(None);
        }
        let Some(answer) = self.body.read(&mut *self.decode)? else {
            return Ok(None);
        };
        self.answer = answer;
        self.is_done = true;
        let usage = self.answer.summary().usage;
        Ok(Some(Progress {
            is_content: true,
            used: usage.map(|usage| usage.total_tokens()),
        }))
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn summary(&self) -> Summary<'_> {
        Summary {
            request_id: self.request_id.as_deref(),
            ..self.answer.summary()
        }
    }

    fn set_attempts(&mut self, attempts: u32) {
        self.attempts = attempts;
    }
}
