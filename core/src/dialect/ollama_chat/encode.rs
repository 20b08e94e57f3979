//! Writes the request's JSON.

use std::collections::VecDeque;

use super::NAME;
use chatcore::chat::{
    ChatRequest, Extra, Image, MediaSource, Message, Part, ReasoningEffort, ResponseFormat, Role,
    Tool, ToolCall, ToolChoice, ToolResult,
};
use chatcore::dialect::Mode;
use chatcore::dialect::kit::Writer;
use chatcore::dialect::kit::{self, ObjectWriter};
use chatcore::{Error, ErrorKind};
use serde_json::Value;

/// The extra field whose members are merged into the dialect's `options`.
pub(super) const OPTIONS: &str = "options";

/// The body of a request.
pub(super) fn body(model: &str, request: &ChatRequest, mode: Mode) -> Result<Vec<u8>, Error> {
    check(model, request)?;
    let mut writer = kit::begin(request)?;
    let mut extra = request.extra.clone();
    let options = match extra.remove(OPTIONS) {
        None => Extra::new(),
        Some(Value::Object(options)) => options,
        Some(_) => return Err(invalid("the extra field `options` is not an object")),
    };
    let mut map = ObjectWriter::replaced_by(&mut writer, &extra);
    map.string("model", model);
    if let Some(writer) = map.field("messages") {
        messages(writer, &request.messages)?;
    }
    // Without `stream`, Ollama streams.
    if let Some(writer) = map.field("stream") {
        writer.boolean(mode == Mode::Stream);
    }
    if let Some(effort) = &request.reasoning_effort
        && let Some(writer) = map.field("think")
    {
        think(writer, effort);
    }
    match &request.response_format {
        Some(ResponseFormat::JsonObject) => map.string("format", "json"),
        Some(ResponseFormat::JsonSchema { schema, .. }) => {
            if let Some(writer) = map.field("format") {
                writer.value(schema);
            }
        }
        _ => {}
    }
    let tools = match request.tool_choice {
        Some(ToolChoice::None) => &[],
        _ => &*request.tools,
    };
    if !tools.is_empty()
        && let Some(writer) = map.field("tools")
    {
        writer.open('[');
        for tool in tools {
            write_tool(writer, tool);
        }
        writer.close(']');
    }
    write_options(&mut map, request, &options);
    map.end();
    Ok(writer.into_bytes())
}

/// Refuses what this dialect cannot express.
fn check(model: &str, request: &ChatRequest) -> Result<(), Error> {
    if model.trim().is_empty() {
        return Err(invalid(
            "no model is set; set LLM_MODEL, or name a model in the request",
        ));
    }
    match &request.tool_choice {
        Some(ToolChoice::Required | ToolChoice::Tool(_)) => Err(invalid(
            "Ollama cannot be required to call a tool; leave tool_choice out",
        )),
        _ => Ok(()),
    }
}

fn invalid(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, why)
}

fn think(writer: &mut Writer, effort: &ReasoningEffort) {
    match effort {
        ReasoningEffort::None => writer.boolean(false),
        ReasoningEffort::Minimal => writer.string("low"),
        ReasoningEffort::Xhigh | ReasoningEffort::Max => writer.string("high"),
        effort => writer.string(effort.as_str()),
    }
}

fn write_options(map: &mut ObjectWriter<'_, '_>, request: &ChatRequest, own: &Extra) {
    let is_empty = request.temperature.is_none()
        && request.max_tokens.is_none()
        && request.top_p.is_none()
        && request.seed.is_none()
        && request.stop.is_empty()
        && own.is_empty();
    if is_empty {
        return;
    }
    let Some(writer) = map.field(OPTIONS) else {
        return;
    };
    let mut map = ObjectWriter::replaced_by(writer, own);
    for (name, value) in [
        ("temperature", request.temperature),
        ("top_p", request.top_p),
    ] {
        if let Some(value) = value
            && let Some(writer) = map.field(name)
        {
            writer.float(value);
        }
    }
    if let Some(max_tokens) = request.max_tokens
        && let Some(writer) = map.field("num_predict")
    {
        writer.count(max_tokens.into());
    }
    if let Some(seed) = request.seed
        && let Some(writer) = map.field("seed")
    {
        writer.integer(seed);
    }
    if !request.stop.is_empty()
        && let Some(writer) = map.field("stop")
    {
        writer.strings(&request.stop);
    }
    map.end();
}

