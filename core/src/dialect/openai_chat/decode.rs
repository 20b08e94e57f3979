//! Turns chunks into events.

use super::DIALECT;
use super::calls::{Among, Calls};
use super::details::Details;
use super::media::{self, Sound};
use super::wire::{self, Chunk, Content, Delta, Said};
use crate::chat::{ChatEvent, FinishReason, Part};
use crate::dialect::kit::decoder::{Assemble, Output, Prose};
use crate::dialect::kit::failure;
use crate::dialect::kit::kept::Kept;
use crate::dialect::kit::provenance::as_own;
use crate::dialect::kit::read::{
    Count, Fields, Object, Raw, Read, extra_of, parse_event_into, parse_into, push_extra, read,
    too_many,
};
use crate::error::Error;

/// A field of a message that must be sent back with it, because it holds Gemini's thought
/// signatures.
const GOES_BACK: &str = "extra_content";

/// The state of reading one answer.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    started: bool,
    has_choices: bool,
    calls: Calls,
    details: Details,
    audio: Sound,
    extra: Kept,
    finish: Option<String>,
}

impl Assemble for Chunks {
    fn name(&self) -> &'static str {
        DIALECT
    }

    fn knows(&self, name: &[u8]) -> bool {
        matches!(name, b"" | b"message")
    }

    fn event(&mut self, _: &[u8], data: &str, out: &mut Output) -> Result<(), Error> {
        let had_finish = self.finish.is_some();
        let mut chunk = Object::<Chunk<'_>>::default();
        let data = parse_event_into(DIALECT, data, &mut chunk, out)?;
        let Chunk { choices, usage, .. } = &chunk.known;
        let is_last = had_finish && usage.is_some() && choices.first.is_none();
        self.take_chunk(&mut chunk, false, data, out)?;
        // A chunk with only the usage comes last. Some servers send no `[DONE]` after it, or keep
        // the connection open.
        if is_last {
            out.set_last();
        }
        Ok(())
    }

    fn marker(&mut self, out: &mut Output) {
        // The stream has ended, although some servers give no reason.
        if self.has_choices {
            self.finish.get_or_insert_default();
        }
        out.set_last();
    }

    fn whole(&mut self, body: &str, out: &mut Output) -> Result<(), Error> {
        let mut chunk = Object::<Chunk<'_>>::default();
        parse_into(DIALECT, body, &mut chunk)?;
        self.take_chunk(&mut chunk, true, body, out)?;
        if !self.has_choices {
            let why = "the answer has no choices";
            return Err(failure::not_understood(why, body.as_bytes()));
        }
        self.finish.get_or_insert_default();
        self.end(out)
    }

    fn end(&mut self, out: &mut Output) -> Result<(), Error> {
        let Some(raw) = self.finish.take() else {
            return Err(failure::truncated());
        };
        let mut reason = reason_of(&raw);
        self.calls.end(&reason, out)?;
        if reason == FinishReason::Stop && !self.calls.are_none() {
            // Some servers report `stop` even if there are tool calls.
            reason = FinishReason::ToolCalls;
        }
        if let Some(details) = self.details.take() {
            let extra = extra_of("reasoning_details", details);
            out.push(ChatEvent::MessageExtra(as_own(DIALECT, extra)));
        }
        self.audio.end(out);
        self.extra.end(out);
        out.finish(reason, raw);
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.finish.is_some()
    }
}

impl Chunks {
    fn take_chunk(
        &mut self,
        chunk: &mut Object<'_, Chunk<'_>>,
        is_whole: bool,
        data: &str,
        out: &mut Output,
    ) -> Result<(), Error> {
        if reports_error(chunk, is_whole, out, data) {
            return Err(failure::reported(data, data));
        }
        let Object { known, unknown } = chunk;
        let mut usage = known.usage.take();
        for (name, value) in unknown {
            if name != "x_groq" {
                self.extra.keep(name, value, out);
                continue;
            }
            if let Some(error) = member(value, "error").filter(|error| failure::is_error(error)) {
                return Err(failure::reported(error, data));
            }
            usage = usage.or_else(|| read(member(value, "usage")?).ok());
        }
        if !self.started {
            let (id, model) = (known.id.take(), known.model.take());
            self.started = id.is_some() || model.is_some();
            if self.started {
                out.push(ChatEvent::Start { id, model });
            }
        }
        out.skip(known.choices.others);
        if let Some(choice) = &mut known.choices.first {
            self.has_choices = true;
            self.take_choice(choice, is_whole, data, out)?;
        }
        if let Some(usage) = usage {
            out.push(ChatEvent::Usage(usage.usage()));
        }
        Ok(())
    }

