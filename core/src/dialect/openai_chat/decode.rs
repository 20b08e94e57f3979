//! Chunks → events.

use super::details::Details;
use super::wire::{self, Chunk, Content, Delta};
use crate::chat::{ChatEvent, Extra, FinishReason, Part, Usage};
use crate::dialect::kit::decoder::{Assemble, Out};
use crate::dialect::kit::failure;
use crate::dialect::kit::read::{
    Count, Fields, Object, Raw, Read, Unknown, extra_of, parse, read, text_of, to_extra, to_value,
};
use crate::error::{Error, ErrorKind};
use crate::json;

/// A field of a message that must go back with it: Gemini's thought signatures.
const GOES_BACK: &str = "extra_content";

/// The state of reading one answer.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    started: bool,
    has_choices: bool,
    calls: Vec<Call>,
    details: Details,
    /// Fields without a name of ours, as JSON. Many servers repeat them in every chunk, so they
    /// are handed over once, at the end: the last value counts.
    extra: Vec<(String, String)>,
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
    fn event(&mut self, name: &[u8], data: &str, out: &mut Out) -> Result<(), Error> {
        let data = data.trim_ascii();
        if data == "[DONE]" {
            // The server says that this is all, though some forget to say why.
            if self.has_choices {
                self.finish.get_or_insert_default();
            }
            return self.end(out);
        }
        if data.is_empty() {
            return Ok(());
        }
        if name == b"error" {
            return Err(failure::in_stream(&to_value(data), data));
        }
        let had_finish = self.finish.is_some();
        let mut chunk: Object<'_, Chunk<'_>> = parse("openai_chat", data)?;
        let is_last = had_finish && chunk.known.usage.is_some() && is_empty(&chunk.known.choices);
        self.take_chunk(&mut chunk, false, data, out)?;
        // Usage alone comes last; some servers then send no `[DONE]`, or do not hang up.
        if is_last { self.end(out) } else { Ok(()) }
    }

    fn whole(&mut self, body: &str, out: &mut Out) -> Result<(), Error> {
        if body.starts_with('[') {
            return Err(failure::in_stream(&to_value(body), body));
        }
        let mut chunk: Object<'_, Chunk<'_>> = parse("openai_chat", body)?;
        let has_choices = !is_empty(&chunk.known.choices);
        self.take_chunk(&mut chunk, true, body, out)?;
        if !has_choices {
            let why = "the answer has no choices";
            return Err(failure::not_understood(why, body.as_bytes()));
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
        let reason = match raw.to_ascii_lowercase().as_str() {
            // Some servers call it a stop all the same.
            "stop" | "" if !self.calls.is_empty() => FinishReason::ToolCalls,
            "stop" | "stop_sequence" | "end_turn" | "eos" | "" => FinishReason::Stop,
            "length" | "max_tokens" | "model_length" => FinishReason::Length,
            "tool_calls" | "tool_use" | "function_call" => FinishReason::ToolCalls,
            "content_filter" | "safety" | "sensitive" => FinishReason::ContentFilter,
            _ => FinishReason::Other(raw.clone()),
        };
        if let Some(details) = self.details.take() {
            let extra = extra_of("reasoning_details", details);
            out.push(ChatEvent::MessageExtra(extra));
        }
        let mut extra = Extra::new();
        for (name, raw) in self.extra.drain(..) {
            if let Ok(value) = json::parse(&raw) {
                extra.insert(name, value);
            }
        }
        if !extra.is_empty() {
            out.push(ChatEvent::Extra(extra));
        }
        out.push(ChatEvent::Finish { reason, raw });
        out.done = true;
        Ok(())
    }
}

