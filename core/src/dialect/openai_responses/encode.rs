//! Writes the request's JSON directly from the [`ChatRequest`].

use serde_json::Value;

use super::merge::merged;
use super::{DIALECT, input};
use crate::chat::{ChatRequest, Extra, ResponseFormat, Tool, ToolChoice};
use crate::dialect::Mode;
use crate::dialect::kit::model_name;
use crate::dialect::kit::provenance::own_fields;
use crate::dialect::kit::write::{self, ObjectWriter};
use crate::error::Error;
use crate::json::Writer;
use crate::models::{ModelRule, Reasons};

/// The fields with which the caller uses a conversation that the server stores.
const KEPT: [&str; 2] = ["previous_response_id", "conversation"];

/// The body of a request.
pub(super) fn body(
    rule: &ModelRule,
    model: &str,
    request: &ChatRequest,
    mode: Mode,
) -> Result<Vec<u8>, Error> {
    check(model, request)?;
    let mut writer = write::begin(request)?;
    let extra = merged(rule, request);
    let mut map = ObjectWriter::replaced_by(&mut writer, &extra);
    map.string("model", model);
    if let Some(writer) = map.field("input") {
        input::write(writer, request);
    }
    state(&mut map, rule, &extra);
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
        && let Some(writer) = map.field("max_output_tokens")
    {
        writer.count(max_tokens.into());
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
        tool_choice(writer, choice, &request.tools);
    }
    if let Some(effort) = &request.reasoning_effort
        && let Some(writer) = map.field("reasoning")
    {
        writer.open('{');
        writer.member("effort", rule.effort(effort.as_str()));
        writer.close('}');
    }
    if let Some(format) = &request.response_format
        && let Some(writer) = map.field("text")
    {
        writer.open('{');
        writer.key("format");
        writer.members(&text_format(format));
        writer.close('}');
    }
    if mode == Mode::Stream
        && let Some(writer) = map.field("stream")
    {
        writer.boolean(true);
    }
    map.end();
    Ok(writer.into_bytes())
}

fn check(model: &str, request: &ChatRequest) -> Result<(), Error> {
    model_name::check(model)?;
    if !request.stop.is_empty() {
        return Err(Error::invalid(
            "OpenAI's Responses API has no `stop`; leave it out, or use chat completions \
             (openai_chat)",
        ));
    }
    if request.seed.is_some() {
        return Err(Error::invalid(
            "OpenAI's Responses API has no `seed`; leave it out, or use chat completions \
             (openai_chat)",
        ));
    }
    input::check(request)
}

/// Whether the caller asks the server to store the conversation, or uses a stored one.
fn is_kept(extra: &Extra) -> bool {
    extra.get("store") == Some(&Value::Bool(true))
        || KEPT.iter().any(|name| extra.contains_key(*name))
}

/// Turns storage at the server off, and asks for encrypted reasoning, because the conversation must
/// be sent back without it.
fn state(map: &mut ObjectWriter<'_, '_>, rule: &ModelRule, extra: &Extra) {
    if is_kept(extra) {
        return;
    }
    if let Some(writer) = map.field("store") {
        writer.boolean(false);
    }
    // Models that do not reason refuse this field.
    if rule.reasoning != Reasons::Never
        && let Some(writer) = map.field("include")
    {
        writer.raw(r#"["reasoning.encrypted_content"]"#);
    }
}

/// Whether a tool is a custom one, which takes plain text as its input.
fn is_custom(tool: &Tool) -> bool {
    let own = own_fields(DIALECT, &tool.extra);
    own.is_some_and(|own| own.get("type").is_some_and(|kind| kind == "custom"))
}

fn write_tool(writer: &mut Writer, tool: &Tool) {
    let is_custom = is_custom(tool);
    let mut map = ObjectWriter::beside(writer, DIALECT, &tool.extra);
    map.string("type", if is_custom { "custom" } else { "function" });
    map.string("name", &tool.name);
    if let Some(description) = &tool.description {
        map.string("description", description);
    }
    if !is_custom {
        if let Some(writer) = map.field("parameters") {
            writer.value(&tool.parameters);
        }
        // Without `strict`, Responses treat a tool as strict and chat completions do not.
        if let Some(writer) = map.field("strict") {
            writer.boolean(tool.strict.unwrap_or(false));
        }
    }
    map.end();
}

fn tool_choice(writer: &mut Writer, choice: &ToolChoice, tools: &[Tool]) {
    match choice {
        ToolChoice::Auto => writer.string("auto"),
        ToolChoice::None => writer.string("none"),
        ToolChoice::Required => writer.string("required"),
        ToolChoice::Tool(name) => {
            let mut tools = tools.iter();
            let is_custom = tools.any(|tool| tool.name == *name && is_custom(tool));
            writer.open('{');
            writer.member("type", if is_custom { "custom" } else { "function" });
            writer.member("name", name);
            writer.close('}');
        }
    }
}

pub(super) fn text_format(format: &ResponseFormat) -> Extra {
    let mut fields = Extra::new();
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    match format {
        ResponseFormat::Text => {
            set("type", "text".into());
        }
        ResponseFormat::JsonObject => {
            set("type", "json_object".into());
        }
        ResponseFormat::JsonSchema {
            name,
            schema,
            strict,
        } => {
            set("type", "json_schema".into());
            set("name", name.as_str().into());
            set("schema", schema.clone());
            set("strict", (*strict).into());
        }
    }
    fields
}