fn messages(writer: &mut Writer, messages: &[Message]) -> Result<(), Error> {
    // The ids and names of the calls that wait for their results.
    let mut open: VecDeque<(&str, &str)> = VecDeque::new();
    writer.open('[');
    for message in messages {
        let mut has_more = false;
        let mut has_results = false;
        for part in &message.parts {
            match part {
                Part::ToolResult(result) => {
                    has_results = true;
                    write_result(writer, result, &mut open)?;
                }
                _ => has_more = true,
            }
        }
        if has_more || !has_results {
            write_message(writer, message)?;
        }
        let calls = message.tool_calls();
        open.extend(calls.map(|call| (&*call.id, &*call.name)));
    }
    writer.close(']');
    Ok(())
}

/// Writes the result of a tool call, as a message of its own. The message must name the tool, which
/// the result does not. The name is taken from the waiting call with the same id, or from the first
/// waiting call if the calls have no ids.
fn write_result<'a>(
    writer: &mut Writer,
    result: &'a ToolResult,
    open: &mut VecDeque<(&'a str, &'a str)>,
) -> Result<(), Error> {
    let place = open.iter().position(|(id, _)| *id == result.call_id);
    let call = place.and_then(|place| open.remove(place));
    let mut map = ObjectWriter::beside(writer, NAME, &result.extra);
    map.string("role", "tool");
    if let Some((_, name)) = call {
        map.string("tool_name", name);
    }
    if !result.call_id.is_empty() {
        map.string("tool_call_id", &result.call_id);
    }
    content(&mut map, &result.content)?;
    map.end();
    Ok(())
}

/// Writes everything in a message except its tool results.
fn write_message(writer: &mut Writer, message: &Message) -> Result<(), Error> {
    let mut map = ObjectWriter::beside(writer, NAME, &message.extra);
    map.string("role", message.role.as_str());
    content(&mut map, &message.parts)?;
    let reasoning = message.reasoning();
    if !reasoning.is_empty() && message.role == Role::Assistant {
        map.string("thinking", &reasoning);
    }
    if message.tool_calls().next().is_some()
        && let Some(writer) = map.field("tool_calls")
    {
        writer.open('[');
        for call in message.tool_calls() {
            write_call(writer, call);
        }
        writer.close(']');
    }
    map.end();
    Ok(())
}

/// Writes the text of the parts, and the images beside it.
fn content(map: &mut ObjectWriter<'_, '_>, parts: &[Part]) -> Result<(), Error> {
    let mut text = String::new();
    let mut images = Vec::new();
    for part in parts {
        match part {
            Part::Text(part) => text.push_str(&part.text),
            Part::Refusal(refusal) => text.push_str(&refusal.text),
            Part::Image(image) => images.push(base64(image)?),
            Part::File(_) => {
                let instead = "send its text as a part of text";
                return Err(kit::cannot_carry(NAME, "a file", instead));
            }
            Part::Audio(_) => {
                let instead = "send a transcript as text";
                return Err(kit::cannot_carry(NAME, "audio", instead));
            }
            part @ Part::Other { .. } if !kit::is_foreign_block(NAME, part) => {
                let instead = "leave it out, or set the dialect that it belongs to";
                return Err(kit::cannot_carry(
                    NAME,
                    "a block without a dialect",
                    instead,
                ));
            }
            _ => {}
        }
    }
    map.string("content", &text);
    if !images.is_empty()
        && let Some(writer) = map.field("images")
    {
        writer.open('[');
        images.iter().for_each(|image| writer.string(image));
        writer.close(']');
    }
    Ok(())
}

fn base64(image: &Image) -> Result<&str, Error> {
    match &image.source {
        MediaSource::Base64 { data, .. } => Ok(data),
        _ => Err(kit::cannot_carry(
            NAME,
            "an image by its URL or id",
            "send its bytes with Part::image_base64",
        )),
    }
}

fn write_call(writer: &mut Writer, call: &ToolCall) {
    let mut map = ObjectWriter::beside(writer, NAME, &call.extra);
    if !call.id.is_empty() {
        map.string("id", &call.id);
    }
    if let Some(writer) = map.field("function") {
        let mut map = ObjectWriter::new(writer);
        map.string("name", &call.name);
        if let Some(writer) = map.field("arguments") {
            writer.raw(&kit::object_arguments(&call.arguments));
        }
        map.end();
    }
    map.end();
}

fn write_tool(writer: &mut Writer, tool: &Tool) {
    let mut map = ObjectWriter::beside(writer, NAME, &tool.extra);
    map.string("type", "function");
    if let Some(writer) = map.field("function") {
        let mut map = ObjectWriter::new(writer);
        map.string("name", &tool.name);
        if let Some(description) = &tool.description {
            map.string("description", description);
        }
        if let Some(writer) = map.field("parameters") {
            writer.value(&tool.parameters);
        }
        map.end();
    }
    map.end();
}