impl Chunks {
    fn take_chunk(
        &mut self,
        chunk: &mut Object<'_, Chunk<'_>>,
        is_whole: bool,
        data: &str,
        out: &mut Out,
    ) -> Result<(), Error> {
        let Object { known, unknown } = chunk;
        // vLLM's errors are what their `object` says.
        if known.error.is_some() || known.object.is("error") {
            return Err(failure::in_stream(&to_value(data), data));
        }
        let mut usage = known.usage;
        for (name, value) in unknown {
            if name != "x_groq" {
                self.keep(name, value);
                continue;
            }
            if member(value, "error").is_some() {
                return Err(failure::in_stream(&to_value(value), data));
            }
            usage = usage.or_else(|| member(value, "usage"));
        }
        self.has_choices |= !is_empty(&known.choices);
        if !self.started {
            let (id, model) = (known.id.take_text(), known.model.take_text());
            self.started = id.is_some() || model.is_some();
            if self.started {
                out.push(ChatEvent::Start { id, model });
            }
        }
        for choice in known.choices.iter_mut().flatten() {
            // One request asks for one answer; others are a server's own idea.
            if choice.known.index.0.unwrap_or(0) != 0 {
                out.skipped += 1;
                continue;
            }
            let (delta, message) = (&mut choice.known.delta, &mut choice.known.message);
            let said = match is_whole {
                true => message.as_mut().or(delta.as_mut()),
                false => delta.as_mut().or(message.as_mut()),
            };
            if let Some(said) = said {
                self.take_delta(said, is_whole, out);
            }
            if let Some(logprobs) = choice.known.logprobs {
                // Each chunk brings those of its own tokens.
                push_extra(vec![("logprobs".into(), logprobs)], ChatEvent::Extra, out);
            }
            for (name, value) in &choice.unknown {
                self.keep(name, value);
            }
            if let Some(reason) = choice.known.finish_reason.take_text() {
                self.finish = Some(reason);
            }
        }
        if let Some(usage) = usage {
            push_usage(usage, out);
        }
        Ok(())
    }

    /// Keeps the last value of a field without a name of ours.
    fn keep(&mut self, name: &str, value: Raw<'_>) {
        match self.extra.iter_mut().find(|(known, _)| known == name) {
            Some((_, last)) if last == value => {}
            Some((_, last)) => value.clone_into(last),
            None => self.extra.push((name.to_owned(), value.to_owned())),
        }
    }

    fn take_delta(&mut self, delta: &mut Object<'_, Delta<'_>>, is_whole: bool, out: &mut Out) {
        let Object { known, unknown } = delta;
        // Some servers send it under both names.
        let reasoning = known.reasoning_content.take_text();
        if let Some(text) = reasoning.or_else(|| known.reasoning.take_text()) {
            out.push(ChatEvent::Reasoning(text));
        }
        push_content(&mut known.content, out, ChatEvent::Text);
        if let Some(text) = known.refusal.take_text() {
            out.push(ChatEvent::Refusal(text));
        }
        if let Some(details) = known.reasoning_details {
            self.details.push(details, !is_whole);
        }
        let calls = known.tool_calls.as_deref_mut().unwrap_or_default();
        let among = match (is_whole, calls.len()) {
            (true, _) => Among::Whole,
            (false, 1) => Among::Alone,
            (false, _) => Among::Several,
        };
        for (position, call) in calls.iter_mut().enumerate() {
            self.take_call(position, among, call, out);
        }
        if known.function_call.is_some() {
            let mut call: Object<'_, wire::Call<'_>> = Object::default();
            call.known.index = Count(Some(0));
            call.known.function = known.function_call.take();
            self.take_call(0, Among::Alone, &mut call, out);
        }
        let unknown = std::mem::take(unknown).into_iter();
        let (back, rest) = unknown.partition(|(name, _)| name == GOES_BACK);
        push_extra(back, ChatEvent::MessageExtra, out);
        push_extra(rest, ChatEvent::Extra, out);
    }

