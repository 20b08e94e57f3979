//! Events of Anthropic's → chatcore's.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::wire::{Block, Delta, Payload};
use crate::chat::{ChatEvent, Extra, FinishReason, Part, Reasoning, Usage};
use crate::dialect::answer::{Assemble, Out};
use crate::dialect::failure;
use crate::dialect::object::{Object, Text, Unknown, parse, to_extra, to_value};
use crate::error::{Error, ErrorKind};

const DIALECT: &str = "anthropic";

/// The state of reading one answer.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The blocks that have begun and not ended; some servers end them all at the end.
    open: Vec<(u64, Open)>,
    /// How many tool calls have begun.
    calls: usize,
    /// Whether a part has begun before.
    has_parts: bool,
    stop_reason: Option<String>,
    usage: Map<String, Value>,
}

/// A block that has begun.
#[derive(Debug)]
enum Open {
    Call(usize),
    /// Text or reasoning, which needs nothing more at its end.
    Prose,
    /// A block without a name of ours, and the input that came for it in pieces.
    Other {
        value: Value,
        input: String,
    },
}

impl Assemble for Events {
    fn event(&mut self, _: &[u8], data: &str, out: &mut Out) -> Result<(), Error> {
        let event: Object<'_, Payload<'_>> = parse(DIALECT, data)?;
        let Object { known, unknown } = event;
        if known.error.is_some() {
            return Err(failure::in_stream(&to_value(data), data));
        }
        match known.kind.as_ref().map_or("", |kind| &*kind.0) {
            "message_start" => {
                if let Some(message) = known.message {
                    self.take_message(*message, out)?;
                }
            }
            "content_block_start" => {
                if let Some(block) = known.content_block {
                    self.start_block(known.index.unwrap_or(0), block, out)?;
                }
            }
            "content_block_delta" => {
                if let Some(delta) = known.delta {
                    self.take_delta(known.index.unwrap_or(0), delta, out);
                }
            }
            "content_block_stop" => {
                let index = known.index.unwrap_or(0);
                if let Some(at) = self.open.iter().position(|(open, _)| *open == index) {
                    let (_, block) = self.open.remove(at);
                    end_block(block, out);
                }
            }
            "message_delta" => {
                if let Some(delta) = known.delta {
                    self.stop(delta.known.stop_reason);
                    push_extra(delta.unknown, out);
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
        let message: Object<'_, Payload<'_>> = parse(DIALECT, body)?;
        if message.known.error.is_some() {
            return Err(failure::in_stream(&to_value(body), body));
        }
        if message.known.content.is_none() {
            return Err(failure::not_understood(
                "the answer has no content",
                body.as_bytes(),
            ));
        }
        self.take_message(message, out)?;
        self.finish(out);
        Ok(())
    }

    fn end(&mut self, _: &mut Out) -> Result<(), Error> {
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
        message: Object<'_, Payload<'_>>,
        out: &mut Out,
    ) -> Result<(), Error> {
        let Object { known, unknown } = message;
        out.push(ChatEvent::Start {
            id: owned(known.id),
            model: owned(known.model),
        });
        for block in known.content.into_iter().flatten() {
            self.start_block(0, block, out)?;
            if let Some((_, block)) = self.open.pop() {
                end_block(block, out);
            }
        }
        push_extra(unknown, out);
        self.stop(known.stop_reason);
        self.take_usage(known.usage, out);
        Ok(())
    }

    fn start_block(&mut self, index: u64, raw: &RawValue, out: &mut Out) -> Result<(), Error> {
        let block: Object<'_, Block<'_>> = parse(DIALECT, raw.get())?;
        let Object { known, unknown } = block;
        if std::mem::replace(&mut self.has_parts, true) {
            out.push(ChatEvent::PartEnd);
        }
        let open = match known.kind.as_ref().map_or("", |kind| &*kind.0) {
            "text" => {
                push_text(known.text, ChatEvent::Text, out);
                // Citations, or nothing: they belong to the text that came just now.
                let extra = to_extra(unknown);
                let extra: Extra = extra
                    .into_iter()
                    .filter(|(_, value)| !is_void(value))
                    .collect();
                if !extra.is_empty() {
                    out.push(ChatEvent::PartExtra(extra));
                }
                Open::Prose
            }
            "thinking" => {
                push_text(known.thinking, ChatEvent::Reasoning, out);
                push_text(known.signature, ChatEvent::ReasoningSignature, out);
                Open::Prose
            }
            "redacted_thinking" => {
                let data = owned(known.data).unwrap_or_default();
                out.push(ChatEvent::Part(Part::Reasoning(Reasoning::encrypted(data))));
                Open::Prose
            }
            "tool_use" => {
                let at = self.calls;
                self.calls += 1;
                out.push(ChatEvent::ToolCallStart {
                    index: at,
                    id: owned(known.id).unwrap_or_default(),
                    name: owned(known.name).unwrap_or_default(),
                });
                // A stream begins with an empty object and sends the text of the real one.
                let input = known.input.map_or("", RawValue::get);
                if !matches!(input, "" | "null") && !is_void(&to_value(input)) {
                    out.push(ChatEvent::ToolCallArguments {
                        index: at,
                        fragment: input.to_owned(),
                    });
                }
                if !unknown.is_empty() {
                    let extra = to_extra(unknown);
                    out.push(ChatEvent::ToolCallExtra { index: at, extra });
                }
                Open::Call(at)
            }
            _ => Open::Other {
                value: to_value(raw.get()),
                input: String::new(),
            },
        };
        self.open.push((index, open));
        Ok(())
    }

    fn take_delta(&mut self, index: u64, delta: Object<'_, Delta<'_>>, out: &mut Out) {
        let delta = delta.known;
        let kind = delta.kind.as_ref().map_or("", |kind| &*kind.0);
        match kind {
            "text_delta" => push_text(delta.text, ChatEvent::Text, out),
            "thinking_delta" => push_text(delta.thinking, ChatEvent::Reasoning, out),
            "signature_delta" => push_text(delta.signature, ChatEvent::ReasoningSignature, out),
            "citations_delta" => {
                if let Some(citation) = delta.citation {
                    let citation = to_value(citation.get());
                    let list = Value::Array(vec![citation]);
                    let extra = Extra::from_iter([("citations".to_owned(), list)]);
                    out.push(ChatEvent::PartExtra(extra));
                }
            }
            "input_json_delta" => {
                let Some(Text(json)) = delta.partial_json.filter(|json| !json.0.is_empty()) else {
                    return;
                };
                match self.open.iter_mut().find(|(open, _)| *open == index) {
                    Some((_, Open::Call(at))) => out.push(ChatEvent::ToolCallArguments {
                        index: *at,
                        fragment: json.into_owned(),
                    }),
                    Some((_, Open::Other { input, .. })) => input.push_str(&json),
                    _ => out.skipped += 1,
                }
            }
            _ => out.skipped += 1,
        }
    }

    fn stop(&mut self, reason: Option<Text<'_>>) {
        if let Some(reason) = owned(reason) {
            self.stop_reason = Some(reason);
        }
    }

    /// Usage is cumulative, and comes in two pieces: later fields count.
    fn take_usage(&mut self, raw: Option<&RawValue>, out: &mut Out) {
        let Some(Value::Object(usage)) = raw.map(|raw| to_value(raw.get())) else {
            return;
        };
        for (name, value) in usage {
            if !value.is_null() || !self.usage.contains_key(&name) {
                self.usage.insert(name, value);
            }
        }
        let count = |name: &str| self.usage.get(name).and_then(Value::as_u64);
        let read = count("cache_read_input_tokens");
        let written = count("cache_creation_input_tokens");
        let fresh = count("input_tokens").unwrap_or(0);
        out.push(ChatEvent::Usage(Usage {
            input_tokens: fresh
                .saturating_add(read.unwrap_or(0))
                .saturating_add(written.unwrap_or(0)),
            output_tokens: count("output_tokens").unwrap_or(0),
            cache_read_tokens: read,
            cache_write_tokens: written,
            reasoning_tokens: None,
            raw_json: serde_json::to_string(&self.usage).unwrap_or_default(),
        }));
    }

    fn finish(&mut self, out: &mut Out) {
        // A block that was cut short may have got no end.
        for (_, block) in self.open.drain(..) {
            end_block(block, out);
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
        out.push(ChatEvent::Finish { reason, raw });
        out.done = true;
    }
}

fn end_block(block: Open, out: &mut Out) {
    if let Open::Other { mut value, input } = block {
        if let (Value::Object(fields), false) = (&mut value, input.is_empty()) {
            fields.insert("input".to_owned(), to_value(&input));
        }
        out.push(ChatEvent::Part(Part::Other { value }));
    }
}

/// Whether there is nothing in it.
fn is_void(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn owned(text: Option<Text<'_>>) -> Option<String> {
    text.map(|text| text.0.into_owned())
}

fn push_text(text: Option<Text<'_>>, event: fn(String) -> ChatEvent, out: &mut Out) {
    if let Some(text) = owned(text).filter(|text| !text.is_empty()) {
        out.push(event(text));
    }
}

fn push_extra(unknown: Unknown<'_>, out: &mut Out) {
    if !unknown.is_empty() {
        out.push(ChatEvent::Extra(to_extra(unknown)));
    }
}
