//! Chunks → events.

use serde_json::value::RawValue;

use super::wire::{self, Chunk, Content, Delta};
use crate::chat::{ChatEvent, Extra, FinishReason, Usage};
use crate::dialect::answer::{Assemble, Out};
use crate::dialect::failure;
use crate::dialect::object::{Object, Unknown, parse, to_extra, to_value};
use crate::error::{Error, ErrorKind};

/// Fields of a message that must go back with it.
const GO_BACK: [&str; 2] = ["extra_content", "reasoning_details"];

/// The state of reading one answer.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    started: bool,
    calls: Vec<Call>,
    finish: Option<String>,
}

/// A tool call that has begun.
#[derive(Debug)]
struct Call {
    wire_index: Option<u64>,
    id: String,
    has_name: bool,
}

impl Assemble for Chunks {
    fn event(&mut self, name: &[u8], data: &[u8], out: &mut Out) -> Result<(), Error> {
        let data = data.trim_ascii();
        if data == b"[DONE]" {
            // The server says that this is all, though some forget to say why.
            self.finish.get_or_insert_default();
            return self.end(out);
        }
        if data.is_empty() {
            return Ok(());
        }
        let had_finish = self.finish.is_some();
        let chunk: Object<'_, Chunk<'_>> = parse("openai_chat", data)?;
        if name == b"error" && chunk.known.error.is_none() {
            return Err(failure::in_stream(&to_value(data), data));
        }
        let is_last = had_finish && chunk.known.usage.is_some() && is_empty(&chunk.known.choices);
        self.take_chunk(chunk, false, data, out)?;
        // Usage alone comes last; some servers then send no `[DONE]`, or do not hang up.
        if is_last { self.end(out) } else { Ok(()) }
    }

    fn whole(&mut self, body: &[u8], out: &mut Out) -> Result<(), Error> {
        if body.first() == Some(&b'[') {
            return Err(failure::in_stream(&to_value(body), body));
        }
        let chunk: Object<'_, Chunk<'_>> = parse("openai_chat", body)?;
        let has_choices = !is_empty(&chunk.known.choices);
        self.take_chunk(chunk, true, body, out)?;
        if !has_choices {
            let why = "the answer has no choices";
            return Err(failure::not_understood(why, body));
        }
        self.finish.get_or_insert_default();
        self.end(out)
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Error> {
        let Some(raw) = self.finish.take() else {
            return Err(Error::new(
                ErrorKind::Truncated,
                "the stream ended before the model said that it was done",
            ));
        };
        let reason = match raw.as_str() {
            // Some servers call it a stop all the same.
            "stop" | "" if !self.calls.is_empty() => FinishReason::ToolCalls,
            "stop" | "stop_sequence" | "eos" | "" => FinishReason::Stop,
            "length" | "max_tokens" | "model_length" => FinishReason::Length,
            "tool_calls" | "function_call" => FinishReason::ToolCalls,
            "content_filter" => FinishReason::ContentFilter,
            other => FinishReason::Other(other.to_owned()),
        };
        out.push(ChatEvent::Finish { reason, raw });
        out.done = true;
        Ok(())
    }
}

impl Chunks {
    fn take_chunk(
        &mut self,
        chunk: Object<'_, Chunk<'_>>,
        is_whole: bool,
        data: &[u8],
        out: &mut Out,
    ) -> Result<(), Error> {
        let Object { known, unknown } = chunk;
        if known.error.is_some() {
            return Err(failure::in_stream(&to_value(data), data));
        }
        if !self.started {
            let (id, model) = (known.id.text(), known.model.text());
            self.started = id.is_some() || model.is_some();
            if self.started {
                out.push(ChatEvent::Start { id, model });
            }
        }
        for choice in known.choices.into_iter().flatten() {
            // One request asks for one answer; others are a server's own idea.
            if choice.known.index.unwrap_or(0) != 0 {
                out.skipped += 1;
                continue;
            }
            let (delta, message) = (choice.known.delta, choice.known.message);
            let said = match is_whole {
                true => message.or(delta),
                false => delta.or(message),
            };
            if let Some(said) = said {
                self.take_delta(said, out);
            }
            push_extra(choice.unknown, ChatEvent::Extra, out);
            if let Some(reason) = choice.known.finish_reason.text() {
                self.finish = Some(reason);
            }
        }
        let mut groq = None;
        let unknown = unknown.into_iter().filter(|(name, value)| {
            if name == "x_groq" {
                groq = Some(*value);
            }
            name != "x_groq"
        });
        push_extra(unknown.collect(), ChatEvent::Extra, out);
        if let Some(usage) = known.usage {
            push_usage(usage, out);
        } else if let Some(usage) = groq.and_then(|groq| member(groq, "usage")) {
            push_usage(usage, out);
        }
        Ok(())
    }