    fn take_call(
        &mut self,
        position: usize,
        among: Among,
        call: &mut Object<'_, wire::Call<'_>>,
        out: &mut Out,
    ) {
        let Object { known, unknown } = call;
        let id = known.id.take_text().unwrap_or_default();
        let function = &mut known.function.get_or_insert_default().known;
        let name = function.name.take_text().unwrap_or_default();
        let index = self.place(position, among, known.index.0, &id, !name.is_empty());
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
                    wire_index: known.index.0,
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
            std::mem::take(unknown),
            |extra| ChatEvent::ToolCallExtra { index, extra },
            out,
        );
    }

    /// Which call a piece belongs to: by index, else by id, else by its place. One past the last
    /// is a new one.
    fn place(
        &self,
        position: usize,
        among: Among,
        index: Option<u64>,
        id: &str,
        has_name: bool,
    ) -> usize {
        let new = self.calls.len();
        let found = match index {
            // Nothing in a whole answer is a piece of something else.
            _ if among == Among::Whole => None,
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
            // A piece that says nothing of itself goes on with the last call.
            None if among == Among::Alone => new.checked_sub(1),
            None => Some(position).filter(|&at| at < new),
        };
        found.unwrap_or(new)
    }
}

/// How a piece of a tool call comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Among {
    /// In a whole answer.
    Whole,
    /// The only one of its chunk.
    Alone,
    /// With others in one chunk.
    Several,
}

fn is_empty<T>(list: &Option<Vec<T>>) -> bool {
    list.as_ref().is_none_or(Vec::is_empty)
}

fn push_content(content: &mut Content<'_>, out: &mut Out, event: fn(String) -> ChatEvent) {
    match content {
        Content::None => {}
        Content::Text(text) if text.is_empty() => {}
        Content::Text(text) => out.push(event(std::mem::take(text).into_owned())),
        Content::Parts(parts) => {
            for Object { known, unknown } in parts {
                let is_other = matches!(
                    (&known.text, &known.thinking),
                    (Content::None, Content::None)
                );
                if is_other && let Some(kind) = known.kind.take_text() {
                    let mut fields = to_extra(std::mem::take(unknown));
                    fields.insert("type".to_owned(), kind.into());
                    let value = fields.into();
                    out.push(ChatEvent::Part(Part::Other { value }));
                    continue;
                }
                push_content(&mut known.thinking, out, ChatEvent::Reasoning);
                push_content(&mut known.text, out, event);
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
fn arguments(raw: Raw<'_>) -> Option<String> {
    Some(text_of(raw).into_owned()).filter(|text| !text.is_empty())
}

fn member<'a>(object: Raw<'a>, name: &str) -> Option<Raw<'a>> {
    #[derive(Default)]
    struct Nothing;

    impl<'a> Fields<'a> for Nothing {
        fn field(&mut self, _: &str) -> Option<&mut dyn Read<'a>> {
            None
        }
    }

    let object: Object<'_, Nothing> = read(object).ok()?;
    let found = object.unknown.iter().rfind(|(known, _)| known == name);
    found.map(|(_, value)| *value)
}

fn push_usage(raw: Raw<'_>, out: &mut Out) {
    // What is no object is kept all the same.
    let wire: Object<'_, wire::Usage<'_>> = read(raw).unwrap_or_default();
    let wire = wire.known;
    let prompt = details(wire.prompt_tokens_details);
    let completion = details(wire.completion_tokens_details);
    let cached = [
        prompt.cached_tokens,
        wire.prompt_cache_hit_tokens,
        wire.cached_tokens,
    ];
    let input_tokens = wire.prompt_tokens.0.unwrap_or(0);
    let mut output_tokens = wire.completion_tokens.0.unwrap_or(0);
    if let (Some(total), Some(reasoning)) = (wire.total_tokens.0, completion.reasoning_tokens.0) {
        // xAI counts reasoning beside the answer and not in it, as its total shows.
        let all = output_tokens.saturating_add(reasoning);
        if total == input_tokens.saturating_add(all) {
            output_tokens = all;
        }
    }
    out.push(ChatEvent::Usage(Usage {
        input_tokens,
        output_tokens,
        cache_read_tokens: cached.iter().find_map(|count| count.0),
        cache_write_tokens: prompt.cache_write_tokens.0,
        reasoning_tokens: completion.reasoning_tokens.0,
        raw_json: raw.to_owned(),
    }));
}

/// An object inside of usage; nothing, where it is none.
fn details(raw: Option<Raw<'_>>) -> wire::Details {
    let object: Option<Object<'_, wire::Details>> = raw.and_then(|raw| read(raw).ok());
    object.unwrap_or_default().known
}
