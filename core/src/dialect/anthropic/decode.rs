//! Events of Anthropic's → chatcore's.

use std::mem::take;

use serde_json::{Map, Value};

use super::block::Open;
use super::wire::{Block, Delta, Payload};
use crate::chat::{ChatEvent, FinishReason, Part, Reasoning, Usage};
use crate::dialect::kit::decoder::{Assemble, Out};
use crate::dialect::kit::failure;
use crate::dialect::kit::read::{
    Object, Raw, Text, Unknown, extra_of, parse, text_of, to_extra, to_value,
};
use crate::error::{Error, ErrorKind};
use crate::json::Writer;

const DIALECT: &str = "anthropic";

/// The state of reading one answer.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The blocks that have begun and not ended; some servers end them all at the end.
    open: Vec<(u64, Open)>,
    /// Which of them is the part that grows.
    growing: Option<u64>,
    /// How many tool calls have begun.
    calls: usize,
    stop_reason: Option<String>,
    usage: Map<String, Value>,
}

impl Assemble for Events {
    fn event(&mut self, _: &[u8], data: &str, out: &mut Out) -> Result<(), Error> {
        let mut event: Object<'_, Payload<'_>> = parse(DIALECT, data)?;
        let Object { known, unknown } = &mut event;
        let kind = take(&mut known.kind.0);
        if known.error.is_some() || kind == "error" {
            return Err(reported(data, unknown));
        }
        let index = known.index.0.unwrap_or(0);
        match &*kind {
            "message_start" => {
                if let Some(message) = &mut known.message {
                    self.take_message(message, out)?;
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
                    self.stop(&mut delta.known.stop_reason);
                    push_extra(&mut delta.unknown, out);
                }
                push_extra(unknown, out);
                self.take_usage(known.usage, out);
            }
            "message_stop" => self.finish(out),
            "ping" => {}
            _ => out.skipped += 1,
        }
        Ok(())
    }

    fn whole(&mut self, body: &str, out: &mut Out) -> Result<(), Error> {
        let mut message: Object<'_, Payload<'_>> = parse(DIALECT, body)?;
        if message.known.error.is_some() || message.known.kind.0 == "error" {
            return Err(reported(body, &message.unknown));
        }
        if message.known.content.is_none() {
            return Err(failure::not_understood(
                "the answer has no content",
                body.as_bytes(),
            ));
        }
        self.take_message(&mut message, out)?;
        self.finish(out);
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Error> {
        // What came of the open blocks is handed over before the error.
        self.end_all(true, out);
        if !out.events.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Truncated,
            "the stream ended before its event message_stop",
        ))
    }
}

impl Events {
    /// A whole message, or the head of one.
    fn take_message(
        &mut self,
        message: &mut Object<'_, Payload<'_>>,
        out: &mut Out,
    ) -> Result<(), Error> {
        let Object { known, unknown } = message;
        out.push(ChatEvent::Start {
            id: owned(&mut known.id),
            model: owned(&mut known.model),
        });
        for block in known.content.iter().flatten() {
            self.start_block(0, block, out)?;
            self.end_block(0, out);
        }
        push_extra(unknown, out);
        self.stop(&mut known.stop_reason);
        self.take_usage(known.usage, out);
        Ok(())
    }

    fn block(&mut self, index: u64) -> Option<&mut Open> {
        let block = self.open.iter_mut().find(|(open, _)| *open == index);
        block.map(|(_, block)| block)
    }

    fn start_block(&mut self, index: u64, raw: Raw<'_>, out: &mut Out) -> Result<(), Error> {
        let mut block: Object<'_, Block<'_>> = parse(DIALECT, raw)?;
        let Object { known, unknown } = &mut block;
        self.end_block(index, out);
        if self.growing.take().is_some() {
            out.push(ChatEvent::PartEnd);
        }
        let open = match &*take(&mut known.kind.0) {
            kind @ ("text" | "thinking") => {
                let mut open = Open::prose(kind == "text");
                self.growing = Some(index);
                // An empty list of citations is no more than the place for them.
                unknown.retain(|(_, raw)| !is_empty_list(raw));
                open.take_extra(to_extra(take(unknown)), out);
                push_text(&mut known.text, ChatEvent::Text, Some(&mut open), out);
                push_text(
                    &mut known.thinking,
                    ChatEvent::Reasoning,
                    Some(&mut open),
                    out,
                );
                let signature = &mut known.signature;
                push_text(
                    signature,
                    ChatEvent::ReasoningSignature,
                    Some(&mut open),
                    out,
                );
                open
            }
            "redacted_thinking" => {
                let mut reasoning =
                    Reasoning::encrypted(owned(&mut known.data).unwrap_or_default());
                reasoning.extra = to_extra(take(unknown));
                out.push(ChatEvent::Part(Part::Reasoning(reasoning)));
                Open::Complete
            }
            "tool_use" => {
                let at = self.calls;
                self.calls += 1;
                self.growing = Some(index);
                out.push(ChatEvent::ToolCallStart {
                    index: at,
                    id: owned(&mut known.id).unwrap_or_default(),
                    name: owned(&mut known.name).unwrap_or_default(),
                });
                if !unknown.is_empty() {
                    let extra = to_extra(take(unknown));
                    out.push(ChatEvent::ToolCallExtra { index: at, extra });
                }
                // It is an object; servers with other models behind them were seen to send the text
                // of one.
                Open::Call {
                    at,
                    input: known.input.map_or("{}".into(), text_of).into_owned(),
                    in_pieces: false,
                }
            }
            _ => Open::Other {
                value: to_value(raw),
                input: String::new(),
            },
        };
        self.open.push((index, open));
        Ok(())
    }

