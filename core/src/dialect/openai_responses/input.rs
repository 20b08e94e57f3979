//! Turns messages into items.

use std::collections::HashSet;

use serde_json::Value;

use super::DIALECT;
use super::call::{CUSTOM, input_field};
use super::item::{self, Run};
use super::media;
use crate::chat::{ChatRequest, Message, Part, Role, ToolCall, ToolResult};
use crate::dialect::kit::object_arguments;
use crate::dialect::kit::provenance::{is_foreign_block, own_fields};
use crate::dialect::kit::write::ObjectWriter;
use crate::error::Error;
use crate::json::Writer;

/// Refuses parts that this dialect cannot express, and parts in a message of the wrong role.
pub(super) fn check(request: &ChatRequest) -> Result<(), Error> {
    for message in &request.messages {
        let is_users = !matches!(message.role, Role::System | Role::Assistant);
        for part in &message.parts {
            match part {
                Part::ToolResult(result) => result.content.iter().try_for_each(media::check)?,
                part if media::is_media(part) && !is_users => {
                    return Err(Error::invalid(format!(
                        "a part of the type {} is in a message of the role {}; put it in a user \
                         message",
                        part.kind(),
                        message.role.as_str()
                    )));
                }
                part => media::check(part)?,
            }
        }
    }
    Ok(())
}

/// Writes the input of a request.
pub(super) fn write(writer: &mut Writer, request: &ChatRequest) {
    let calls = request.messages.iter().flat_map(Message::tool_calls);
    let custom = calls
        .filter(|call| is_custom(call))
        .map(|call| &*call.id)
        .collect();
    writer.open('[');
    for message in &request.messages {
        match message.role {
            Role::Assistant => write_answer(writer, message),
            _ => write_asked(writer, message, &custom),
        }
    }
    writer.close(']');
}

/// Whether the call is a call of a custom tool.
fn is_custom(call: &ToolCall) -> bool {
    let own = own_fields(DIALECT, &call.extra);
    own.is_some_and(|own| own.get("type").is_some_and(|kind| kind == CUSTOM))
}

/// Writes a message of the model. Items that came from this dialect are sent back as they came.
fn write_answer(writer: &mut Writer, message: &Message) {
    let mut parts = &message.parts[..];
    while let [first, rest @ ..] = parts {
        match item::run(parts) {
            Run::Item(length) => {
                item::write(writer, &parts[..length]);
                parts = &parts[length..];
                continue;
            }
            Run::Fresh(length) => {
                item::write_fresh(writer, message, &parts[..length]);
                parts = &parts[length..];
                continue;
            }
            Run::None => {}
        }
        match first {
            Part::ToolCall(call) => write_call(writer, call),
            Part::Other { value, .. } if !is_foreign_block(DIALECT, first) => writer.value(value),
            // Reasoning of other dialects has no signature for this server, so that it is left out.
            _ => {}
        }
        parts = rest;
    }
}

fn write_call(writer: &mut Writer, call: &ToolCall) {
    let is_custom = is_custom(call);
    let field = input_field(is_custom);
    let has_own = own_fields(DIALECT, &call.extra).is_some_and(|own| own.contains_key(field));
    let mut map = ObjectWriter::beside(writer, DIALECT, &call.extra);
    map.string("type", if is_custom { CUSTOM } else { "function_call" });
    map.string("call_id", &call.id);
    map.string("name", &call.name);
    if !has_own {
        match is_custom {
            // Text of any form.
            true => map.string(field, &call.arguments),
            // OpenAI takes any text; others, such as llama.cpp, fail with a server error.
            false => map.string(field, &object_arguments(&call.arguments)),
        }
    }
    map.end();
}

/// Writes a message of any other role, and the results of tools.
fn write_asked(writer: &mut Writer, message: &Message, custom: &HashSet<&str>) {
    let mut content: Vec<&Part> = Vec::new();
    for part in &message.parts {
        match part {
            Part::ToolResult(result) => {
                write_message(writer, message, &mut content);
                write_result(writer, result, custom);
            }
            Part::Other { .. } if is_foreign_block(DIALECT, part) => {}
            Part::Other { value, .. } if !is_content(value) => {
                write_message(writer, message, &mut content);
                writer.value(value);
            }
            Part::Text(_) | Part::Other { .. } => content.push(part),
            part if media::is_media(part) => content.push(part),
            _ => {}
        }
    }
    write_message(writer, message, &mut content);
}

/// Whether a block is content of a message, and not an item.
fn is_content(value: &Value) -> bool {
    let kind = value.get("type").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.starts_with("input_"))
}

fn write_message(writer: &mut Writer, message: &Message, content: &mut Vec<&Part>) {
    if content.is_empty() {
        return;
    }
    let mut map = ObjectWriter::beside(writer, DIALECT, &message.extra);
    map.string("role", message.role.as_str());
    if let Some(writer) = map.field("content") {
        media::write(writer, content);
    }
    map.end();
    content.clear();
}

fn write_result(writer: &mut Writer, result: &ToolResult, custom: &HashSet<&str>) {
    let kind = match custom.contains(&*result.call_id) {
        true => "custom_tool_call_output",
        false => "function_call_output",
    };
    let mut map = ObjectWriter::beside(writer, DIALECT, &result.extra);
    map.string("type", kind);
    map.string("call_id", &result.call_id);
    if let Some(writer) = map.field("output") {
        let content: Vec<_> = result.content.iter().collect();
        media::write(writer, &content);
    }
    map.end();
}
