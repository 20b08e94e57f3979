//! Writes parts as Google's parts.

use super::NAME;
use super::contents::OpenCalls;
use super::media::Media;
use crate::chat::{Part, ToolCall, ToolResult};
use crate::dialect::kit::arguments::{is_object, object_arguments};
use crate::dialect::kit::provenance::{is_foreign_block, own_fields};
use crate::dialect::kit::write::ObjectWriter;
use crate::error::Error;
use crate::json::Writer;
use crate::models::{ModelRule, Reasons};
use crate::quote::Quoted;

/// The placeholder for a signature that never existed, because another provider's model made the
/// call (<https://ai.google.dev/gemini-api/docs/thought-signatures>, 2026-11-29).
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// Whether a part is sent. Google refuses empty text. Reasoning without a signature of this dialect
/// is left out.
pub(super) fn is_sent(part: &Part) -> bool {
    match part {
        Part::Text(text) => !text.text.is_empty() || own_fields(NAME, &text.extra).is_some(),
        Part::Refusal(refusal) => !refusal.text.is_empty(),
        Part::Reasoning(reasoning) => own_fields(NAME, &reasoning.extra).is_some(),
        part => !is_foreign_block(NAME, part),
    }
}

/// The state of writing the calls of one message.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Whether the next call must have a signature and has none.
    lacks_signature: bool,
}

impl Calls {
    /// Models with thinking levels require a signature on the first call of each step.
    pub(super) fn of(message: &[&Part], rule: &ModelRule) -> Self {
        let mut calls = message.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        });
        let is_signed = |call: &ToolCall| {
            own_fields(NAME, &call.extra).is_some_and(|own| own.contains_key("thoughtSignature"))
        };
        Self {
            lacks_signature: has_levels(rule) && calls.next().is_some_and(|call| !is_signed(call)),
        }
    }
}

/// Whether the rule is that of a Gemini 3 or newer model.
fn has_levels(rule: &ModelRule) -> bool {
    !rule.thinking_budget && rule.reasoning != Reasons::Never
}

pub(super) fn write(
    writer: &mut Writer,
    part: &Part,
    rule: &ModelRule,
    calls: &mut Calls,
) -> Result<(), Error> {
    match part {
        Part::ToolCall(call) => write_call(writer, call, calls),
        Part::ToolResult(_) => {
            return Err(Error::invalid(
                "a tool result is in an assistant message; put it in a message of the role tool",
            ));
        }
        part => match Media::of(part) {
            Some(media) => media.write(writer, has_levels(rule))?,
            None => write_prose(writer, part),
        },
    }
    Ok(())
}

/// Writes a part that is text, or a block of Google's own.
pub(super) fn write_prose(writer: &mut Writer, part: &Part) {
    match part {
        Part::Text(text) => {
            let mut map = ObjectWriter::beside(writer, NAME, &text.extra);
            map.string("text", &text.text);
            map.end();
        }
        Part::Refusal(refusal) => {
            writer.open('{');
            writer.member("text", &refusal.text);
            writer.close('}');
        }
        Part::Reasoning(reasoning) => {
            let mut map = ObjectWriter::beside(writer, NAME, &reasoning.extra);
            map.string("text", &reasoning.text);
            if !reasoning.text.is_empty()
                && let Some(writer) = map.field("thought")
            {
                writer.boolean(true);
            }
            map.end();
        }
        Part::Other { value, .. } => writer.value(value),
        _ => {}
    }
}

fn write_call(writer: &mut Writer, call: &ToolCall, calls: &mut Calls) {
    let mut map = ObjectWriter::beside(writer, NAME, &call.extra);
    if let Some(writer) = map.field("functionCall") {
        write_function(writer, call);
    }
    if std::mem::take(&mut calls.lacks_signature) {
        map.string("thoughtSignature", NO_SIGNATURE);
    }
    map.end();
}

fn write_function(writer: &mut Writer, call: &ToolCall) {
    writer.open('{');
    if !call.id.is_empty() {
        writer.member("id", &call.id);
    }
    writer.member("name", &call.name);
    writer.key("args");
    writer.raw(&object_arguments(&call.arguments));
    let own = own_fields(NAME, &call.extra);
    let inside = own.and_then(|own| own.get("functionCall")?.as_object());
    for (name, value) in inside.into_iter().flatten() {
        if !matches!(&**name, "id" | "name" | "args") {
            writer.key(name);
            writer.value(value);
        }
    }
    writer.close('}');
}

/// Writes the result of a function, with the function's name.
pub(super) fn write_result<'a>(
    writer: &mut Writer,
    result: &'a ToolResult,
    rule: &ModelRule,
    open: &mut OpenCalls<'a>,
) -> Result<(), Error> {
    let Some(name) = open.take(&result.call_id) else {
        return Err(Error::invalid(format!(
            "the tool result {} has no matching call earlier in the conversation; Gemini needs the \
             call's name",
            Quoted(&result.call_id)
        )));
    };
    let media = || result.content.iter().filter_map(Media::of);
    let in_result = has_levels(rule) && media().next().is_some();
    let mut map = ObjectWriter::beside(writer, NAME, &result.extra);
    if let Some(writer) = map.field("functionResponse") {
        writer.open('{');
        if !result.call_id.is_empty() {
            writer.member("id", &result.call_id);
        }
        writer.member("name", name);
        writer.key("response");
        write_response(writer, result);
        if in_result {
            writer.key("parts");
            writer.open('[');
            for media in media() {
                media.write_bytes(writer)?;
            }
            writer.close(']');
        }
        writer.close('}');
    }
    map.end();
    // Older models accept only text within a result, so that media is written after it.
    if !in_result {
        for media in media() {
            media.write(writer, false)?;
        }
    }
    Ok(())
}

fn write_response(writer: &mut Writer, result: &ToolResult) {
    let mut text = String::new();
    for part in &result.content {
        match part {
            Part::Text(part) => text.push_str(&part.text),
            Part::Refusal(part) => text.push_str(&part.text),
            Part::Other { value, .. } if !is_foreign_block(NAME, part) => {
                text.push_str(&value.to_string());
            }
            _ => {}
        }
    }
    if !result.is_error && is_object(text.trim()) {
        return writer.raw(text.trim());
    }
    writer.open('{');
    writer.member(if result.is_error { "error" } else { "output" }, &text);
    writer.close('}');
}
