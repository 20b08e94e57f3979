//! Reads the answer to a chat: the dialect's events, and the response they add up to.

use std::collections::VecDeque;

use bytes::Bytes;
use http::StatusCode;
use http::response::Parts;

use super::Shared;
use super::job::{Progress, Reader};
use crate::chat::{ChatEvent, ChatResponse, FinishReason, Fold, Part};
use crate::dialect::{Decoder, Mode, request_id};
use crate::error::{Error, ErrorKind};
use crate::head::ResponseHead;
use crate::observe::Summary;

/// The answer to a chat, as far as it has been read.
pub(crate) struct ChatReader {
    decoder: Box<dyn Decoder>,
    mode: Mode,
    /// Events of a stream that were read and not yet handed over.
    ahead: VecDeque<ChatEvent>,
    /// The response so far: of a stream, what was handed over; of a whole answer, everything read.
    fold: Fold,
}

impl ChatReader {
    pub(super) fn new(
        decoder: Box<dyn Decoder>,
        head: &Parts,
        mode: Mode,
        shared: &Shared,
    ) -> Self {
        let mut fold = Fold::new();
        fold.response_mut().request_id = request_id(&head.headers).map(|mut id| {
            shared.redact(&mut id);
            id
        });
        Self {
            decoder,
            mode,
            ahead: VecDeque::new(),
            fold,
        }
    }

    /// Keeps the head of the response, for the answer or its error.
    pub(super) fn keep_head(&mut self, head: ResponseHead) {
        self.fold.response_mut().head = Some(Box::new(head));
    }

    /// The next event of a stream to hand over, if one was read.
    pub(super) fn next_event(&mut self) -> Result<Option<ChatEvent>, Error> {
        let Some(event) = self.ahead.pop_front() else {
            return Ok(None);
        };
        self.fold.push_ref(&event);
        self.fold.response_mut().skipped_events = self.decoder.skipped();
        self.check_for_text(is_cut(&event))?;
        Ok(Some(event))
    }

    /// The response so far.
    pub(super) fn partial(&self) -> &ChatResponse {
        self.fold.partial()
    }

    /// The answer, completed with what the headers and the decoder know about it.
    pub(crate) fn take_response(&mut self) -> ChatResponse {
        let mut response = std::mem::take(&mut self.fold).finish();
        response.skipped_events = self.decoder.skipped();
        response
    }

    /// Returns `OutOfTokens` for an answer that ran out of tokens before it had any output.
    fn check_for_text(&mut self, is_cut: bool) -> Result<(), Error> {
        let is_output = |part: &Part| match part {
            Part::Text(text) => !text.text.trim().is_empty(),
            Part::Reasoning(_) => false,
            _ => true,
        };
        if !is_cut || self.partial().message.parts.iter().any(is_output) {
            return Ok(());
        }
        let mut answer = self.take_response();
        let head = answer.head.take();
        let error = Error::new(ErrorKind::OutOfTokens, out_of_tokens(&answer));
        Err(error
            .with_head(head)
            .with_status(StatusCode::OK)
            .with_request_id(answer.request_id.clone())
            .with_partial(answer))
    }
}

impl Reader for ChatReader {
    fn feed(&mut self, bytes: Bytes) {
        self.decoder.feed(bytes);
    }

    fn end(&mut self) {
        self.decoder.end();
    }

    fn advance(&mut self) -> Result<Option<Progress>, Error> {
        let mut advanced = None;
        while let Some(event) = self.decoder.next_event()? {
            let progress: &mut Progress = advanced.get_or_insert_default();
            progress.is_content |= event.is_content();
            if let ChatEvent::Usage(usage) = &event {
                progress.used = Some(usage.total_tokens());
            }
            match self.mode {
                Mode::Stream => {
                    self.ahead.push_back(event);
                    break;
                }
                // The caller of a whole answer sees no single events, so all that have come are
                // read.
                Mode::Whole => {
                    let is_cut = is_cut(&event);
                    self.fold.push(event);
                    self.check_for_text(is_cut)?;
                }
            }
        }
        Ok(advanced)
    }

    fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    fn is_complete(&self) -> bool {
        self.decoder.is_complete()
    }

    fn summary(&self) -> Summary<'_> {
        Summary::of(self.partial())
    }

    fn set_attempts(&mut self, attempts: u32) {
        self.fold.response_mut().attempts = attempts;
    }

    fn take_head(&mut self) -> Option<Box<ResponseHead>> {
        self.fold.response_mut().head.take()
    }

    fn take_partial(&mut self) -> Option<ChatResponse> {
        let partial = self.take_response();
        (!partial.message.parts.is_empty()).then_some(partial)
    }
}

/// Whether this event ends an answer that ran out of tokens.
fn is_cut(event: &ChatEvent) -> bool {
    let reason = match event {
        ChatEvent::Finish { reason, .. } => Some(reason),
        _ => None,
    };
    reason == Some(&FinishReason::Length)
}

/// The message of `OutOfTokens`: what the tokens were spent on.
fn out_of_tokens(answer: &ChatResponse) -> String {
    let Some(usage) = &answer.usage else {
        return "the answer ran out of tokens before it had any text".to_owned();
    };
    let spent = match usage.reasoning_tokens {
        Some(reasoning) => format!("{reasoning} of them for reasoning"),
        None if answer.reasoning().is_empty() => "none of them for text".to_owned(),
        None => "all of them for reasoning".to_owned(),
    };
    format!(
        "the answer ran out of tokens before it had any text: it took {}, {spent}",
        usage.output_tokens
    )
}