    fn take_delta(&mut self, delta: Object<'_, Delta<'_>>, out: &mut Out) {
        let Object { known, unknown } = delta;
        // Some servers send it under both names.
        let reasoning = known.reasoning_content.text();
        if let Some(text) = reasoning.or_else(|| known.reasoning.text()) {
            out.push(ChatEvent::Reasoning(text));
        }
        push_content(known.content, out, ChatEvent::Text);
        if let Some(text) = known.refusal.text() {
            out.push(ChatEvent::Refusal(text));
        }
        for (position, call) in known.tool_calls.into_iter().flatten().enumerate() {
            self.take_call(position, call, out);
        }
        if let Some(function) = known.function_call {
            let call = wire::Call {
                index: Some(0),
                function: Some(function),
                ..wire::Call::default()
            };
            let unknown = Vec::new();
            self.take_call(
                0,
                Object {
                    known: call,
                    unknown,
                },
                out,
            );
        }
        let (back, rest) = unknown
            .into_iter()
            .partition(|(name, _)| GO_BACK.contains(&&**name));
        push_extra(back, ChatEvent::MessageExtra, out);
        push_extra(rest, ChatEvent::Extra, out);
    }

    fn take_call(&mut self, position: usize, call: Object<'_, wire::Call<'_>>, out: &mut Out) {
        let Object { known, unknown } = call;
        let id = known.id.text().unwrap_or_default();
        let function = known.function.map(|function| function.known);
        let function = function.unwrap_or_default();
        let name = function.name.text().unwrap_or_default();
        let index = self.place(position, known.index, &id, !name.is_empty());
        match self.calls.get_mut(index) {
            Some(call) => {
                // What was missing at first may come later.
                let brings =
                    call.id.is_empty() && !id.is_empty() || !call.has_name && !name.is_empty();
                if brings {
                    call.id.clone_from(&id);
                    call.has_name |= !name.is_empty();
                    out.push(ChatEvent::ToolCallStart { index, id, name });
                }
            }
            None => {
                self.calls.push(Call {
                    wire_index: known.index,
                    id: id.clone(),
                    has_name: !name.is_empty(),
                });
                out.push(ChatEvent::ToolCallStart { index, id, name });
            }
        }
        if let Some(fragment) = function.arguments.and_then(arguments) {
            out.push(ChatEvent::ToolCallArguments { index, fragment });
        }
        push_extra(
            unknown,
            |extra| ChatEvent::ToolCallExtra { index, extra },
            out,
        );
    }

    /// Which call a piece belongs to: by index, else by id, else by its position. One past the
    /// last is a new one.
    fn place(&self, position: usize, index: Option<u64>, id: &str, has_name: bool) -> usize {
        let new = self.calls.len();
        let found = match index {
            Some(index) => self
                .calls
                .iter()
                .rposition(|call| call.wire_index == Some(index))
                // Servers that number every call 0 tell them apart by their ids.
                .filter(|&at| {
                    id.is_empty() || self.calls[at].id.is_empty() || self.calls[at].id == id
                }),
            None if !id.is_empty() => self.calls.iter().position(|call| call.id == id),
            None if has_name => None,
            None => Some(position.min(new.saturating_sub(1))),
        };
        found.unwrap_or(new)
    }
}

fn is_empty<T>(list: &Option<Vec<T>>) -> bool {
    list.as_ref().is_none_or(Vec::is_empty)
}

fn push_content(content: Content<'_>, out: &mut Out, event: fn(String) -> ChatEvent) {
    match content {
        Content::None => {}
        Content::Text(text) if text.is_empty() => {}
        Content::Text(text) => out.push(event(text.into_owned())),
        Content::Parts(parts) => {
            for part in parts {
                push_content(part.known.thinking, out, ChatEvent::Reasoning);
                push_content(part.known.text, out, event);
            }
        }
    }
}

fn push_extra(unknown: Unknown<'_>, event: impl FnOnce(Extra) -> ChatEvent, out: &mut Out) {
    if unknown.is_empty() {
        return;
    }
    out.push(event(to_extra(unknown)));
}

/// The arguments as text: most servers send a string, some an object.
fn arguments(raw: &RawValue) -> Option<String> {
    let raw = raw.get();
    let text = match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).ok()?,
        _ if raw == "null" => return None,
        _ => raw.to_owned(),
    };
    Some(text).filter(|text: &String| !text.is_empty())
}

fn member<'a>(object: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    let members: std::collections::BTreeMap<&str, &RawValue> =
        serde_json::from_str(object.get()).ok()?;
    members.get(name).copied()
}

fn push_usage(raw: &RawValue, out: &mut Out) {
    let Ok(wire) = serde_json::from_str::<wire::Usage>(raw.get()) else {
        // It is kept, though its fields are not what they should be.
        out.push(ChatEvent::Usage(Usage {
            raw_json: raw.get().to_owned(),
            ..Usage::default()
        }));
        return;
    };
    let prompt = wire.prompt_tokens_details.unwrap_or_default();
    let completion = wire.completion_tokens_details.unwrap_or_default();
    out.push(ChatEvent::Usage(Usage {
        input_tokens: wire.prompt_tokens.unwrap_or(0),
        output_tokens: wire.completion_tokens.unwrap_or(0),
        cache_read_tokens: prompt.cached_tokens.or(wire.prompt_cache_hit_tokens),
        cache_write_tokens: prompt.cache_write_tokens,
        reasoning_tokens: completion.reasoning_tokens,
        raw_json: raw.get().to_owned(),
    }));
}
