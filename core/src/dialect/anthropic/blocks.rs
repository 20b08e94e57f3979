//! Writes parts as content blocks.

use super::DIALECT;
use crate::chat::{Extra, File, Image, MediaSource, Part, Reasoning, Text};
use crate::chat::{ToolCall, ToolResult};
use crate::dialect::kit::object_arguments;
use crate::dialect::kit::provenance::{is_foreign_block, is_plain};
use crate::dialect::kit::write::ObjectWriter;
use crate::json::Writer;

/// Whether a part is sent. Anthropic refuses blank text, and reasoning that it cannot verify.
pub(super) fn is_sent(part: &Part) -> bool {
    match part {
        Part::Text(text) => !text.text.trim().is_empty(),
        Part::Refusal(refusal) => !refusal.text.trim().is_empty(),
        Part::Reasoning(reasoning) => {
            reasoning.signature.is_some() || reasoning.encrypted.is_some()
        }
        part => !is_foreign_block(DIALECT, part),
    }
}

/// Writes plain text as a string, anything else as blocks.
pub(super) fn write(writer: &mut Writer, parts: &[&Part]) {
    match parts {
        [Part::Text(Text { text, extra })] if is_plain(DIALECT, extra) => writer.string(text),
        parts => {
            writer.open('[');
            for part in parts {
                write_block(writer, part);
            }
            writer.close(']');
        }
    }
}

fn write_block(writer: &mut Writer, part: &Part) {
    match part {
        Part::Text(text) => write_text(writer, &text.text, &text.extra),
        Part::Refusal(refusal) => write_text(writer, &refusal.text, &Extra::new()),
        Part::Image(image) => write_image(writer, image),
        Part::File(file) => write_file(writer, file),
        Part::ToolCall(call) => write_call(writer, call),
        Part::ToolResult(result) => write_result(writer, result),
        Part::Reasoning(reasoning) => write_reasoning(writer, reasoning),
        Part::Other { value, .. } => writer.value(value),
        // `check` has refused audio.
        Part::Audio(_) => {}
    }
}

fn write_text(writer: &mut Writer, text: &str, extra: &Extra) {
    let mut map = ObjectWriter::beside(writer, DIALECT, extra);
    map.string("type", "text");
    map.string("text", text);
    map.end();
}

fn write_image(writer: &mut Writer, image: &Image) {
    let mut map = ObjectWriter::beside(writer, DIALECT, &image.extra);
    map.string("type", "image");
    if let Some(writer) = map.field("source") {
        write_source(writer, &image.source);
    }
    map.end();
}

fn write_file(writer: &mut Writer, file: &File) {
    let mut map = ObjectWriter::beside(writer, DIALECT, &file.extra);
    map.string("type", "document");
    if let Some(writer) = map.field("source") {
        write_source(writer, &file.source);
    }
    if let Some(name) = &file.name {
        map.string("title", name);
    }
    map.end();
}

fn write_source(writer: &mut Writer, source: &MediaSource) {
    writer.open('{');
    match source {
        MediaSource::Url { url, .. } => {
            writer.member("type", "url");
            writer.member("url", url);
        }
        MediaSource::Base64 { media_type, data } => {
            writer.member("type", "base64");
            writer.member("media_type", media_type);
            writer.member("data", data);
        }
        MediaSource::File { file_id, .. } => {
            writer.member("type", "file");
            writer.member("file_id", file_id);
        }
        MediaSource::Text { text } => {
            writer.member("type", "text");
            writer.member("media_type", "text/plain");
            writer.member("data", text);
        }
    }
    writer.close('}');
}

fn write_reasoning(writer: &mut Writer, reasoning: &Reasoning) {
    let mut map = ObjectWriter::beside(writer, DIALECT, &reasoning.extra);
    if let Some(data) = &reasoning.encrypted {
        map.string("type", "redacted_thinking");
        map.string("data", data);
    } else {
        map.string("type", "thinking");
        map.string("thinking", &reasoning.text);
        map.string(
            "signature",
            reasoning.signature.as_deref().unwrap_or_default(),
        );
    }
    map.end();
}

fn write_call(writer: &mut Writer, call: &ToolCall) {
    let mut map = ObjectWriter::beside(writer, DIALECT, &call.extra);
    map.string("type", "tool_use");
    map.string("id", &call.id);
    map.string("name", &call.name);
    if let Some(writer) = map.field("input") {
        writer.raw(&object_arguments(&call.arguments));
    }
    map.end();
}

fn write_result(writer: &mut Writer, result: &ToolResult) {
    let mut map = ObjectWriter::beside(writer, DIALECT, &result.extra);
    map.string("type", "tool_result");
    map.string("tool_use_id", &result.call_id);
    let content: Vec<_> = result.content.iter().filter(|part| is_sent(part)).collect();
    // The result of a tool may be empty.
    if !content.is_empty()
        && let Some(writer) = map.field("content")
    {
        write(writer, &content);
    }
    if result.is_error
        && let Some(writer) = map.field("is_error")
    {
        writer.boolean(true);
    }
    map.end();
}
