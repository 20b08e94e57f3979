//! Turns Anthropic's events into chatcore's events.

use std::collections::BTreeMap;
use std::mem::take;

use super::block::Open;
use super::usage::Pieces;
use super::wire::{Delta, Event, Message};
use crate::chat::{ChatEvent, FinishReason};
use crate::dialect::kit::decoder::{Assemble, Output, Prose};
use crate::dialect::kit::failure;
use crate::dialect::kit::read::{
    MAX_ITEMS, Object, Raw, Unknown, parse_event_into, parse_into, piece_of, to_extra, too_many,
};
use crate::error::{Error, ErrorKind};
use crate::json::Reader;

use super::DIALECT;

/// The state of reading one answer.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The id of the message that has begun.
    message: Option<String>,
    /// The blocks that have begun and not ended. Some servers end all of them at the end of the
    /// message.
    open: BTreeMap<u64, Open>,
    /// The index of the block that is the growing part.
    growing: Option<u64>,
    /// How many tool calls have begun.
    calls: usize,
    /// Whether one of them has no name.
    is_nameless: bool,
    stop_reason: Option<String>,
    /// Whether `message_stop` arrived.
    has_stopped: bool,
    usage: Pieces,
}

impl Assemble for Events {
    fn name(&self) -> &'static str {
        DIALECT
    }

    fn knows(&self, name: &[u8]) -> bool {
        const NAMES: [&[u8]; 8] = [
            b"",
            b"message",
            b"message_start",
            b"message_delta",
            b"message_stop",
            b"content_block_start",
            b"content_block_delta",
            b"content_block_stop",
        ];
        NAMES.contains(&name)
    }

    fn event(&mut self, name: &[u8], data: &str, out: &mut Output) -> Result<(), Error> {
        let mut event = Object::<Event<'_>>::default();
        let data = parse_event_into(DIALECT, data, &mut event, out)?;
        let Object { known, unknown } = &mut event;
        let mut kind = take(&mut known.kind.0);
        if kind.is_empty() {
            // The event's name is its type.
            kind = String::from_utf8_lossy(name);
        }
        if known.error.is_some_and(failure::is_error) || kind == "error" {
            return Err(failure::reported(data, data));
        }
        let index = known.index.0.unwrap_or(0);
        match &*kind {
            "message_start" => {
                if let Some(message) = &mut known.message {
                    self.start_message(message, out)?;
                }
            }
            "content_block_start" => {
                if let Some(block) = known.content_block {
                    self.start_block(index, block, out)?;
                }
            }
            "content_block_delta" => {
                if let Some(delta) = &mut known.delta {
                    self.take_delta(index, delta, out);
                }
            }
            "content_block_stop" => self.end_block(index, out),
            "message_delta" => {
                if let Some(delta) = &mut known.delta {
                    self.stop(delta.known.stop_reason.take_reason());
                    push_extra(&mut delta.unknown, out);
                }
                push_extra(unknown, out);
                self.take_usage(known.usage, out);
            }
            "message_stop" => {
                self.has_stopped = true;
                out.set_last();
            }
            "ping" => {}
            _ if reports_error(unknown, false, false, data, out) => {
                return Err(failure::reported(data, data));
            }
            _ => out.skip(1),
        }
        Ok(())
    }

    fn marker(&mut self, _: &mut Output) {
        // `[DONE]` comes from a proxy for OpenAI's protocol. This dialect ends with `message_stop`.
    }

    fn whole(&mut self, body: &str, out: &mut Output) -> Result<(), Error> {
        let mut message = Object::<Message<'_>>::default();
        parse_into(DIALECT, body, &mut message)?;
        let Object { known, unknown } = &message;
        let has_content = known.content.is_some();
        if known.error.is_some_and(failure::is_error)
            || known.kind.0 == "error"
            || reports_error(unknown, has_content, true, body, out)
        {
            return Err(failure::reported(body, body));
        }
        if !has_content {
            let why = "the answer has no content";
            return Err(failure::not_understood(why, body.as_bytes()));
        }
        self.take_message(&mut message, out)?;
        self.has_stopped = true;
        self.end(out)
    }

    fn end(&mut self, out: &mut Output) -> Result<(), Error> {
        if !self.has_stopped && self.stop_reason.is_none() {
            // Everything that arrived of the open blocks is handed over before the error.
            self.end_all(true, out);
            self.usage.end(out);
            return Err(failure::truncated());
        }
        let raw = self.stop_reason.take().unwrap_or_default();
        let reason = match raw.as_str() {
            "end_turn" | "stop_sequence" | "" => FinishReason::Stop,
            "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
            "tool_use" => FinishReason::ToolCalls,
            "refusal" => FinishReason::Refusal,
            "pause_turn" => FinishReason::Pause,
            other => FinishReason::Other(other.to_owned()),
        };
        let is_cut = reason == FinishReason::Length;
        self.end_all(is_cut, out);
        self.usage.end(out);
        if self.is_nameless && !is_cut {
            return Err(failure::nameless_call());
        }
        out.finish(reason, raw);
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.stop_reason.is_some()
    }
}

