//! Turns the events of OpenAI's Responses into chatcore's events.

use std::mem::take;

use super::DIALECT;
use super::items::{Items, object};
use super::open::{Kind, Whose};
use super::slot::{List, Place};
use super::usage::usage;
use super::wire::{Event, Response};
use crate::chat::{ChatEvent, FinishReason};
use crate::dialect::kit::decoder::{Assemble, Output, Prose};
use crate::dialect::kit::failure;
use crate::dialect::kit::read::{
    Object, Raw, Unknown, parse, parse_event_into, piece_of, push_extra,
};
use crate::error::{Error, ErrorKind};

/// The state of reading one answer.
#[derive(Debug, Default)]
pub(super) struct Events {
    started: bool,
    items: Items,
    /// Why the answer ended, once the server has said it.
    finish: Option<String>,
}

impl Assemble for Events {
    fn name(&self) -> &'static str {
        DIALECT
    }

    fn knows(&self, name: &[u8]) -> bool {
        matches!(name, b"" | b"message") || name.starts_with(b"response.")
    }

    fn event(&mut self, name: &[u8], data: &str, out: &mut Output) -> Result<(), Error> {
        let mut event = Object::<Event<'_>>::default();
        let parsed = parse_event_into(DIALECT, data, &mut event, out);
        let mut kind = take(&mut event.known.kind.0);
        if kind.is_empty() {
            // The event's name is its type.
            kind = String::from_utf8_lossy(name);
        }
        let data = match parsed {
            Ok(data) => data,
            // The data of these events is cut off, but their type alone is enough.
            Err(error) if error.kind() == ErrorKind::Truncated && is_beginning(&kind) => {
                out.skip(1);
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::Truncated && kind == "response.completed" => {
                self.finish.get_or_insert_default();
                self.items.finish(None, out)?;
                out.set_last();
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        self.take(&kind, &mut event, data, out)
    }

    fn marker(&mut self, out: &mut Output) {
        // The stream has ended, although some servers give no reason.
        if !self.items.are_none() {
            self.finish.get_or_insert_default();
        }
        out.set_last();
    }

    fn whole(&mut self, body: &str, out: &mut Output) -> Result<(), Error> {
        let mut response: Object<'_, Response<'_>> = parse(DIALECT, body)?;
        let Object { known, unknown } = &response;
        let has_output = known.output.is_some();
        if known.kind.0 == "error" || reports_error(unknown, has_output, true, body, out) {
            return Err(failure::reported(body, body));
        }
        if !has_output && known.error.is_none() {
            let why = "the answer has no output";
            return Err(failure::not_understood(why, body.as_bytes()));
        }
        self.finish(&mut response, body, out)?;
        self.end(out)
    }

    fn end(&mut self, out: &mut Output) -> Result<(), Error> {
        let Some(raw) = self.finish.take() else {
            self.items.cut(out);
            return Err(failure::truncated());
        };
        self.items.finish(None, out)?;
        let reason = match raw.as_str() {
            "completed" | "" if self.items.calls > 0 => FinishReason::ToolCalls,
            "completed" | "" => FinishReason::Stop,
            "max_output_tokens" | "max_tokens" | "length" => FinishReason::Length,
            "content_filter" => FinishReason::ContentFilter,
            _ => FinishReason::Other(raw.clone()),
        };
        if self.items.has_nameless_call() && reason != FinishReason::Length {
            return Err(failure::nameless_call());
        }
        out.finish(reason, raw);
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.finish.is_some()
    }
}

impl Events {
    fn take(
        &mut self,
        kind: &str,
        event: &mut Object<'_, Event<'_>>,
        data: &str,
        out: &mut Output,
    ) -> Result<(), Error> {
        let known = &mut event.known;
        let id = take(&mut known.item_id.0);
        let whose = Whose {
            index: known.output_index.0,
            id: &id,
        };
        let content = Place {
            list: List::Content,
            index: known.content_index.0.unwrap_or(0),
        };
        let summary = Place {
            list: List::Summary,
            index: known.summary_index.0.unwrap_or(0),
        };
        let text = known.text.or(known.refusal);
        let delta = known.delta;
        match kind {
            "response.output_text.delta" => self.write(whose, content, Prose::Text, delta, out),
            "response.refusal.delta" => self.write(whose, content, Prose::Refusal, delta, out),
            "response.reasoning_text.delta" => {
                self.write(whose, content, Prose::Reasoning, delta, out)
            }
            "response.reasoning_summary_text.delta" => {
                self.write(whose, summary, Prose::Reasoning, delta, out)
            }
            "response.function_call_arguments.delta" => self.call(whose, Kind::Call, delta, out),
            "response.custom_tool_call_input.delta" => {
                self.call(whose, Kind::CustomCall, delta, out)
            }
            "response.output_text.done" => self.complete(whose, content, Prose::Text, text, out),
            "response.refusal.done" => self.complete(whose, content, Prose::Refusal, text, out),
            "response.reasoning_text.done" => {
                self.complete(whose, content, Prose::Reasoning, text, out)
            }
            "response.reasoning_summary_text.done" => {
                self.complete(whose, summary, Prose::Reasoning, text, out)
            }
            "response.function_call_arguments.done" => {
                self.complete_call(whose, Kind::Call, known.arguments, out)
            }
            "response.custom_tool_call_input.done" => {
                self.complete_call(whose, Kind::CustomCall, known.input, out)
            }
            "response.content_part.done" => self.complete_part(whose, content, known.part, out),
            "response.reasoning_summary_part.done" => {
                self.complete_part(whose, summary, known.part, out)
            }
            "response.output_text.annotation.added" => {
                self.cite(whose, content, known.annotation, out)
            }
            "response.output_item.added" => match known.item {
                Some(item) => self.items.begin(known.output_index.0, item, out),
                None => Ok(()),
            },
            "response.output_item.done" => match known.item {
                Some(item) => self.items.end(known.output_index.0, item, out),
                None => Ok(()),
            },
            "response.content_part.added" | "response.reasoning_summary_part.added" => Ok(()),
            kind if is_beginning(kind) => self.start(known.response, data, out),
            "response.completed"
            | "response.incomplete"
            | "response.failed"
            | "response.cancelled" => self.terminal(kind, known.response, data, out),
            _ => self.other(kind, event, data, out),
        }
    }

    fn write(
        &mut self,
        whose: Whose<'_>,
        place: Place,
        prose: Prose,
        delta: Option<Raw<'_>>,
        out: &mut Output,
    ) -> Result<(), Error> {
        match delta {
            Some(delta) => self.items.write(whose, place, prose, piece_of(delta), out),
            None => Ok(()),
        }
    }

    fn complete(
        &mut self,
        whose: Whose<'_>,
        place: Place,
        prose: Prose,
        text: Option<Raw<'_>>,
        out: &mut Output,
    ) -> Result<(), Error> {
        if let Some(text) = text
            && let Some(writing) = self.items.writing(whose, prose, out)?
        {
            let text = piece_of(text).into_text();
            writing.complete(place, prose, &text, out)?;
        }
        Ok(())
    }

    fn complete_part(
        &mut self,
        whose: Whose<'_>,
        place: Place,
        part: Option<Raw<'_>>,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Some(part) = part else {
            return Ok(());
        };
        let part = object(part, out);
        if let Some((prose, _)) = super::slot::prose_in(&part)
            && let Some(writing) = self.items.writing(whose, prose, out)?
        {
            writing.complete_part(place, part, out)?;
        }
        Ok(())
    }

    fn cite(
        &mut self,
        whose: Whose<'_>,
        place: Place,
        annotation: Option<Raw<'_>>,
        out: &mut Output,
    ) -> Result<(), Error> {
        if let Some(annotation) = annotation {
            let annotation = out.value(annotation);
            if let Some(writing) = self.items.writing(whose, Prose::Text, out)? {
                writing.cite(place, annotation)?;
            }
        }
        Ok(())
    }

    fn call(
        &mut self,
        whose: Whose<'_>,
        kind: Kind,
        delta: Option<Raw<'_>>,
        out: &mut Output,
    ) -> Result<(), Error> {
        if let Some(delta) = delta {
            match self.items.call(whose, kind, out)? {
                Some(call) => call.take(piece_of(delta), out),
                None => out.skip(1),
            }
        }
        Ok(())
    }

    fn complete_call(
        &mut self,
        whose: Whose<'_>,
        kind: Kind,
        text: Option<Raw<'_>>,
        out: &mut Output,
    ) -> Result<(), Error> {
        if let Some(text) = text
            && let Some(call) = self.items.call(whose, kind, out)?
        {
            let text = piece_of(text).into_text();
            call.complete(&text, out);
        }
        Ok(())
    }

    /// Handles the beginning of the response.
    fn start(
        &mut self,
        response: Option<Raw<'_>>,
        data: &str,
        out: &mut Output,
    ) -> Result<(), Error> {
        if let Some(response) = response.filter(|_| !self.started) {
            let mut response: Object<'_, Response<'_>> = parse(DIALECT, response)?;
            if response.known.error.is_some_and(failure::is_error) {
                return Err(failure::reported(data, data));
            }
            self.push_start(&mut response.known, out);
        }
        Ok(())
    }

    fn push_start(&mut self, response: &mut Response<'_>, out: &mut Output) {
        let (id, model) = (response.id.take(), response.model.take());
        // Some servers name the model only at the end.
        self.started |= id.is_some() && model.is_some();
        if id.is_some() || model.is_some() {
            out.push(ChatEvent::Start { id, model });
        }
    }

    /// Handles the end of the response.
    fn terminal(
        &mut self,
        kind: &str,
        response: Option<Raw<'_>>,
        data: &str,
        out: &mut Output,
    ) -> Result<(), Error> {
        let mut response: Object<'_, Response<'_>> = match response {
            Some(response) => parse(DIALECT, response)?,
            None => Object::default(),
        };
        if response.known.status.0.is_empty() {
            // The event's name is the status.
            let word = kind.strip_prefix("response.").unwrap_or(kind);
            response.known.status.0 = word.to_owned().into();
        }
        self.finish(&mut response, data, out)?;
        out.set_last();
        Ok(())
    }

    /// Reads the complete response at the end.
    fn finish(
        &mut self,
        response: &mut Object<'_, Response<'_>>,
        data: &str,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Object { known, unknown } = response;
        let status = take(&mut known.status.0);
        let error = known.error.filter(|error| failure::is_error(error));
        if error.is_some() || status == "failed" {
            self.items.cut(out);
            return Err(failure::reported(error.unwrap_or(data), data));
        }
        self.push_start(known, out);
        self.items.finish(known.output, out)?;
        push_extra(take(unknown), ChatEvent::Extra, out);
        if let Some(raw) = known.usage {
            out.push(ChatEvent::Usage(usage(raw)));
        }
        let details = known.incomplete_details.as_mut();
        let reason = details.and_then(|details| details.known.reason.take_reason());
        self.finish = Some(reason.unwrap_or_else(|| status.into_owned()));
        Ok(())
    }

    /// Handles an event that carries no content.
    #[cold]
    fn other(
        &mut self,
        kind: &str,
        event: &Object<'_, Event<'_>>,
        data: &str,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Object { known, unknown } = event;
        if kind == "error" || known.error.is_some_and(failure::is_error) {
            self.items.cut(out);
            return Err(failure::reported(data, data));
        }
        match kind {
            "keepalive" | "ping" => {}
            "" if reports_error(unknown, false, false, data, out) => {
                return Err(failure::reported(data, data));
            }
            _ => out.skip(1),
        }
        Ok(())
    }
}

/// Whether an event of this type says only that the response has begun.
fn is_beginning(kind: &str) -> bool {
    matches!(
        kind,
        "response.created" | "response.in_progress" | "response.queued"
    )
}

/// Whether the unknown fields are an error of a gateway. If `is_whole`, nothing follows, and any
/// message counts as an error.
fn reports_error(
    unknown: &Unknown<'_>,
    has_output: bool,
    is_whole: bool,
    data: &str,
    out: &mut Output,
) -> bool {
    let mut names = unknown.iter().map(|(name, _)| name);
    !has_output
        && names.any(|name| failure::may_be_envelope(name))
        && failure::is_envelope(&out.value(data), is_whole)
}
