//! Parts → blocks of content.

use crate::chat::{Extra, Image, ImageSource, Part, Reasoning, ToolCall, ToolResult};
use crate::json::{Reader, Writer};

/// Whether a part goes out: Anthropic refuses blank text, and reasoning that it cannot verify.
pub(super) fn is_sent(part: &Part) -> bool {
    match part {
        Part::Text(text) => !text.text.trim().is_empty(),
        Part::Refusal(refusal) => !refusal.text.trim().is_empty(),
        Part::Reasoning(reasoning) => {
            reasoning.signature.is_some() || reasoning.encrypted.is_some()
        }
        _ => true,
    }
}

/// Plain text as a string, anything else as blocks.
pub(super) fn write(writer: &mut Writer, parts: &[&Part]) {
    match parts {
        [Part::Text(text)] if text.extra.is_empty() => writer.string(&text.text),
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
    if let Part::Other { value } = part {
        writer.value(value);
        return;
    }
    writer.open('{');
    match part {
        Part::Text(text) => write_text(writer, &text.text, &text.extra),
        Part::Refusal(refusal) => write_text(writer, &refusal.text, &Extra::new()),
        Part::Image(image) => write_image(writer, image),
        Part::ToolCall(call) => write_call(writer, call),
        Part::ToolResult(result) => write_result(writer, result),
        Part::Reasoning(reasoning) => write_reasoning(writer, reasoning),
        Part::Other { .. } => {}
    }
    writer.close('}');
}

fn write_extra(writer: &mut Writer, extra: &Extra) {
    for (name, value) in extra {
        writer.key(name);
        writer.value(value);
    }
}

fn write_text(writer: &mut Writer, text: &str, extra: &Extra) {
    writer.member("type", "text");
    writer.member("text", text);
    write_extra(writer, extra);
}

fn write_image(writer: &mut Writer, image: &Image) {
    writer.member("type", "image");
    writer.key("source");
    writer.open('{');
    match &image.source {
        ImageSource::Url { url } => {
            writer.member("type", "url");
            writer.member("url", url);
        }
        ImageSource::Base64 { media_type, data } => {
            writer.member("type", "base64");
            writer.member("media_type", media_type);
            writer.member("data", data);
        }
    }
    writer.close('}');
    write_extra(writer, &image.extra);
}

fn write_reasoning(writer: &mut Writer, reasoning: &Reasoning) {
    if let Some(data) = &reasoning.encrypted {
        writer.member("type", "redacted_thinking");
        writer.member("data", data);
    } else {
        writer.member("type", "thinking");
        writer.member("thinking", &reasoning.text);
        writer.key("signature");
        match &reasoning.signature {
            Some(signature) => writer.string(signature),
            None => writer.null(),
        }
    }
    write_extra(writer, &reasoning.extra);
}

fn write_call(writer: &mut Writer, call: &ToolCall) {
    writer.member("type", "tool_use");
    writer.member("id", &call.id);
    writer.member("name", &call.name);
    writer.key("input");
    // An object here, though the model wrote text, and maybe no JSON: what is not an object is
    // wrapped in one, as Anthropic's documentation has it, so that the model sees what it wrote.
    let arguments = call.arguments.trim();
    if arguments.is_empty() {
        writer.raw("{}");
    } else if arguments.starts_with('{') && is_json(arguments) {
        writer.raw(arguments);
    } else {
        writer.open('{');
        writer.member("INVALID_JSON", &call.arguments);
        writer.close('}');
    }
    write_extra(writer, &call.extra);
}

fn is_json(text: &str) -> bool {
    let mut reader = Reader::new(text);
    reader.raw().is_ok() && reader.end().is_ok()
}

fn write_result(writer: &mut Writer, result: &ToolResult) {
    writer.member("type", "tool_result");
    writer.member("tool_use_id", &result.call_id);
    let content: Vec<_> = result.content.iter().filter(|part| is_sent(part)).collect();
    // A tool may have nothing to say.
    if !content.is_empty() {
        writer.key("content");
        write(writer, &content);
    }
    if result.is_error {
        writer.key("is_error");
        writer.boolean(true);
    }
}
