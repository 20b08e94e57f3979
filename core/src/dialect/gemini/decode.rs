//! Turns chunks into events.

use super::NAME;
use super::calls::Calls;
use super::usage::usage;
use super::wire::{Blob, Candidate, Chunk, Feedback, Part as WirePart};
use crate::chat::{
    Audio, ChatEvent, Extra, File, FinishReason, Image, MediaSource, Part, Reasoning,
};
use crate::dialect::kit::decoder::{Assemble, Output, Prose};
use crate::dialect::kit::failure;
use crate::dialect::kit::kept::Kept;
use crate::dialect::kit::read::{
    List, Object, Raw, Unknown, extra_of, parse, parse_event, to_extra, too_many,
};
use crate::error::Error;

/// The state of reading one answer.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    started: bool,
    /// Whether there was a candidate, or a report that the prompt was blocked.
    has_answer: bool,
    /// Whether more content may follow the last finish reason, because the provider runs a tool of
    /// its own or content has already followed.
    goes_on: bool,
    calls: Calls,
    extra: Kept,
    /// The last usage as raw JSON. Each chunk reports the usage of the answer so far.
    usage: String,
    finish: Option<String>,
    /// Whether the prompt was blocked.
    is_blocked: bool,
}

impl Assemble for Chunks {
    fn name(&self) -> &'static str {
        NAME
    }

    fn knows(&self, name: &[u8]) -> bool {
        matches!(name, b"" | b"message")
    }

    fn event(&mut self, _: &[u8], data: &str, out: &mut Output) -> Result<(), Error> {
        let (chunk, data) = parse_event::<Object<'_, Chunk<'_>>>(NAME, data, out)?;
        self.take_chunk(chunk, false, data, out)
    }

    fn marker(&mut self, out: &mut Output) {
        // `[DONE]` comes from a proxy for OpenAI's protocol.
        if self.has_answer {
            self.finish.get_or_insert_default();
        }
        out.set_last();
    }

    fn whole(&mut self, body: &str, out: &mut Output) -> Result<(), Error> {
        let chunk: Object<'_, Chunk<'_>> = parse(NAME, body)?;
        self.take_chunk(chunk, true, body, out)?;
        if !self.has_answer {
            let why = "the answer has no candidates";
            return Err(failure::not_understood(why, body.as_bytes()));
        }
        self.finish.get_or_insert_default();
        self.end(out)
    }

    fn end(&mut self, out: &mut Output) -> Result<(), Error> {
        self.calls.end(out);
        if !self.usage.is_empty() {
            let raw = std::mem::take(&mut self.usage);
            out.push(ChatEvent::Usage(usage(&raw)));
        }
        let Some(raw) = self.finish.take() else {
            return Err(failure::truncated());
        };
        self.extra.end(out);
        let reason = match &*raw {
            _ if self.is_blocked => FinishReason::ContentFilter,
            // Gemini reports `STOP` even if the model called functions.
            "STOP" | "1" | "" if !self.calls.are_none() => FinishReason::ToolCalls,
            // Another server with this protocol has its own reason for calls.
            "FUNCTION_CALL" => FinishReason::ToolCalls,
            "STOP" | "1" | "" => FinishReason::Stop,
            "MAX_TOKENS" | "2" => FinishReason::Length,
            // The numbers are the same in both of Google's definitions.
            "SAFETY"
            | "3"
            | "RECITATION"
            | "4"
            | "BLOCKLIST"
            | "PROHIBITED_CONTENT"
            | "SPII"
            | "IMAGE_SAFETY"
            | "IMAGE_PROHIBITED_CONTENT"
            | "IMAGE_RECITATION"
            | "MODEL_ARMOR"
            | "JAILBREAK" => FinishReason::ContentFilter,
            _ => FinishReason::Other(raw.clone()),
        };
        out.finish(reason, raw);
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.finish.is_some() && !self.goes_on
    }
}

impl Chunks {
    fn take_chunk(
        &mut self,
        chunk: Object<'_, Chunk<'_>>,
        is_whole: bool,
        data: &str,
        out: &mut Output,
    ) -> Result<(), Error> {
        if reports_error(&chunk, is_whole, data, out) {
            return Err(failure::reported(data, data));
        }
        let Object { mut known, unknown } = chunk;
        if !self.started {
            let (id, model) = (known.id.take(), known.model.take());
            self.started = id.is_some() || model.is_some();
            if self.started {
                out.push(ChatEvent::Start { id, model });
            }
        }
        if let Some(raw) = known.usage {
            raw.clone_into(&mut self.usage);
        }
        if let Some(feedback) = known.prompt_feedback {
            self.take_feedback(feedback, out);
        }
        let candidates = known.candidates.unwrap_or_default();
        if let Some(candidate) = the_first(candidates, out) {
            self.has_answer = true;
            self.take_candidate(candidate, out)?;
        }
        self.keep(&unknown, out);
        Ok(())
    }

    /// Reads what the provider says about the prompt, for example why it was blocked.
    fn take_feedback(&mut self, feedback: Object<'_, Feedback<'_>>, out: &mut Output) {
        let Object { mut known, unknown } = feedback;
        if let Some(reason) = known.block_reason.take() {
            self.has_answer = true;
            self.is_blocked = true;
            self.finish = Some(reason);
        }
        if !unknown.is_empty() {
            let feedback = to_extra(unknown, out);
            let extra = extra_of("promptFeedback", feedback.into());
            out.push(ChatEvent::Extra(extra));
        }
    }