    fn take_delta(&mut self, index: u64, delta: &mut Object<'_, Delta<'_>>, out: &mut Out) {
        let mut block = self.block(index);
        let known = &mut delta.known;
        match &*take(&mut known.kind.0) {
            "text_delta" => push_text(&mut known.text, ChatEvent::Text, block, out),
            "thinking_delta" => push_text(&mut known.thinking, ChatEvent::Reasoning, block, out),
            "signature_delta" => {
                let signature = &mut known.signature;
                push_text(signature, ChatEvent::ReasoningSignature, block, out);
            }
            "citations_delta" => {
                let Some(citation) = known.citation else {
                    return;
                };
                let list = Value::Array(vec![to_value(citation)]);
                let extra = extra_of("citations", list);
                match block {
                    Some(block) => block.take_extra(extra, out),
                    None => out.push(ChatEvent::PartExtra(extra)),
                }
            }
            "input_json_delta" => {
                let Some(Text(json)) = known
                    .partial_json
                    .as_ref()
                    .filter(|json| !json.0.is_empty())
                else {
                    return;
                };
                if !block.is_some_and(|block| block.take_input(json, out)) {
                    out.skipped += 1;
                }
            }
            _ => {
                if !block
                    .as_mut()
                    .is_some_and(|block| block.take_unknown(delta))
                {
                    out.skipped += 1;
                }
            }
        }
    }

    fn end_block(&mut self, index: u64, out: &mut Out) {
        let Some(at) = self.open.iter().position(|(open, _)| *open == index) else {
            return;
        };
        let (_, block) = self.open.remove(at);
        block.end(false, out);
        if self.growing == Some(index) {
            self.growing = None;
            out.push(ChatEvent::PartEnd);
        }
    }

    /// Ends the blocks that got no end of their own.
    fn end_all(&mut self, is_cut: bool, out: &mut Out) {
        for (_, block) in self.open.drain(..) {
            block.end(is_cut, out);
        }
        if self.growing.take().is_some() {
            out.push(ChatEvent::PartEnd);
        }
    }

    fn stop(&mut self, reason: &mut Option<Text<'_>>) {
        if let Some(reason) = owned(reason) {
            self.stop_reason = Some(reason);
        }
    }

    /// Usage is cumulative, and comes in two pieces: later fields count.
    fn take_usage(&mut self, raw: Option<Raw<'_>>, out: &mut Out) {
        let Some(Value::Object(usage)) = raw.map(to_value) else {
            return;
        };
        for (name, value) in usage {
            if !value.is_null() || !self.usage.contains_key(&name) {
                self.usage.insert(name, value);
            }
        }
        let count = |name: &str| self.usage.get(name).and_then(Value::as_u64);
        let read = count("cache_read_input_tokens");
        let cached = count("cache_creation_input_tokens");
        let fresh = count("input_tokens").unwrap_or(0);
        let details = self.usage.get("output_tokens_details");
        let mut written = Writer::default();
        written.members(&self.usage);
        out.push(ChatEvent::Usage(Usage {
            input_tokens: fresh
                .saturating_add(read.unwrap_or(0))
                .saturating_add(cached.unwrap_or(0)),
            output_tokens: count("output_tokens").unwrap_or(0),
            cache_read_tokens: read,
            cache_write_tokens: cached,
            reasoning_tokens: details
                .and_then(|details| details.get("thinking_tokens"))
                .and_then(Value::as_u64),
            raw_json: written.into_text(),
        }));
    }

    fn finish(&mut self, out: &mut Out) {
        let raw = self.stop_reason.take().unwrap_or_default();
        let reason = match raw.as_str() {
            "end_turn" | "stop_sequence" | "" => FinishReason::Stop,
            "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
            "tool_use" => FinishReason::ToolCalls,
            "refusal" => FinishReason::Refusal,
            "pause_turn" => FinishReason::Pause,
            other => FinishReason::Other(other.to_owned()),
        };
        self.end_all(reason == FinishReason::Length, out);
        out.push(ChatEvent::Finish { reason, raw });
        out.done = true;
    }
}

/// The error that the provider reports in its answer. It names the request beside it.
fn reported(body: &str, unknown: &Unknown<'_>) -> Error {
    let id = unknown.iter().find(|(name, _)| name == "request_id");
    let id = id.map(|(_, id)| text_of(id).into_owned());
    failure::in_stream(&to_value(body), body).with_request_id(id)
}

fn is_empty_list(raw: Raw<'_>) -> bool {
    let inside = raw.strip_prefix('[');
    inside.is_some_and(|inside| inside.trim_ascii_start() == "]")
}

fn owned(text: &mut Option<Text<'_>>) -> Option<String> {
    text.take().map(|text| text.0.into_owned())
}

fn push_text(
    text: &mut Option<Text<'_>>,
    event: fn(String) -> ChatEvent,
    block: Option<&mut Open>,
    out: &mut Out,
) {
    let Some(text) = owned(text).filter(|text| !text.is_empty()) else {
        return;
    };
    match block {
        Some(block) => block.take_prose(event(text), out),
        None => out.push(event(text)),
    }
}

fn push_extra(unknown: &mut Unknown<'_>, out: &mut Out) {
    if !unknown.is_empty() {
        out.push(ChatEvent::Extra(to_extra(take(unknown))));
    }
}