impl Events {
    fn start_message(
        &mut self,
        message: &mut Object<'_, Message<'_>>,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Some(begun) = &self.message else {
            return self.take_message(message, out);
        };
        let id = &message.known.id.0.text;
        if id.is_empty() || begun.is_empty() || id == begun {
            // The server repeats itself.
            self.take_usage(message.known.usage, out);
            return Ok(());
        }
        if self.stop_reason.is_some() {
            // The first message is complete.
            out.set_last();
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Protocol,
            "a second message began within the answer, before the first one had ended",
        ))
    }

    /// Reads a whole message, or the head of one.
    fn take_message(
        &mut self,
        message: &mut Object<'_, Message<'_>>,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Object { known, unknown } = message;
        let (id, model) = (known.id.take(), known.model.take());
        self.message = Some(id.clone().unwrap_or_default());
        out.push(ChatEvent::Start { id, model });
        if let Some(content) = known.content {
            self.take_content(content, out)?;
        }
        push_extra(unknown, out);
        self.stop(known.stop_reason.take_reason());
        self.take_usage(known.usage, out);
        Ok(())
    }

    /// Reads the blocks of a message. A string is a block of text.
    fn take_content(&mut self, content: Raw<'_>, out: &mut Output) -> Result<(), Error> {
        if !content.starts_with('[') {
            return self.take_block(content, out);
        }
        // The reader has skipped over `content` once, so that it is valid JSON.
        let mut reader = Reader::new(content);
        let Ok(mut items) = reader.array() else {
            return Ok(());
        };
        let mut count = 0;
        while reader.item(&mut items).is_ok_and(|is_there| is_there) {
            let Ok(block) = reader.raw() else { break };
            if count == MAX_ITEMS {
                return Err(too_many("blocks of content"));
            }
            count += 1;
            self.take_block(block, out)?;
        }
        Ok(())
    }

    fn take_block(&mut self, block: Raw<'_>, out: &mut Output) -> Result<(), Error> {
        if block.starts_with('"') {
            out.say(Prose::Text, piece_of(block));
            out.push(ChatEvent::PartEnd);
            return Ok(());
        }
        self.start_block(0, block, out)?;
        self.end_block(0, out);
        Ok(())
    }

    fn start_block(&mut self, index: u64, raw: Raw<'_>, out: &mut Output) -> Result<(), Error> {
        if !raw.starts_with('{') {
            return Ok(());
        }
        self.end_block(index, out);
        if self.growing.take().is_some() {
            out.push(ChatEvent::PartEnd);
        }
        let open = Open::begin(raw, &mut self.calls, out)?;
        if open.grows() {
            self.growing = Some(index);
        }
        self.is_nameless |= open.is_nameless();
        self.open.insert(index, open);
        Ok(())
    }

    fn take_delta(&mut self, index: u64, delta: &mut Object<'_, Delta<'_>>, out: &mut Output) {
        let known = &mut delta.known;
        let kind = take(&mut known.kind.0);
        // Some servers count the deltas instead of the blocks. A delta for an unknown block
        // continues the block that grows.
        let grows = match self.open.contains_key(&index) {
            true => Some(index),
            false => self.growing,
        };
        let mut block = grows.and_then(|index| self.open.get_mut(&index));
        match &*kind {
            "text_delta" => Open::say(block, Prose::Text, take(&mut known.text.0), out),
            "thinking_delta" => {
                Open::say(block, Prose::Reasoning, take(&mut known.thinking.0), out);
            }
            "signature_delta" => {
                if let Some(signature) = known.signature.take() {
                    Open::sign(block, signature, out);
                }
            }
            "citations_delta" => {
                if let Some(citation) = known.citation {
                    Open::cite(block, citation, out);
                }
            }
            "input_json_delta" => {
                let Some(piece) = known.partial_json.map(piece_of) else {
                    return;
                };
                if !piece.is_empty() && !block.is_some_and(|block| block.take_input(piece, out)) {
                    out.skip(1);
                }
            }
            _ => {
                let taken = block
                    .as_mut()
                    .is_some_and(|block| block.take_unknown(delta, out));
                if !taken {
                    out.skip(1);
                }
            }
        }
    }

    fn end_block(&mut self, index: u64, out: &mut Output) {
        let Some(block) = self.open.remove(&index) else {
            return;
        };
        block.end(false, out);
        if self.growing == Some(index) {
            self.growing = None;
            out.push(ChatEvent::PartEnd);
        }
    }

    /// Ends the blocks that the server did not end.
    fn end_all(&mut self, is_cut: bool, out: &mut Output) {
        for (_, block) in take(&mut self.open) {
            block.end(is_cut, out);
        }
        if self.growing.take().is_some() {
            out.push(ChatEvent::PartEnd);
        }
    }

    fn stop(&mut self, reason: Option<String>) {
        if reason.is_some() {
            self.stop_reason = reason;
        }
    }

    fn take_usage(&mut self, raw: Option<Raw<'_>>, out: &mut Output) {
        if let Some(raw) = raw {
            self.usage.push(raw, out);
        }
    }
}

/// Whether the unknown fields are an error of a gateway. Beside an answer, only `base_resp` can
/// report an error. If `is_whole`, nothing follows, and any message counts as an error.
fn reports_error(
    unknown: &Unknown<'_>,
    has_answer: bool,
    is_whole: bool,
    data: &str,
    out: &mut Output,
) -> bool {
    let resp = unknown.iter().find(|(name, _)| name == "base_resp");
    if let Some((_, raw)) = resp {
        return failure::is_base_resp_error(&out.value(raw));
    }
    let mut names = unknown.iter().map(|(name, _)| name);
    !has_answer
        && names.any(|name| failure::may_be_envelope(name))
        && failure::is_envelope(&out.value(data), is_whole)
}

fn push_extra(unknown: &mut Unknown<'_>, out: &mut Output) {
    if !unknown.is_empty() {
        let extra = to_extra(take(unknown), out);
        out.push(ChatEvent::Extra(extra));
    }
}
