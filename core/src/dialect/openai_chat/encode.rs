//! Writes the request's JSON directly from the [`ChatRequest`].

use super::{DIALECT, content};
use super::{MaxTokensField, Quirks, ReasoningField};
use crate::chat::{
    ChatRequest, Message, Part, ReasoningEffort, ResponseFormat, Role, Tool, ToolCall, ToolChoice,
    ToolResult,
};
use crate::dialect::Mode;
use crate::dialect::kit::write::{self, ObjectWriter};
use crate::dialect::kit::{model_name, object_arguments};
use crate::error::Error;
use crate::json::Writer;
use crate::models::ModelRule;

/// The body of a request.
pub(super) fn body(
    quirks: &Quirks,
    rule: &ModelRule,
    model: &str,
    request: &ChatRequest,
    mode: Mode,
) -> Result<Vec<u8>, Error> {
    model_name::check(model)?;
    content::check(request)?;
    let mut writer = write::begin(request)?;
    write(&mut writer, quirks, rule, model, request, mode);
    Ok(writer.into_bytes())
}

fn write(
    writer: &mut Writer,
    quirks: &Quirks,
    rule: &ModelRule,
    model: &str,
    request: &ChatRequest,
    mode: Mode,
) {
    let mut map = ObjectWriter::replaced_by(writer, &request.extra);
    map.string("model", model);
    if let Some(writer) = map.field("messages") {
        messages(writer, quirks, request);
    }
    if let Some(temperature) = request.temperature
        && let Some(writer) = map.field("temperature")
    {
        writer.float(temperature);
    }
    // Servers refuse a request with both names.
    let limits = ["max_tokens", "max_completion_tokens"];
    let has_limit = limits.iter().any(|name| request.extra.contains_key(*name));
    if let Some(max_tokens) = request.max_tokens.filter(|_| !has_limit) {
        let field = match quirks.max_tokens_field {
            MaxTokensField::MaxTokens if !rule.max_completion_tokens => "max_tokens",
            _ => "max_completion_tokens",
        };
        if let Some(writer) = map.field(field) {
            writer.count(max_tokens.into());
        }
    }
    if let Some(top_p) = request.top_p
        && let Some(writer) = map.field("top_p")
    {
        writer.float(top_p);
    }
    if !request.stop.is_empty()
        && let Some(writer) = map.field("stop")
    {
        writer.strings(&request.stop);
    }
    if let Some(seed) = request.seed
        && let Some(writer) = map.field(quirks.seed_field)
    {
        writer.integer(seed);
    }
    if !request.tools.is_empty()
        && let Some(writer) = map.field("tools")
    {
        writer.open('[');
        for tool in &request.tools {
            write_tool(writer, tool);
        }
        writer.close(']');
    }
    if let Some(choice) = &request.tool_choice
        && let Some(writer) = map.field("tool_choice")
    {
        tool_choice(writer, choice);
    }
    match &request.reasoning_effort {
        None => {}
        Some(ReasoningEffort::None) if !rule.reasoning_off.is_empty() => {
            map.members(&rule.reasoning_off);
        }
        Some(effort) => map.string("reasoning_effort", rule.effort(effort.as_str())),
    }
    if let Some(format) = &request.response_format
        && let Some(writer) = map.field("response_format")
    {
        response_format(writer, format);
    }
    if mode == Mode::Stream {
        if let Some(writer) = map.field("stream") {
            writer.boolean(true);
        }
        if quirks.stream_usage
            && let Some(writer) = map.field("stream_options")
        {
            writer.raw(r#"{"include_usage":true}"#);
        }
    }
    if !quirks.members.is_empty() {
        map.members(&quirks.members);
    }
    map.end();
}

fn messages(writer: &mut Writer, quirks: &Quirks, request: &ChatRequest) {
    writer.open('[');
    for message in &request.messages {
        let mut has_results = false;
        for part in &message.parts {
            if let Part::ToolResult(result) = part {
                has_results = true;
                write_result(writer, result);
            }
        }
        let has_more = message
            .parts
            .iter()
            .any(|part| !matches!(part, Part::ToolResult(_)));
        if has_more || !has_results {
            write_message(writer, message, quirks);
        }
    }
    writer.close(']');
}

/// Writes the result of a tool call, as a message of its own.
fn write_result(writer: &mut Writer, result: &ToolResult) {
    let mut map = ObjectWriter::beside(writer, DIALECT, &result.extra);
    map.string("role", "tool");
    map.string("tool_call_id", &result.call_id);
    if let Some(writer) = map.field("content") {
        content::write(writer, &Role::Tool, &result.content);
    }
    map.end();
}

/// Writes everything in a message except its tool results.
fn write_message(writer: &mut Writer, message: &Message, quirks: &Quirks) {
    let is_strict = quirks.strict_messages;
    let mut map = match is_strict {
        true => ObjectWriter::new(writer),
        false => ObjectWriter::beside(writer, DIALECT, &message.extra),
    };
    map.string("role", message.role.as_str());
    let has_calls = message.tool_calls().next().is_some();
    let role = &message.role;
    let has_content = (message.parts.iter()).any(|part| content::is_content(role, part));
    let refusal = message.parts.iter().find_map(|part| match part {
        Part::Refusal(refusal) => Some(&refusal.text),
        _ => None,
    });
    if let Some(writer) = map.field("content") {
        match (has_content, refusal) {
            (false, Some(refusal)) if is_strict => writer.string(refusal),
            (false, _) if has_calls => writer.null(),
            _ => content::write(writer, role, &message.parts),
        }
    }
    if let Some(name) = message.name.as_deref().filter(|_| !is_strict) {
        map.string("name", name);
    }
    if let Some(refusal) = refusal.filter(|_| !is_strict) {
        map.string("refusal", refusal);
    }
    let reasoning = message.reasoning();
    if let (false, Some(field)) = (reasoning.is_empty(), quirks.reasoning_field) {
        let field = match field {
            ReasoningField::ReasoningContent => "reasoning_content",
            ReasoningField::Reasoning => "reasoning",
        };
        map.string(field, &reasoning);
    }
    if !is_strict {
        content::write_given(&mut map, message);
    }
    if has_calls && let Some(writer) = map.field("tool_calls") {
        writer.open('[');
        for call in message.tool_calls() {
            write_call(writer, call, is_strict);
        }
        writer.close(']');
    }
    map.end();
}

fn write_call(writer: &mut Writer, call: &ToolCall, is_strict: bool) {
    // OpenAI takes any text; others, such as llama.cpp, fail with a server error.
    let arguments = object_arguments(&call.arguments);
    let mut map = match is_strict {
        true => ObjectWriter::new(writer),
        false => ObjectWriter::beside(writer, DIALECT, &call.extra),
    };
    map.string("id", &call.id);
    map.string("type", "function");
    if let Some(writer) = map.field("function") {
        writer.open('{');
        writer.member("name", &call.name);
        writer.member("arguments", &arguments);
        writer.close('}');
    }
    map.end();
}

fn write_tool(writer: &mut Writer, tool: &Tool) {
    let mut map = ObjectWriter::beside(writer, DIALECT, &tool.extra);
    map.string("type", "function");
    if let Some(writer) = map.field("function") {
        writer.open('{');
        writer.member("name", &tool.name);
        if let Some(description) = &tool.description {
            writer.member("description", description);
        }
        writer.key("parameters");
        writer.value(&tool.parameters);
        if let Some(strict) = tool.strict {
            writer.key("strict");
            writer.boolean(strict);
        }
        writer.close('}');
    }
    map.end();
}

fn tool_choice(writer: &mut Writer, choice: &ToolChoice) {
    match choice {
        ToolChoice::Auto => writer.string("auto"),
        ToolChoice::None => writer.string("none"),
        ToolChoice::Required => writer.string("required"),
        ToolChoice::Tool(name) => {
            writer.open('{');
            writer.member("type", "function");
            writer.key("function");
            writer.open('{');
            writer.member("name", name);
            writer.close('}');
            writer.close('}');
        }
    }
}

fn response_format(writer: &mut Writer, format: &ResponseFormat) {
    writer.open('{');
    match format {
        ResponseFormat::Text => writer.member("type", "text"),
        ResponseFormat::JsonObject => writer.member("type", "json_object"),
        ResponseFormat::JsonSchema {
            name,
            schema,
            strict,
        } => {
            writer.member("type", "json_schema");
            writer.key("json_schema");
            writer.open('{');
            writer.member("name", name);
            writer.key("schema");
            writer.value(schema);
            writer.key("strict");
            writer.boolean(*strict);
            writer.close('}');
        }
    }
    writer.close('}');
}