    fn take_candidate(
        &mut self,
        candidate: Object<'_, Candidate<'_>>,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Object { mut known, unknown } = candidate;
        let content = known.content;
        let parts = content.known.parts;
        if parts.is_over {
            return Err(too_many("parts of content"));
        }
        out.skip(u32::try_from(content.unknown.len()).unwrap_or(u32::MAX));
        self.goes_on |= !parts.items.is_empty();
        let mut runs_tool = false;
        for (raw, part) in parts.items {
            runs_tool |= part.unknown.iter().any(|(name, _)| is_of_own_tool(name));
            self.take_part(raw, part, out)?;
        }
        if let Some(logprobs) = known.logprobs {
            // Each chunk has the log probabilities of its own tokens.
            let extra = extra_of("logprobsResult", out.value(logprobs));
            out.push(ChatEvent::Extra(extra));
        }
        self.keep(&unknown, out);
        let finish = known.finish_reason.take();
        if let Some(reason) = finish.filter(|reason| reason != "FINISH_REASON_UNSPECIFIED") {
            self.goes_on = runs_tool;
            self.finish = Some(reason);
        }
        Ok(())
    }

    fn take_part(
        &mut self,
        raw: Raw<'_>,
        part: Object<'_, WirePart<'_>>,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Object { known, unknown } = part;
        let is_thought = known.is_thought();
        if let Some(call) = known.call {
            return self.calls.take(call, unknown, out);
        }
        let prose = match is_thought {
            true => Prose::Reasoning,
            false => Prose::Text,
        };
        match (known.text, known.inline_data) {
            (Some(text), _) if !text.0.is_empty() => {
                if unknown.is_empty() {
                    out.say(prose, text.0);
                    return Ok(());
                }
                // A part with a signature must not be merged with its neighbours.
                out.push(ChatEvent::PartEnd);
                out.say(prose, text.0);
                let own = to_extra(unknown, out);
                out.push(ChatEvent::PartExtra(extra_of(NAME, own.into())));
                out.push(ChatEvent::PartEnd);
            }
            // Media in a thought is not part of the answer.
            (None, Some(blob)) if !is_thought => {
                let extra = own_extra(unknown, false, out);
                out.push(ChatEvent::Part(Box::new(media(blob.known, extra))));
            }
            (text, None) if unknown.iter().all(|(name, _)| name == SIGNATURE) => {
                // A signature of the reasoning, without text.
                if !unknown.is_empty() {
                    let reasoning = Reasoning {
                        extra: own_extra(unknown, is_thought, out),
                        ..Reasoning::default()
                    };
                    out.push(ChatEvent::Part(Box::new(Part::Reasoning(reasoning))));
                } else if text.is_none() {
                    out.skip(1);
                }
            }
            _ => {
                let value = out.value(raw);
                out.push(ChatEvent::Part(Box::new(super::other(value))));
            }
        }
        Ok(())
    }

    fn keep(&mut self, unknown: &Unknown<'_>, out: &mut Output) {
        for (name, value) in unknown {
            self.extra.keep(name, value, out);
        }
    }
}

/// The field that must be sent back with its part.
const SIGNATURE: &str = "thoughtSignature";

/// Whether a part of this kind belongs to a tool that the provider runs. The tool's result follows.
fn is_of_own_tool(name: &str) -> bool {
    matches!(name, "executableCode" | "toolCall")
}

/// An image, audio, or a file of another kind.
fn media(mut blob: Blob<'_>, extra: Extra) -> Part {
    let media_type = std::mem::take(&mut blob.media_type.0).into_owned();
    let kind = media_type.split('/').next().unwrap_or_default().to_owned();
    let mut source =
        |media_type: String| MediaSource::base64(media_type, blob.data.take().unwrap_or_default());
    match &*kind {
        "image" => {
            let mut image = Image::new(source(media_type));
            image.extra = extra;
            Part::Image(image)
        }
        "audio" => {
            let mut audio = Audio::new(source(media_type));
            audio.extra = extra;
            Part::Audio(audio)
        }
        _ => {
            let mut file = File::new(source(media_type));
            file.extra = extra;
            Part::File(file)
        }
    }
}

/// The fields of a part that only this dialect understands.
fn own_extra(unknown: Unknown<'_>, is_thought: bool, out: &mut Output) -> Extra {
    if unknown.is_empty() {
        return Extra::new();
    }
    let mut own = to_extra(unknown, out);
    if is_thought {
        own.insert("thought".to_owned(), true.into());
    }
    extra_of(NAME, own.into())
}

/// The candidate with the index 0 or, if there is none, the first. No request asks for several.
fn the_first<'a>(
    candidates: List<Object<'a, Candidate<'a>>>,
    out: &mut Output,
) -> Option<Object<'a, Candidate<'a>>> {
    let others = candidates.items.len().saturating_sub(1);
    out.skip(u32::try_from(others).unwrap_or(u32::MAX));
    let mut items = candidates.items;
    let place = items.iter().position(|item| item.known.place() == 0);
    match items.is_empty() {
        true => None,
        false => Some(items.swap_remove(place.unwrap_or(0))),
    }
}

/// Whether the server reports an error, instead of an answer or beside it.
fn reports_error(
    chunk: &Object<'_, Chunk<'_>>,
    is_whole: bool,
    data: &str,
    out: &mut Output,
) -> bool {
    let Object { known, unknown } = chunk;
    if known.error.is_some_and(failure::is_error) {
        return true;
    }
    let has_answer =
        known.candidates.is_some() || known.usage.is_some() || known.prompt_feedback.is_some();
    let mut names = unknown.iter().map(|(name, _)| name);
    !has_answer
        && names.any(|name| failure::may_be_envelope(name))
        && failure::is_envelope(&out.value(data), is_whole)
}
