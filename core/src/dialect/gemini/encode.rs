//! Writes the request's JSON directly from the [`ChatRequest`].

use serde_json::Value;

use super::NAME;
use super::contents;
use super::thinking::Thinking;
use crate::chat::{ChatRequest, Extra, ResponseFormat, Tool, ToolChoice};
use crate::dialect::kit::write::{self, ObjectWriter};
use crate::error::Error;
use crate::json::Writer;
use crate::models::ModelRule;

/// The extra field whose members are merged with chatcore's own.
pub(super) const CONFIG: &str = "generationConfig";

/// The extra field whose items are written after the functions.
const TOOLS: &str = "tools";

/// The body of a request.
pub(super) fn body(rule: &ModelRule, request: &ChatRequest) -> Result<Vec<u8>, Error> {
    let mut extra = request.extra.clone();
    let config = match extra.remove(CONFIG) {
        None => Extra::new(),
        Some(Value::Object(config)) => config,
        Some(_) => {
            return Err(Error::invalid(
                "the extra field `generationConfig` is not an object",
            ));
        }
    };
    if config
        .get("candidateCount")
        .is_some_and(|count| *count != 1)
    {
        return Err(Error::invalid(
            "`candidateCount` requests several answers at once; send several requests, for example \
             with gather_with_limit",
        ));
    }
    let tools = match extra.remove(TOOLS) {
        None => Vec::new(),
        Some(Value::Array(tools)) => tools,
        Some(_) => return Err(Error::invalid("the extra field `tools` is not an array")),
    };
    let turns = contents::Turns::of(request)?;
    let thinking = Thinking::of(request, rule, &config)?;
    let mut writer = write::begin(request)?;
    let mut map = ObjectWriter::replaced_by(&mut writer, &extra);
    if !turns.system.is_empty()
        && let Some(writer) = map.field("systemInstruction")
    {
        turns.write_system(writer);
    }
    if let Some(writer) = map.field("contents") {
        turns.write(writer, rule)?;
    }
    if !(request.tools.is_empty() && tools.is_empty())
        && let Some(writer) = map.field(TOOLS)
    {
        write_tools(writer, &request.tools, &tools);
    }
    if !request.tools.is_empty()
        && let Some((mode, only)) = calling(request)
        && let Some(writer) = map.field("toolConfig")
    {
        write_calling(writer, mode, only);
    }
    write_config(&mut map, request, thinking, &config);
    map.end();
    Ok(writer.into_bytes())
}

fn write_config(
    map: &mut ObjectWriter<'_, '_>,
    request: &ChatRequest,
    thinking: Option<Thinking>,
    own: &Extra,
) {
    let is_empty = request.temperature.is_none()
        && request.max_tokens.is_none()
        && request.top_p.is_none()
        && request.seed.is_none()
        && request.stop.is_empty()
        && request.response_format.is_none()
        && thinking.is_none()
        && own.is_empty();
    if is_empty {
        return;
    }
    let Some(writer) = map.field(CONFIG) else {
        return;
    };
    let mut map = ObjectWriter::replaced_by(writer, own);
    for (name, value) in [
        ("temperature", request.temperature),
        ("topP", request.top_p),
    ] {
        if let Some(value) = value
            && let Some(writer) = map.field(name)
        {
            writer.float(value);
        }
    }
    if let Some(max_tokens) = request.max_tokens
        && let Some(writer) = map.field("maxOutputTokens")
    {
        writer.count(max_tokens.into());
    }
    if let Some(seed) = request.seed
        && let Some(writer) = map.field("seed")
    {
        writer.integer(seed);
    }
    if !request.stop.is_empty()
        && let Some(writer) = map.field("stopSequences")
    {
        writer.strings(&request.stop);
    }
    match &request.response_format {
        Some(ResponseFormat::JsonObject) => map.string("responseMimeType", "application/json"),
        Some(ResponseFormat::JsonSchema { schema, .. }) => {
            map.string("responseMimeType", "application/json");
            if let Some(writer) = map.field("responseJsonSchema") {
                writer.value(schema);
            }
        }
        _ => {}
    }
    if let Some(thinking) = thinking
        && let Some(writer) = map.field("thinkingConfig")
    {
        thinking.write(writer);
    }
    map.end();
}

/// Writes the functions as one tool, and the caller's other tools after it.
fn write_tools(writer: &mut Writer, functions: &[Tool], others: &[Value]) {
    writer.open('[');
    if !functions.is_empty() {
        writer.open('{');
        writer.key("functionDeclarations");
        writer.open('[');
        for function in functions {
            write_function(writer, function);
        }
        writer.close(']');
        writer.close('}');
    }
    for tool in others {
        writer.value(tool);
    }
    writer.close(']');
}

fn write_function(writer: &mut Writer, tool: &Tool) {
    let mut map = ObjectWriter::beside(writer, NAME, &tool.extra);
    map.string("name", &tool.name);
    if let Some(description) = &tool.description {
        map.string("description", description);
    }
    // `parameters` accepts only the subset of JSON Schema that OpenAPI 3.0 has.
    if takes_arguments(&tool.parameters)
        && let Some(writer) = map.field("parametersJsonSchema")
    {
        writer.value(&tool.parameters);
    }
    map.end();
}

/// Whether a schema may have arguments. Google refuses an object schema without properties.
fn takes_arguments(schema: &Value) -> bool {
    let Value::Object(schema) = schema else {
        return true;
    };
    let has_none = |name: &str| match schema.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::Object(members)) => members.is_empty(),
        Some(_) => false,
    };
    let says_more = ["$ref", "allOf", "anyOf", "oneOf", "patternProperties"]
        .iter()
        .any(|name| schema.contains_key(*name));
    let is_open = match schema.get("additionalProperties") {
        None | Some(Value::Bool(false)) => false,
        Some(_) => true,
    };
    says_more || is_open || !has_none("properties")
}

/// The function calling mode, and the only function that may be called.
fn calling(request: &ChatRequest) -> Option<(&'static str, Option<&str>)> {
    let is_strict = request.tools.iter().any(|tool| tool.strict == Some(true));
    match &request.tool_choice {
        // `VALIDATED` enforces the schemas, and is like `AUTO` otherwise.
        None | Some(ToolChoice::Auto) if is_strict => Some(("VALIDATED", None)),
        None => None,
        Some(ToolChoice::Auto) => Some(("AUTO", None)),
        Some(ToolChoice::None) => Some(("NONE", None)),
        Some(ToolChoice::Required) => Some(("ANY", None)),
        Some(ToolChoice::Tool(name)) => Some(("ANY", Some(name))),
    }
}

fn write_calling(writer: &mut Writer, mode: &str, only: Option<&str>) {
    writer.open('{');
    writer.key("functionCallingConfig");
    writer.open('{');
    writer.member("mode", mode);
    if let Some(name) = only {
        writer.key("allowedFunctionNames");
        writer.open('[');
        writer.string(name);
        writer.close(']');
    }
    writer.close('}');
    writer.close('}');
}