    fn take_choice(
        &mut self,
        choice: &mut Object<'_, wire::Choice<'_>>,
        is_whole: bool,
        data: &str,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Object { known, unknown } = choice;
        let (delta, message) = (&mut known.delta, &mut known.message);
        let said = match is_whole {
            true => message.as_mut().or(delta.as_mut()),
            false => delta.as_mut().or(message.as_mut()),
        };
        if let Some(said) = said {
            self.take_delta(said, is_whole, out)?;
        }
        if let Some(logprobs) = known.logprobs {
            // Each chunk has the log probabilities of its own tokens.
            let extra = extra_of("logprobs", out.value(logprobs));
            out.push(ChatEvent::Extra(extra));
        }
        if let Some(error) = known.error.filter(|error| failure::is_error(error)) {
            return Err(failure::reported(error, data));
        }
        for (name, value) in unknown {
            self.extra.keep(name, value, out);
        }
        match known.finish_reason.take_reason() {
            Some(reason) if reason == "error" => Err(failure::reported("", data)),
            Some(reason) => {
                self.finish = Some(reason);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn take_delta(
        &mut self,
        delta: &mut Object<'_, Delta<'_>>,
        is_whole: bool,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Object { known, unknown } = delta;
        // Some servers send the reasoning under both names.
        let reasoning = match known.reasoning_content.is_empty() {
            true => &mut known.reasoning,
            false => &mut known.reasoning_content,
        };
        say(reasoning, Prose::Reasoning, out)?;
        say(&mut known.content, Prose::Text, out)?;
        out.say(Prose::Refusal, std::mem::take(&mut known.refusal.0));
        if let Some(details) = known.reasoning_details {
            self.details.push(details, !is_whole, out);
        }
        if let Some(images) = known.images {
            media::images(images, out);
        }
        if let Some(audio) = known.audio {
            self.audio.take(audio, out);
        }
        if let Some(calls) = &mut known.tool_calls {
            calls.check("tool calls")?;
            let among = match (is_whole, calls.items.len()) {
                (true, _) => Among::Whole,
                (false, 1) => Among::Alone,
                (false, _) => Among::Several,
            };
            for (position, call) in calls.items.iter_mut().enumerate() {
                self.calls.take(position, among, call, out)?;
            }
        }
        if known.function_call.is_some() {
            let mut call: Object<'_, wire::Call<'_>> = Object::default();
            call.known.index = Count(Some(0));
            call.known.function = known.function_call.take();
            self.calls.take(0, Among::Alone, &mut call, out)?;
        }
        if !unknown.is_empty() {
            let unknown = std::mem::take(unknown).into_iter();
            let (back, rest) = unknown.partition(|(name, _)| name == GOES_BACK);
            let message_extra = |extra| ChatEvent::MessageExtra(as_own(DIALECT, extra));
            push_extra(back, message_extra, out);
            push_extra(rest, ChatEvent::Extra, out);
        }
        Ok(())
    }
}

/// Why the model stopped. Some servers write the word in another case.
fn reason_of(raw: &str) -> FinishReason {
    let is = |words: &[&str]| words.iter().any(|word| raw.eq_ignore_ascii_case(word));
    if is(&["stop", "stop_sequence", "end_turn", "eos", ""]) {
        FinishReason::Stop
    } else if is(&["length", "max_tokens", "model_length"]) {
        FinishReason::Length
    } else if is(&["tool_calls", "tool_use", "function_call"]) {
        FinishReason::ToolCalls
    } else if is(&["content_filter", "safety", "sensitive"]) {
        FinishReason::ContentFilter
    } else {
        FinishReason::Other(raw.to_owned())
    }
}

/// Whether the server reports an error, instead of an answer or beside it.
fn reports_error(
    chunk: &Object<'_, Chunk<'_>>,
    is_whole: bool,
    out: &mut Output,
    data: &str,
) -> bool {
    let Object { known, unknown } = chunk;
    // vLLM's errors have the `object` `error`.
    if known.error.is_some_and(failure::is_error) || known.object.0 == "error" {
        return true;
    }
    if known.choices.first.is_some() || known.usage.is_some() {
        let resp = unknown.iter().find(|(name, _)| name == "base_resp");
        return resp.is_some_and(|(_, raw)| failure::is_base_resp_error(&out.value(raw)));
    }
    let may_be = unknown
        .iter()
        .any(|(name, _)| failure::may_be_envelope(name));
    may_be && failure::is_envelope(&out.value(data), is_whole)
}

fn say(content: &mut Content<'_>, prose: Prose, out: &mut Output) -> Result<(), Error> {
    match std::mem::take(content) {
        Content::None => {}
        Content::Text(text) => {
            out.say(prose, text);
        }
        Content::Parts(parts) => {
            if parts.is_over {
                return Err(too_many("parts of content"));
            }
            for said in parts.said {
                match said {
                    Said::Text(text) => {
                        out.say(prose, text);
                    }
                    Said::Thinking(text) => {
                        out.say(Prose::Reasoning, text);
                    }
                    Said::Other(raw) => {
                        let value = out.value(raw);
                        let dialect = Some(DIALECT.to_owned());
                        out.push(ChatEvent::part(Part::Other { dialect, value }));
                    }
                }
            }
        }
    }
    Ok(())
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
